"""The real client of MLflow, unmodified, against the dashboard."""

import hashlib
import math
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from config.settings import settings
from database.engine import snapshot, transaction
from models import Experiment, TrainingRun
from pages._logging_snippets import snippets
from services.api_keys import for_logging
from services.curves import series
from services.experiments import details, lifecycle
from tests.support import object_store, tracking
from tests.support.people import person

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a failure shows at once, not after minutes of trying again
SIZE, BOUND = 60_000_000, 32_000_000  # bytes of a large file, of which a part is held twice at most while it is sent
mlflow: Any = None  # loaded with the first test: every process that collects this file would wait two seconds for it


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The client, in the process that runs these tests."""
    global mlflow
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
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)  # which set_experiment leaves for child processes


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


def test_metrics_of_any_value_come_back_in_order(client: Any) -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", math.nan, step=1)
        mlflow.log_metric("loss", math.inf, step=2)
        mlflow.log_metric("loss", -math.inf, step=3)
        for time in (1_700_000_000_000, 1_700_000_000_001):
            mlflow.log_metric("loss", 0.1, step=3, timestamp=time)
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [point.step for point in history] == [1, 2, 3, 3, 3]
    assert math.isnan(history[0].value)
    assert [point.value for point in history[1:]] == [math.inf, -math.inf, 0.1, 0.1]


def test_a_long_history_comes_back_whole(client: Any) -> None:
    from mlflow.entities import Metric

    api = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        for start in range(0, 3000, 1000):
            batch = [Metric("x", step / 7, 1_700_000_000_000 + step, step) for step in range(start, start + 1000)]
            for _ in range(2):  # as a client that got no answer tries again
                api.log_batch(run.info.run_id, metrics=batch)
    history = api.get_metric_history(run.info.run_id, "x")
    assert [(point.step, point.value) for point in history] == [(step, step / 7) for step in range(3000)]


def test_children_are_found_by_their_parent(client: Any) -> None:
    with mlflow.start_run(run_name="parent") as parent:
        for depth in (1, 2):
            with mlflow.start_run(run_name=f"child {depth}", nested=True):
                mlflow.log_param("depth", depth)
    children = mlflow.MlflowClient().search_runs(
        ["0"], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["params.depth ASC"]
    )
    assert [child.info.run_name for child in children] == ["child 1", "child 2"]


def test_search_pages_through_runs_that_go_on_beginning(client: Any) -> None:
    api = mlflow.MlflowClient()
    wanted = [api.create_run("0", start_time=1_700_000_000_000 + n).info.run_id for n in range(7)]
    found, token = [], None
    while True:
        page = api.search_runs(["0"], max_results=3, order_by=["attributes.start_time ASC"], page_token=token)
        found += [run.info.run_id for run in page]
        api.create_run("0", start_time=1_600_000_000_000)  # before all of them: an offset would show one twice
        token = page.token
        if not token:
            break
    assert found == wanted


def test_runs_and_experiments_go_and_come_back(client: Any) -> None:
    api = mlflow.MlflowClient()
    group = api.create_experiment("to go", tags={"team": "x"})
    run = api.create_run(group).info.run_id
    api.set_terminated(run)
    api.delete_run(run)
    assert api.get_run(run).info.lifecycle_stage == "deleted"
    assert api.search_runs([group]) == []
    api.restore_run(run)
    api.delete_experiment(group)
    assert api.get_experiment_by_name("to go").lifecycle_stage == "deleted"
    api.restore_experiment(group)
    api.rename_experiment(group, "renamed")
    assert [one.name for one in api.search_experiments(filter_string="tags.team = 'x'")] == ["renamed"]
    assert [one.info.run_id for one in api.search_runs([group])] == [run]


def test_artifacts_go_up_and_down(client: Any, tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "weights.bin").write_bytes(os.urandom(2_500_000))
    (tmp_path / "out" / "ä b.txt").write_text("text")
    (tmp_path / "out" / "empty").write_text("")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path / "out"), "files")
        mlflow.log_dict({"a": 1}, "config.json")
        mlflow.log_text("hello", "notes/hello.txt")
    api, number = mlflow.MlflowClient(), run.info.run_id
    assert [one.path for one in api.list_artifacts(number)] == ["config.json", "files", "notes"]
    assert [one.path for one in api.list_artifacts(number, "files/deep")] == ["files/deep/weights.bin"]
    down = Path(mlflow.artifacts.download_artifacts(run_id=number, dst_path=str(tmp_path / "down")))
    for name in ("deep/weights.bin", "ä b.txt", "empty"):
        assert (down / "files" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    assert mlflow.artifacts.load_dict(f"runs:/{number}/config.json") == {"a": 1}


def test_refusals_are_those_that_scripts_expect(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.exceptions import MlflowException, RestException

    api = mlflow.MlflowClient()
    run = api.create_run("0").info.run_id
    api.log_param(run, "depth", 1)
    for code, act in (
        ("INVALID_PARAMETER_VALUE", lambda: api.log_param(run, "depth", 2)),
        ("INVALID_PARAMETER_VALUE", lambda: api.search_runs(["0"], "metrics.a = 1 OR metrics.b = 2")),
        ("RESOURCE_DOES_NOT_EXIST", lambda: api.get_run("f" * 32)),
        ("RESOURCE_DOES_NOT_EXIST", lambda: api.get_experiment("12345")),
        ("RESOURCE_ALREADY_EXISTS", lambda: [api.create_experiment("twice") for _ in range(2)]),
        ("ENDPOINT_NOT_FOUND", lambda: api.create_registered_model("m")),
    ):
        with pytest.raises(MlflowException) as refused:
            act()
        assert refused.value.error_code == code
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", tracking.key("view_experiments"))
    assert mlflow.MlflowClient().get_run(run).data.params == {"depth": "1"}
    with pytest.raises(RestException, match="run experiments") as refused:
        mlflow.MlflowClient().log_metric(run, "loss", 1.0)
    assert refused.value.error_code == "PERMISSION_DENIED"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "nonsense")
    with pytest.raises(RestException) as refused:
        mlflow.MlflowClient().get_run(run)
    assert refused.value.error_code == "UNAUTHENTICATED"


def test_logging_in_the_background_arrives(client: Any) -> None:
    with mlflow.start_run() as run:
        for step in range(50):
            mlflow.log_metric("loss", step / 2, step=step, synchronous=False)
        mlflow.flush_async_logging()
    assert len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")) == 50


@pytest.mark.parametrize(("source", "ends_as"), [("mlflow", "completed"), ("api", "completed"), (None, "running")])
def test_the_lines_on_the_page_of_an_experiment_log_to_it_with_the_key_that_is_made_there(
    live_server: str, sqlite: Engine, monkeypatch: pytest.MonkeyPatch, source: str | None, ends_as: str
) -> None:
    owner = person()
    with transaction() as session:
        columns = {"source": source, "source_id": "a" * 32 if source == "mlflow" else None}
        number = lifecycle.create(session, owner, name="run", status="running", **columns).id
        monkeypatch.setenv("PFD_KEY", for_logging.create(session, owner, number))
    with snapshot() as session:
        run = details.detail(session, owner, number).run_id
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "")  # which the lines set, and which is gone after the test
    lines = snippets(live_server, number, run, is_reported=source is not None)[0]
    exec(lines.text, {})
    with snapshot() as session:
        found = details.detail(session, owner, number)
        (told,) = series.summaries(session, owner, number, limit=9, cursor=None)[0]
    assert (found.status, told.name, told.points, told.last) == (ends_as, "train_loss", 10, 0.1)


@pytest.fixture(params=["folder", "bucket"])
def keeping(
    request: pytest.FixtureRequest,
    live_server: str,
    sqlite: Engine,
    tmp_path: Path,
    chosen: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """The client again, with files in a folder or in a bucket."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", tracking.key())
    mlflow.set_tracking_uri(live_server)
    if request.param == "bucket":
        with object_store.serving_apart() as store:
            chosen(**object_store.ENVIRONMENT, **store.settings)
            yield
    else:
        monkeypatch.setattr(type(settings()), "artifacts_dir", property(lambda _: tmp_path / "artifacts"))
        yield


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_large_file_goes_in_and_out_and_is_never_held_in_memory(keeping: None, tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    large = tmp_path / "out" / "deep" / "weights.bin"
    block = os.urandom(1_000_000)
    with large.open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
    api = mlflow.MlflowClient()
    run = api.create_run("0").info.run_id
    api.log_text(run, "small", "first.txt")  # what is loaded with the first file is not the file
    tracemalloc.start()
    try:
        api.log_artifacts(run, str(tmp_path / "out"), "files")
        _, up = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        down = Path(api.download_artifacts(run, "files/deep/weights.bin", str(tmp_path)))
        _, back = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(one.path, one.file_size) for one in api.list_artifacts(run, "files/deep")] == [
        ("files/deep/weights.bin", SIZE)
    ]
    assert digest(down) == digest(large)
    assert max(up, back) < BOUND, (up, back)
    mlflow.artifacts.get_artifact_repository(api.get_run(run).info.artifact_uri).delete_artifacts("files")
    assert [one.path for one in api.list_artifacts(run)] == ["first.txt"]
