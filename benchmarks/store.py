"""The store of metric series: bytes a point, time to append, to read, and to answer “last, best, at which step”."""

from pathlib import Path

import numpy as np
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from benchmarks.timing import Timing, timed
from models.experiment import Experiment
from models.metric_series import MetricKey, MetricSeries
from services.curves import reading, writing
from services.curves.packing import Points


def size_of_series(engine: Engine) -> int:
    """Bytes of the tables of series, with their indices."""
    tables = ("metric_series", "metric_chunks", "metric_keys")
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return sum(
                int(connection.execute(text(f"SELECT pg_total_relation_size('{name}')")).scalar_one())
                for name in tables
            )
        names = "', '".join(tables)
        return int(
            connection.execute(
                text(
                    "SELECT sum(pgsize) FROM dbstat WHERE aggregate = true AND name IN "
                    f"(SELECT name FROM sqlite_master WHERE tbl_name IN ('{names}'))"
                )
            ).scalar_one()
        )


def bytes_per_point(engine: Engine, series: int, points: int) -> float:
    """Write series of so many points, of doubles with jittering times, and weigh the tables."""
    rng = np.random.default_rng(5)
    before = size_of_series(engine)
    for place in range(series):
        with Session(engine) as session:
            experiment = Experiment(name=f"weighed {points} {place} {rng.integers(2**40)}")
            session.add(experiment)
            session.flush()
            steps = np.arange(points)
            times = 1.7e9 + steps * 3.5 + rng.normal(0, 0.05, points)
            writing.append(session, experiment.id, {"weighed": Points.of(steps, rng.normal(size=points), times)})
            session.commit()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM metric_chunks"))
    return (size_of_series(engine) - before) / (series * points)


def append_one(engine: Engine) -> Timing:
    """One point more to a series of a thousand, committed."""
    with Session(engine) as session:
        experiment = Experiment(name=f"appended {np.random.default_rng().integers(2**40)}")
        session.add(experiment)
        session.flush()
        number = experiment.id
        writing.append(session, number, {"loss": Points.of(range(1000), np.arange(1000) / 7)})
        session.commit()
    step = iter(range(1000, 10**6))

    def work() -> None:
        with Session(engine) as session:
            place = next(step)
            writing.append(session, number, {"loss": Points.of([place], [place / 7])})
            session.commit()

    return timed(work, runs=100)


def append_many(engine: Engine) -> Timing:
    """A hundred thousand points at once, committed."""
    numbers = iter(range(10**6))

    def work() -> None:
        with Session(engine) as session:
            experiment = Experiment(name=f"bulk {next(numbers)} {np.random.default_rng().integers(2**40)}")
            session.add(experiment)
            session.flush()
            writing.append(session, experiment.id, {"loss": Points.of(range(100_000), np.arange(100_000) / 7)})
            session.commit()

    return timed(work, runs=5, warm_up=1)


def read_long(engine: Engine, ids: list[int]) -> Timing:
    """Twenty series of 100,000 steps, every point."""
    with Session(engine) as session:
        series = list(session.scalars(select(MetricSeries.id).where(MetricSeries.experiment_id.in_(ids))))

    def work() -> None:
        with Session(engine) as session:
            found = reading.read_all(session, series, with_times=False)
        assert sum(len(points) for points in found.values()) == 100_000 * len(ids)

    return timed(work, runs=9)


def last_and_best(engine: Engine, experiments: int = 10_000) -> Timing:
    """Last value, best value and its step of one metric, for ten thousand experiments."""

    def work() -> None:
        with Session(engine) as session:
            rows = session.execute(
                select(
                    MetricSeries.experiment_id, MetricSeries.last_value, MetricSeries.max_value, MetricSeries.max_step
                )
                .join(MetricKey, MetricKey.id == MetricSeries.key_id)
                .where(MetricKey.name == "val_accuracy", MetricSeries.experiment_id <= experiments)
            ).all()
        assert len(rows) == experiments

    return timed(work, runs=9)


def database_size(path: Path) -> int:
    """Bytes of an SQLite database with its log."""
    return sum(part.stat().st_size for part in path.parent.glob(path.name + "*"))
