"""A day of experiments that log all the time: by how much the database grows, beside what docs/scaling.md says.

`python -m benchmarks.scaling` writes the day of 1,000 experiments with 20 metrics a second in all, as fast as it can,
in the requests that their clients would send; with DATABASE_URL into that PostgreSQL database, which must be empty.
It ends with 1 where the database has grown by more than a tenth more or less than predicted.
"""

import argparse
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Engine, select, text

from benchmarks import product
from config.settings import settings
from database import migrations
from database.engine import build_engine, snapshot, transaction, use_engine
from database.types import now
from models import Experiment, User
from models.base import Base
from models.permissions import Permission, Role
from services import redaction
from services.actor import Actor, actor_of
from services.api_keys import form, keys
from services.api_metrics import rollup
from services.api_requests.draining import Drain
from services.api_requests.journal import FOLDER, Journal
from services.tracking import logging, runs

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
METRICS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
PARAMS = {"lr": "0.001", "epochs": "432", "batch_size": "64", "optimizer": "adam", "dropout": "0.1", "width": "64"}
TAGS = {"mlflow.user": "ada", "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
TOGETHER = 250  # requests in one commit: what is weighed does not depend on it, and the day need not wait for the disk
TOLERANCE = 0.10
MLFLOW = "/api/2.0/mlflow/runs"
AGENT = "mlflow-python-client/3.17.2"
# Which tables each thing that is counted makes grow; what is left belongs to the runs.
GROWS = {
    "metric of a run": ("metric_series", "metric_keys"),
    "point": ("metric_chunks",),
    "epoch": ("training_runs",),
    "request": ("api_request_logs", "api_usage"),
    "hour with requests": ("api_metrics_summary", "api_request_counts"),
}


@dataclass(frozen=True, slots=True)
class Day:
    """So many experiments, of which each logs its metrics together, at every epoch."""

    experiments: int = 1000
    seconds: int = 200  # an epoch lasts
    hours: int = 24

    @property
    def epochs(self) -> int:
        """Of one experiment."""
        return self.hours * 3600 // self.seconds

    def amounts(self) -> dict[str, int]:
        """How many there are of each thing that makes the database grow."""
        calls = self.experiments * self.epochs
        return {
            "run": self.experiments,
            "metric of a run": self.experiments * len(METRICS),
            "point": calls * len(METRICS),
            "epoch": calls,
            "request": calls + 3 * self.experiments,  # begun, its parameters, ended
            "hour with requests": self.hours,
        }


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes by which a database has grown, as a whole and for each thing that is counted."""

    whole: int
    parts: Mapping[str, int]


def predicted(day: Day, kind: str, document: str | None = None) -> float:
    """What the document says of such a day on such a database, in bytes."""
    costs = costs_of(kind, DOCUMENT.read_text() if document is None else document)
    return sum(amount * costs[thing] for thing, amount in day.amounts().items())


def costs_of(kind: str, document: str) -> dict[str, float]:
    """Bytes of one of each thing, as its table says: name, SQLite, PostgreSQL."""
    place = 1 if kind == "sqlite" else 2
    found = {}
    for thing in ("run", *GROWS):
        row = re.search(rf"^\| {thing} \| ([\d,.]+) \| ([\d,.]+) \|", document, re.MULTILINE)
        if row is None:
            raise ValueError(f"docs/scaling.md says nothing of a “{thing}”")
        found[thing] = float(row[place].replace(",", ""))
    return found


def simulate(engine: Engine, folder: Path, day: Day) -> Growth:
    """Write the day into an empty database of the product's tables, and weigh it before and after."""
    writer = _Writer(engine, folder, day)
    before = weigh(engine)
    writer.begin()
    for epoch in range(1, day.epochs + 1):
        writer.log(epoch)
    writer.end()
    after = weigh(engine)
    tables = {name: size - before.parts[name] for name, size in after.parts.items()}
    parts = {thing: sum(tables.pop(name) for name in names) for thing, names in GROWS.items()}
    return Growth(after.whole - before.whole, {"run": sum(tables.values()), **parts})


class _Writer:
    """All clients of the day, one after the other."""

    def __init__(self, engine: Engine, folder: Path, day: Day) -> None:
        self._engine, self._day = engine, day
        self._begins = rollup.hour_of(now()) - timedelta(hours=day.hours)
        self._journal, self._drain = Journal(folder / FOLDER), Drain(folder / FOLDER)
        self._dice = np.random.default_rng(4)
        self._actor, self._prefix = _owner()
        self._ids: list[str] = []

    def begin(self) -> None:
        """Every run, with its parameters."""
        for first in range(0, self._day.experiments, TOGETHER):
            places = range(first, min(first + TOGETHER, self._day.experiments))
            with transaction() as session:
                made = [
                    runs.create(session, self._actor, group="0", name=f"run {place}", start_time=None, given_tags=TAGS)
                    for place in places
                ]
                ids = list(session.scalars(select(Experiment.source_id).where(Experiment.id.in_(made))))
                asked = [logging.Said(self._actor, run_id, params=PARAMS) for run_id in ids]
                assert not any(logging.log(session, asked))
            self._ids += [str(run_id) for run_id in ids]
            for place in places:
                self._record("create", 0, place, {"experiment_id": "0", "run_name": f"run {place}"})
                self._record("log-batch", 0, place, {"params": PARAMS})

    def log(self, epoch: int) -> None:
        """One epoch of every run."""
        for first in range(0, self._day.experiments, TOGETHER):
            bodies = [self._body(run_id, epoch) for run_id in self._ids[first : first + TOGETHER]]
            asked = [logging.Said(self._actor, one["run_id"], logging.metrics(one["metrics"])) for one in bodies]
            with transaction() as session:
                assert not any(logging.log(session, asked))
            for place, body in enumerate(bodies, start=first):
                self._record("log-batch", epoch, place, body)
        if epoch * self._day.seconds % 3600 < self._day.seconds:
            self._drain.run()
        _vacuum(self._engine)

    def end(self) -> None:
        """Every run ends, and what the scheduler does every hour is done."""
        for first in range(0, self._day.experiments, TOGETHER):
            with transaction() as session:
                for run_id in self._ids[first : first + TOGETHER]:
                    runs.update(session, self._actor, run_id, status="FINISHED", end_time=None, name=None)
        for place, run_id in enumerate(self._ids):
            self._record("update", self._day.epochs, place, {"run_id": run_id, "status": "FINISHED"})
        self._journal.close()
        self._drain.run()
        rollup.roll_up()
        _vacuum(self._engine)

    def _body(self, run_id: str, epoch: int) -> dict[str, Any]:
        values = np.abs(self._dice.normal(1, 0.1, len(METRICS))) / epoch**0.5
        moment = int(self._begins.timestamp() * 1000) + epoch * self._day.seconds * 1000
        stamps = moment + self._dice.integers(-500, 500, len(METRICS))
        metrics = [
            {"key": key, "value": float(value), "timestamp": int(stamp), "step": epoch}
            for key, value, stamp in zip(METRICS, values, stamps, strict=True)
        ]
        return {"run_id": run_id, "metrics": metrics}

    def _record(self, call: str, epoch: int, place: int, body: Mapping[str, Any]) -> None:
        """What `web/api_record.py` notes of such a request."""
        data = orjson.dumps(body)
        share = (epoch + place / self._day.experiments) / (self._day.epochs + 1)
        asked = self._begins + share * timedelta(hours=self._day.hours)
        is_sampled = self._dice.random() < settings().api_samples
        self._journal.append(
            {
                "time": int(asked.timestamp() * 1e6),
                "endpoint": f"{MLFLOW}/{call}",
                "method": "POST",
                "status_code": 200,
                "response_time_ms": float(self._dice.lognormal(1.5, 0.5)),
                "request_size_bytes": len(data),
                "response_size_bytes": 2,
                "ip_address": f"192.0.2.{place % 50}",
                "user_agent": AGENT,
                "key": self._prefix,
                "error_message": None,
                "request_id": self._dice.bytes(16).hex(),
                "request_payload_sample": redaction.fitted({"body": redaction.of_json(data)}) if is_sampled else None,
                "response_payload_sample": {"body": {}} if is_sampled else None,
            }
        )


def _owner() -> tuple[Actor, str]:
    with transaction() as session:
        user = User(username=product.USER, email="b@example.org", role=Role.OPERATOR.value, password_hash="x")
        session.add(user)
        session.flush()
        actor = actor_of(user)
        scopes = [Permission.VIEW_EXPERIMENTS, Permission.CREATE_EXPERIMENTS, Permission.RUN_EXPERIMENTS]
        key = form.parse(keys.create(session, actor, name="day", scopes=scopes))
    assert key is not None
    return actor, key.prefix


def _vacuum(engine: Engine) -> None:
    """What autovacuum does within minutes: a day that is over in some of them would leave it no time."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM experiments, metric_series, metric_chunks"))


def weigh(engine: Engine) -> Growth:
    """The size of the database and of each of its tables with their indices."""
    if engine.dialect.name == "postgresql":
        whole, sizes = "SELECT pg_database_size(current_database())", "SELECT '{0}', pg_total_relation_size('{0}')"
        tables = " UNION ALL ".join(sizes.format(name) for name in Base.metadata.tables)
    else:
        whole = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        tables = (
            "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name "
            "WHERE d.aggregate = TRUE GROUP BY m.tbl_name"
        )
    with snapshot() as session:
        found = {name: int(size) for name, size in session.execute(text(tables)) if name in Base.metadata.tables}
        return Growth(int(session.execute(text(whole)).scalar_one()), found)


@contextmanager
def empty() -> Iterator[tuple[Engine, Path]]:
    """A database with the product's tables and nothing in them, and a data folder."""
    with product.data_folder() as folder:
        os.environ["PFD_DATA_DIR"] = str(folder)
        settings.cache_clear()
        engine = build_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'pfd.sqlite3'}")
        use_engine(engine)
        migrations.upgrade()
        yield engine, folder
        if engine.dialect.name == "postgresql":
            migrations.downgrade("base")
        use_engine(None)


def main() -> int:
    """Write the day, and tell the growth beside the prediction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=Day().experiments)
    parser.add_argument("--hours", type=int, default=Day().hours)
    given = parser.parse_args()
    day = Day(given.experiments, hours=given.hours)
    with empty() as (engine, folder):
        kind, began, used = engine.dialect.name, time.perf_counter(), time.process_time()
        growth = simulate(engine, folder, day)
        took, used = time.perf_counter() - began, time.process_time() - used
    amounts, expected = day.amounts(), predicted(day, kind)
    print(f"\n{kind}, {day.experiments:,} experiments, {day.hours} hours\n\n| one | how many | bytes each | all |")
    print("| --- | --- | --- | --- |")
    for thing, size in growth.parts.items():
        print(f"| {thing} | {amounts[thing]:,} | {size / amounts[thing]:,.1f} | {size / 1e6:,.1f} MB |")
    off = growth.whole / expected - 1
    print(f"\ngrown by {growth.whole / 1e6:,.1f} MB, predicted {expected / 1e6:,.1f} MB: {off:+.1%}")
    print(f"written in {took:,.0f} s, of which {used:,.0f} s of this process's CPU")
    return int(abs(off) > TOLERANCE)


if __name__ == "__main__":
    raise SystemExit(main())
