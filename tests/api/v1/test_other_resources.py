"""The other nouns through our own API: each is read as its owner may, and nobody else's own is seen."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update

from database.engine import snapshot, transaction
from database.types import now
from models import (
    Dataset,
    Experiment,
    ExperimentStatus,
    HPOCampaign,
    HPOMethod,
    NASCampaign,
    NASTrial,
    SessionLog,
    Signal,
    SystemLog,
    User,
    WebhookConfiguration,
    WebhookLog,
)
from models.permissions import Role
from tests.support.people import client, csrf_token, person
from tests.support.rest import PREFIX, Rest, check


def add(*rows: Any) -> list[int]:
    with transaction() as session:
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


class Browser:
    """Somebody who is signed in, and whose page sends its token."""

    def __init__(self, server: Any, role: Role, name: str | None = None) -> None:
        self.client = client(server, role, name)
        self.headers = {"X-CSRFToken": csrf_token(self.client)}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = self.headers | {name.replace("_", "-"): said for name, said in headers.items()}
        answer = self.client.open(f"{PREFIX}{path}", method=method, json=body, headers=sent)
        check(method, f"{PREFIX}{path}", answer)
        return answer


class TestDatasets:
    def test_they_are_read_with_their_signals(self, api: Rest) -> None:
        (number,) = add(
            Dataset(name="cwru", num_signals=3, fault_types=["inner", "outer"], created_by=api.actor.user_id)
        )
        signals = [("s1", "inner", 0.5), ("s2", "outer", 1.5), ("s3", "inner", 2.5)]
        add(*(Signal(dataset_id=number, signal_id=name, fault_class=fault, rms=rms) for name, fault, rms in signals))
        api.experiment(dataset_id=number)
        (row,) = api.get("/datasets", text="CWR").json["items"]
        assert (row["name"], row["owner"], row["experiments"]) == ("cwru", "operator-person", 1)
        assert api.get(f"/datasets/{number}").json == row
        first = api.get(f"/datasets/{number}/signals", limit=2).json
        rest = api.get(f"/datasets/{number}/signals", limit=2, cursor=first["next"]).json
        assert [one["signal_id"] for one in first["items"] + rest["items"]] == ["s1", "s2", "s3"]
        assert [one["rms"] for one in api.get(f"/datasets/{number}/signals", fault="inner").json["items"]] == [0.5, 2.5]
        assert api.get(f"/signals/{first['items'][0]['id']}").json == first["items"][0]
        assert api.get("/datasets", text="nothing").json["items"] == []

    def test_an_experiment_takes_only_one_that_is_there(self, lone_api: Rest) -> None:
        answer = lone_api.post("/experiments", {"name": "a", "dataset_id": 9})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "dataset_id")


def test_tags_are_read_by_name_with_their_use(api: Rest) -> None:
    api.experiment(tags=["b", "a"])
    api.experiment(tags=["b"])
    first = api.get("/tags", limit=1).json
    second = api.get("/tags", limit=1, cursor=first["next"]).json
    assert [(one["name"], one["usage_count"]) for one in first["items"] + second["items"]] == [("a", 1), ("b", 2)]


class TestCampaigns:
    def test_a_search_over_parameters_is_planned_read_and_withdrawn(self, api: Rest) -> None:
        given = {"name": "lr", "method": "bayesian", "search_space": {"lr": {"low": 1e-5, "high": 0.1}}}
        made = api.post("/hpo-campaigns", given)
        assert (made.status_code, made.json["status"], made.json["owner"]) == (201, "pending", "operator-person")
        number = made.json["id"]
        assert api.get(f"/hpo-campaigns/{number}").json["search_space"] == given["search_space"]
        assert api.post("/hpo-campaigns", given).status_code == 409
        assert api.ask("DELETE", f"/hpo-campaigns/{number}").status_code == 204
        assert api.ask("DELETE", f"/hpo-campaigns/{number}").status_code == 409
        assert [one["id"] for one in api.get("/hpo-campaigns", status="cancelled").json["items"]] == [number]

    def test_its_trials_are_experiments(self, api: Rest) -> None:
        (number,) = add(HPOCampaign(name="c", method=HPOMethod.GRID_SEARCH))
        add(Experiment(name="t1", hpo_campaign_id=number, status=ExperimentStatus.COMPLETED, metrics={"acc": 0.5}))
        (trial,) = api.get(f"/hpo-campaigns/{number}/trials").json["items"]
        assert (trial["name"], trial["metrics"]) == ("t1", {"acc": 0.5})

    def test_a_search_over_architectures_is_planned_read_and_withdrawn(self, api: Rest) -> None:
        (dataset,) = add(Dataset(name="d"))
        given = {"name": "n", "dataset_id": dataset, "search_algorithm": "random", "num_trials": 2}
        made = api.post("/nas-campaigns", given | {"max_epochs_per_trial": 3})
        assert (made.status_code, made.json["dataset"]) == (201, "d")
        number = made.json["id"]
        add(NASTrial(campaign_id=number, trial_number=1, architecture={"layers": 2}, validation_accuracy=0.9))
        (trial,) = api.get(f"/nas-campaigns/{number}/trials").json["items"]
        assert (trial["architecture"], trial["validation_accuracy"]) == ({"layers": 2}, 0.9)
        assert api.ask("DELETE", f"/nas-campaigns/{number}").status_code == 204
        assert api.get(f"/nas-campaigns/{number}").json["status"] == "cancelled"

    @pytest.mark.parametrize("kind", ["hpo", "nas"])
    def test_anothers_is_not_withdrawn(self, dash_app: Any, database: Engine, kind: str) -> None:
        author = person(Role.OPERATOR, "author")
        (dataset,) = add(Dataset(name="d"))
        if kind == "hpo":
            (number,) = add(HPOCampaign(name="c", method=HPOMethod.GRID_SEARCH, created_by=author.user_id))
        else:
            words = {"search_algorithm": "x", "num_trials": 1, "max_epochs_per_trial": 1}
            (number,) = add(NASCampaign(name="c", dataset_id=dataset, created_by=author.user_id, **words))
        assert Rest(dash_app.server).ask("DELETE", f"/{kind}-campaigns/{number}").status_code == 403
        assert Rest(dash_app.server, role=Role.ADMIN).ask("DELETE", f"/{kind}-campaigns/{number}").status_code == 204


@pytest.mark.parametrize("kind", ["hpo", "nas"])
def test_a_campaign_that_one_could_not_read_is_not_planned_either(dash_app: Any, database: Engine, kind: str) -> None:
    (dataset,) = add(Dataset(name="d", num_signals=0))
    body: dict[str, Any] = {"name": "c", "method": "grid_search"}
    if kind == "nas":
        body = {"name": "c", "dataset_id": dataset, "search_algorithm": "x", "num_trials": 1, "max_epochs_per_trial": 1}
    planner = Rest(dash_app.server, "run_hpo_campaigns", "view_datasets")
    assert planner.post(f"/{kind}-campaigns", body).status_code == 403
    assert Rest(dash_app.server).get(f"/{kind}-campaigns").json["items"] == []


def test_a_campaigns_trials_are_those_that_one_sees(api: Rest) -> None:
    numbers = [api.experiment(f"trial {place}") for place in range(2)]
    (campaign,) = add(HPOCampaign(name="c", method=HPOMethod.GRID_SEARCH, created_by=api.actor.user_id))
    with transaction() as session:
        chosen = update(Experiment).where(Experiment.id.in_(numbers))
        session.execute(chosen.values(hpo_campaign_id=campaign))
    api.ask("DELETE", f"/experiments/{numbers[0]}")
    told = api.get(f"/hpo-campaigns/{campaign}/trials").json["items"]
    assert [row["id"] for row in told] == numbers[1:]


class TestSavedSearches:
    def test_they_are_kept_changed_and_removed(self, api: Rest) -> None:
        made = api.post("/saved-searches", {"name": "mine", "query": "tag:best"})
        assert made.status_code == 201
        path, headers = f"/saved-searches/{made.json['id']}", {"If-Match": made.headers["ETag"]}
        assert api.get(path).headers["ETag"] == made.headers["ETag"]
        changed = api.ask("PATCH", path, json={"is_pinned": True}, headers=headers)
        assert (changed.status_code, changed.json["is_pinned"], changed.json["name"]) == (200, True, "mine")
        assert api.ask("PATCH", path, json={"name": "x"}, headers=headers).status_code == 412
        assert api.post("/saved-searches", {"name": "mine", "query": ""}).status_code == 409
        assert api.ask("DELETE", path).status_code == 204
        assert api.get("/saved-searches").json["items"] == []

    def test_nobody_elses_are_seen(self, dash_app: Any, database: Engine) -> None:
        number = Rest(dash_app.server).post("/saved-searches", {"name": "mine", "query": "x"}).json["id"]
        other = Rest(dash_app.server, role=Role.ADMIN)
        path = f"/saved-searches/{number}"
        missing = other.get("/saved-searches/999").json
        for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
            headers = {"If-Match": "*"} if method == "PATCH" else {}
            answer = other.ask(method, path, json=body, headers=headers)
            assert (answer.status_code, answer.json["detail"]) == (404, missing["detail"])
        assert other.get("/saved-searches").json["items"] == []


class TestWebhooks:
    GIVEN = {
        "name": "chat",
        "provider_type": "webhook",
        "webhook_url": "https://hooks.example.org/a",
        "enabled_events": ["training.complete"],
    }

    def test_they_are_made_changed_and_removed(self, dash_app: Any, database: Engine) -> None:
        api = Rest(dash_app.server, role=Role.ADMIN)
        made = api.post("/webhooks", self.GIVEN)
        assert made.status_code == 201, made.text
        path, headers = f"/webhooks/{made.json['id']}", {"If-Match": made.headers["ETag"]}
        assert api.ask("PATCH", path, json={"is_active": False}, headers=headers).json["is_active"] is False
        assert api.post("/webhooks", self.GIVEN).status_code == 409
        add(
            WebhookLog(
                webhook_config_id=made.json["id"],
                event_type="training.complete",
                provider_type="webhook",
                webhook_url="https://hooks.example.org/a",
                status="sent",
                http_status_code=200,
            )
        )
        (told,) = api.get(f"{path}/deliveries").json["items"]
        assert (told["status"], told["http_status_code"]) == ("sent", 200)
        assert api.ask("DELETE", path).status_code == 204
        with snapshot() as session:
            assert session.scalars(select(WebhookConfiguration)).all() == []
            log = repr([row.details for row in session.scalars(select(SystemLog))])
        assert "hooks.example.org" in log and "hooks.example.org/a" not in log

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example.org/a",
            "https://127.0.0.1/a",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://localhost/",
            "https://x.internal/",
            "https://x.internal./",
            "https://127.1/",
            "https://0x7f.0.0.1/",
            "https://127.0.0.0x1/",
            "https://name:word@hooks.example.org/",
            "https://hooks.example.org:99999/",
            "https://[broken",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ],
    )
    def test_no_address_inside_is_taken(self, dash_app: Any, sqlite: Engine, url: str) -> None:
        answer = Rest(dash_app.server, role=Role.ADMIN).post("/webhooks", self.GIVEN | {"webhook_url": url})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "webhook_url")

    def test_nobody_elses_are_seen(self, dash_app: Any, sqlite: Engine) -> None:
        number = Rest(dash_app.server, role=Role.ADMIN).post("/webhooks", self.GIVEN).json["id"]
        other = Rest(dash_app.server, role=Role.SUPER_ADMIN)
        for path in (f"/webhooks/{number}", f"/webhooks/{number}/deliveries"):
            assert other.get(path).status_code == 404
        assert other.ask("DELETE", f"/webhooks/{number}").status_code == 404


class TestOwnAccount:
    def test_a_key_is_made_shown_once_replaced_and_ended(self, dash_app: Any, database: Engine) -> None:
        browser = Browser(dash_app.server, Role.OPERATOR)
        made = browser.ask("POST", "/api-keys", {"name": "script", "scopes": ["view_experiments"]})
        assert made.status_code == 201
        used = dash_app.server.test_client().get(
            f"{PREFIX}/experiments", headers={"Authorization": f"Bearer {made.json['key']}"}
        )
        assert used.status_code == 200
        (row,) = browser.ask("GET", "/api-keys").json["items"]
        assert (row["name"], row["state"]) == ("script", "active")
        assert made.json["key"] not in browser.ask("GET", "/api-keys").text
        assert browser.ask("POST", f"/api-keys/{row['id']}/rotate").status_code == 200
        assert browser.ask("DELETE", f"/api-keys/{row['id']}").status_code == 204
        states = {one["state"] for one in browser.ask("GET", "/api-keys").json["items"]}
        assert states == {"active", "revoked"}
        assert browser.ask("GET", "/usage").status_code == 200

    def test_nobody_elses_key_is_touched(self, dash_app: Any, sqlite: Engine) -> None:
        Browser(dash_app.server, Role.OPERATOR).ask("POST", "/api-keys", {"name": "k", "scopes": ["view_experiments"]})
        other = Browser(dash_app.server, Role.VIEWER)
        assert other.ask("GET", "/api-keys").json["items"] == []
        assert other.ask("DELETE", "/api-keys/1").status_code == 404
        assert other.ask("POST", "/api-keys/1/rotate").status_code == 404

    def test_preferences_are_read_and_decided(self, dash_app: Any, database: Engine) -> None:
        browser = Browser(dash_app.server, Role.VIEWER)
        assert len(browser.ask("GET", "/notification-preferences").json["items"]) == 12
        path = "/notification-preferences/training.complete"
        told = browser.ask("PATCH", path, {"email_enabled": True, "email_frequency": "digest_daily"})
        assert (told.status_code, told.json["email_enabled"]) == (200, True)
        assert browser.ask("PATCH", path, {"in_app_enabled": False}).json["email_frequency"] == "digest_daily"
        assert browser.ask("PATCH", "/notification-preferences/nothing", {}).status_code == 404


class TestAdmin:
    def test_people_are_read_and_changed(self, dash_app: Any, database: Engine) -> None:
        admin = Browser(dash_app.server, Role.ADMIN)
        number = person(Role.VIEWER, "vera").user_id
        read = admin.ask("GET", f"/users/{number}")
        assert (read.json["username"], read.json["role"]) == ("vera", "viewer")
        tag = {"If_Match": read.headers["ETag"]}
        changed = admin.ask("PATCH", f"/users/{number}", {"role": "operator"}, **tag)
        assert (changed.status_code, changed.json["role"]) == (200, "operator")
        assert admin.ask("PATCH", f"/users/{number}", {"is_active": False}, **tag).status_code == 412
        told = admin.ask("PATCH", f"/users/{number}", {"is_active": False}, If_Match="*")
        assert told.json["state"] == "disabled"
        names = [one["username"] for one in admin.ask("GET", "/users").json["items"]]
        assert names == ["admin-person", "vera"]
        assert "password" not in admin.ask("GET", "/users").text.replace("must_choose_password", "")

    def test_nobody_raises_themselves_or_above_themselves(self, dash_app: Any, sqlite: Engine) -> None:
        admin = Browser(dash_app.server, Role.ADMIN)
        mine, above = person(Role.ADMIN).user_id, person(Role.SUPER_ADMIN).user_id
        other = person(Role.VIEWER).user_id
        asked = [
            admin.ask("PATCH", f"/users/{number}", {"role": "super_admin"}, If_Match="*").status_code
            for number in (mine, above, other)
        ]
        assert asked == [409, 403, 403]
        with snapshot() as session:
            roles = dict(session.execute(select(User.username, User.role)).all())
        assert roles == {
            "admin-person": "admin",
            "super_admin-person": "super_admin",
            "viewer-person": "viewer",
        }

    def test_the_system_log_is_read_a_page_at_a_time(self, dash_app: Any, database: Engine) -> None:
        author = Rest(dash_app.server)
        for place in range(3):
            author.experiment(f"run {place}")
        admin = Rest(dash_app.server, role=Role.ADMIN)
        first = admin.get("/system-log", action="experiment.create", limit=2).json
        rest = admin.get("/system-log", action="experiment.create", limit=2, cursor=first["next"]).json
        assert [one["user"] for one in first["items"] + rest["items"]] == ["operator-person"] * 3
        assert rest["next"] is None
        assert admin.get("/system-log", since="2026-13-40").status_code == 422
        assert "experiment.create" in admin.get("/system-log/actions").json["actions"]
        assert rest["items"][0]["row_hash"] == first["items"][1]["previous_hash"]


@pytest.mark.parametrize("form", ["text/csv", "application/vnd.apache.parquet"])
def test_the_system_log_as_a_file_asks_who_is_signed_in_for_a_fresh_factor(
    dash_app: Any, sqlite: Engine, form: str
) -> None:
    admin, program = Browser(dash_app.server, Role.ADMIN), Rest(dash_app.server, role=Role.ADMIN)
    assert admin.ask("GET", "/system-log", Accept=form).status_code == 200
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=16)))
    answer = admin.ask("GET", "/system-log", Accept=form)
    assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")
    assert admin.ask("GET", "/system-log").status_code == 200
    assert program.ask("GET", "/system-log", headers={"Accept": form}).status_code == 200


def test_the_chain_of_the_system_log_is_checked(dash_app: Any, database: Engine) -> None:
    admin = Browser(dash_app.server, Role.ADMIN)
    Rest(dash_app.server).experiment()
    told = admin.ask("GET", "/system-log/verification").json
    assert told["rows"] > 0
    assert (told["broken"], told["reason"]) == (None, "")
    with transaction() as session:
        first = session.scalar(select(func.min(SystemLog.id)))
        session.execute(text("update system_logs set status = 'failed' where id = :id"), {"id": first})
    assert admin.ask("GET", "/system-log/verification").json["broken"] == first
