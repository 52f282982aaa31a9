"""TensorBoard folders as they are found in the wild: resumed, torn, damaged, hostile."""

import os

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from services.imports import tensorboard
from services.imports.run import BadRun, ImportSourceError

LATER = 1.8e9
LOSS = [(step, 1.7e9 + step, 1.0 / (step + 1)) for step in range(5)]


def read(folder, now=LATER):
    return list(tensorboard.read_runs(folder, now=now))


def read_one(folder, now=LATER):
    (run,) = read(folder, now)
    return run


def text_event(tag, text, step=0):
    value = Summary.Value(
        tag=tag,
        metadata=text_metadata.create_summary_metadata("", ""),
        tensor=make_tensor_proto(np.array([text], dtype=object)),
    )
    return Event(step=step, wall_time=1.7e9, summary=Summary(value=[value]))


def hparams_event(**parts):
    content = plugin_data_pb2.HParamsPluginData(**parts)
    value = Summary.Value(tag="_hparams_/x", metadata=metadata.create_summary_metadata(content))
    return Event(wall_time=1.7e9, summary=Summary(value=[value]))


class TestSource:
    def test_empty_folder_is_refused_in_a_sentence(self, tmp_path):
        with pytest.raises(ImportSourceError, match="No TensorBoard event files under"):
            read(tmp_path)

    def test_missing_folder_is_refused(self, tmp_path):
        with pytest.raises(ImportSourceError, match="does not exist"):
            read(tmp_path / "none")

    def test_file_instead_of_a_folder_is_refused(self, tmp_path, write_events):
        with pytest.raises(ImportSourceError, match="is not a folder"):
            read(write_events(tmp_path))

    def test_each_folder_with_event_files_is_a_run(self, tmp_path, write_events):
        for name in ("a", "b/train", "b/validation"):
            write_events(tmp_path / name, {"loss": LOSS})
        assert [run.name for run in read(tmp_path)] == ["a", "b/train", "b/validation"]
        assert tensorboard.count_runs(tmp_path) == 3

    def test_group_is_the_folder_above(self, tmp_path, write_events):
        write_events(tmp_path / "unet" / "runs" / "one", {"loss": LOSS})
        assert read_one(tmp_path).group == "unet/runs"

    def test_link_out_of_the_folder_is_not_followed(self, tmp_path, write_events):
        secret = write_events(tmp_path / "secret", {"loss": LOSS})
        (tmp_path / "given" / "run").mkdir(parents=True)
        (tmp_path / "given" / "run" / secret.name).symlink_to(secret)
        (tmp_path / "given" / "folder").symlink_to(tmp_path / "secret")
        run = read_one(tmp_path / "given")
        assert isinstance(run, BadRun)
        assert "leads out of the folder" in run.reason


class TestIdentity:
    def test_growth_and_a_later_file_keep_it(self, tmp_path, write_events):
        write_events(tmp_path / "run", {"loss": LOSS[:2]})
        before = read_one(tmp_path).source_id
        write_events(tmp_path / "run", {"loss": LOSS})
        write_events(tmp_path / "run", {"loss": LOSS}, name="events.out.tfevents.1700009999.host.2.0", started=1.8e9)
        assert read_one(tmp_path).source_id == before

    def test_relative_path_gives_the_same(self, tmp_path, write_events, monkeypatch):
        write_events(tmp_path / "run", {"loss": LOSS})
        absolute = read_one(tmp_path).source_id
        monkeypatch.chdir(tmp_path / "run")
        assert read_one("..").source_id == read_one(".").source_id == absolute

    def test_move_of_the_folder_above_keeps_it(self, tmp_path, write_events):
        write_events(tmp_path / "old" / "run", {"loss": LOSS})
        before = read_one(tmp_path / "old").source_id
        (tmp_path / "old").rename(tmp_path / "new")
        assert read_one(tmp_path / "new").source_id == before

    def test_runs_begun_in_the_same_second_differ(self, tmp_path, write_events):
        write_events(tmp_path / "x" / "run", {"loss": LOSS}, started=1.7e9)
        write_events(tmp_path / "y" / "run", {"loss": LOSS}, started=1.7e9 + 1e-5)
        assert len({run.source_id for run in read(tmp_path)}) == 2

    def test_endless_folder_name_still_gives_a_short_one(self, tmp_path, write_events):
        write_events(tmp_path / ("ö" * 120), {"loss": LOSS}, name="events.out.tfevents.17." + "h" * 220)
        assert len(read_one(tmp_path).source_id) <= 500


