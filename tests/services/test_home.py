"""Home's word: it changes with whatever the upper half of the page would show otherwise."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from database.engine import snapshot, transaction
from models.dataset import Dataset
from models.experiment import ExperimentStatus
from services import home
from services.actor import SYSTEM
from services.experiments import editing, lifecycle
from services.experiments.access import get
from tests.support.experiments import running, with_series

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


def test_a_part_of_it_changes_only_with_what_ended(sqlite: Engine) -> None:
    number = running()
    before = home.ended_part(version())
    pause(number)
    assert home.ended_part(version()) == before
    ended("first", 1)
    assert home.ended_part(version()) != before


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


class TestWhatIsLoggedUnderAnyName:
    def test_the_mini_curve_is_of_what_tells_most(self, database: Engine) -> None:
        names = ["train/loss", "val_acc", "grad_norm"]
        number = with_series("any", {name: [0.1 * place, 0.2] for place, name in enumerate(names)})
        other = with_series("other", {"wear": [3.0, 4.0]})
        with snapshot() as session:
            assert home.mini_curves(session, [number, other]) == {
                number: ("validation accuracy", [0.1, 0.2]),
                other: ("wear", [3.0, 4.0]),
            }

    def test_the_best_on_a_dataset_is_found_and_counted_once(self, database: Engine) -> None:
        with transaction() as session:
            dataset = Dataset(name="cwru", num_signals=0)
            session.add(dataset)
            session.flush()
            where = dataset.id
        with_series("low", {"val_accuracy": [0.7]}, dataset_id=where)
        best = with_series("best", {"eval/accuracy": [0.5, 0.9], "Val Acc": [0.6]}, dataset_id=where)
        with_series("training only", {"train_accuracy": [1.0]}, dataset_id=where)
        with snapshot() as session:
            (row,) = home.best_per_dataset(session, SYSTEM)
        assert (row["id"], row["accuracy"], row["epoch"], row["compared"]) == (best, 0.9, 2, 2)

    def test_as_many_statements_are_sent_for_many_as_for_one(
        self, database: Engine, count_queries: Callable[..., int]
    ) -> None:
        ids = [with_series(f"run {place}", {"val_acc": [0.5], "loss": [1.0]}) for place in range(6)]

        def look(some: list[int]) -> None:
            with snapshot() as session:
                home.mini_curves(session, some)

        assert count_queries(database, lambda: look(ids)) == count_queries(database, lambda: look(ids[:1])) == 2
