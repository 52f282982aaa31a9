"""Signing in with a second factor: what the password alone opens, and what each factor does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import LoginHistory, SessionLog, User
from services import sessions, throttling
from tests.support.people import PASSWORD, person
from tests.support.second_factor import code_of, give_app, give_codes, give_passkey, signed_in
from tests.web.test_sign_in import sign_in, token_in
from web.identity import cookie_name, device_cookie_name


@pytest.fixture
def vera(dash_app: Any, database: Engine) -> Any:
    """Somebody with an app and backup codes."""
    made = person("viewer", "vera")
    return made, give_app(made), give_codes(made)


@pytest.fixture
def visitor(dash_app: Any, vera: Any) -> Any:
    """A browser in which vera has given her password."""
    made = dash_app.server.test_client()
    answer = sign_in(made, "vera", next="/experiments?q=x")
    assert answer.headers["Location"] == "/login/second?next=/experiments?q%3Dx"
    return made


def give(visitor: Any, code: str, **more: str) -> Any:
    token = token_in(visitor.get("/login/second"))
    return visitor.post("/login/second", data={"code": code, "csrf_token": token, **more})


def history() -> list[tuple[str, bool, str | None]]:
    with snapshot() as session:
        columns = (LoginHistory.login_method, LoginHistory.success, LoginHistory.failure_reason)
        return [tuple(row) for row in session.execute(select(*columns).order_by(LoginHistory.id))]


class TestCode:
    def test_opens_the_session_and_goes_on_to_where_one_wanted(self, vera: Any, visitor: Any) -> None:
        answer = give(visitor, code_of(vera[1]), next="/experiments?q=x")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/experiments?q=x")
        assert visitor.get("/_dash-layout").status_code == 200
        assert history() == [("totp", True, None)]

    def test_opens_it_under_a_new_token_and_the_old_one_is_dead(self, vera: Any, visitor: Any, dash_app: Any) -> None:
        before = visitor.get_cookie(cookie_name()).value
        give(visitor, code_of(vera[1]))
        assert visitor.get_cookie(cookie_name()).value != before
        thief = dash_app.server.test_client()
        thief.set_cookie(cookie_name(), before)
        assert thief.get("/_dash-layout").status_code == 401
        assert thief.get("/login/second").status_code == 302

    def test_a_wrong_one_is_told_and_the_password_stays_given(self, vera: Any, visitor: Any) -> None:
        answer = give(visitor, "abcdef")
        assert answer.status_code == 401
        assert "not right" in answer.text
        assert give(visitor, code_of(vera[1])).status_code == 302
        assert history() == [("totp", False, "wrong code"), ("totp", True, None)]

    def test_the_session_says_with_what_and_when(self, vera: Any, visitor: Any) -> None:
        give(visitor, code_of(vera[1]))
        with snapshot() as session:
            row = session.scalars(select(SessionLog).where(SessionLog.is_active)).one()
            assert (row.factors, row.second_factor_pending) == ("password+totp", False)
            assert row.authenticated_at is not None

    def test_the_next_one_too_is_for_this_device(self, vera: Any, visitor: Any) -> None:
        assert visitor.get_cookie(device_cookie_name()) is None
        give(visitor, code_of(vera[1]))
        assert visitor.get_cookie(device_cookie_name()) is not None

    def test_of_a_hundred_posts_of_one_code_exactly_one_gets_in(
        self, vera: Any, visitor: Any, dash_app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Without the limits on guesses all of them are compared, and only the step that is used up decides.
        monkeypatch.setattr(throttling, "second_factor_buckets", lambda *_: ())
        token = visitor.get_cookie(cookie_name()).value
        form, code = token_in(visitor.get("/login/second")), code_of(vera[1])
        flask_cookie = next(cookie for cookie in visitor._cookies.values() if "form" in cookie.key)

        def post(_: int) -> int:
            made = dash_app.server.test_client()
            made.set_cookie(cookie_name(), token)
            made.set_cookie(flask_cookie.key, flask_cookie.value)
            answer = made.post("/login/second", data={"code": code, "csrf_token": form, "next": "/compare"})
            return int(answer.headers.get("Location") == "/compare")

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(post, range(100))) == 1
        with snapshot() as session:
            opened = session.scalars(select(SessionLog).where(SessionLog.second_factor_pending.is_(False))).all()
            used = session.scalars(select(User.totp_last_step)).all()
        assert [row.factors for row in opened] == ["password+totp"]
        assert used != [None]
        assert [row for row in history() if row[1]] == [("totp", True, None)]

    def test_guessing_ends_after_five(self, visitor: Any) -> None:
        statuses = [give(visitor, "000000").status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        assert history()[-1] == ("totp", False, "too many attempts")

    def test_without_the_forms_token_nothing_happens(self, vera: Any, visitor: Any) -> None:
        assert visitor.post("/login/second", data={"code": code_of(vera[1])}).status_code == 400
        assert visitor.get("/_dash-layout").status_code == 401

    @pytest.mark.parametrize("code", ["", "\x00", "\ud800".encode("utf-8", "replace").decode(), "9" * 5000, "<b>x</b>"])
    def test_odd_ones_are_refused_and_never_an_error(self, visitor: Any, code: str) -> None:
        answer = give(visitor, code)
        assert answer.status_code == 401
        assert "<b>x" not in answer.text


class TestBackupCode:
    def test_opens_the_session_once(self, vera: Any, visitor: Any, dash_app: Any) -> None:
        assert give(visitor, vera[2][4]).status_code == 302
        again = dash_app.server.test_client()
        sign_in(again, "vera")
        assert give(again, vera[2][4]).status_code == 401
        assert history() == [("backup_code", True, None), ("backup_code", False, "wrong backup code")]


class TestPasswordAlone:
    def test_leads_every_page_to_the_second_step(self, visitor: Any) -> None:
        for path in ("/", "/experiments", "/account/security", "/nowhere"):
            answer = visitor.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
            assert "/login/second" in answer.request.path

    def test_is_one_row_of_the_history_even_when_nothing_follows(self, visitor: Any) -> None:
        assert history() == [("password", False, "second factor not given")]

    def test_lasts_ten_minutes(self, vera: Any, visitor: Any) -> None:
        with transaction() as session:
            row = session.scalars(select(SessionLog)).one()
            assert row.expires_at - row.created_at == timedelta(minutes=10)
            session.execute(update(SessionLog).values(expires_at=now() - timedelta(seconds=1)))
        assert visitor.get("/login/second").status_code == 302

    def test_is_not_a_session_in_the_list_of_its_owner(self, vera: Any, visitor: Any) -> None:
        from services import session_list

        with snapshot() as session:
            assert session_list.open_sessions(session, vera[0], 0) == []

    def test_signs_out(self, visitor: Any) -> None:
        token = token_in(visitor.get("/login/second"))
        visitor.post("/logout", data={"csrf_token": token})
        with snapshot() as session:
            assert session.scalars(select(SessionLog.is_active)).all() == [False]

    def test_ends_with_a_new_password(self, vera: Any, visitor: Any) -> None:
        with transaction() as session:
            sessions.end_all(session, vera[0].user_id, "password changed")
        assert visitor.get("/login/second").status_code == 302

    def test_of_somebody_without_a_second_factor_opens_the_session(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "bob")
        visitor = dash_app.server.test_client()
        assert sign_in(visitor, "bob").headers["Location"] == "/"
        assert history() == [("password", True, None)]

    def test_wrong_looks_the_same_with_and_without_a_second_factor(self, vera: Any, dash_app: Any) -> None:
        person("viewer", "bob")
        answers = [sign_in(dash_app.server.test_client(), name, PASSWORD + "x") for name in ("vera", "bob")]
        assert [answer.status_code for answer in answers] == [401, 401]


class TestPasskey:
    @pytest.fixture(autouse=True)
    def under_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "public_url", "http://localhost:8050")

    def owner(self) -> Any:
        return give_passkey(signed_in("olga"))

    def test_opens_the_session(self, dash_app: Any, database: Engine) -> None:
        authenticator, visitor = self.owner(), dash_app.server.test_client()
        assert "/login/second" in sign_in(visitor, "olga").headers["Location"]
        options = visitor.post("/login/second/passkey/options", json={}).text
        credential = authenticator.use(options, origin="http://localhost:8050")
        answer = visitor.post("/login/second/passkey", json={"credential": credential, "next": "//evil.example"})
        assert answer.json == {"next": "/"}
        assert visitor.get("/_dash-layout").status_code == 200
        assert history() == [("passkey", True, None)]

    def test_a_forged_one_is_refused_and_counted(self, dash_app: Any, sqlite: Engine) -> None:
        authenticator, visitor = self.owner(), dash_app.server.test_client()
        sign_in(visitor, "olga")
        statuses = []
        for _ in range(7):
            options = visitor.post("/login/second/passkey/options", json={}).text
            credential = authenticator.use(options, origin="https://evil.example")
            statuses.append(visitor.post("/login/second/passkey", json={"credential": credential}).status_code)
        assert statuses == [422] * 5 + [429] * 2
        assert visitor.get("/_dash-layout").status_code == 401
        assert history()[0] == ("passkey", False, "passkey refused")

    @pytest.mark.parametrize("path", ["/login/second/passkey/options", "/login/second/passkey"])
    def test_without_a_password_there_is_no_question(self, dash_app: Any, sqlite: Engine, path: str) -> None:
        assert dash_app.server.test_client().post(path, json={}).status_code == 401

    def test_a_form_of_another_site_is_no_answer(self, dash_app: Any, sqlite: Engine) -> None:
        self.owner()
        visitor = dash_app.server.test_client()
        sign_in(visitor, "olga")
        assert visitor.post("/login/second/passkey", data={"credential": "x"}).status_code == 415
        other = {"Origin": "https://evil.example"}
        assert visitor.post("/login/second/passkey", json={}, headers=other).status_code == 403
