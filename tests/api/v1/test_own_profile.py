"""One's own profile through our own API, for who is signed in."""

from typing import Any

import pytest
from sqlalchemy import Engine

from models.permissions import Role
from services.api_keys.keys import NOT_FOR_KEYS
from tests.api.v1.test_other_resources import Browser
from tests.support.people import person
from web.rest.operations import OPERATIONS


def test_what_is_given_changes_and_the_rest_stays(dash_app: Any, database: Engine) -> None:
    vera, bob = Browser(dash_app.server, Role.VIEWER, "vera"), person(Role.VIEWER, "bob")
    read = vera.ask("GET", "/profile")
    assert (read.json["username"], read.json["display_name"], read.json["theme"]) == ("vera", None, None)
    first = vera.ask("PATCH", "/profile", {"display_name": "Vera W.", "theme": "dark"}, If_Match=read.headers["ETag"])
    assert (first.json["display_name"], first.json["theme"], first.json["density"]) == ("Vera W.", "dark", None)
    assert vera.ask("PATCH", "/profile", {"theme": "light"}, If_Match=read.headers["ETag"]).status_code == 412
    change = {"time_zone": "Europe/Zurich", "display_name": ""}
    then = vera.ask("PATCH", "/profile", change, If_Match=first.headers["ETag"]).json
    assert (then["display_name"], then["time_zone"], then["theme"]) == (None, "Europe/Zurich", "dark")
    other = Browser(dash_app.server, Role.VIEWER, bob.username)
    assert other.ask("GET", "/profile").json["time_zone"] is None


@pytest.mark.parametrize(
    ("field", "wrong"), [("time_zone", "Mars/Base"), ("theme", "pink"), ("display_name", "a\nb"), ("email", "a@b.c")]
)
def test_what_cannot_be_is_told_at_its_field(dash_app: Any, sqlite: Engine, field: str, wrong: str) -> None:
    vera = Browser(dash_app.server, Role.VIEWER)
    answer = vera.ask("PATCH", "/profile", {field: wrong}, If_Match="*")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)


def test_no_key_reaches_it() -> None:
    specs = [spec for spec in OPERATIONS if spec.path == "/api/v1/profile"]
    assert len(specs) == 2
    assert {spec.permission for spec in specs} <= NOT_FOR_KEYS
