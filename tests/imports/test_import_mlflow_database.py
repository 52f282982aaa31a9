"""MLflow databases of several versions, never written to."""

import math
import shutil
import sqlite3

import pytest

from services.imports import mlflow
from services.imports.run import BadRun, ImportSourceError

RUN = "b" * 32
POINT = (
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
    f"VALUES ('x', {{}}, 1700000000000, '{RUN}', {{}}, {{}})"
)


def read_one(path):
    (run,) = mlflow.read_runs(path)
    return run


def test_running_run_is_running_without_an_end(mlflow_database):
    run = read_one(mlflow_database())
    assert (run.status, run.ended_at, run.owner, run.group) == ("running", None, "ada", "bearings")


def test_oldest_schema_without_steps_and_stages_is_read(mlflow_database):
    path = mlflow_database(f"INSERT INTO metrics VALUES ('x', 0.5, 1500000000, '{RUN}')", old=True)
    series = read_one(path).series_of("x")
    assert (series.steps.tolist(), series.times.tolist()) == ([0], [1.5e9])


def test_nan_flag_and_largest_double_become_nan_and_infinity(mlflow_database):
    largest = "1.7976931348623157e308"
    path = mlflow_database(POINT.format(0, 0, 1), POINT.format(largest, 1, 0), POINT.format(f"-{largest}", 2, 0))
    values = read_one(path).series_of("x").values
    assert math.isnan(values[0])
    assert values[1:].tolist() == [math.inf, -math.inf]


def test_points_stay_in_the_order_of_writing(mlflow_database):
    path = mlflow_database(*(POINT.format(1.0, step, 0) for step in (3, 1, 3, 2)))
    assert read_one(path).series_of("x").steps.tolist() == [3, 1, 3, 2]


def test_deleted_run_and_run_of_a_deleted_experiment_are_marked(mlflow_database):
    assert read_one(mlflow_database("UPDATE experiments SET lifecycle_stage = 'deleted'")).deleted


def test_deleted_run_is_marked(mlflow_database):
    assert read_one(mlflow_database("UPDATE runs SET lifecycle_stage = 'deleted'")).deleted


def test_run_with_a_wrong_value_is_named_while_the_other_comes_in(mlflow_database):
    path = mlflow_database(
        POINT.format("'many'", 0, 0),
        "INSERT INTO runs (run_uuid, name, status, start_time) VALUES ('good', 'g', 'FINISHED', 1800000000000)",
    )
    bad, good = mlflow.read_runs(path)
    assert bad == BadRun(RUN, RUN, "Metric “x” has a value that is no number.")
    assert good.source_id == "good"


def test_run_whose_id_is_damaged_is_named(mlflow_database):
    path = mlflow_database("UPDATE runs SET run_uuid = CAST(x'ff6162' AS TEXT)")
    assert read_one(path) == BadRun("\ufffdab", "\ufffdab", "Its row cannot be found again.")


def test_tags_and_parent_are_read(mlflow_database):
    path = mlflow_database(
        f"INSERT INTO tags VALUES ('mlflow.parentRunId', 'p', '{RUN}'), ('rig', '7', '{RUN}')",
        f"INSERT INTO params VALUES ('lr', '1e-3', '{RUN}')",
    )
    run = read_one(path)
    assert (run.parent_source_id, run.tags, run.hyperparameters) == ("p", {"rig": "7"}, {"lr": 0.001})


def test_folder_with_mlflow_db_is_read_as_the_database(mlflow_database):
    assert read_one(mlflow_database().parent).source_id == RUN


def test_folder_with_one_database_of_another_name_is_read_as_that(mlflow_database):
    path = mlflow_database()
    assert read_one(path.rename(path.with_name("runs.db")).parent).source_id == RUN


def test_folder_with_several_databases_asks_which(mlflow_database):
    path = mlflow_database()
    shutil.copy(path, path.with_name("a.db"))
    path.rename(path.with_name("b.db"))
    with pytest.raises(ImportSourceError, match=r"several databases \(a\.db, b\.db\)"):
        read_one(path.parent)


def test_wal_database_is_read_without_leaving_files(mlflow_database):
    path = mlflow_database()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert read_one(path).source_id == RUN
    assert [one.name for one in path.parent.iterdir()] == ["mlflow.db"]


def test_database_that_is_being_written_shows_its_last_commit(mlflow_database):
    path = mlflow_database()
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute(POINT.format(0.5, 0, 0))
    writer.commit()
    assert len(read_one(path).series_of("x")) == 1
    writer.close()


def test_name_with_uri_characters_is_a_name(mlflow_database):
    path = mlflow_database()
    odd = path.rename(path.with_name("a?mode=rw#b%20.db"))
    assert read_one(odd).source_id == RUN


def test_view_in_place_of_a_table_is_refused(mlflow_database):
    path = mlflow_database("DROP TABLE params", "CREATE VIEW params AS SELECT key, value, run_uuid FROM tags")
    with pytest.raises(ImportSourceError, match="“params” is missing"):
        mlflow.count_runs(path)


def test_other_database_is_refused(tmp_path):
    sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE t (a)")
    with pytest.raises(ImportSourceError, match="not one of MLflow"):
        next(mlflow.read_runs(f"sqlite:///{tmp_path}/x.db"))


def test_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x.db").write_text("hello")
    with pytest.raises(ImportSourceError, match="neither a folder nor an SQLite database"):
        next(mlflow.read_runs(tmp_path / "x.db"))


def test_damaged_database_is_refused(mlflow_database):
    path = mlflow_database()
    raw = bytearray(path.read_bytes())
    raw[100:] = b"\xff" * (len(raw) - 100)
    path.write_bytes(raw)
    with pytest.raises(ImportSourceError, match="cannot be"):
        next(mlflow.read_runs(path))


def test_damaged_names_of_tables_are_refused(mlflow_database):
    path = mlflow_database()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE runs", b"CREATE \xff\xfeBLE runs"))
    with pytest.raises(ImportSourceError, match="cannot be opened: it is damaged"):
        next(mlflow.read_runs(path))


def test_database_without_runs_is_refused(mlflow_database):
    with pytest.raises(ImportSourceError, match="holds no MLflow runs"):
        next(mlflow.read_runs(mlflow_database("DELETE FROM runs")))


def test_memory_address_is_refused():
    with pytest.raises(ImportSourceError, match="names no file"):
        next(mlflow.read_runs("sqlite://"))
