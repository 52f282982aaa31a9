"""Password, e-mail address and second factors of one's own account through our own API, for who is signed in."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import LinkedIdentity, Passkey, SessionLog, SystemLog
from models.permissions import Role
from services import passwords
from services.api_keys.keys import NOT_FOR_KEYS
from services.second_factor import backup_codes
from tests.api.v1.test_other_resources import Browser
from tests.support.people import PASSWORD, person
from tests.support.second_factor import _FRESH, give_app, give_codes
from web.rest.operations import OPERATIONS

NEW = "quite another passphrase"
PATHS = r"/api/v1/(password|email|second-factor|passkeys|linked-accounts)"
OWN = [spec for spec in OPERATIONS if re.match(PATHS, spec.path)]


@pytest.fixture
def vera(dash_app: Any, database: Engine) -> Browser:
    return Browser(dash_app.server, Role.VIEWER, "vera")


@pytest.fixture
def lone_vera(dash_app: Any, sqlite: Engine) -> Browser:
    return Browser(dash_app.server, Role.VIEWER, "vera")


def actions() -> list[str]:
    with snapshot() as session:
        return list(session.scalars(select(SystemLog.action)))


class TestPassword:
    def test_it_changes_and_the_other_sessions_end(self, dash_app: Any, vera: Browser) -> None:
        other = Browser(dash_app.server, Role.VIEWER, "vera")
        answer = vera.ask("PUT", "/password", {"current": PASSWORD, "password": NEW})
        assert (answer.status_code, answer.json) == (200, {"sessions_ended": 1})
        assert other.client.get("/api/v1/profile").status_code == 401
        assert vera.ask("GET", "/profile").status_code == 200
        assert vera.ask("PUT", "/password", {"current": PASSWORD, "password": NEW}).status_code == 422

    @pytest.mark.parametrize(("field", "current", "new"), [("current", "wrong", NEW), ("password", PASSWORD, "short")])
    def test_what_is_wrong_is_told_at_its_field(self, lone_vera: Browser, field: str, current: str, new: str) -> None:
        answer = lone_vera.ask("PUT", "/password", {"current": current, "password": new})
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)

    def test_wrong_ones_are_guesses_that_are_slowed_down(
        self, lone_vera: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(passwords, "verify", lambda *_: False)
        answers = [lone_vera.ask("PUT", "/password", {"current": "wrong", "password": NEW}) for _ in range(8)]
        assert (answers[0].status_code, answers[-1].status_code) == (422, 429)


def test_a_new_address_is_confirmed_by_its_link(vera: Browser) -> None:
    asked = vera.ask("PUT", "/email", {"email": "Vera.New@example.org", "current": PASSWORD})
    assert asked.json == {"new_email": "vera.new@example.org"}
    assert vera.ask("GET", "/second-factor").json["new_email"] == "vera.new@example.org"
    assert vera.ask("GET", "/profile").json["email"] == "vera@example.org"
    wrong = vera.ask("PUT", "/email", {"email": "a@example.org", "current": "wrong"})
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "current")


class TestSecondFactor:
    def test_the_app_is_told_of_and_taken_off(self, vera: Browser) -> None:
        give_app(person(Role.VIEWER, "vera"))
        give_codes(person(Role.VIEWER, "vera"))
        told = vera.ask("GET", "/second-factor").json
        assert (told["authenticator_app"], told["backup_codes_left"], told["passkeys"]) == (True, 10, [])
        assert vera.ask("DELETE", "/second-factor/app").status_code == 204
        assert vera.ask("DELETE", "/second-factor/app").status_code == 404
        assert vera.ask("GET", "/second-factor").json["backup_codes_left"] == 0
        assert "second_factor.remove_app" in actions()

    def test_new_codes_take_the_place_of_the_old(self, vera: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        assert vera.ask("POST", "/second-factor/backup-codes").status_code == 409
        give_app(person(Role.VIEWER, "vera"))
        codes = give_codes(person(Role.VIEWER, "vera"))
        monkeypatch.setattr(backup_codes, "make", lambda: _FRESH[0])  # hashing ten is slow on purpose
        told = vera.ask("POST", "/second-factor/backup-codes").json
        assert tuple(told["codes"]) == codes
        assert "second_factor.renew_codes" in actions()

    def test_a_passkey_is_named_anew_and_taken_off(self, vera: Browser) -> None:
        mine, bob = person(Role.VIEWER, "vera"), person(Role.VIEWER, "bob")
        with transaction() as session:
            for who in (mine, bob):
                session.add(Passkey(user_id=who.user_id, name="old", credential_id=who.username, public_key=b"x"))
        with snapshot() as session:
            own, others = session.scalars(select(Passkey.id).order_by(Passkey.id))
        named = [vera.ask("PATCH", f"/passkeys/{number}", {"name": "phone"}) for number in (own, others)]
        assert ([answer.status_code for answer in named], named[0].json["name"]) == ([200, 404], "phone")
        assert [vera.ask("DELETE", f"/passkeys/{number}").status_code for number in (own, others)] == [204, 404]

    def test_a_linked_account_is_told_of_and_taken_off(self, vera: Browser) -> None:
        mine, bob = person(Role.VIEWER, "vera"), person(Role.VIEWER, "bob")
        with transaction() as session:
            for who in (mine, bob):
                session.add(LinkedIdentity(user_id=who.user_id, issuer="https://id.example", subject=who.username))
        (linked,) = vera.ask("GET", "/second-factor").json["linked_accounts"]
        with snapshot() as session:
            numbers = list(session.scalars(select(LinkedIdentity.id).order_by(LinkedIdentity.id)))
        assert [vera.ask("DELETE", f"/linked-accounts/{number}").status_code for number in numbers] == [204, 404]
        assert linked["issuer"] == "https://id.example"


def test_what_opens_doors_asks_for_a_fresh_factor_as_the_page_does(lone_vera: Browser) -> None:
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=31)))
    asking = {spec.name for spec in OWN if spec.sudo}
    assert asking == {"renew_backup_codes", "remove_authenticator_app", "remove_passkey", "unlink_account"}
    for spec in OWN:
        if spec.sudo:
            answer = lone_vera.ask(spec.method, re.sub(r"<[^>]+>", "1", spec.path).removeprefix("/api/v1"))
            assert (answer.status_code, answer.json["code"]) == (403, "factor_needed"), spec.name


def test_no_key_reaches_any_of_it() -> None:
    assert len(OWN) == 8
    assert {spec.permission for spec in OWN} <= NOT_FOR_KEYS
