"""Real files of other tools, where the checkout stands beside them, and small made-up ones."""

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

EventFileMaker = Callable[..., Path]


@pytest.fixture
def write_events() -> EventFileMaker:
    """Write an event file of scalars {tag: [(step, wall time, value)]} and whatever other events are given."""

    def write(
        folder: Path,
        scalars: dict[str, list[tuple[int, float, float]]] | None = None,
        *,
        name: str = "events.out.tfevents.1700000000.host.1.0",
        started: float = 1.7e9,
        events: Iterable[Event] = (),
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        with path.open("wb") as file:
            writer = RecordWriter(file)
            writer.write(Event(wall_time=started, file_version="brain.Event:2").SerializeToString())
            for tag, points in (scalars or {}).items():
                for step, when, value in points:
                    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                    writer.write(Event(step=step, wall_time=when, summary=summary).SerializeToString())
            for event in events:
                writer.write(event.SerializeToString())
        return path

    return write


@pytest.fixture
def mlflow_store(tmp_path: Path) -> Callable[..., Path]:
    """Make `mlruns` with one run of the given parts; give the run's folder."""

    def make(
        run_id: str = "a" * 32,
        *,
        params: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        metrics: dict[str, str] | None = None,
        status: object = 3,
        stage: str = "active",
        experiment: str = "1",
        root: Path | None = None,
    ) -> Path:
        folder = (root or tmp_path / "mlruns") / experiment
        run = folder / run_id
        run.mkdir(parents=True)
        (folder / "meta.yaml").write_text(f"experiment_id: '{experiment}'\nname: bearings\nlifecycle_stage: active\n")
        (run / "meta.yaml").write_text(
            f"run_id: {run_id}\nrun_name: quiet-owl-1\nstatus: {status}\nlifecycle_stage: {stage}\n"
            "start_time: 1700000000000\nend_time: 1700000060000\nuser_id: ada\nartifact_uri: file:///gone\n"
        )
        for part, values in (("params", params), ("tags", tags), ("metrics", metrics)):
            for key, value in (values or {}).items():
                path = run / part / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(value)
        return run

    return make


@pytest.fixture
def mlflow_database(tmp_path: Path) -> Callable[..., Path]:
    """Make an MLflow database from SQL statements on top of its oldest or its present tables."""

    def make(*statements: str, old: bool = False) -> Path:
        path = tmp_path / "mlflow.db"
        connection = sqlite3.connect(path)
        extra = "" if old else ", step BIGINT DEFAULT 0, is_nan BOOLEAN DEFAULT 0"
        stage = "" if old else ", lifecycle_stage TEXT DEFAULT 'active', artifact_uri TEXT"
        connection.executescript(
            f"""
            CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT
                {"" if old else ", lifecycle_stage TEXT DEFAULT 'active'"});
            CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT,
                end_time BIGINT, experiment_id INTEGER {stage});
            CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT {extra});
            CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
            CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
            INSERT INTO experiments (experiment_id, name) VALUES (1, 'bearings');
            INSERT INTO runs (run_uuid, name, user_id, status, start_time, experiment_id)
                VALUES ('{"b" * 32}', 'calm-elk-2', 'ada', 'RUNNING', 1700000000000, 1);
            """
        )
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return path

    return make
