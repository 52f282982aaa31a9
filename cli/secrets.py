"""`pfd secrets`: a new root key in place of the old one, while people work."""

import click

_HELP = """Put a new root key before the old one and encrypt every stored secret anew.

Nobody is signed out, PFD may run meanwhile, and a run that was interrupted is simply started again. The old key stays
in the file, as forms that are open and devices that are known were signed with it. Restart PFD, so that all its
processes use the new key; when you are ready to let open forms expire and devices be strangers once, run
`pfd secrets rotate --finish`, which makes sure that no stored secret needs the old key and then forgets it.

With PFD_SECRET_KEY from the environment, PFD cannot change the key itself: put the present key into
PFD_SECRET_KEYS_BEFORE (several are separated by commas, the newest first), a new one into PFD_SECRET_KEY, restart PFD,
and run this command with the same settings. Once it says so, remove PFD_SECRET_KEYS_BEFORE.
"""


@click.group("secrets")
def secrets() -> None:
    """Look after the root key that everything secret is derived from."""


@secrets.command(help=_HELP)
@click.option("--finish", is_flag=True, help="Forget the earlier keys, once nothing that is stored needs them.")
def rotate(finish: bool) -> None:
    """Rotate the root key, or finish a rotation."""
    from cli.database import prepare
    from cli.safety import refuse_unsafe_settings
    from config import root_keys
    from config.errors import ConfigurationError
    from config.settings import settings

    refuse_unsafe_settings()
    prepare()
    from_environment = settings().secret_key_override is not None
    if len(settings().root_keys()) == 1:
        if finish:
            click.echo("There is one root key only; nothing is to be forgotten.")
            return
        if from_environment:
            raise ConfigurationError(
                "PFD_SECRET_KEY comes from the environment: put its present value into PFD_SECRET_KEYS_BEFORE and a "
                "new one into PFD_SECRET_KEY (openssl rand -base64 48 makes one), restart PFD and run this again."
            )
    if not from_environment and not finish and not _is_under_way():
        root_keys.add(settings().root_key_file)
        click.echo("A new root key comes first now; the earlier one is kept.")
    _renew()
    if from_environment:
        click.echo("No stored secret needs PFD_SECRET_KEYS_BEFORE any more. Remove it and restart PFD.")
    elif finish:
        root_keys.keep_newest(settings().root_key_file)
        click.echo("The earlier root keys are forgotten. Restart PFD if it has run since before the rotation.")
    else:
        click.echo("Restart PFD; later, `pfd secrets rotate --finish` forgets the earlier key.")


def _is_under_way() -> bool:
    """Whether an earlier run was interrupted: a stored secret still waits for the newest key."""
    from database.engine import snapshot
    from services import secrets as stored

    with snapshot() as session:
        return any(stored.needs_earlier_keys(session, place) for place in stored.PLACES)


def _renew() -> None:
    """Encrypt what is not under the newest key, a batch a transaction."""
    from config.errors import ConfigurationError
    from database.engine import transaction
    from services import secrets as stored

    renewed, unreadable = 0, []
    for place in stored.PLACES:
        last: int | None = 0
        while last is not None:
            with transaction() as session:
                batch = stored.renew(session, place, last)
            last, renewed = batch.last, renewed + batch.renewed
            unreadable += [f"{place.name} of row {row_id}" for row_id in batch.unreadable]
    click.echo(f"{renewed} stored {'secret was' if renewed == 1 else 'secrets were'} encrypted anew.")
    if unreadable:
        raise ConfigurationError(
            f"{len(unreadable)} cannot be read with any root key there is, so no key is forgotten: "
            f"{', '.join(unreadable[:5])}. If the key is lost, so are they: reset them."
        )
