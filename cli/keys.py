"""`pfd key`: API keys from the command line, for whoever has a shell on the machine."""

import click


@click.group("key")
def keys() -> None:
    """Make and revoke API keys."""


@keys.command()
@click.option("--user", "username", required=True, help="Whom the key acts for.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do; may be given several times.")
@click.option("--days", type=int, default=90, show_default=True, help="How long it works.")
@click.option(
    "--rate-limit",
    type=int,
    default=None,
    help="Requests an hour; 1,000, or 100,000 for a key that may run experiments.",
)
@click.option("--name", default="made on the command line", show_default=True, help="What it is for.")
def create(username: str, scopes: tuple[str, ...], days: int, rate_limit: int | None, name: str) -> None:
    """Make a key and print it, and nothing else, on standard output; it is never shown again."""
    from cli.database import prepare
    from database.engine import transaction
    from services import accounts
    from services.actor import actor_of
    from services.api_keys import keys as api_keys

    prepare()
    with transaction() as session:
        owner = actor_of(accounts.find(session, username))
        text = api_keys.create(session, owner, name=name, scopes=scopes, days=days, rate_limit=rate_limit)
    click.echo(text)


@keys.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """End the key that begins with PREFIX (pfd_pk_ and eight letters) from its next request on."""
    from cli.database import prepare
    from database.engine import transaction
    from services.actor import SYSTEM
    from services.api_keys import keys as api_keys

    prepare()
    with transaction() as session:
        shown = api_keys.revoke_by_prefix(session, SYSTEM, prefix)
    click.echo(f"{shown} no longer works.")
