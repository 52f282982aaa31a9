"""Every value that the README of the real TensorBoard runs states."""

import re
from pathlib import Path

import numpy as np
import pytest

from services.imports import tensorboard
from services.imports.epochs import epochs_from_series
from services.imports.run import ImportedRun, ImportedSeries

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "tensorboard_runs"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real runs are not beside this checkout")
ROW = re.compile(r"\| `(.+)/events\S+` \| (\d+) \| 0\.\.(\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|")
STATED = ROW.findall((FOLDER / "README.md").read_text()) if FOLDER.is_dir() else []
TRAINING, TEST, TIMER = "Training loss", "Test loss (avg on test)", "Epoch time"


@pytest.fixture(scope="module")
def runs() -> dict[str, ImportedRun]:
    found = list(tensorboard.read_runs(FOLDER))
    assert all(isinstance(run, ImportedRun) for run in found)
    return {run.name: run for run in found if isinstance(run, ImportedRun)}


def test_all_thirteen_runs_come_in(runs):
    assert sorted(runs) == sorted(name for name, *_ in STATED)
    assert len(runs) == tensorboard.count_runs(FOLDER) == 13


@pytest.mark.parametrize(("name", "epochs", "last_step", "loss", "iou", "minutes"), STATED)
class TestStatedRow:
    def test_epochs_are_as_many_and_count_from_one(self, runs, name, epochs, last_step, loss, iou, minutes):
        assert [row.epoch for row in runs[name].epochs] == list(range(1, int(epochs) + 1))

    def test_training_steps_stay_as_they_were(self, runs, name, epochs, last_step, loss, iou, minutes):
        steps = runs[name].series_of(TRAINING).steps
        assert (len(steps), steps[0], steps[-1]) == (int(epochs), 0, int(last_step))

    def test_last_training_loss_is_the_stated_one(self, runs, name, epochs, last_step, loss, iou, minutes):
        assert f"{runs[name].series_of(TRAINING).values[-1]:.6f}" == loss

    def test_best_iou_is_the_stated_one(self, runs, name, epochs, last_step, loss, iou, minutes):
        assert f"{runs[name].series_of('IoU (avg on test)').values.max():.6f}" == iou

    def test_epoch_times_add_up_in_seconds(self, runs, name, epochs, last_step, loss, iou, minutes):
        total = sum(row.duration_seconds for row in runs[name].epochs)
        assert f"{total / 60:.1f}" == minutes

    def test_each_epoch_pairs_the_losses_that_were_measured_in_it(
        self, runs, name, epochs, last_step, loss, iou, minutes
    ):
        rows = runs[name].epochs
        assert [row.train_loss for row in rows] == runs[name].series_of(TRAINING).values.tolist()
        assert [row.val_loss for row in rows] == runs[name].series_of(TEST).values.tolist()

    def test_what_was_not_logged_stays_empty(self, runs, name, epochs, last_step, loss, iou, minutes):
        rows = runs[name].epochs
        assert {(row.train_accuracy, row.val_accuracy, row.learning_rate) for row in rows} == {(None, None, None)}

    def test_run_ended_long_ago(self, runs, name, epochs, last_step, loss, iou, minutes):
        run = runs[name]
        assert run.status == "completed"
        assert run.ended_at.timestamp() == pytest.approx(run.series_of(TIMER).times[-1], abs=60)


def test_every_run_has_the_five_scalars_and_no_other(runs):
    tags = {tuple(sorted(one.key for one in run.series)) for run in runs.values()}
    assert tags == {(TIMER, "IoU (avg on test)", "L1 Distance (avg on test)", TEST, TRAINING)}


def test_loader_that_drops_a_batch_at_testing_still_gives_epochs(runs):
    run = runs["unet/runs/UNet_dr01_bs8_lr1e_4"]
    assert np.unique(np.diff(run.series_of(TRAINING).steps)).tolist() == [460]
    assert np.unique(np.diff(run.series_of(TEST).steps)).tolist() == [459]
    assert len(run.epochs) == 29


def test_texts_become_notes(runs):
    assert "New best model saved with IoU 0.8286" in runs["deeplabv3_resnet101/runs/DeepLabV3ResNet_lr2e_4"].notes


def test_ids_are_distinct_and_short(runs):
    ids = {run.source_id for run in runs.values()}
    assert len(ids) == 13
    assert max(map(len, ids)) <= 500


def test_id_is_the_same_from_another_folder_above(runs):
    again = {run.source_id for run in tensorboard.read_runs(FOLDER / "unet")}
    assert again == {run.source_id for run in runs.values() if run.name.startswith("unet/")}


@pytest.mark.parametrize("name", [row[0] for row in STATED])
def test_run_that_grows_only_fills_and_adds_epochs(runs, name):
    final = runs[name]
    cells = {(row.epoch, column): getattr(row, column) for row in final.epochs for column in ("train_loss", "val_loss")}
    moments = sorted({when for one in final.series for when in one.times.tolist()})
    for moment in moments:
        so_far = [
            ImportedSeries.of(one.key, *(part[one.times <= moment] for part in (one.steps, one.values, one.times)))
            for one in final.series
        ]
        for row in epochs_from_series(so_far):
            assert row.train_loss in (None, cells[row.epoch, "train_loss"])
            assert row.val_loss in (None, cells[row.epoch, "val_loss"])
