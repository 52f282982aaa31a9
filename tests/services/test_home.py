"""Home's word: it changes with whatever the upper half of the page would show otherwise."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from database.engine import snapshot, transaction
from models.experiment import ExperimentStatus
from services import home
from services.actor import SYSTEM
from services.experiments import editing, lifecycle
from services.experiments.access import get
from tests.support.experiments import running

ENDED = datetime(2026, 3, 1, tzinfo=UTC)


def ended(name: str, day: int) -> int:
    with transaction() as session:
        columns = {"status": "completed", "ended_at": ENDED.replace(day=day)}
        return lifecycle.create(session, SYSTEM, name=name, **columns).id


def version() -> str:
    with snapshot() as session:
        return home.version(session, SYSTEM)


def rename(number: int) -> None:
    with transaction() as session:
        get(session, SYSTEM, number).given_name = "another name"


def delete(number: int) -> None:
    with transaction() as session:
        editing.delete_experiments(session, SYSTEM, [number])


def pause(number: int) -> None:
    with transaction() as session:
        get(session, SYSTEM, number).status = ExperimentStatus.PAUSED


@pytest.mark.parametrize("change", [rename, delete])
def test_the_word_changes_with_a_row_that_did_not_end_last(database: Engine, change: Callable[[int], None]) -> None:
    first = ended("first", 1)
    ended("second", 2)
    before = version()
    change(first)
    assert version() != before


@pytest.mark.parametrize("change", [rename, delete, pause])
def test_the_word_changes_with_a_running_one(database: Engine, change: Callable[[int], None]) -> None:
    number = running()
    before = version()
    change(number)
    assert version() != before


def test_the_word_stays_while_nothing_happens(database: Engine) -> None:
    running(epochs=1)
    ended("first", 1)
    assert version() == version()
