"""What Home shows, through our own API, and the end of the demo."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from database.engine import transaction
from models import Dataset, Experiment
from models.permissions import Role
from tests.support.rest import Rest


def test_it_tells_what_runs_what_ended_what_failed_and_what_is_best(api: Rest) -> None:
    with transaction() as session:
        dataset = Dataset(name="cwru", num_signals=0)
        session.add(dataset)
        session.flush()
        number = dataset.id
    running, done, failed = (api.experiment(name, dataset_id=number) for name in ("running", "done", "failed"))
    for experiment, value in ((running, 0.5), (done, 0.9), (failed, 0.7)):
        api.log(experiment, "val_accuracy", (1, value))
    api.post(f"/experiments/{done}/end", {"status": "completed"})
    api.post(f"/experiments/{failed}/end", {"status": "failed", "failure": "No memory."})
    told = api.get("/home").json
    assert ([(one["id"], one["curve"]) for one in told["active"]], told["active_count"]) == ([(running, [0.5])], 1)
    assert [one["id"] for one in told["finished"]] == [failed, done]
    assert [(one["id"], one["reason"]) for one in told["failed"]] == [(failed, "No memory.")]
    assert [(one["id"], one["accuracy"], one["compared"]) for one in told["best"]] == [(done, 0.9, 3)]
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert api.get("/home", failed_since=later).json["failed_count"] == 0


def test_the_demo_goes_by_who_may_take_it_away(dash_app: Any, sqlite: Engine) -> None:
    with transaction() as session:
        session.add(Experiment(name="demo", is_demo=True))
    program, admin = Rest(dash_app.server), Rest(dash_app.server, role=Role.ADMIN)
    mine = program.experiment("mine")
    assert program.ask("DELETE", "/demo").status_code == 403
    assert admin.get("/home").json["demo_experiments"] == 1
    assert admin.ask("DELETE", "/demo").json == {"experiments": 1}
    assert admin.get("/home").json["demo_experiments"] == 0
    assert program.get(f"/experiments/{mine}").status_code == 200
