"""All that is kept about a person through our own API: for who is signed in and has shown it lately."""

from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Engine, update

from database.engine import transaction
from database.types import now
from models import SessionLog
from models.permissions import Role
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from tests.support.people import dispatch
from tests.support.rest import Rest
from web.rest.operations import OPERATIONS


def test_one_takes_along_what_is_ones_own(dash_app: Any, database: Engine) -> None:
    program = Rest(dash_app.server)
    program.experiment("mine")
    Rest(dash_app.server, name="somebody-else").experiment("theirs")
    browser = Browser(dash_app.server, Role.OPERATOR)
    told = browser.ask("GET", "/account/export").json
    assert told["account"]["username"] == "operator-person"
    assert ([one["name"] for one in told["experiments"]["items"]], told["experiments"]["cut"]) == (["mine"], False)
    assert [one["name"] for one in told["api_keys"]["items"]] == ["program"]
    assert [one["is_this"] for one in told["sessions"]["items"]] == [True]
    again = browser.ask("GET", "/account/export").json
    assert "account.export" in [one["action"] for one in again["acts"]["items"]]


def test_it_asks_for_a_fresh_factor_and_leaves_nothing_without_one(dash_app: Any, sqlite: Engine) -> None:
    browser = Browser(dash_app.server, Role.VIEWER)
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=31)))
    answer = browser.ask("GET", "/account/export")
    assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")


def test_the_button_of_the_profile_gives_the_same_as_a_file(dash_app: Any, sqlite: Engine) -> None:
    browser = Browser(dash_app.server, Role.VIEWER)
    pressed = dispatch(browser.client, dash_app, "profile-download.data", **{"profile-take-data.n_clicks": 1})
    file = pressed.json["response"]["profile-download"]["data"]
    assert (file["filename"], file["type"]) == ("my-data.json", "application/json")
    told, asked = orjson.loads(file["content"]), browser.ask("GET", "/account/export").json
    assert (told.keys(), told["account"]["username"]) == (asked.keys(), asked["account"]["username"])


def test_no_key_takes_it(dash_app: Any, sqlite: Engine) -> None:
    assert Rest(dash_app.server, role=Role.SUPER_ADMIN).get("/account/export").status_code == 403
    (spec,) = (spec for spec in OPERATIONS if spec.name == "export_own_data")
    assert spec.permission in NOT_FOR_KEYS
