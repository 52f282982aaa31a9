"""A script logs with MLflow's protocol while somebody looks at its run."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from database.engine import snapshot
from models import Experiment
from tests.support import tracking
from tests.support.tracking import Tracking

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def log_epoch(api: Tracking, run: str, step: int) -> None:
    for key, value in (("train_loss", 2 / (step + 1)), ("val_loss", 2.2 / (step + 1)), ("val_accuracy", step / 10)):
        assert api.log(run, key, (step, value)).status_code == 200


def test_its_curves_grow_while_it_trains_and_its_end_is_seen(visit: Visit, dash_app: Any) -> None:
    api = Tracking(dash_app.server, tracking.key())
    run = api.run(api.group("bearings"), run_name="cnn", tags=[{"key": "mlflow.note.content", "value": "# A *note*"}])
    api.post("runs/log-parameter", run_id=run, key="epochs", value="8")
    for step in range(3):
        log_epoch(api, run, step)
    with snapshot() as session:
        number = session.scalar(select(Experiment.id))
    page = visit(f"/experiments/{number}")
    points = page.locator('[data-panel-key="loss"] [data-chart-points]')
    expect(points).to_have_text("6 points")
    expect(page.locator("#experiment-epoch-rows tr")).to_have_count(3)
    for step in range(3, 5):
        log_epoch(api, run, step)
    expect(points).to_have_text("10 points")
    expect(page.locator("#experiment-epoch-rows tr")).to_have_count(5)
    expect(page.locator(".page-title-row")).to_contain_text("cnn")
    api.post("runs/update", run_id=run, status="FINISHED")
    expect(page.locator(".page-title-row .status")).to_have_text("Completed")