class TestPoints:
    @pytest.mark.parametrize("step", [2**53 + 1, -(2**62), 2**63 - 1])
    def test_step_beyond_what_a_curve_reaches_is_named(self, tmp_path, write_events, step):
        write_events(tmp_path, {"loss": [(0, 1.7e9, 1.0), (step, 1.7e9 + 1, 1.0)]})
        assert read_one(tmp_path).reason == "A step of “loss” lies beyond ±2^53."

    def test_no_point_is_sampled_away(self, tmp_path, write_events):
        write_events(tmp_path, {"x": [(step, 1.7e9 + step, step) for step in range(20_000)]})
        assert read_one(tmp_path).series_of("x").steps.tolist() == list(range(20_000))

    def test_resumed_run_keeps_every_point_in_order_of_time(self, tmp_path, write_events):
        write_events(tmp_path, {"loss": LOSS})
        again = [(step, 1.7e9 + 100 + step, 9.0) for step in (3, 4, 5)]
        write_events(tmp_path, {"loss": again}, name="events.out.tfevents.1700000100.host.2.0")
        series = read_one(tmp_path).series_of("loss")
        assert series.steps.tolist() == [0, 1, 2, 3, 4, 3, 4, 5]
        assert (np.diff(series.times) > 0).all()

    def test_files_that_overlap_in_time_are_merged(self, tmp_path, write_events):
        write_events(tmp_path, {"loss": [(0, 1.7e9, 1.0), (2, 1.7e9 + 20, 3.0)]})
        write_events(tmp_path, {"loss": [(1, 1.7e9 + 10, 2.0)]}, name="events.out.tfevents.1700000001.host.2.0")
        assert read_one(tmp_path).series_of("loss").values.tolist() == [1.0, 2.0, 3.0]

    def test_stock_writer_of_tensorboard_is_read(self, tmp_path):
        writer = EventFileWriter(str(tmp_path))
        summary = Summary(value=[Summary.Value(tag="loss", simple_value=0.5)])
        writer.add_event(Event(step=7, wall_time=1.7e9, summary=summary))
        writer.close()
        assert read_one(tmp_path).series_of("loss").steps.tolist() == [7]

    def test_tensor_scalar_of_tensorflow_2_is_read_beyond_its_first_value(self, tmp_path, write_events):
        plugin = scalar_metadata.create_summary_metadata("", "")
        values = [
            Summary.Value(tag="loss", metadata=plugin, tensor=make_tensor_proto(0.25)),
            Summary.Value(tag="loss", tensor=make_tensor_proto(0.125)),  # metadata come only once
        ]
        events = [Event(step=i, wall_time=1.7e9, summary=Summary(value=[v])) for i, v in enumerate(values)]
        write_events(tmp_path, events=events)
        assert read_one(tmp_path).series_of("loss").values.tolist() == [0.25, 0.125]

    def test_nan_and_infinity_are_kept(self, tmp_path, write_events):
        write_events(tmp_path, {"x": [(0, 1.7e9, float("nan")), (1, 1.7e9, float("-inf"))]})
        values = read_one(tmp_path).series_of("x").values
        assert np.isnan(values[0])
        assert values[1] == -np.inf

    def test_broken_clock_costs_the_time_but_not_the_point(self, tmp_path, write_events):
        write_events(tmp_path, {"x": [(0, 1e300, 1.0)]})
        series = read_one(tmp_path).series_of("x")
        assert series.values.tolist() == [1.0]
        assert np.isnan(series.times[0])


class TestTornAndDamaged:
    def test_torn_last_record_leaves_what_is_whole(self, tmp_path, write_events):
        path = write_events(tmp_path, {"loss": LOSS})
        path.write_bytes(path.read_bytes()[:-7])
        assert read_one(tmp_path).series_of("loss").steps.tolist() == [0, 1, 2, 3]

    @pytest.mark.parametrize("cut", range(1, 30))
    def test_a_file_cut_anywhere_is_never_damaged(self, tmp_path, write_events, cut):
        path = write_events(tmp_path, {"loss": LOSS})
        path.write_bytes(path.read_bytes()[:-cut])
        assert not isinstance(read_one(tmp_path), BadRun)

    def test_damaged_record_is_named_while_the_other_run_comes_in(self, tmp_path, write_events):
        write_events(tmp_path / "good", {"loss": LOSS})
        path = write_events(tmp_path / "bad", {"loss": LOSS})
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 0xFF
        path.write_bytes(raw)
        bad, good = read(tmp_path)
        assert "is damaged: record" in bad.reason
        assert len(good.series_of("loss")) == 5

    def test_empty_file_is_named(self, tmp_path):
        (tmp_path / "events.out.tfevents.1700000000.host").touch()
        assert read_one(tmp_path).reason == "No complete record has been written yet."

    def test_length_of_terabytes_reserves_nothing(self, tmp_path):
        import struct

        from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

        header = struct.pack("<Q", 2**42)
        path = tmp_path / "events.out.tfevents.1700000000.host"
        path.write_bytes(header + struct.pack("<I", masked_crc32c(header)) + b"x" * 100)
        assert "is damaged" in read_one(tmp_path).reason

    def test_tensor_that_claims_a_huge_shape_is_refused(self, tmp_path, write_events):
        tensor = make_tensor_proto(1.0)
        tensor.tensor_shape.dim.add(size=2**40)
        value = Summary.Value(tag="x", metadata=scalar_metadata.create_summary_metadata("", ""), tensor=tensor)
        write_events(tmp_path, events=[Event(wall_time=1.7e9, summary=Summary(value=[value]))])
        assert "named a scalar but holds" in read_one(tmp_path).reason

    def test_key_of_251_characters_is_refused(self, tmp_path, write_events):
        write_events(tmp_path, {"k" * 251: LOSS})
        assert "251 characters; 250 are allowed" in read_one(tmp_path).reason

    def test_nul_in_a_key_becomes_a_replacement_character(self, tmp_path, write_events):
        write_events(tmp_path, {"lo\x00ss": LOSS})
        assert [one.key for one in read_one(tmp_path).series] == ["lo\ufffdss"]


