"""`pfd demo`: the example signals and trainings, put in and taken out."""

import click


@click.group("demo")
def demo() -> None:
    """Load or remove the demo."""


@demo.command()
def load() -> None:
    """Queue the demo: its models are trained by the worker of a running `pfd serve`."""
    from cli.database import prepare
    from database.engine import transaction
    from jobs.announcing import announce_to_celery
    from services import demo as service

    prepare()
    announce_to_celery()
    with transaction() as session:
        queued = service.load(session)
    if queued:
        click.echo("The demo is queued; the worker of `pfd serve` trains it.")
    else:
        click.echo("The demo is there already, or on its way.")


@demo.command()
def remove() -> None:
    """Remove the demo's dataset and experiments for good."""
    from cli.database import prepare
    from database.engine import transaction
    from services import demo as service
    from services.actor import SYSTEM

    prepare()
    with transaction() as session:
        service.remove(session, SYSTEM)
    click.echo("The demo is removed.")
