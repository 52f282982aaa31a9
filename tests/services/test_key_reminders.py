"""Owners hear of a key that ends within a week, exactly once, and of no other."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import APIKey, EmailLog, User
from models.permissions import Role
from services.api_keys import keys, reminders
from tests.support.people import person


def made(**changes: Any) -> None:
    """A key of ninety days that ends in five, changed as the test says."""
    actor = person(Role.VIEWER, "vera")
    with transaction() as session:
        keys.create(session, actor, name="nightly", scopes=["view_experiments"])
    ends = {"created_at": now() - timedelta(days=85), "expires_at": now() + timedelta(days=5)}
    with transaction() as session:
        session.execute(update(APIKey).values(**{**ends, **changes}))


def tell() -> int:
    with transaction() as session:
        return reminders.tell(session)


def mails() -> list[str]:
    with snapshot() as session:
        wanted = select(EmailLog.recipient_email).where(EmailLog.event_type == "security.key_ending")
        return list(session.scalars(wanted))


def test_the_owner_is_told_once(database: Engine) -> None:
    made()
    assert [tell(), tell()] == [1, 0]
    assert mails() == ["vera@example.org"]


def test_two_who_look_at_once_tell_once(database: Engine) -> None:
    made()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _number: tell(), range(8))) == 1
    assert len(mails()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": now() + timedelta(days=8)},
        {"expires_at": now() - timedelta(seconds=1)},
        {"is_active": False},
        {"replaced_at": now()},
        {"created_at": now()},
    ],
)
def test_of_others_nobody_is_told(database: Engine, changes: dict[str, Any]) -> None:
    made(**changes)
    tell()
    assert mails() == []


def test_a_disabled_owner_is_not_told(database: Engine) -> None:
    made()
    with transaction() as session:
        session.execute(update(User).values(is_active=False))
    assert tell() == 0
