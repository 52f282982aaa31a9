"""A run as a reader gives it, and ways to store it and to look at what became of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from database.engine import snapshot, transaction
from models.experiment import Experiment
from services.actor import SYSTEM
from services.imports.run import ImportedEpoch, ImportedRun, ImportedSeries
from services.imports.store import conclude, store

STARTED = datetime(2026, 3, 1, 8, tzinfo=UTC)
nan, inf = float("nan"), float("inf")


def a_run(source_id="r1", **changes):
    times = [STARTED.timestamp() + n for n in range(4)]
    run = ImportedRun(
        source="mlflow",
        source_id=source_id,
        name="bearing",
        status="completed",
        group="bearings",
        model_type="resnet18",
        started_at=STARTED,
        ended_at=STARTED + timedelta(seconds=90),
        config={"git_commit": "abc"},
        hyperparameters={"lr": 1e-3, "layers": {"count": 3}, "name": "x"},
        tags={"fold": "1"},
        notes="**hello**",
        artifact_paths=["file:///gone"],
        owner="ada",
        series=(
            ImportedSeries.of("train_loss", [1, 2, 3, 3], [0.9, nan, 0.5, inf], times),
            ImportedSeries.of("f1/ball", [10, 5, 10], [0.1, 0.2, 0.1], times[:3]),
        ),
        epochs=(ImportedEpoch(1, train_loss=0.9, val_accuracy=0.6), ImportedEpoch(2, train_loss=nan)),
    )
    return replace(run, **changes)


def put(run, owner_id=None, **options):
    with transaction() as session:
        return store(session, SYSTEM, run, owner_id, **options)


def finish(*outcomes):
    with transaction() as session:
        conclude(session, SYSTEM, "mlflow", outcomes)


def rows(statement):
    with snapshot() as session:
        return list(session.scalars(statement))


def experiment_of(source_id="r1"):
    return rows(select(Experiment).where(Experiment.source_id == source_id))[0]
