"""Experiments and runs of MLflow: groups and experiments of ours."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models import Experiment, ExperimentGroup
from models.permissions import Role
from services.actor import SYSTEM
from services.experiments import details, lifecycle
from services.tracking import groups, runs
from tests.support import experiments, tracking
from tests.support.people import person
from tests.support.rest import Rest
from tests.support.tracking import Tracking
from tests.support.waiting import is_waited_for, wait_until


@pytest.fixture
def api(dash_app: Any, database: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def light(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def other(dash_app: Any, light: Tracking) -> Tracking:
    """Somebody else of the same role, on the database of `light`."""
    return Tracking(dash_app.server, tracking.key(name="somebody-else"))


def info(api: Tracking, run: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get("runs/get", run_id=run).json["run"]["info"]
    return found


def tags(api: Tracking, run: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in api.get("runs/get", run_id=run).json["run"]["data"]["tags"]}


def only() -> Experiment:
    with snapshot() as session:
        return session.scalars(select(Experiment)).one()


class TestGroups:
    def test_one_is_made_and_found_by_name_and_number(self, api: Tracking) -> None:
        number = api.post("experiments/create", name="α", tags=[{"key": "team", "value": "b"}]).json["experiment_id"]
        for answer in (
            api.get("experiments/get", experiment_id=number),
            api.get("experiments/get-by-name", experiment_name="α"),
        ):
            told = answer.json["experiment"]
            assert (told["experiment_id"], told["name"], told["lifecycle_stage"]) == (number, "α", "active")
            assert told["tags"] == [{"key": "team", "value": "b"}]

    def test_the_default_one_is_there_for_whoever_asks(self, api: Tracking) -> None:
        assert api.get("experiments/get", experiment_id="0").json["experiment"]["name"] == "Default"
        assert api.get("experiments/get-by-name", experiment_name="Default").json["experiment"]["experiment_id"] == "0"

    def test_a_name_is_taken_once(self, api: Tracking) -> None:
        api.group("g")
        for name in ("g", "Default"):
            answer = api.post("experiments/create", name=name)
            assert (answer.status_code, answer.json["error_code"]) == (400, "RESOURCE_ALREADY_EXISTS")

    @pytest.mark.parametrize("name", [None, "", " ", 5, [], "x" * 256, "a\x00b"], ids=str)
    def test_what_is_no_name_is_refused(self, light: Tracking, name: Any) -> None:
        answer = light.post("experiments/create", name=name)
        assert (answer.status_code, answer.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")

    def test_renaming_one_renames_it_for_its_runs(self, api: Tracking) -> None:
        group = api.group("before")
        run = api.run(group)
        assert api.post("experiments/update", experiment_id=group, new_name="after").status_code == 200
        assert only().group_name == "after"
        assert info(api, run)["experiment_id"] == group

    def test_deleted_it_stays_so_when_one_of_its_runs_comes_back_alone_as_in_mlflow(self, api: Tracking) -> None:
        group = api.group()
        back, gone = api.run(group), api.run(group)
        assert api.post("experiments/delete", experiment_id=group).status_code == 200
        assert api.post("runs/restore", run_id=back).status_code == 200
        assert (info(api, back)["lifecycle_stage"], info(api, back)["experiment_id"]) == ("active", group)
        assert info(api, gone)["lifecycle_stage"] == "deleted"
        told = api.get("experiments/get", experiment_id=group).json["experiment"]
        assert told["lifecycle_stage"] == "deleted"
        assert api.log(back, "loss", (0, 1.0)).status_code == 200
        assert api.post("runs/create", experiment_id=group).json["error_code"] == "INVALID_PARAMETER_VALUE"
        assert api.post("experiments/restore", experiment_id=group).status_code == 200
        assert {info(api, run)["lifecycle_stage"] for run in (back, gone)} == {"active"}

    def test_deleted_it_takes_its_runs_along_and_brings_them_back(self, api: Tracking) -> None:
        group = api.group()
        kept, gone = api.run(group), api.run(group)
        for run in (kept, gone):
            api.post("runs/update", run_id=run, status="FINISHED")
        api.post("runs/delete", run_id=gone)
        assert api.post("experiments/delete", experiment_id=group).status_code == 200
        assert info(api, kept)["lifecycle_stage"] == "deleted"
        assert api.post("runs/create", experiment_id=group).json["error_code"] == "INVALID_PARAMETER_VALUE"
        assert api.post("experiments/create", name="group").json["error_code"] == "RESOURCE_ALREADY_EXISTS"
        assert api.post("experiments/restore", experiment_id=group).status_code == 200
        assert info(api, kept)["lifecycle_stage"] == "active"
        assert info(api, gone)["lifecycle_stage"] == "deleted"

    def test_somebody_elses_is_not_deleted(self, light: Tracking, other: Tracking) -> None:
        group = light.group()
        assert other.post("experiments/delete", experiment_id=group).json["error_code"] == "PERMISSION_DENIED"

    def test_nor_renamed(self, light: Tracking, other: Tracking) -> None:
        group = light.group()
        answer = other.post("experiments/update", experiment_id=group, new_name="mine")
        assert answer.json["error_code"] == "PERMISSION_DENIED"

    def test_a_run_that_begins_while_it_is_renamed_is_in_it(self, database: Engine) -> None:
        actor = person(Role.OPERATOR)

        def rename() -> None:
            with transaction() as session:
                groups.rename(session, actor, group, "after")

        with transaction() as session:
            group = groups.create(session, actor, "before", {})
        with ThreadPoolExecutor(1) as pool:
            with transaction() as session:
                runs.create(session, actor, group=group, name=None, start_time=None, given_tags={})
                renamed = pool.submit(rename)
                wait_until(lambda: renamed.done() or is_waited_for(database))
            renamed.result()
        assert only().group_name == "after"

    def test_tags_come_and_go(self, api: Tracking) -> None:
        group = api.group()
        api.post("experiments/set-experiment-tag", experiment_id=group, key="a", value="1")
        assert api.get("experiments/get", experiment_id=group).json["experiment"]["tags"] == [
            {"key": "a", "value": "1"}
        ]
        api.post("experiments/delete-experiment-tag", experiment_id=group, key="a")
        assert api.get("experiments/get", experiment_id=group).json["experiment"]["tags"] == []

    def test_one_that_an_experiment_came_with_is_there(self, api: Tracking) -> None:
        with transaction() as session:
            lifecycle.create(session, SYSTEM, name="x", group_name="imported")
        told = api.get("experiments/get-by-name", experiment_name="imported").json["experiment"]
        assert api.names(experiment_ids=[told["experiment_id"]]) == ["x"]

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ({}, ["b2", "b1", "a", "Default"]),
            ({"filter": "name LIKE 'b%'"}, ["b2", "b1"]),
            ({"filter": "name ILIKE 'B%' AND name != 'b1'"}, ["b2"]),
            ({"filter": "tags.team = 'x'"}, ["a"]),
            ({"filter": "tags.team IS NULL AND name != 'Default'", "order_by": ["name ASC"]}, ["b1", "b2"]),
            ({"filter": "name != 'Default'", "order_by": ["name ASC"]}, ["a", "b1", "b2"]),
            ({"view_type": "DELETED_ONLY"}, ["c"]),
        ],
        ids=str,
    )
    def test_they_are_searched(self, api: Tracking, search: dict[str, Any], found: list[str]) -> None:
        api.post("experiments/create", name="a", tags=[{"key": "team", "value": "x"}])
        api.group("b1")
        api.group("b2")
        api.post("experiments/delete", experiment_id=api.group("c"))
        answer = api.post("experiments/search", max_results=100, **search)
        assert [group["name"] for group in answer.json["experiments"]] == found

    def test_they_come_in_pages(self, light: Tracking) -> None:
        for n in range(5):
            light.group(f"g{n}")
        names: list[str] = []
        token = None
        while True:
            answer = light.post("experiments/search", max_results=2, **({"page_token": token} if token else {})).json
            names += [group["name"] for group in answer["experiments"]]
            token = answer.get("next_page_token")
            if not token:
                break
        assert names == ["g4", "g3", "g2", "g1", "g0", "Default"]


class TestRuns:
    def test_one_is_an_experiment_of_the_keys_owner(self, api: Tracking) -> None:
        group = api.group("g")
        run = api.run(group, run_name="first", user_id="somebody", start_time=1_700_000_000_123)
        told = info(api, run)
        assert told["run_name"] == "first"
        assert told["user_id"] == "operator-person"
        assert (told["status"], told["start_time"]) == ("RUNNING", 1_700_000_000_123)
        assert told["artifact_uri"] == f"mlflow-artifacts:/{group}/{run}/artifacts"
        experiment = only()
        assert (experiment.source, experiment.source_id, experiment.group_name) == ("mlflow", run, "g")

    def test_names_repeat_there_and_are_unique_here(self, api: Tracking) -> None:
        runs = [api.run(run_name="same") for _ in range(3)]
        assert [info(api, run)["run_name"] for run in runs] == ["same"] * 3
        with snapshot() as session:
            assert sorted(session.scalars(select(Experiment.name))) == ["same", "same (2)", "same (3)"]

    def test_two_of_one_name_at_once_are_both_made(self, api: Tracking, dash_app: Any) -> None:
        answers = []

        def begin() -> None:
            mine = Tracking(dash_app.server, api.headers["Authorization"].removeprefix("Bearer "))
            answers.append(mine.post("runs/create", experiment_id="0", run_name="same").status_code)

        threads = [threading.Thread(target=begin) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(150)
        assert answers == [200] * 6

    @pytest.mark.parametrize(
        ("theirs", "ours"),
        [("FINISHED", "completed"), ("FAILED", "failed"), ("KILLED", "cancelled"), ("SCHEDULED", "pending")],
    )
    def test_it_ends_as_the_script_says(self, api: Tracking, theirs: str, ours: str) -> None:
        run = api.run(start_time=1_700_000_000_000)
        api.log(run, "f1", (0, 0.5))
        answer = api.post("runs/update", run_id=run, status=theirs, end_time=1_700_000_060_000)
        assert answer.json["run_info"]["status"] == theirs
        experiment = only()
        assert experiment.status == ours
        if theirs != "SCHEDULED":
            assert experiment.ended_at == datetime.fromtimestamp(1_700_000_060, UTC)
            assert experiment.duration_seconds == 60
            assert experiment.metrics == {"f1": 0.5}

    def test_it_may_be_resumed(self, light: Tracking) -> None:
        run = light.run()
        light.post("runs/update", run_id=run, status="FINISHED")
        light.post("runs/update", run_id=run, status="RUNNING")
        assert (only().status, only().ended_at) == ("running", None)

    def test_what_comes_after_its_end_is_in_its_summary(self, light: Tracking) -> None:
        run = light.run()
        light.post("runs/update", run_id=run, status="FINISHED")
        light.log(run, "f1", (0, 0.75))
        assert only().metrics == {"f1": 0.75}

    def test_a_child_knows_its_parent(self, api: Tracking) -> None:
        parent = api.run()
        child = api.run(tags=[{"key": "mlflow.parentRunId", "value": parent}])
        assert tags(api, child)["mlflow.parentRunId"] == parent
        with snapshot() as session:
            parent_id = session.scalar(select(Experiment.parent_id).where(Experiment.source_id == child))
            assert session.scalar(select(Experiment.source_id).where(Experiment.id == parent_id)) == parent

    def test_note_and_name_are_ours_and_the_rest_stays_a_tag(self, api: Tracking) -> None:
        run = api.run(run_name="a", tags=[{"key": "mlflow.user", "value": "claimed"}])
        for key, value in (
            ("mlflow.note.content", "# note"),
            ("mlflow.runName", "b"),
            ("mlflow.source.name", "train.py"),
            ("team", "x"),
        ):
            assert api.post("runs/set-tag", run_id=run, key=key, value=value).status_code == 200
        assert tags(api, run) == {
            "mlflow.note.content": "# note",
            "mlflow.runName": "b",
            "mlflow.source.name": "train.py",
            "mlflow.user": "claimed",
            "team": "x",
        }
        experiment = only()
        assert (experiment.notes, experiment.given_name) == ("# note", "b")

    def test_its_tags_stand_on_its_page(self, light: Tracking) -> None:
        light.run(tags=[{"key": "mlflow.source.git.commit", "value": "abc"}])
        with snapshot() as session:
            told = details.detail(session, SYSTEM, session.scalar(select(Experiment.id)) or 0)
        assert told.config == {"tags": {"mlflow.source.git.commit": "abc"}}

    def test_a_tag_goes(self, api: Tracking) -> None:
        run = api.run()
        api.post("runs/set-tag", run_id=run, key="team", value="x")
        assert api.post("runs/delete-tag", run_id=run, key="team").status_code == 200
        assert "team" not in tags(api, run)
        assert api.post("runs/delete-tag", run_id=run, key="team").json["error_code"] == "RESOURCE_DOES_NOT_EXIST"

    def test_deleted_it_is_read_and_not_written_until_it_is_back(self, api: Tracking) -> None:
        run = api.run()
        assert api.post("runs/delete", run_id=run).status_code == 200
        assert info(api, run)["lifecycle_stage"] == "deleted"
        assert api.names(experiment_ids=["0"]) == []
        assert len(api.names(experiment_ids=["0"], run_view_type="ALL")) == 1
        assert api.log(run, "loss", (0, 1.0)).json["error_code"] == "INVALID_PARAMETER_VALUE"
        assert api.post("runs/restore", run_id=run).status_code == 200
        assert api.log(run, "loss", (0, 1.0)).status_code == 200

    def test_what_it_was_fed_with_is_kept_once(self, api: Tracking) -> None:
        run = api.run()
        one = {
            "tags": [{"key": "mlflow.data.context", "value": "training"}],
            "dataset": {"name": "iris", "digest": "abc", "source_type": "code", "source": "{}", "schema": "{}"},
        }
        for _ in range(2):
            assert api.post("runs/log-inputs", run_id=run, datasets=[one]).status_code == 200
        assert api.get("runs/get", run_id=run).json["run"]["inputs"]["dataset_inputs"] == [one]

    def test_somebody_elses_is_seen_and_not_written_to(self, light: Tracking, other: Tracking) -> None:
        run = light.run()
        assert other.get("runs/get", run_id=run).status_code == 200
        for answer in (
            other.log(run, "loss", (0, 1.0)),
            other.post("runs/update", run_id=run, status="FAILED"),
            other.post("runs/set-tag", run_id=run, key="a", value="b"),
            other.post("runs/delete", run_id=run),
        ):
            assert (answer.status_code, answer.json["error_code"]) == (403, "PERMISSION_DENIED")

    def test_an_admin_writes_to_anybodys(self, light: Tracking, dash_app: Any) -> None:
        scopes = (*tracking.LOGGING, "delete_any_experiment")
        admin = Tracking(dash_app.server, tracking.key(*scopes, role=Role.ADMIN))
        assert admin.log(light.run(), "loss", (0, 1.0)).status_code == 200


class TestExperimentsThatCameAnotherWay:
    def test_they_are_read_by_their_number(self, api: Tracking) -> None:
        number = experiments.completed("trained here", 3)
        told = api.get("runs/get", run_id=f"{number:032x}").json["run"]
        assert (told["info"]["run_name"], told["info"]["status"]) == ("trained here", "FINISHED")
        assert {metric["key"] for metric in told["data"]["metrics"]} >= {"train_loss", "val_accuracy"}
        history = api.get("metrics/get-history", run_id=f"{number:032x}", metric_key="train_loss").json["metrics"]
        assert [point["step"] for point in history] == [1, 2, 3]

    def test_the_status_of_one_that_runs_here_is_not_theirs_to_change(self, light: Tracking, dash_app: Any) -> None:
        number = experiments.running("job")
        admin = Tracking(dash_app.server, tracking.key(*tracking.LOGGING, "delete_any_experiment", role=Role.ADMIN))
        answer = admin.post("runs/update", run_id=f"{number:032x}", status="FINISHED")
        assert (answer.status_code, only().status) == (400, "running")

    def test_one_that_our_own_api_has_begun_is_ended_as_lightning_does(self, light: Tracking, dash_app: Any) -> None:
        run = f"{Rest(dash_app.server).experiment():032x}"
        assert light.log(run, "train_loss", (0, 0.5)).status_code == 200
        told = light.post("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_000_000)
        assert (told.status_code, only().status) == (200, "completed")

    def test_the_end_of_one_that_was_trained_here_stays_where_it_is(self, light: Tracking, dash_app: Any) -> None:
        number = experiments.completed("done", 3)
        ended = only().ended_at
        admin = Tracking(dash_app.server, tracking.key(*tracking.LOGGING, "delete_any_experiment", role=Role.ADMIN))
        told = admin.post("runs/update", run_id=f"{number:032x}", status="FINISHED", end_time=1_900_000_000_000)
        assert (told.status_code, only().ended_at) == (200, ended)

    def test_the_number_of_a_run_that_was_logged_is_no_run_id(self, light: Tracking) -> None:
        light.run()
        answer = light.get("runs/get", run_id=f"{only().id:032x}")
        assert (answer.status_code, answer.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_groups_that_are_used_again_are_back(light: Tracking) -> None:
    group = light.group("g")
    light.post("experiments/delete", experiment_id=group)
    with transaction() as session:
        lifecycle.create(session, SYSTEM, name="x", group_name="g")
    with snapshot() as session:
        assert session.scalar(select(ExperimentGroup.deleted_at).where(ExperimentGroup.name == "g")) is None


def test_the_default_group_is_found_before_anything_is_in_it(dash_app: Any, database: Engine) -> None:
    api = Tracking(dash_app.server, tracking.key())
    found = api.post("experiments/search", max_results=10).json["experiments"]
    assert [(one["experiment_id"], one["name"]) for one in found] == [("0", "Default")]
    assert api.get("experiments/get", experiment_id="0").json["experiment"]["name"] == "Default"
    assert api.get("experiments/get-by-name", experiment_name="Default").json["experiment"]["experiment_id"] == "0"
