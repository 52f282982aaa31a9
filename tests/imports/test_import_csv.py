"""CSV files of loggers, spreadsheets and recordings."""

import math
from pathlib import Path

import numpy as np
import pytest

from services.imports import csv
from services.imports.run import BadRun, ImportSourceError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def read(tmp_path):
    """Write the text to a file and read its runs."""

    def write_and_read(text, name="run.csv", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
        return list(csv.read_runs(path))

    return write_and_read


@pytest.fixture
def read_one(read):
    def first(*args, **options):
        (run,) = read(*args, **options)
        return run

    return first


def keys(run):
    return [one.key for one in run.series]


class TestSource:
    @pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", ",,\n", " \u2003\n"])
    def test_empty_file_is_refused(self, read, text):
        with pytest.raises(ImportSourceError, match=r"run\.csv is empty"):
            read(text)

    def test_header_without_rows_is_refused(self, read):
        with pytest.raises(ImportSourceError, match="a header but no rows"):
            read("epoch,loss\n")

    def test_folder_is_refused(self, tmp_path):
        with pytest.raises(ImportSourceError, match="name the CSV file itself"):
            csv.count_runs(tmp_path)

    def test_missing_file_is_refused(self, tmp_path):
        with pytest.raises(ImportSourceError, match="does not exist"):
            csv.count_runs(tmp_path / "none.csv")

    def test_binary_file_is_refused(self, read):
        with pytest.raises(ImportSourceError, match="is not text"):
            read("\x00\x01\x02")

    def test_header_with_an_endless_name_is_refused(self, read):
        with pytest.raises(ImportSourceError, match="250 are allowed"):
            read("epoch," + "k" * 251 + "\n1,2\n")

    @pytest.mark.parametrize(
        ("rows", "line"),
        [('1,0.5\n2,"0.25\n3,0.1\n', 3), ('\n\n1,"0.5', 4), ('"1,0.5\n2,0.25\n', 2), ('1,"a\nb"\n2,"c\n\n', 4)],
    )
    def test_quote_that_is_never_closed_is_refused_with_its_line(self, read, rows, line):
        with pytest.raises(
            ImportSourceError, match=rf"run\.csv, line {line}: A quote \(\"\) is opened and never closed"
        ):
            read(f"epoch,loss\n{rows}")

    def test_quote_that_the_next_one_closes_is_refused_with_its_line(self, read):
        with pytest.raises(ImportSourceError, match=r"run\.csv, line 3: The quotes"):
            read('epoch,note\n1,"a"\n2,"b\n3,"c"\n')

    def test_quote_that_swallows_a_long_file_is_refused_with_its_line(self, read):
        with pytest.raises(ImportSourceError, match=r"run\.csv, line 2: A cell has more than .* perhaps a quote"):
            read('epoch,loss\n1,"0.5\n' + "2,0.25\n" * 30_000)

    def test_quote_in_the_header_that_is_never_closed_is_refused(self, read):
        with pytest.raises(ImportSourceError, match="line 1: A quote"):
            read('epoch,"loss\n1,0.5\n')


class TestTrials:
    HEADER = "number,value,datetime_start,datetime_complete,duration,params_lr,user_attrs_seed,system_attrs_x,state"
    ROW = "0,0.91,2026-01-01 10:00:00,2026-01-01 10:01:00,0 days 00:01:00,0.01,7,,COMPLETE"

    def refused(self, read, header, row):
        with pytest.raises(ImportSourceError, match="is a table of trials, as Optuna exports a study"):
            read(f"{header}\n{row}\n{row.replace('0', '1', 1)}\n")

    def test_table_of_trials_is_refused(self, read):
        self.refused(read, self.HEADER, self.ROW)

    def test_table_with_the_index_of_pandas_is_refused(self, read):
        self.refused(read, f",{self.HEADER}", f"0,{self.ROW}")

    def test_table_of_several_objectives_is_refused(self, read):
        self.refused(read, self.HEADER.replace("value", "values_0,values_1"), self.ROW.replace("0.91", "0.91,3"))

    def test_table_of_trials_without_parameters_is_refused(self, read):
        self.refused(read, "number,value,datetime_start,state", "0,0.91,2026-01-01 10:00:00,COMPLETE")

    def test_table_of_chosen_columns_is_refused(self, read):
        self.refused(read, "number,value,params_lr", "0,0.91,0.01")

    def test_curve_with_columns_number_and_value_is_read(self, read_one):
        assert keys(read_one("number,value\n0,1\n1,2\n")) == ["number", "value"]

    @pytest.mark.skipif(not (DATA / "mlflow_filestore_eeg").is_dir(), reason="the real tables are not beside this")
    def test_real_tables_of_trials_are_refused(self):
        tables = sorted((DATA / "mlflow_filestore_eeg").glob("optuna_*.csv"))
        assert len(tables) == 6
        for table in tables:
            with pytest.raises(ImportSourceError, match="table of trials"):
                csv.count_runs(table)


class TestIdentity:
    def test_growth_with_new_columns_keeps_it(self, read_one):
        before = read_one("step,loss\n0,1\n").source_id
        assert read_one("step,acc,loss\n0,,1\n1,2,\n").source_id == before

    def test_relative_path_and_a_link_give_the_same(self, read_one, tmp_path, monkeypatch):
        before = read_one("step,loss\n0,1\n").source_id
        (tmp_path / "link.csv").symlink_to(tmp_path / "run.csv")
        monkeypatch.chdir(tmp_path)
        assert {next(csv.read_runs(name)).source_id for name in ("run.csv", "./link.csv")} == {before}

    def test_equal_files_in_two_folders_are_two_runs(self, read_one):
        one, two = (read_one("step,loss\n0,1\n", name=f"{folder}/metrics.csv") for folder in "ab")
        assert one.source_id != two.source_id
        assert (one.name, two.name) == ("a", "b")


class TestLayout:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_delimiter_is_found(self, read_one, delimiter):
        run = read_one("epoch,loss\n1,0.5\n2,0.25\n".replace(",", delimiter))
        assert run.series_of("loss").values.tolist() == [0.5, 0.25]

    def test_decimal_comma_is_read_between_semicolons(self, read_one):
        run = read_one("epoch;loss\n1;0,5\n2;1,5e-1\n")
        assert run.series_of("loss").values.tolist() == [0.5, 0.15]

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_byte_order_mark_is_no_part_of_the_first_name(self, read_one, encoding):
        run = read_one("epoch,loss\n1,0.5\n2,0.4\n", encoding=encoding)
        assert keys(run) == ["loss"]
        assert run.series_of("loss").steps.tolist() == [1, 2]

    def test_rows_are_numbered_without_a_step_column(self, read_one):
        assert read_one("loss\n3\n2\n1\n").series_of("loss").steps.tolist() == [0, 1, 2]

    def test_step_goes_before_epoch(self, read_one):
        run = read_one("epoch,step,loss\n0,10,1\n1,20,2\n")
        assert run.series_of("loss").steps.tolist() == [10, 20]

    def test_constant_number_of_epochs_is_no_step(self, read_one):
        assert read_one("epochs,loss\n50,2\n50,1\n").series_of("loss").steps.tolist() == [0, 1]

    def test_column_of_numbers_without_a_header_is_a_series(self, read_one):
        assert read_one("0.5\n0.25\n").series_of("value").values.tolist() == [0.5, 0.25]

    def test_constant_words_are_hyperparameters_and_others_are_named(self, read_one):
        run = read_one("loss,model,phase\n1,cnn,a\n2,cnn,b\n")
        assert run.hyperparameters == {"model": "cnn"}
        assert run.config["text_columns_left_out"] == ["phase"]
        assert run.model_type == "cnn"

    def test_a_word_under_the_name_of_a_loss_is_named_with_its_line(self, read_one):
        bad = read_one("epoch,train_loss,optimizer\n1,0.5,adam\n2,abc,adam\n")
        assert bad.reason == "Line 3: “abc” in column “train_loss” is not a number."

    def test_words_for_nan_and_infinity_are_values_and_gaps_are_none(self, read_one):
        series = read_one("step,x\n0,nan\n1,-inf\n2,\n3,NA\n4,Infinity\n5,1\n").series_of("x")
        assert series.steps.tolist() == [0, 1, 4, 5]
        assert math.isnan(series.values[0])
        assert series.values[1:].tolist() == [-math.inf, math.inf, 1.0]

    def test_two_columns_of_one_name_stay_two(self, read_one):
        assert keys(read_one("loss,loss\n1,2\n")) == ["loss", "loss (2)"]

    @pytest.mark.parametrize(
        "text",
        ["2023-11-14T22:13:20Z", "2023-11-14 23:13:20+01:00", "2023-11-14 22:13:20", "1700000000", "1700000000000"],
    )
    def test_time_is_read_in_every_notation(self, read_one, text):
        run = read_one(f"timestamp,loss\n{text},1\n")
        assert run.series_of("loss").times.tolist() == [1.7e9]
        assert run.started_at.timestamp() == 1.7e9

    def test_small_numbers_under_time_are_a_metric(self, read_one):
        assert keys(read_one("step,time,loss\n0,1.5,1\n1,3.0,1\n")) == ["time", "loss"]

    def test_quoted_cells_may_hold_the_delimiter(self, read_one):
        assert read_one('loss,note\n1,"a, b"\n').hyperparameters == {"note": "a, b"}


class TestSeveralRuns:
    TEXT = "run,epoch,val_loss\na,1,5\nb,1,7\na,2,4\n"

    def test_column_run_parts_the_rows(self, read):
        assert {run.name: run.series_of("val_loss").values.tolist() for run in read(self.TEXT)} == {
            "a": [5.0, 4.0],
            "b": [7.0],
        }

    def test_count_is_known_before_reading(self, read, tmp_path):
        read(self.TEXT)
        assert csv.count_runs(tmp_path / "run.csv") == 2

    def test_bad_run_is_named_while_the_other_comes_in(self, read):
        good, bad = read(self.TEXT.replace("b,1,7", "b,1,seven"))
        assert len(good.series_of("val_loss")) == 2
        assert isinstance(bad, BadRun)
        assert bad.reason == "Line 3: “seven” in column “val_loss” is not a number."

    def test_experiment_beside_run_becomes_the_group(self, read):
        (run,) = read("experiment,run_id,loss\nbearings,r1,1\n")
        assert (run.name, run.group) == ("r1", "bearings")


class TestErrors:
    @pytest.mark.parametrize(
        ("rows", "reason"),
        [
            ("1,0.5\n2,oops\n3,1", "Line 3: “oops” in column “loss” is not a number."),
            ("1,0.5\nx,1\n3,1", "Line 3: “x” in column “epoch” is not a whole number."),
            ("1,0.5\n,1\n3,1", "Line 3: “” in column “epoch” is not a whole number."),
            ("1,0.5\n2,1,9\n3,1", "Line 3: 3 cells where the header has 2."),
            (f"1,0.5\n{2**53 + 1},1\n3,1", f"Line 3: The step {2**53 + 1} lies beyond ±2^53."),
            ("1,0.5\n-1e300,1\n3,1", "Line 3: The step -1e300 lies beyond ±2^53."),
        ],
    )
    def test_line_is_named(self, read_one, rows, reason):
        assert read_one(f"epoch,loss\n{rows}\n").reason == reason

    def test_line_of_a_file_counts_lines_inside_quotes(self, read_one):
        assert read_one('note,loss\n"two\nlines",1\nx,y\nx,2\n').reason.startswith("Line 4:")


class TestLoggers:
    def test_an_epoch_column_tells_the_epochs_whatever_is_measured(self, read_one):
        run = read_one("epoch,IoU,wear\n0,0.5,1\n1,0.6,2\n")
        assert [(row.epoch, row.val_accuracy) for row in run.epochs] == [(1, None), (2, None)]

    @pytest.mark.parametrize("header", ["step,loss,val_loss", "iter,loss,val_accuracy"])
    @pytest.mark.parametrize("spacing", [1, 40])
    def test_steps_are_no_epochs_without_that_column(self, read_one, header, spacing):
        rows = [f"{number * spacing},{1 / (number + 1)},0.5" for number in range(50)]
        run = read_one("\n".join([header, *rows, ""]))
        assert run.epochs == ()
        assert run.series[0].steps[-1] == 49 * spacing

    def test_keras_csv_logger_fills_the_epochs(self, read_one):
        run = read_one("epoch,accuracy,loss,lr,val_accuracy,val_loss\n0,.5,2,.1,.4,3\n1,.6,1,.1,.5,2\n", "training.log")
        assert [
            (r.epoch, r.train_accuracy, r.train_loss, r.learning_rate, r.val_accuracy, r.val_loss) for r in run.epochs
        ] == [
            (1, 0.5, 2.0, 0.1, 0.4, 3.0),
            (2, 0.6, 1.0, 0.1, 0.5, 2.0),
        ]

    LIGHTNING = (
        "epoch,step,train_loss_epoch,train_loss_step,val_loss\n"
        "0,49,,0.9,\n0,99,,0.8,\n0,99,,,0.7\n0,99,0.85,,\n1,149,,0.6,\n1,199,,0.5,\n1,199,,,0.4\n1,199,0.55,,\n"
    )

    def test_lightning_csv_logger_fills_the_epochs_from_sparse_cells(self, read_one):
        run = read_one(self.LIGHTNING, "lightning_logs/version_0/metrics.csv")
        assert [(r.epoch, r.train_loss, r.val_loss) for r in run.epochs] == [(1, 0.85, 0.7), (2, 0.55, 0.4)]
        assert run.series_of("train_loss_step").steps.tolist() == [49, 99, 149, 199]
        assert run.name == "lightning_logs/version_0"

    def test_lightning_hyperparameters_beside_are_read(self, read_one, tmp_path):
        (tmp_path / "hparams.yaml").write_text("lr: 0.01\nlayers: [1, 2]\nwhen: 2024-01-01\n")
        run = read_one(self.LIGHTNING, "metrics.csv")
        assert run.hyperparameters == {"lr": 0.01, "layers": [1, 2], "when": "2024-01-01"}

    def test_chain_of_yaml_aliases_does_not_explode(self, read_one, tmp_path):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
        (tmp_path / "hparams.yaml").write_text("\n".join(lines))
        run = read_one(self.LIGHTNING, "metrics.csv")
        assert "too many or too deeply nested" in run.config["hparams_yaml_left_out"]

    def test_hyperparameters_that_link_out_are_not_read(self, read_one, tmp_path):
        (tmp_path / "secret").write_text("password: x\n")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "hparams.yaml").symlink_to(tmp_path / "secret")
        run = read_one(self.LIGHTNING, "run/metrics.csv")
        assert run.hyperparameters == {}
        assert "leads out" in run.config["hparams_yaml_left_out"]

    def test_line_cut_short_is_left_for_later_and_the_run_is_running(self, read_one):
        run = read_one("epoch,loss,acc\n1,2,3\n2,3,4\n3,2")
        assert (run.status, run.series_of("loss").steps.tolist()) == ("running", [1, 2])

    def test_missing_last_line_end_is_no_sign_of_writing(self, read_one):
        run = read_one("epoch,loss,acc\n1,2,3\n2,3,4")
        assert (run.status, run.series_of("loss").steps.tolist()) == ("completed", [1, 2])


