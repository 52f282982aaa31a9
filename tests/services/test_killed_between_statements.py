"""Acts of several steps are whole or nothing: a process that does them is killed at each of its SQL statements."""

import gc
import hashlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, event, text

from database import engine as engines
from database.engine import snapshot, transaction
from models import Base, User
from models.permissions import Role
from services import accounts, deletion, forgotten, one_time_tokens, passwords, people, sessions, vault
from services.actor import Actor
from services.api_keys import keys
from services.second_factor import backup_codes, enrolment, reset, totp
from services.sessions import SignedIn, Visitor
from tests.support.people import person, token_of

WHO = Visitor("127.0.0.1", "test")
MOST = 80  # statements of one act


@cache
def codes() -> backup_codes.FreshCodes:
    """Ten backup codes; hashing them is slow on purpose."""
    return backup_codes.make()


class Case:
    """Somebody who does something, somebody to whom it is done, and what they need for it."""

    def __init__(self) -> None:
        self.owner = person(Role.SUPER_ADMIN, "owner")
        self.other = person(Role.OPERATOR, "other")
        with snapshot() as session:
            found = sessions.resolve(session, token_of(self.other))
        assert found is not None
        self.signed_in: SignedIn = found
        self.seed = totp.new_seed()
        with transaction() as session:
            self.reset_token = one_time_tokens.issue(session, "reset", people.INVITATION_LASTS, self.other.user_id)
            people.invite(session, self.owner, username="guest", email="guest@example.org", role="viewer")
            guest = accounts.find(session, "guest")
            self.invitation = one_time_tokens.issue(session, "invitation", people.INVITATION_LASTS, guest.id)
            user = session.get_one(User, self.other.user_id)
            user.totp_pending_secret = vault.encrypt(totp.PURPOSE, self.seed)
            backup_codes.store(session, user.id, codes())
        with transaction() as session:
            keys.create(session, self.other, name="first", scopes=["view_experiments"])
        self.hashed = passwords.hash_password("a new passphrase for it")

    @property
    def number(self) -> int:
        return self.other.user_id or 0


def _use_code(case: Case) -> None:
    with snapshot() as session:
        found = backup_codes.at_place(session, case.number, backup_codes.plain(codes().codes[3]) or "")
    assert found is not None
    with transaction() as session:
        assert backup_codes.use(session, found[0], "127.0.0.1")


def _in_one(act: Callable[[Any, Case], Any]) -> Callable[[Case], None]:
    def run(case: Case) -> None:
        with transaction() as session:
            act(session, case)

    return run


def _key_of(session: Any, actor: Actor) -> int:
    return keys.keys_of(session, actor)[0].id


ACTS: dict[str, Callable[[Case], None]] = {
    "invite": _in_one(lambda s, c: people.invite(s, c.owner, username="new", email="new@example.org", role="viewer")),
    "accept": _in_one(lambda s, c: people.accept(s, c.invitation, c.hashed)),
    "change a role": _in_one(lambda s, c: people.set_role(s, c.owner, c.number, "admin")),
    "disable": _in_one(lambda s, c: people.set_active(s, c.owner, c.number, False)),
    "delete": _in_one(lambda s, c: deletion.delete(s, c.owner, c.number)),
    "require a new password": _in_one(lambda s, c: people.require_new_password(s, c.owner, c.number)),
    "reset a password": _in_one(lambda s, c: forgotten.complete(s, c.reset_token, c.hashed, WHO)),
    "make a key": _in_one(lambda s, c: keys.create(s, c.other, name="k", scopes=["view_experiments"])),
    "replace a key": _in_one(lambda s, c: keys.rotate(s, c.other, _key_of(s, c.other))),
    "revoke a key": _in_one(lambda s, c: keys.revoke(s, c.other, _key_of(s, c.other))),
    "enrol an app": _in_one(lambda s, c: enrolment.confirm_app(s, c.signed_in, pyotp.TOTP(c.seed).now(), codes(), WHO)),
    "reset a second factor": _in_one(lambda s, c: reset.reset(s, c.owner, c.number)),
    "use a backup code": _use_code,
}


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Engine]:
    engines.use_engine(engines.build_engine(postgresql_url))
    yield engines.engine()
    engines.use_engine(None)


def digest(engine: Engine) -> str:
    """One hash over every row of every table."""
    names = [table.name for table in Base.metadata.sorted_tables]
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # hashed over there, as forty journeys for each statement take minutes
            parts = (f"SELECT '{name}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} t" for name in names)
            return repr(connection.execute(text(" UNION ALL ".join(parts))).all())
        rows = [connection.execute(text(f"SELECT * FROM {name}")).all() for name in names]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def killed_at(number: int, act: Callable[[Case], None], case: Case) -> bool:
    """Do the act in a process of its own that dies before this statement; False once it came to its end."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(*_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            gc.disable()  # it would touch, and so copy, all that the tests have loaded
            engines.forget_connections()
            event.listen(engines.engine(), "before_cursor_execute", count)
            event.listen(engines.engine(), "commit", count)
            act(case)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the act itself failed"
    return False


@pytest.mark.parametrize("name", ACTS)
def test_is_whole_or_nothing(sqlite: Engine, name: str) -> None:
    whole_or_nothing(sqlite, name)


# A new connection for each statement takes minutes for all of them; the two databases differ in none of this.
@pytest.mark.parametrize("name", ["invite", "make a key", "change a role", "enrol an app"])
def test_is_whole_or_nothing_on_postgresql(postgresql: Engine, name: str) -> None:
    whole_or_nothing(postgresql, name)


def whole_or_nothing(database: Engine, name: str) -> None:
    """Kill it at every statement; what is there afterwards is what was there before."""
    case = Case()
    before = digest(database)
    number = 1
    while killed_at(number, ACTS[name], case):
        assert digest(database) == before, f"something is left of “{name}” that was killed at statement {number}"
        number += 1
        assert number < MOST
    assert number > 2
    assert digest(database) != before
