"""Acts that open doors ask for a fresh factor, and go on once it was given."""

import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import SessionLog, SystemLog
from services import refusals, sign_ins, sudo
from services.actor import Actor
from services.sessions import SignedIn
from tests.support import clock
from tests.support.people import PASSWORD, client, dispatch, person
from tests.support.second_factor import code_of, give_app, give_codes, give_passkey, signed_in
from tests.web.test_permissions import state_of_tables
from web import seal
from web.identity import cookie_name

# What asks for a fresh factor; whoever adds a callback of this kind marks it with `sudo=True` and names it here.
ACTS = {
    "all-keys-dialog.is_open",
    "app-body.children",
    "experiment-logging-key.children",
    "factors-changed.data",
    "factors-codes.is_open",
    "factors-list.children",
    "invite-name-error.children",
    "key-name-error.children",
    "keys-shown.children",
    "keys-table.children",
    "linked-dialog.is_open",
    "linked-list.children",
    "logs-download.data",
    "person-body.children",
    "profile-download.data",
    "requests-download.data",
    "roles-second-factor.value",
    "sessions-table.children",
    "users-changed.data",
}


def let_time_pass(minutes: int) -> None:
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=minutes)))


def pressed(app: Any, output: str) -> dict[str, Any]:
    """The values of a dispatch in which every button was pressed."""
    inputs = app.callback_map[output]["inputs"]
    return {f"{item['id']}.{item['property']}": 1 for item in inputs if not item["id"].startswith("{")}


def attempts(who: Actor) -> list[sign_ins.SignIn]:
    with snapshot() as session:
        return sign_ins.page(session, who)[0]


@pytest.fixture(scope="session")
def acts(dash_app: Any) -> set[str]:
    return seal.sudo_callbacks(dash_app)


class TestCallbacks:
    def test_that_open_doors_are_all_marked(self, acts: set[str]) -> None:
        firsts = {output.strip(".").split("...")[0].split("@")[0] for output in acts}
        assert firsts == ACTS

    def test_without_a_fresh_factor_are_refused_and_nothing_changes(
        self, dash_app: Any, acts: set[str], sqlite: Engine
    ) -> None:
        visitor = client(dash_app.server, "super_admin")
        let_time_pass(31)
        before = state_of_tables(sqlite)
        for output in acts:
            values = pressed(dash_app, output)
            if values:  # the others are buttons in the rows of a table
                answer = dispatch(visitor, dash_app, output, **values)
                assert (answer.status_code, answer.json["code"]) == (403, "factor_needed"), output
        assert state_of_tables(sqlite) == before

    def test_of_buttons_in_rows_are_refused_as_well(self, dash_app: Any, sqlite: Engine) -> None:
        visitor = client(dash_app.server, "viewer")
        let_time_pass(31)
        output, spec = next(
            (output, spec)
            for output, spec in dash_app.callback_map.items()
            if any("sessions-end" in given["id"] for given in spec["inputs"])
        )
        body = {
            "output": output,
            "outputs": [
                {"id": "sessions-table", "property": "children"},
                {"id": "sessions-others", "property": "disabled"},
                {"id": "sessions-others", "property": "title"},
            ],
            "inputs": [{"id": "pressed-sessions-end", "property": "data", "value": {"type": "sessions-end", "id": 1}}],
            "state": spec.get("state", []),
            "changedPropIds": [],
        }
        answer = visitor.post("/_dash-update-component", json=body)
        assert (answer.status_code, answer.json["code"]) == (403, "factor_needed")

    def test_ask_nothing_and_do_nothing_while_a_page_only_draws_its_buttons(
        self, dash_app: Any, acts: set[str], sqlite: Engine
    ) -> None:
        visitor = client(dash_app.server, "super_admin")
        let_time_pass(31)
        before = state_of_tables(sqlite)
        assert {dispatch(visitor, dash_app, output).status_code for output in acts} <= {200, 204}
        assert state_of_tables(sqlite) == before


