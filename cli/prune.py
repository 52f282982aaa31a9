"""`pfd prune`: delete what is older than it is kept, or say what that would be."""

import click


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
def prune(dry_run: bool) -> None:
    """Delete what grows by itself and is older than it is kept; the worker does so every hour."""
    from cli.database import prepare
    from database.engine import snapshot, transaction
    from services import retention

    prepare()
    with snapshot() as session:
        found = retention.would_delete(session)
    for item in found:
        since = "" if item.oldest is None else f", the oldest of {item.oldest:%Y-%m-%d %H:%M} UTC"
        days = "day" if item.kept.days == 1 else "days"
        click.echo(f"{item.table}: {item.rows:,} rows are older than {item.kept.days:,} {days}{since}")
    if dry_run:
        return
    removed, total = retention.AT_ONCE, 0
    while removed == retention.AT_ONCE:
        with transaction() as session:
            removed = retention.purge(session, retention.AT_ONCE)
        total += removed
    click.echo(f"Deleted {total:,} rows.")
