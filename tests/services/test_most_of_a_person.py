"""How many a person may have at the most holds also when many are made at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database.engine import transaction
from models.permissions import Role
from services import saved_searches, webhooks
from services.actor import Actor
from services.errors import Conflict
from tests.support.people import person


def hook(session: Session, actor: Actor, place: int) -> None:
    address = f"https://hooks.example.org/{place}"
    webhooks.create(session, actor, name="a", provider_type="webhook", webhook_url=address, enabled_events=[])


def search(session: Session, actor: Actor, place: int) -> None:
    saved_searches.create(session, actor, name=f"search {place}", query="x")


@pytest.mark.parametrize(("module", "make"), [(webhooks, hook), (saved_searches, search)])
def test_of_many_at_once_as_many_are_made(
    database: Engine, monkeypatch: pytest.MonkeyPatch, module: Any, make: Callable[..., None]
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    owner = person(Role.ADMIN)

    def one(place: int) -> bool:
        try:
            with transaction() as session:
                make(session, owner, place)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 3