class TestAge:
    @pytest.fixture(autouse=True)
    def _moment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock.hold(monkeypatch, sys.modules[__name__], sudo)

    def at(self, role: str, minutes: float) -> bool:
        actor = Actor(1, "x", role, frozenset())
        return sudo.is_fresh(SignedIn(actor, "x", 1, now(), now() - timedelta(minutes=minutes)))

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_is_thirty_minutes(self, role: str) -> None:
        assert (self.at(role, 29.9), self.at(role, 30.1)) == (True, False)

    @pytest.mark.parametrize("role", ["admin", "super_admin"])
    def test_is_fifteen_minutes_for_admins(self, role: str) -> None:
        assert (self.at(role, 14.9), self.at(role, 15.1)) == (True, False)

    def test_of_a_session_that_never_proved_itself_is_too_old(self) -> None:
        actor = Actor(1, "x", "viewer", frozenset())
        assert not sudo.is_fresh(SignedIn(actor, "x", 1, now(), None))


class TestConfirmation:
    @pytest.fixture
    def visitor(self, dash_app: Any, database: Engine) -> Any:
        made = client(dash_app.server, "viewer", "vera")
        let_time_pass(60)
        return made

    def is_fresh(self, visitor: Any) -> bool:
        return bool(visitor.post("/account/passkeys/options", json={}).status_code != 403)

    def test_by_password_makes_the_factor_fresh(self, visitor: Any) -> None:
        assert not self.is_fresh(visitor)
        assert visitor.post("/sudo", json={"password": PASSWORD}).status_code == 200
        assert self.is_fresh(visitor)

    def test_gives_the_session_a_new_token_and_the_old_one_is_dead(self, visitor: Any, dash_app: Any) -> None:
        before = visitor.get_cookie(cookie_name()).value
        visitor.post("/sudo", json={"password": PASSWORD})
        assert visitor.get_cookie(cookie_name()).value != before
        thief = dash_app.server.test_client()
        thief.set_cookie(cookie_name(), before)
        assert thief.get("/_dash-layout").status_code == 401
        with snapshot() as session:
            assert len(session.scalars(select(SessionLog.id)).all()) == 1

    def test_by_a_wrong_password_does_not_and_counts(self, visitor: Any) -> None:
        statuses = [visitor.post("/sudo", json={"password": "a wrong guess at it"}).status_code for _ in range(8)]
        assert statuses == [422] * 6 + [429] * 2
        assert visitor.post("/sudo", json={"password": PASSWORD}).status_code == 429
        assert not self.is_fresh(visitor)

    @pytest.mark.parametrize("body", [{"code": "000000"}, {"credential": {"id": "x"}}], ids=["code", "passkey"])
    def test_by_guesses_at_a_second_factor_it_ends_in_waiting(self, visitor: Any, body: Any) -> None:
        give_app(person("viewer", "vera"))
        visitor.post("/sudo/passkey", json={})
        statuses = [visitor.post("/sudo", json=body).status_code for _ in range(25)]
        assert (statuses[0], statuses[-1]) == (422, 429)
        assert not self.is_fresh(visitor)

    def test_each_wrong_answer_is_one_row_that_its_owner_sees(
        self, visitor: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings(), "public_url", "http://localhost:8050")
        vera = person("viewer", "vera")
        give_app(vera), give_codes(vera)
        authenticator = give_passkey(signed_in("vera"))
        with transaction() as session:
            session.execute(update(SessionLog).values(is_active=True))
        forged = authenticator.use(visitor.post("/sudo/passkey", json={}).text, origin="https://evil.example")
        wrong = {"password": "a wrong guess at it"}, {"code": "000000"}, {"code": "aaaa-bbbb-cccc-dddd"}
        for body in (*wrong, {"credential": forged}):
            before = len(attempts(vera))
            assert visitor.post("/sudo", json=body).status_code == 422
            assert len(attempts(vera)) == before + 1
        assert {row.reason for row in attempts(vera)} == {sudo.REFUSED}
        assert {row.method for row in attempts(vera)} >= {"password", "totp", "passkey"}
        assert not any(row.succeeded for row in attempts(vera))

    def test_a_right_answer_is_no_sign_in(self, visitor: Any) -> None:
        assert visitor.post("/sudo", json={"password": PASSWORD}).status_code == 200
        assert attempts(person("viewer", "vera")) == []

    def test_by_a_code_of_the_app_or_a_backup_code(self, visitor: Any) -> None:
        vera = person("viewer", "vera")
        seed, codes = give_app(vera), give_codes(vera)
        for code in (code_of(seed), codes[0]):
            let_time_pass(60)
            assert visitor.post("/sudo", json={"code": code}).status_code == 200
            assert self.is_fresh(visitor)
            assert visitor.post("/sudo", json={"code": code}).status_code == 422

    def test_by_a_passkey(self, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "public_url", "http://localhost:8050")
        authenticator = give_passkey(signed_in("vera"))
        with transaction() as session:
            session.execute(update(SessionLog).values(is_active=True))  # the registration has ended this one
        let_time_pass(60)
        assert visitor.get("/sudo").json == {"code": True, "passkey": True, "provider": ""}
        options = visitor.post("/sudo/passkey", json={}).text
        forged = authenticator.use(options, origin="https://evil.example")
        assert visitor.post("/sudo", json={"credential": forged}).status_code == 422
        options = visitor.post("/sudo/passkey", json={}).text
        credential = authenticator.use(options, origin="http://localhost:8050")
        assert visitor.post("/sudo", json={"credential": credential}).status_code == 200
        assert self.is_fresh(visitor)

    @pytest.mark.parametrize("body", [[], "x", {}, {"password": 7}, {"code": []}, {"credential": 1}], ids=str)
    def test_what_is_no_answer_is_refused(self, visitor: Any, body: Any) -> None:
        assert visitor.post("/sudo", json=body).status_code in {400, 422}

    def test_says_what_one_may_answer_with(self, visitor: Any) -> None:
        assert visitor.get("/sudo").json == {"code": False, "passkey": False, "provider": ""}

    def test_is_for_the_signed_in_and_takes_no_form_of_another_site(self, visitor: Any, dash_app: Any) -> None:
        assert dash_app.server.test_client().post("/sudo", json={"password": PASSWORD}).status_code == 401
        assert visitor.post("/sudo", data={"password": PASSWORD}).status_code == 415
        other = {"Origin": "https://evil.example"}
        assert visitor.post("/sudo", json={"password": PASSWORD}, headers=other).status_code == 403