class TestStatus:
    def test_run_that_wrote_lately_is_running(self, tmp_path, write_events):
        write_events(tmp_path, {"loss": LOSS})
        run = read_one(tmp_path, now=1.7e9 + 60)
        assert (run.status, run.ended_at) == ("running", None)

    def test_fresh_copy_of_an_old_run_is_completed(self, tmp_path, write_events):
        path = write_events(tmp_path, {"loss": LOSS})
        os.utime(path, (LATER, LATER))
        run = read_one(tmp_path, now=LATER)
        assert run.status == "completed"
        assert run.ended_at.timestamp() == 1.7e9 + 4

    def test_failed_session_is_failed(self, tmp_path, write_events):
        end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_FAILURE)
        write_events(tmp_path, {"loss": LOSS}, events=[hparams_event(session_end_info=end)])
        assert read_one(tmp_path, now=1.7e9 + 60).status == "failed"


class TestTextsAndParameters:
    def test_hparams_keep_their_types(self, tmp_path, write_events):
        start = plugin_data_pb2.SessionStartInfo()
        start.hparams["lr"].number_value = 3e-4
        start.hparams["batch"].number_value = 32
        start.hparams["augment"].bool_value = True
        start.hparams["model"].string_value = "resnet18"
        write_events(tmp_path, events=[hparams_event(session_start_info=start)])
        run = read_one(tmp_path)
        assert run.hyperparameters == {"lr": 3e-4, "batch": 32, "augment": True, "model": "resnet18"}
        assert isinstance(run.hyperparameters["batch"], int)
        assert run.model_type == "resnet18"

    def test_text_that_is_json_becomes_config(self, tmp_path, write_events):
        write_events(tmp_path, events=[text_event("args/text_summary", '{"seed": 7}')])
        run = read_one(tmp_path)
        assert (run.config, run.notes) == ({"args": {"seed": 7}}, None)

    def test_other_text_becomes_notes_under_its_tag(self, tmp_path, write_events):
        write_events(tmp_path, events=[text_event("Remark", "bearing 3 is loud")])
        assert read_one(tmp_path).notes == "**Remark**\n\nbearing 3 is loud"

    def test_notes_stay_below_64_kib(self, tmp_path, write_events):
        write_events(tmp_path, events=[text_event("a", "ä" * 30_000, i) for i in range(5)])
        assert 60_000 < len(read_one(tmp_path).notes.encode()) <= 65_536

    def test_hparams_yaml_of_lightning_is_taken(self, tmp_path, write_events):
        write_events(tmp_path, {"loss": LOSS})
        (tmp_path / "hparams.yaml").write_text("lr: 0.01\n")
        assert read_one(tmp_path).hyperparameters == {"lr": 0.01}

    def test_yaml_with_python_objects_is_never_built(self, tmp_path, write_events):
        write_events(tmp_path, {"loss": LOSS})
        (tmp_path / "hparams.yaml").write_text("a: !!python/object/apply:os.mkdir ['made']\n")
        run = read_one(tmp_path)
        assert run.hyperparameters == {}
        assert "not plain YAML" in run.config["hparams_yaml_left_out"]

    def test_keras_validation_folder_gives_validation_loss(self, tmp_path, write_events):
        points = [(step, 1.7e9 + step, 0.5) for step in range(3)]
        write_events(tmp_path / "validation", {"epoch_loss": points})
        assert [(row.train_loss, row.val_loss) for row in read_one(tmp_path).epochs] == [(None, 0.5)] * 3
