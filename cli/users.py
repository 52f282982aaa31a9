"""`pfd user`: accounts from the command line, for whoever has a shell on the machine."""

import sys

import click

# The words of models.permissions.Role, which would load every table only to show a help text.
ROLES = ("viewer", "operator", "admin", "super_admin")
_PASSWORD = click.option(
    "--password-stdin", is_flag=True, required=True, help="Read the password from standard input, without its line end."
)


def _password() -> str:
    # Never an argument: those stand in the process list and in the shell's history.
    try:
        return sys.stdin.read(100_000).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise click.UsageError("The password on standard input is not UTF-8.") from error


@click.group("user")
def users() -> None:
    """Make accounts, change roles, set passwords, take lost second factors off."""


@users.command()
@click.argument("name")
@click.option("--email", required=True, help="Where messages for this person go.")
@click.option("--role", type=click.Choice(ROLES), default=ROLES[0], show_default=True)
@_PASSWORD
def create(name: str, email: str, role: str, password_stdin: bool) -> None:
    """Make an account called NAME."""
    from cli.database import prepare
    from database.engine import transaction
    from models.permissions import Role
    from services import accounts
    from services.actor import SYSTEM

    password = _password()
    accounts.check_new_account(name, email, password)  # before anything is made
    prepare()
    with transaction() as session:
        user = accounts.create(session, SYSTEM, username=name, email=email, role=Role(role), password=password)
    click.echo(f"Made the account {user.username} ({user.role}).")


@users.command("set-role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
def set_role(name: str, role: str) -> None:
    """Give the account NAME another ROLE and end its sessions."""
    from cli.database import prepare
    from database.engine import transaction
    from models.permissions import Role
    from services import accounts
    from services.actor import SYSTEM

    prepare()
    with transaction() as session:
        user = accounts.set_role(session, SYSTEM, name, Role(role))
    click.echo(f"{user.username} is now {user.role}.")


@users.command("reset-password")
@click.argument("name")
@_PASSWORD
def reset_password(name: str, password_stdin: bool) -> None:
    """Set a new password for the account NAME and end its sessions."""
    from cli.database import prepare
    from database.engine import transaction
    from services import accounts
    from services.actor import SYSTEM

    password = _password()
    prepare()
    with transaction() as session:
        user = accounts.reset_password(session, SYSTEM, name, password)
    click.echo(f"{user.username} has a new password; every session of theirs has ended.")


@users.command("reset-second-factor")
@click.argument("name")
def reset_second_factor(name: str) -> None:
    """Take app, passkeys and backup codes off the account NAME, whose owner has lost them, and end its sessions."""
    from cli.database import prepare
    from database.engine import transaction
    from services import accounts
    from services.actor import SYSTEM
    from services.second_factor import reset

    prepare()
    with transaction() as session:
        accounts.lock_owners(session)  # before the account, as always
        user = accounts.find(session, name)
        reset.reset(session, SYSTEM, user.id)
        username = user.username
    click.echo(f"{username} has no second factor any more; every session of theirs has ended.")