@pytest.mark.parametrize("path", ["/account/passkeys/options", "/account/passkeys"])
def test_a_passkey_is_neither_offered_nor_kept_without_a_fresh_factor(
    dash_app: Any, sqlite: Engine, client_of: Any, path: str
) -> None:
    visitor = client_of("viewer")
    let_time_pass(60)
    assert visitor.post(path, json={"name": "x"}).json["code"] == "factor_needed"


def test_a_changed_password_counts_as_a_factor(dash_app: Any, sqlite: Engine) -> None:
    visitor = client(dash_app.server, "viewer", "vera")
    let_time_pass(60)
    output = next(output for output in dash_app.callback_map if output.startswith("..security-current-error"))
    new = "another fine passphrase"
    fields = {"security-current.value": PASSWORD, "security-new.value": new, "security-again.value": new}
    dispatch(visitor, dash_app, output, **{"security-save.n_clicks": 1, **fields})
    with snapshot() as session:
        proved = session.scalars(select(SessionLog.authenticated_at)).one()
    assert proved is not None and now() - proved < timedelta(minutes=5)


def test_a_wrong_one_in_a_form_of_the_account_is_a_row_and_waiting_is_one_of_the_log(
    dash_app: Any, database: Engine
) -> None:
    refusals.forget()
    vera, visitor = person("viewer", "vera"), client(dash_app.server, "viewer", "vera")
    output = next(output for output in dash_app.callback_map if output.startswith("..security-current-error"))
    new = "another fine passphrase"
    fields = {"security-current.value": "a wrong guess at it", "security-new.value": new, "security-again.value": new}
    for _ in range(7):
        dispatch(visitor, dash_app, output, **{"security-save.n_clicks": 1, **fields})
    assert [(row.reason, row.method) for row in attempts(vera)] == [(sudo.REFUSED, "password")] * 6
    with snapshot() as session:
        waited = session.scalars(select(SystemLog).where(SystemLog.action == "refused.attempts")).one()
    assert waited.user_id == vera.user_id
