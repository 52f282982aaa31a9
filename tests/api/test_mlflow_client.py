"""The real client of MLflow, unmodified, against the dashboard."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot
from models import Experiment, TrainingRun
from tests.support import tracking

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a failure shows at once, not after minutes of trying again
mlflow = pytest.importorskip("mlflow")


@pytest.fixture
def client(live_server: str, database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MLflow, pointed here as its users do it."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", tracking.key())
    mlflow.set_tracking_uri(live_server)
    yield mlflow
    mlflow.sklearn.autolog(disable=True)
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.tracking.fluent._active_experiment_id = None


def test_the_quick_start_with_scikit_learn_runs_unmodified(client: Any, tmp_path: Path) -> None:
    from sklearn import datasets
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    mlflow.set_experiment("MLflow Quickstart")
    mlflow.sklearn.autolog()
    X, y = datasets.load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    params = {"solver": "lbfgs", "max_iter": 1000, "random_state": 8888}
    LogisticRegression(**params).fit(X_train, y_train)

    (run,) = mlflow.search_runs(output_format="list")
    assert run.info.status == "FINISHED"
    assert run.data.params["solver"] == "lbfgs"
    assert run.data.metrics["training_accuracy_score"] > 0.9
    (model,) = run.outputs.model_outputs
    loaded = mlflow.sklearn.load_model(f"models:/{model.model_id}")
    assert loaded.score(X_test, y_test) > 0.9


def test_a_training_loop_grows_epochs_while_it_runs(client: Any) -> None:
    mlflow.set_experiment("loops")
    random = np.random.default_rng(1)
    with mlflow.start_run(run_name="numpy") as run:
        mlflow.log_params({"lr": 0.1, "epochs": 5, "layers": "64,32"})
        for epoch in range(5):
            loss = float(1 / (epoch + 1) + random.random() / 100)
            mlflow.log_metric("train_loss", loss, step=epoch)
            mlflow.log_metrics({"val_loss": loss * 1.1, "val_accuracy": 1 - loss / 2}, step=epoch)
            if epoch == 2:
                with snapshot() as session:
                    assert session.scalar(select(Experiment.epochs_completed)) == 3
                    assert session.scalar(select(Experiment.status)) == "running"
    with snapshot() as session:
        experiment = session.scalars(select(Experiment)).one()
        epochs = session.scalars(select(TrainingRun).order_by(TrainingRun.epoch)).all()
    assert (experiment.status, experiment.epochs_completed, experiment.total_epochs) == ("completed", 5, 5)
    assert [row.epoch for row in epochs] == [1, 2, 3, 4, 5]
    assert all(row.train_loss and row.val_loss and row.val_accuracy for row in epochs)
    assert experiment.hyperparameters == {"lr": 0.1, "epochs": 5, "layers": "64,32"}
    assert mlflow.get_run(run.info.run_id).data.params == {"lr": "0.1", "epochs": "5", "layers": "64,32"}
