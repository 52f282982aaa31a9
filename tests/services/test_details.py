"""One experiment as its page shows it, and several side by side."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from database.engine import snapshot, transaction
from models import Experiment
from models.permissions import Role
from models.training_run import TrainingRun
from services import compare
from services.actor import SYSTEM, Actor
from services.compare import Compared
from services.curves import writing
from services.curves.directions import direction_of
from services.curves.packing import Points
from services.errors import NotFound
from services.experiments import details, editing, epochs, lifecycle
from services.experiments.epochs import Epoch
from tests.support import clock
from tests.support.experiments import with_series

NOBODY = Actor(None, "nobody", Role.VIEWER, frozenset())
LABELS = ["Healthy", "Wear"]


def running(name: str = "run", **columns: Any) -> int:
    with transaction() as session:
        experiment = lifecycle.create(session, SYSTEM, name=name, **columns)
        lifecycle.start(session, experiment.id)
        return experiment.id


def record(experiment_id: int, epoch: int, **values: Any) -> None:
    with transaction() as session:
        epochs.record_epoch(
            session, experiment_id, Epoch(epoch, **values), confusion=(LABELS, [[8, 2], [epoch, 10 - epoch]])
        )


def shown(experiment_id: int) -> details.Detail:
    with snapshot() as session:
        return details.detail(session, SYSTEM, experiment_id)


def cursor(experiment_id: int) -> str:
    with snapshot() as session:
        return details.cursor(session, SYSTEM, experiment_id)


class TestDetail:
    @pytest.mark.parametrize(
        ("second", "best"),
        [
            ({"val_loss": 0.5, "val_accuracy": 0.2}, (1, "highest validation accuracy")),
            ({"val_loss": 0.5}, (1, "highest validation accuracy")),
        ],
    )
    def test_best_epoch_says_by_what_it_is_the_best(
        self, database: Engine, second: dict[str, float], best: tuple[int, str]
    ) -> None:
        one = running()
        record(one, 1, val_loss=1.0, val_accuracy=0.9)
        record(one, 2, **second)
        assert (shown(one).best_epoch, shown(one).best_by) == best

    def test_value_that_is_not_finite_does_not_look_missing(self, database: Engine) -> None:
        one = running()
        for epoch, loss in enumerate((1.0, float("nan"), float("inf"), 0.5), start=1):
            record(one, epoch, val_loss=loss)
        with transaction() as session:  # as an import leaves it, and SQLite in any case
            session.execute(update(TrainingRun).where(TrainingRun.epoch.in_((2, 3))).values(val_loss=None))
        with snapshot() as session:
            rows = details.epochs(session, SYSTEM, one)
        assert [str(row["val_loss"]) for row in rows] == ["1.0", "nan", "inf", "0.5"]
        assert [row["train_loss"] for row in rows] == [None] * 4

    def test_best_epoch_without_accuracies_is_that_of_the_lowest_loss(self, database: Engine) -> None:
        one = running()
        for epoch, loss in enumerate((1.0, 0.5, 0.7), start=1):
            record(one, epoch, val_loss=loss)
        with transaction() as session:
            lifecycle.complete(session, one)
        assert (shown(one).best_epoch, shown(one).best_by) == (2, "lowest validation loss")

    def test_best_epoch_that_a_source_chose_says_nothing_of_why(self, database: Engine) -> None:
        one = running(best_epoch=1)
        for epoch, loss in enumerate((1.0, 0.5), start=1):
            record(one, epoch, val_loss=loss)
        assert (shown(one).best_epoch, shown(one).best_by) == (1, None)

    def test_remaining_time_follows_the_pace_so_far(self, database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        one = running(total_epochs=40)
        assert shown(one).remaining is None
        record(one, 10, val_loss=1.0)
        with transaction() as session:
            session.get_one(Experiment, one).started_at = clock.hold(monkeypatch, details) - timedelta(seconds=100)
        assert shown(one).remaining == pytest.approx(300, rel=0.05)

    def test_a_parent_and_its_runs_know_each_other_by_name(self, database: Engine) -> None:
        parent = running("sweep")
        first, second, gone = (running(f"trial {place}", parent_id=parent) for place in (1, 2, 3))
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [gone])
        assert shown(first).parent == (parent, "sweep")
        assert [(child.id, child.name) for child in shown(parent).children] == [(first, "trial 1"), (second, "trial 2")]
        assert shown(parent).children_total == 2

    def test_runs_in_it_tell_the_metrics_that_most_of_them_have(self, database: Engine) -> None:
        parent = running("sweep")
        for name, scores in (("a", [0.2, 0.9]), ("b", [0.4])):
            with_series(name, {"score": scores, "val_accuracy": scores}, parent_id=parent)
        with_series("c", {"other": [1]}, parent_id=parent)
        found = shown(parent)
        assert found.children_metrics == ("max val_accuracy", "last other")
        assert [child.values for child in found.children] == [(0.9, None), (0.4, None), (None, 1)]

    def test_a_deleted_parent_is_not_named(self, database: Engine) -> None:
        parent = running("sweep")
        child = running("trial", parent_id=parent)
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [parent])
        assert shown(child).parent is None

    def test_best_epoch_is_known_while_it_runs(self, database: Engine) -> None:
        one = running()
        for epoch, accuracy in ((1, 0.2), (2, 0.9), (3, 0.5)):
            record(one, epoch, val_accuracy=accuracy)
        assert shown(one).best_epoch == 2

    @pytest.mark.parametrize("number", [0, -1, 2**31, 2**70])
    def test_ids_out_of_range_are_not_found(self, database: Engine, number: int) -> None:
        with snapshot() as session, pytest.raises(NotFound):
            details.detail(session, SYSTEM, number)

    def test_who_may_not_see_it_is_told_that_there_is_none(self, database: Engine) -> None:
        one = running()
        with snapshot() as session:
            assert details.exists(session, SYSTEM, one) and not details.exists(session, NOBODY, one)
            with pytest.raises(NotFound):
                details.detail(session, NOBODY, one)


class TestCursor:
    def test_stays_while_nothing_happens(self, database: Engine) -> None:
        one = running()
        assert cursor(one) == cursor(one)

    def test_moves_with_an_epoch_a_metric_and_the_end(self, database: Engine) -> None:
        one = running()
        seen = [cursor(one)]
        record(one, 1, val_loss=1.0)
        seen.append(cursor(one))
        with transaction() as session:
            writing.append(session, one, {"gpu": Points.of([1], [2.0])})
        seen.append(cursor(one))
        with transaction() as session:
            lifecycle.complete(session, one)
        seen.append(cursor(one))
        assert len(set(seen)) == 4


class TestEpochs:
    def test_come_after_the_cursor(self, database: Engine) -> None:
        one = running()
        for epoch in (1, 2, 3):
            record(one, epoch, val_loss=float(epoch))
        with snapshot() as session:
            assert [row["epoch"] for row in details.epochs(session, SYSTEM, one, 1)] == [2, 3]


class TestMatrix:
    def test_is_the_last_one_before_the_epoch(self, database: Engine) -> None:
        one = running()
        with snapshot() as session:
            assert details.matrix_span(session, SYSTEM, one) is None
        record(one, 2)
        record(one, 5)
        with snapshot() as session:
            assert details.matrix_span(session, SYSTEM, one) == (2, 5)
            at_four, before = (details.matrix(session, SYSTEM, one, epoch) for epoch in (4, 1))
        assert before is None
        assert at_four is not None and at_four.epoch == 2
        assert at_four.recall == (0.8, 0.8) and at_four.labels == ("Healthy", "Wear")

    @pytest.mark.parametrize("epoch", [-5, 2**31, 10**12])
    def test_epochs_out_of_range_are_harmless(self, database: Engine, epoch: int) -> None:
        one = running()
        with snapshot() as session:
            assert details.matrix(session, SYSTEM, one, epoch) is None


class TestCompare:
    def chosen(self, ids: list[int]) -> list[Compared]:
        with snapshot() as session:
            return compare.chosen(session, SYSTEM, ids)

    def test_keeps_the_order_and_leaves_out_what_is_gone(self, database: Engine) -> None:
        one, two, three = (running(name) for name in ("a", "b", "c"))
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [two])
        assert [item.id for item in self.chosen([three, two, 999, one, three, -1, 2**40])] == [three, one]

    def test_who_may_not_see_them_compares_nothing(self, database: Engine) -> None:
        one = running()
        with snapshot() as session:
            assert compare.chosen(session, NOBODY, [one]) == []

    def test_parameters_that_differ_are_told_apart(self, database: Engine) -> None:
        config = {"trainer": {"lr": 0.1, "schedule": {"kind": "step"}}}
        one = running("a", hyperparameters={"lr": 0.1, "seed": 1, "extra": None}, config=config)
        two = running("b", hyperparameters={"lr": 0.1, "seed": 2, "layers": [3, 4]}, config=config)
        rows = {row.name: row for row in compare.param_rows(self.chosen([one, two]))}
        assert rows["seed"].differs and rows["seed"].values == ("1", "2")
        assert rows["layers"].differs and rows["layers"].values == (None, "[3, 4]")
        assert not rows["lr"].differs and not rows["config.trainer.schedule.kind"].differs
        assert "config.trainer.lr" not in rows and "extra" not in rows

    def test_best_of_a_metric_follows_its_direction(self, database: Engine) -> None:
        one, two = running("a"), running("b")
        with transaction() as session:
            writing.append(session, one, {"val_loss": Points.of([1, 2], [0.5, 0.9]), "gpu": Points.of([1], [1.0])})
            writing.append(session, two, {"loss/val": Points.of([1, 2], [0.7, float("nan")])})
        with snapshot() as session:
            rows = {row.name: row for row in compare.metric_rows(session, self.chosen([one, two]))}
        loss = rows["Validation loss"]
        assert (loss.direction, loss.best, loss.winners) == ("min", (0.5, pytest.approx(0.7)), {0})
        assert loss.last[0] == pytest.approx(0.9) and isinstance(loss.last[1], str)
        assert (rows["gpu"].direction, rows["gpu"].best, rows["gpu"].winners) == (None, (None, None), set())

    def test_where_all_are_equal_none_is_best(self, database: Engine) -> None:
        ids = [running(name) for name in "ab"]
        with transaction() as session:
            for one in ids:
                writing.append(session, one, {"val_accuracy": Points.of([1], [0.5])})
        with snapshot() as session:
            (row,) = compare.metric_rows(session, self.chosen(ids))
        assert row.winners == set() and not row.differs

    def test_queries_do_not_grow_with_the_experiments(
        self, database: Engine, count_queries: Callable[..., int]
    ) -> None:
        ids = [running(f"run {number}") for number in range(20)]

        def work(some: list[int]) -> None:
            with snapshot() as session:
                compare.metric_rows(session, compare.chosen(session, SYSTEM, some))

        assert count_queries(database, lambda: work(ids)) == count_queries(database, lambda: work(ids[:2])) == 2


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        ("val_loss", "min"), ("Test Loss (avg)", "min"), ("rmse", "min"), ("val_acc", "max"), ("f1/Wear", "max"),
        ("metrics/mAP50", "max"), ("IoU (avg on test)", "max"), ("val_mIoU", "max"), ("meanIoU", "max"),
        ("biou", None), ("grad_norm", None), ("learning_rate", None), ("", None),
    ],
)  # fmt: skip
def test_direction_is_read_off_the_name(key: str, direction: str | None) -> None:
    assert direction_of(key) == direction


@pytest.mark.parametrize(("columns", "told"), [({}, None), ({"total_epochs": 9}, 0)])
def test_a_comparison_tells_no_epochs_of_a_run_that_counts_none(
    database: Engine, columns: dict[str, Any], told: int | None
) -> None:
    number = with_series("a", {"score": [0.5]}, **columns)
    with snapshot() as session:
        (found,) = compare.chosen(session, SYSTEM, [number])
    assert found.parts["facts"]["epochs"] == told
