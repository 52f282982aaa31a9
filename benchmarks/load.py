"""A deterministic load: many experiments for the list, 2,000 with curves of 100 epochs, 20 series of 100,000 steps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from models.dataset import Dataset
from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from models.metric_series import MetricChunk, MetricKey, MetricSeries
from models.training_run import TrainingRun
from services.curves import writing
from services.curves.packing import Points, pack_steps, pack_times, pack_values

KEYS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate")
MODELS = ("mlp", "cnn1d", "resnet18", "svm", "transformer")
STATUSES = ("completed",) * 17 + ("failed", "cancelled", "running")
START = datetime(2026, 1, 1, tzinfo=UTC)
EPOCHS = 100
LONG_SERIES, LONG_STEPS = 20, 100_000
BATCH = 2000


def fill(engine: Engine, *, with_curves: int, listed: int, seed: int = 7) -> None:
    """Fill an empty, migrated database; the first `with_curves` of `listed` experiments have curves of 100 epochs."""
    rng = np.random.default_rng(seed)
    with Session(engine) as session:
        session.add_all(Dataset(name=f"Dataset {place}", num_signals=0) for place in range(4))
        session.flush()
        key_ids = writing.key_ids_of(session, list(KEYS))
        session.commit()
    for start in range(0, listed, BATCH):
        _experiments(engine, rng, range(start, min(start + BATCH, listed)))
    series_ids = count(1)
    for start in range(0, listed, BATCH):
        numbers = range(start, min(start + BATCH, listed))
        _series(engine, rng, numbers, key_ids, series_ids, with_curves)
    _finish(engine)


def _experiments(engine: Engine, rng: np.random.Generator, numbers: range) -> None:
    rows, params = [], []
    for number in numbers:
        status = STATUSES[int(rng.integers(len(STATUSES)))]
        values = {
            "lr": float(10 ** rng.uniform(-5, -1)),
            "batch_size": int(rng.choice([16, 32, 64, 128])),
            "optimizer": str(rng.choice(["adam", "sgd", "adamw"])),
        }
        started = START + timedelta(minutes=3 * number)
        seconds = float(rng.uniform(30, 4000))
        rows.append(
            {
                "id": number + 1,
                "name": f"{MODELS[number % 5]} on dataset {number % 4} run {number:06d}",
                "model_type": MODELS[number % 5],
                "dataset_id": number % 4 + 1,
                "status": status,
                "hyperparameters": values,
                "config": {"seed": number % 5},
                "epochs_completed": EPOCHS,
                "total_epochs": EPOCHS,
                "started_at": started,
                "ended_at": None if status == "running" else started + timedelta(seconds=seconds),
                "duration_seconds": seconds,
                "created_at": started,
                "updated_at": started,
                "is_demo": False,
            }
        )
        for name, value in values.items():
            number_value = float(value) if isinstance(value, int | float) else None
            params.append(
                {"experiment_id": number + 1, "name": name, "value_text": str(value), "value_number": number_value}
            )
    with engine.begin() as connection:
        connection.execute(insert(Experiment), rows)
        connection.execute(insert(ExperimentParam), params)


def _curves(rng: np.random.Generator) -> dict[str, np.ndarray]:
    steps = np.arange(1, EPOCHS + 1)
    rate, floor = rng.uniform(0.02, 0.2), rng.uniform(0.05, 0.5)
    loss = floor + 2 * np.exp(-rate * steps) + rng.normal(0, 0.02, EPOCHS)
    accuracy = 1 - loss / 3 + rng.normal(0, 0.005, EPOCHS)
    return {
        "train_loss": loss,
        "val_loss": loss + 0.1 + rng.normal(0, 0.03, EPOCHS),
        "train_accuracy": accuracy,
        "val_accuracy": accuracy - 0.03,
        "learning_rate": 1e-3 * 0.97**steps,
    }


def _series(
    engine: Engine,
    rng: np.random.Generator,
    numbers: range,
    key_ids: dict[str, int],
    series_ids: Iterator[int],
    with_curves: int,
) -> None:
    series: list[dict[str, Any]] = []
    chunks: list[dict[str, Any]] = []
    epochs: list[dict[str, Any]] = []
    for number in numbers:
        curves = _curves(rng)
        whole = number < with_curves
        base = (START + timedelta(minutes=3 * number)).timestamp()
        for key in KEYS:
            values = curves[key] if whole else curves[key][-5:]
            steps = np.arange(1, EPOCHS + 1)[-len(values) :]
            times = base + steps * 7.0 + np.round(rng.uniform(0, 1, len(steps)), 3)
            points = Points.of(steps, values, times)
            identity = next(series_ids)
            codec, packed = pack_steps(points.steps)
            low, high = int(np.argmin(values)), int(np.argmax(values))
            first, last = int(steps[0]), int(steps[-1])
            series.append(
                {
                    "id": identity,
                    "experiment_id": number + 1,
                    "key_id": key_ids[key],
                    "points": len(values),
                    "nonfinite": 0,
                    "first_step": first,
                    "last_step": last,
                    "last_value": float(values[-1]),
                    "last_time": float(times[-1]),
                    "min_value": float(values[low]),
                    "min_step": int(steps[low]),
                    "max_value": float(values[high]),
                    "max_step": int(steps[high]),
                    "in_order": True,
                }
            )
            chunks.append(
                {
                    "series_id": identity,
                    "start": 0,
                    "points": len(values),
                    "step_codec": codec,
                    "first_step": first,
                    "last_step": last,
                    "low_step": first,
                    "high_step": last,
                    "steps": packed,
                    "values": pack_values(points.values),
                    "times": pack_times(points.times),
                }
            )
        if whole:
            moment = START + timedelta(minutes=3 * number)
            epochs += [
                {
                    "experiment_id": number + 1,
                    "epoch": epoch,
                    **{key: float(curves[key][epoch - 1]) for key in KEYS},
                    "duration_seconds": 7.0,
                    "created_at": moment,
                    "updated_at": moment,
                }
                for epoch in range(1, EPOCHS + 1)
            ]
    with engine.begin() as connection:
        connection.execute(insert(MetricSeries), series)
        connection.execute(insert(MetricChunk), chunks)
        if epochs:
            connection.execute(insert(TrainingRun), epochs)


def _finish(engine: Engine) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            for table in (Experiment, MetricSeries, MetricKey):
                name = table.__tablename__
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")
                )
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    else:
        with engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()


def add_long_series(engine: Engine, seed: int = 11) -> list[int]:
    """Twenty experiments with one series of 100,000 steps each, written through the product's own append."""
    rng = np.random.default_rng(seed)
    ids = []
    for place in range(LONG_SERIES):
        with Session(engine) as session:
            experiment = Experiment(name=f"long run {place}", status="completed", created_at=START)
            session.add(experiment)
            session.flush()
            steps = np.arange(LONG_STEPS)
            values = np.exp(-steps / 30_000) + rng.normal(0, 0.05, LONG_STEPS)
            times = START.timestamp() + steps * 0.25 + np.round(rng.uniform(0, 0.02, LONG_STEPS), 3)
            writing.append(session, experiment.id, {"loss": Points.of(steps, values, times)})
            ids.append(experiment.id)
            session.commit()
    return ids
