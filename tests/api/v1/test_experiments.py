"""Experiments through our own API: begun, read, changed, ended, deleted, restored."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine

from models.permissions import Role
from tests.support.rest import Rest


def test_one_is_begun_read_and_ended(api: Rest) -> None:
    given = {
        "name": "cnn on drive end",
        "notes": "first try",
        "group": "cnn",
        "model": "cnn1d",
        "total_epochs": 3,
        "tags": ["Drive End", "cnn"],
        "hyperparameters": {"lr": 0.001, "depth": 4, "optimizer": "adam", "augment": True},
        "config": {"window": {"size": 2048}},
    }
    answer = api.post("/experiments", given)
    assert answer.status_code == 201, answer.text
    made = answer.json
    assert answer.headers["Location"] == f"/api/v1/experiments/{made['id']}"
    assert (made["status"], made["tags"], made["source"]) == ("running", ["cnn", "drive-end"], "api")
    assert (made["hyperparameters"], made["config"]) == (given["hyperparameters"], given["config"])
    assert made["owner"] == "operator-person"
    ended = api.post(f"/experiments/{made['id']}/end", {"status": "completed"})
    assert (ended.status_code, ended.json["status"]) == (200, "completed")
    read = api.get(f"/experiments/{made['id']}")
    assert read.json == ended.json
    assert api.post(f"/experiments/{made['id']}/end", {"status": "completed"}).status_code == 409


def test_a_name_that_is_taken_stays_visible_and_another_is_unique(api: Rest) -> None:
    first, second = api.experiment("run"), api.experiment("run")
    read = [api.get(f"/experiments/{number}").json for number in (first, second)]
    assert [one["name"] for one in read] == ["run", "run"]
    assert [one["unique_name"] for one in read] == ["run", "run (2)"]


def test_why_it_failed_is_kept(api: Rest) -> None:
    number = api.experiment()
    told = api.post(f"/experiments/{number}/end", {"status": "failed", "failure": "out of memory"}).json
    assert (told["status"], told["failure"]) == ("failed", "out of memory")


class TestChanging:
    def etag(self, api: Rest, number: int) -> str:
        return api.get(f"/experiments/{number}").headers["ETag"]

    def change(self, api: Rest, number: int, body: Any, tag: str | None) -> Any:
        headers = {} if tag is None else {"If-Match": tag}
        return api.ask("PATCH", f"/experiments/{number}", json=body, headers=headers)

    def test_what_is_given_changes_and_the_rest_stays(self, api: Rest) -> None:
        number = api.experiment("run", notes="old", tags=["a", "b"])
        answer = self.change(api, number, {"name": "other", "tags": ["b", "c"]}, self.etag(api, number))
        assert answer.status_code == 200
        assert (answer.json["name"], answer.json["notes"], answer.json["tags"]) == ("other", "old", ["b", "c"])
        assert answer.headers["ETag"] == self.etag(api, number)

    def test_without_the_state_it_was_made_for_it_is_refused(self, api: Rest) -> None:
        answer = self.change(api, api.experiment(), {"notes": "x"}, None)
        assert (answer.status_code, answer.json["code"]) == (428, "if_match_required")

    def test_after_a_change_of_somebody_else_it_is_refused(self, api: Rest) -> None:
        number = api.experiment()
        tag = self.etag(api, number)
        assert self.change(api, number, {"notes": "theirs"}, tag).status_code == 200
        answer = self.change(api, number, {"notes": "mine"}, tag)
        assert (answer.status_code, answer.json["code"]) == (412, "changed_meanwhile")
        assert api.get(f"/experiments/{number}").json["notes"] == "theirs"
        assert self.change(api, number, {"notes": "mine"}, "*").status_code == 200

    def test_of_many_changes_of_one_state_at_once_one_wins(self, dash_app: Any, database: Engine) -> None:
        api = Rest(dash_app.server)
        number = api.experiment()
        headers = api.headers | {"If-Match": self.etag(api, number)}

        def change(place: int) -> int:
            path, body = f"/api/v1/experiments/{number}", {"notes": f"by {place}"}
            return dash_app.server.test_client().patch(path, json=body, headers=headers).status_code

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(change, range(6))) == [200, 412, 412, 412, 412, 412]

    @pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
    def test_the_tag_of_a_compressed_answer_counts(self, lone_api: Rest, coding: str) -> None:
        number = lone_api.experiment(notes="long " * 500)
        headers = lone_api.headers | {"Accept-Encoding": coding}
        read = lone_api.client.get(f"/api/v1/experiments/{number}", headers=headers)
        assert read.headers["Content-Encoding"] == coding
        assert self.change(lone_api, number, {"notes": "x"}, read.headers["ETag"]).status_code == 200

    @pytest.mark.parametrize("as_told", ['W/"{}"', '"{}-gzip"', '"other", "{}"'])
    def test_the_tag_counts_as_a_proxy_tells_it(self, lone_api: Rest, as_told: str) -> None:
        number = lone_api.experiment()
        tag = as_told.format(self.etag(lone_api, number).strip('"'))
        assert self.change(lone_api, number, {"notes": "x"}, tag).status_code == 200
        assert self.change(lone_api, number, {"notes": "y"}, tag).status_code == 412

    def test_what_it_measures_meanwhile_is_no_change_of_somebody_else(self, api: Rest) -> None:
        number = api.experiment()
        tag = self.etag(api, number)
        api.log(number, "val_loss", (1, 0.5), (2, 0.4))
        assert self.change(api, number, {"notes": "x"}, tag).status_code == 200

    def test_notes_and_tags_are_the_teams_and_the_name_is_its_authors(self, dash_app: Any, database: Engine) -> None:
        author, other = Rest(dash_app.server), Rest(dash_app.server, name="other")
        number = author.experiment()
        assert self.change(other, number, {"notes": "seen"}, "*").status_code == 200
        assert self.change(other, number, {"name": "mine now"}, "*").status_code == 403
        admin = Rest(dash_app.server, role=Role.ADMIN)
        assert self.change(admin, number, {"name": "by an admin"}, "*").status_code == 200

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"id": 7}, "id"),
            ({"created_by": 1}, "created_by"),
            ({"status": "completed"}, "status"),
            ({"name": ""}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"tags": ["all"]}, "tag"),
            ({"tags": "a"}, "tags"),
            ({"tags": [1]}, "tags[0]"),
            ({"total_epochs": "3"}, "total_epochs"),
            ({"total_epochs": 0}, "total_epochs"),
        ],
    )
    def test_what_cannot_be_says_where(self, lone_api: Rest, body: Any, field: str) -> None:
        answer = self.change(lone_api, lone_api.experiment(), body, "*")
        assert answer.status_code == 422
        assert [fault["field"] for fault in answer.json["errors"]] == [field]


class TestDeletion:
    def test_it_goes_aside_and_comes_back(self, api: Rest) -> None:
        number = api.experiment()
        assert api.ask("DELETE", f"/experiments/{number}").status_code == 204
        assert api.ask("DELETE", f"/experiments/{number}").status_code == 204
        assert api.get(f"/experiments/{number}").json["deleted"] is not None
        assert api.get("/experiments").json["items"] == []
        assert [one["id"] for one in api.get("/experiments", deleted="true").json["items"]] == [number]
        back = api.post(f"/experiments/{number}/restore")
        assert (back.status_code, back.json["deleted"], back.json["status"]) == (200, None, "cancelled")

    def test_what_goes_with_it_is_told_before(self, dash_app: Any, api: Rest) -> None:
        number = api.experiment()
        api.log(number, "loss", (1, 1.0), (2, 0.5))
        told = api.get(f"/experiments/{number}/deletion").json
        assert (told["active"], told["points"], told["explanations"]) == (True, 2, 0)
        assert told["kept_days"] > 0
        assert Rest(dash_app.server, name="another").get(f"/experiments/{number}/deletion").status_code == 403

    def test_anothers_is_not_deleted(self, dash_app: Any, database: Engine) -> None:
        number = Rest(dash_app.server).experiment()
        other = Rest(dash_app.server, name="other")
        assert other.ask("DELETE", f"/experiments/{number}").status_code == 403
        assert other.get(f"/experiments/{number}").json["deleted"] is None

    def test_anothers_is_not_restored(self, dash_app: Any, database: Engine) -> None:
        author = Rest(dash_app.server)
        number = author.experiment()
        author.ask("DELETE", f"/experiments/{number}")
        assert Rest(dash_app.server, name="other").post(f"/experiments/{number}/restore").status_code == 404


def test_one_that_runs_is_stopped(api: Rest) -> None:
    number = api.experiment()
    assert api.post(f"/experiments/{number}/cancel").json["status"] == "cancelled"
    assert api.post(f"/experiments/{number}/cancel").status_code == 409


@pytest.mark.parametrize("number", ["0", "999", "2147483648", "99999999999999999999"])
def test_what_is_not_there_is_not_found_by_any_number(lone_api: Rest, number: str) -> None:
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/restore"), ("GET", "/metrics")):
        assert lone_api.ask(method, f"/experiments/{number}{rest}").status_code == 404