@pytest.mark.skipif(not (DATA / "ims_trends").is_dir(), reason="the real trends are not beside this checkout")
class TestRealTrends:
    @pytest.mark.parametrize(
        ("name", "rows", "count", "first", "last"),
        [
            ("2nd_test_resmaple_10minutes.csv", 984, 4, "2004-02-12T10:32:39", "2004-02-19T06:22:39"),
            ("merged_dataset_BearingTest_1.csv", 2156, 8, "2003-10-22T12:06:24", "2003-11-25T23:39:56"),
            ("1st_test_resmaple_10minutes.csv", 2156, 8, "2003-10-22T12:06:24", "2003-11-25T23:39:56"),
            ("Anomaly_distance.csv", 982, 3, "2004-02-12T11:02:39", "2004-02-19T06:22:39"),
        ],
    )
    def test_rows_columns_and_times_are_the_stated_ones(self, name, rows, count, first, last):
        (run,) = csv.read_runs(DATA / "ims_trends" / name)
        assert ([len(one) for one in run.series], len(run.series)) == ([rows] * count, count)
        assert (run.started_at.isoformat()[:19], run.ended_at.isoformat()[:19]) == (first, last)

    def test_both_copies_of_test_1_agree(self):
        one, two = (
            next(csv.read_runs(DATA / "ims_trends" / name)).series
            for name in ("1st_test_resmaple_10minutes.csv", "merged_dataset_BearingTest_1.csv")
        )
        worst = max(np.abs(a.values - b.values).max() for a, b in zip(one, two, strict=True))
        assert 0 < worst < 7.5e-15


@pytest.mark.skipif(not (DATA / "mfpt_csv").is_dir(), reason="the real recordings are not beside this checkout")
@pytest.mark.parametrize(("name", "rms"), [("InnerRaceFault_vload_1", 1.814544), ("OuterRaceFault_vload_4", 0.853472)])
def test_real_recording_has_the_stated_rows_and_rms(name, rms):
    (run,) = csv.read_runs(DATA / "mfpt_csv" / f"{name}.csv")
    values = run.series_of("value").values
    assert len(values) == 146484
    assert round(float(np.sqrt(np.mean(values**2))), 6) == rms
