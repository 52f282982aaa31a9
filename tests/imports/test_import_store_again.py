"""What a second import does, and what people have changed in between; tags and deletions."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from database.engine import transaction
from models.tag import ExperimentTag, Tag
from models.training_run import TrainingRun
from services.actor import SYSTEM
from services.experiments import editing
from services.imports.run import ImportedEpoch, ImportedSeries
from tests.support.imported_runs import STARTED, a_run, experiment_of, nan, put, rows


class TestTags:
    def test_short_tags_become_tags_with_a_true_count(self, database):
        put(a_run("r1", tags={"Fold": "1", "Window S": "4"}))
        put(a_run("r2", tags={"Fold": "1", "flag": ""}))
        counts = {tag.name: tag.usage_count for tag in rows(select(Tag))}
        assert counts == {"fold:1": 2, "window-s:4": 1, "flag": 1}

    @pytest.mark.parametrize("value", ["x" * 60, "a,b", "two\nlines"])
    def test_what_breaks_our_rules_stays_in_the_configuration(self, database, value):
        put(a_run(tags={"k": value}))
        assert rows(select(Tag)) == []
        assert experiment_of().config["tags"] == {"k": value}

    def test_at_most_ten_are_put_on(self, database):
        put(a_run(tags={f"t{n}": "1" for n in range(12)}))
        assert len(rows(select(ExperimentTag))) == 10
        assert len(experiment_of().config["tags"]) == 12

    def test_tag_that_somebody_took_off_stays_off(self, database):
        stored = put(a_run())
        with transaction() as session:
            editing.remove_tag(session, SYSTEM, [stored.experiment_id], "fold:1")
        put(a_run(tags={"fold": "1", "late": "yes"}))
        assert [tag.name for tag in rows(select(Tag).where(Tag.usage_count > 0))] == ["late:yes"]


class TestSecondImport:
    def test_same_run_adds_nothing_and_touches_nothing(self, database):
        put(a_run())
        before = experiment_of().updated_at
        stored = put(a_run())
        assert (stored.outcome, stored.points_added) == ("unchanged", 0)
        assert experiment_of().updated_at == before
        assert len(rows(select(TrainingRun))) == 2

    def test_grown_run_gets_only_what_is_new(self, database):
        put(a_run(status="running", ended_at=None, epochs=(ImportedEpoch(1, train_loss=0.9),)))
        assert experiment_of().status == "running"
        longer = ImportedSeries.of("f1/ball", [10, 5, 10, 20], [0.1, 0.2, 0.1, 0.3], [*a_run().series[1].times, nan])
        stored = put(
            a_run(
                series=(a_run().series[0], longer),
                epochs=(ImportedEpoch(1, train_loss=0.9, val_loss=0.8), ImportedEpoch(2, val_loss=0.7)),
            )
        )
        assert (stored.outcome, stored.points_added) == ("extended", 1)
        experiment = experiment_of()
        assert (experiment.status, experiment.ended_at) == ("completed", STARTED + timedelta(seconds=90))
        assert (experiment.epochs_completed, experiment.best_epoch) == (2, 2)
        assert experiment.metrics["f1/ball"] == 0.3
        assert [row.val_loss for row in rows(select(TrainingRun).order_by(TrainingRun.epoch))] == [0.8, 0.7]

    def test_changed_status_alone_extends(self, database):
        put(a_run(status="running"))
        assert put(a_run(status="failed")).outcome == "extended"
        assert experiment_of().status == "failed"

    def test_notes_written_here_stay(self, database):
        stored = put(a_run())
        with transaction() as session:
            editing.set_notes(session, SYSTEM, stored.experiment_id, "mine")
        assert put(a_run()).outcome == "unchanged"
        assert experiment_of().notes == "mine"

    def test_nan_with_other_bits_is_the_same_point(self, database):
        odd = np.array([0x7FF8000000000001], dtype=np.int64).view(np.float64)
        run = a_run(series=(ImportedSeries.of("loss", [1], odd),))
        put(run)
        assert put(run).outcome == "unchanged"


class TestDeletedRun:
    def test_deleted_run_comes_in_deleted(self, database):
        put(a_run(deleted=True))
        assert experiment_of().deleted_at is not None
        assert put(a_run(deleted=True)).outcome == "unchanged"

    def test_run_restored_here_stays_restored(self, database):
        stored = put(a_run(deleted=True))
        with transaction() as session:
            editing.restore_experiments(session, SYSTEM, [stored.experiment_id])
        assert put(a_run(deleted=True)).outcome == "unchanged"
        assert experiment_of().deleted_at is None

    def test_run_deleted_here_stays_deleted(self, database):
        stored = put(a_run())
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [stored.experiment_id])
        put(a_run())
        assert experiment_of().deleted_at is not None
