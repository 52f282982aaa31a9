"""Sign-in, set-up, sign-out, throttling."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import LoginHistory, SessionLog, Throttle, User
from services import accounts, identities, passwords, people, sessions
from tests.support.people import PASSWORD, person
from web.forms import safe_next
from web.identity import cookie_name, device_cookie_name


def token_in(page: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found
    return found.group(1)


def hidden_token(layout: Any) -> str:
    """The token of the sign-out form, wherever it stands in the layout."""
    stack = [layout]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if value.get("name") == "csrf_token":
                return str(value["value"])
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    raise AssertionError("no form with a token")


def sign_in(browser: Any, name: str, password: str = PASSWORD, **more: str) -> Any:
    token = token_in(browser.get("/login"))
    return browser.post("/login", data={"username": name, "password": password, "csrf_token": token, **more})


def history() -> list[tuple[bool, str | None]]:
    with snapshot() as session:
        rows = session.execute(
            select(LoginHistory.success, LoginHistory.failure_reason).order_by(LoginHistory.id)
        ).all()
    return [(row[0], row[1]) for row in rows]


class TestSignIn:
    def test_opens_a_session_and_goes_on_to_where_one_wanted(self, dash_app: Any, database: Engine) -> None:
        person("viewer", "vera")
        answer = sign_in(dash_app.server.test_client(), "vera", next="/experiments?q=x")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/experiments?q=x")
        assert history() == [(True, None)]

    def test_takes_the_e_mail_address_too(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        assert sign_in(dash_app.server.test_client(), "VERA@example.org").status_code == 302

    def test_the_cookie_is_http_only_and_lax(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        cookie = next(
            value
            for value in sign_in(dash_app.server.test_client(), "vera").headers.getlist("Set-Cookie")
            if value.startswith(cookie_name())
        )
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Domain" not in cookie

    def test_a_wrong_password_and_a_wrong_name_look_the_same(self, dash_app: Any, database: Engine) -> None:
        person("viewer", "vera")
        answers = [sign_in(dash_app.server.test_client(), name, "not the right password") for name in ("vera", "nora")]
        assert [answer.status_code for answer in answers] == [401, 401]
        bodies = [re.sub(r'(csrf_token" value=")[^"]+|vera|nora', "", answer.text) for answer in answers]
        assert bodies[0] == bodies[1]
        assert history() == [(False, "wrong password"), (False, "no such account")]

    def test_a_disabled_account_is_refused_like_a_wrong_password(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        with transaction() as session:
            session.scalars(select(User)).one().is_active = False
        answer = sign_in(dash_app.server.test_client(), "vera")
        assert answer.status_code == 401
        assert "do not fit" in answer.text
        assert history() == [(False, "account disabled")]

    def test_a_password_that_is_changed_while_it_is_checked_opens_nothing(self, database: Engine) -> None:
        person("viewer", "vera")
        who = sessions.Visitor("192.0.2.7", "test")
        with transaction() as session:
            attempt = sessions.begin_sign_in(session, "vera", who)
        with transaction() as session:
            session.execute(update(User).values(password_hash="another hash"))
        with transaction() as session:
            assert sessions.complete_sign_in(session, attempt, True, None, who) is None
        with snapshot() as session:
            assert session.scalars(select(SessionLog)).all() == []

    def test_without_the_forms_token_nothing_happens(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        answer = dash_app.server.test_client().post("/login", data={"username": "vera", "password": PASSWORD})
        assert answer.status_code == 400
        assert history() == []

    @pytest.mark.parametrize("name", ["", "\x00", "x" * 300, "ä" * 200, "<script>alert(1)</script>"])
    def test_odd_names_are_refused_and_never_an_error(self, dash_app: Any, database: Engine, name: str) -> None:
        answer = sign_in(dash_app.server.test_client(), name, "whatever it is")
        assert answer.status_code in {400, 401}
        assert "<script>alert" not in answer.text

    def test_a_very_long_password_is_refused_at_once(self, dash_app: Any, sqlite: Engine) -> None:
        assert sign_in(dash_app.server.test_client(), "vera", "x" * 5000).status_code == 400


class TestThrottling:
    def test_guessing_at_one_account_is_slowed_down_after_five_failures(self, dash_app: Any, database: Engine) -> None:
        person("viewer", "vera")
        statuses = [sign_in(dash_app.server.test_client(), "vera", "a wrong guess at it").status_code for _ in range(8)]
        assert statuses == [401] * 6 + [429] * 2

    def test_the_right_password_is_not_even_checked_while_waiting(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        for _ in range(6):
            sign_in(dash_app.server.test_client(), "vera", "a wrong guess at it")
        answer = sign_in(dash_app.server.test_client(), "vera")
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0

    def test_who_is_kept_waiting_fills_no_table(self, database: Engine) -> None:
        person("viewer", "vera")
        who = sessions.Visitor("192.0.2.7", "x" * 500)

        def attempt(name: str) -> int:
            with transaction() as session:
                return sessions.begin_sign_in(session, name, who).wait

        for number in range(10):
            attempt(f"name{number}")
        with snapshot() as session:
            before = session.scalar(select(func.count()).select_from(Throttle))
        for number in range(30):
            assert attempt(f"another{number}")
            assert attempt("vera")
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(Throttle)) == before
            assert session.scalar(select(func.count()).select_from(LoginHistory)) == 2  # of vera, and of nobody

    def test_one_address_gets_ten_failures_in_five_minutes(self, dash_app: Any, sqlite: Engine) -> None:
        statuses = [
            sign_in(dash_app.server.test_client(), f"name{number}", "a wrong guess").status_code for number in range(12)
        ]
        assert statuses == [401] * 10 + [429] * 2

    def test_a_success_is_not_counted_against_the_address(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        statuses = {sign_in(dash_app.server.test_client(), "vera").status_code for _ in range(15)}
        assert statuses == {302}


class TestKnownDevice:
    @pytest.fixture
    def owners(self, dash_app: Any, database: Engine) -> Any:
        """The browser in which vera has signed in before."""
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        assert sign_in(browser, "vera").status_code == 302
        browser.delete_cookie(cookie_name())
        return browser

    def strangers_guess(self, dash_app: Any) -> None:
        """Until the account, the address and everybody have to wait."""
        statuses = {sign_in(dash_app.server.test_client(), "vera", "a wrong guess at it").status_code for _ in range(8)}
        assert 429 in statuses
        for name in ("a", "b", "c", "d", "e"):
            sign_in(dash_app.server.test_client(), name, "a wrong guess at it")
        with transaction() as session:
            session.execute(
                update(Throttle).where(Throttle.bucket == "login:all").values(blocked_until=now() + timedelta(hours=1))
            )

    def test_strangers_do_not_keep_its_owner_out(self, dash_app: Any, owners: Any) -> None:
        self.strangers_guess(dash_app)
        assert sign_in(dash_app.server.test_client(), "vera").status_code == 429
        assert sign_in(owners, "vera").status_code == 302

    def test_guessing_on_it_is_slowed_down_as_well(self, owners: Any) -> None:
        statuses = [sign_in(owners, "vera", "a wrong guess at it").status_code for _ in range(8)]
        assert statuses == [401] * 6 + [429] * 2

    def test_it_is_a_stranger_to_another_account(self, dash_app: Any, owners: Any) -> None:
        person("viewer", "bob")
        for _ in range(6):
            sign_in(dash_app.server.test_client(), "bob", "a wrong guess at it")
        assert sign_in(owners, "bob").status_code == 429

    def test_it_is_a_stranger_once_the_password_has_changed(self, dash_app: Any, owners: Any) -> None:
        with transaction() as session:
            session.execute(update(User).values(password_hash=passwords.hash_password("a new passphrase for it")))
        self.strangers_guess(dash_app)
        assert sign_in(owners, "vera", "a new passphrase for it").status_code == 429

    @pytest.mark.parametrize("told", ["", "x", "x" * 3000, "WzEsImEiLCJiIl0.aaaa.bbbb", "\xe9"])
    def test_a_made_up_one_is_a_stranger(self, dash_app: Any, owners: Any, told: str) -> None:
        self.strangers_guess(dash_app)
        owners.set_cookie(device_cookie_name(), told)
        assert sign_in(owners, "vera").status_code == 429

    def test_its_cookie_opens_nothing(self, owners: Any) -> None:
        assert owners.get("/_dash-layout").status_code == 401


class TestSignOut:
    def test_the_old_cookie_opens_nothing_any_more(self, dash_app: Any, database: Engine) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        sign_in(browser, "vera")
        old = browser.get_cookie(cookie_name()).value
        answer = browser.post("/logout", data={"csrf_token": hidden_token(browser.get("/_dash-layout").json)})
        assert answer.headers["Clear-Site-Data"]
        thief = dash_app.server.test_client()
        thief.set_cookie(cookie_name(), old)
        assert thief.get("/_dash-layout").status_code == 401

    def test_by_get_it_does_nothing(self, dash_app: Any, sqlite: Engine) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        sign_in(browser, "vera")
        browser.get("/logout")
        with snapshot() as session:
            assert session.scalar(select(func.count()).where(SessionLog.is_active)) == 1


class TestSetUp:
    GOOD = {"username": "Olga", "email": "olga@example.org", "password": PASSWORD, "again": PASSWORD}

    def open(self) -> str:
        with transaction() as session:
            return accounts.new_setup_token(session)

    def send(self, browser: Any, token: str, **changed: str) -> Any:
        csrf = token_in(browser.get(f"/setup/{token}"))
        return browser.post(f"/setup/{token}", data={**self.GOOD, "csrf_token": csrf, **changed})

    def test_makes_the_owner_and_signs_them_in(self, dash_app: Any, database: Engine) -> None:
        browser = dash_app.server.test_client()
        assert self.send(browser, self.open()).status_code == 302
        with snapshot() as session:
            assert session.execute(select(User.username, User.role)).all() == [("olga", "super_admin")]
        assert browser.get("/_dash-layout").status_code == 200

    def test_it_is_written_down_as_a_sign_in(self, dash_app: Any, sqlite: Engine) -> None:
        self.send(dash_app.server.test_client(), self.open())
        with snapshot() as session:
            assert session.execute(select(LoginHistory.login_method, LoginHistory.success)).all() == [("setup", True)]

    def test_the_link_works_once(self, dash_app: Any, sqlite: Engine) -> None:
        token = self.open()
        self.send(dash_app.server.test_client(), token)
        assert dash_app.server.test_client().get(f"/setup/{token}").status_code == 404

    def test_a_hint_is_not_repeated_under_the_error_that_says_the_same(self, dash_app: Any, sqlite: Engine) -> None:
        answer = self.send(dash_app.server.test_client(), self.open(), password="short", again="short")
        assert answer.text.count("t least 15 characters") == 1

    def test_all_wrong_entries_are_told_at_once_and_the_first_has_the_focus(
        self, dash_app: Any, sqlite: Engine
    ) -> None:
        wrong = {"username": "Olga", "email": "nowhere", "password": "short", "again": "other"}
        text = self.send(dash_app.server.test_client(), self.open(), **wrong).text
        assert text.count('class="form-error"') == 3 and text.count("autofocus") == 1
        assert re.search(r'id="email"[^>]*autofocus', text)

    def test_the_first_field_of_a_new_form_has_the_focus(self, dash_app: Any, sqlite: Engine) -> None:
        text = dash_app.server.test_client().get(f"/setup/{self.open()}").text
        assert text.count("autofocus") == 1 and re.search(r'id="username"[^>]*autofocus', text)

    def test_a_newer_link_ends_the_older(self, dash_app: Any, sqlite: Engine) -> None:
        older, newer = self.open(), self.open()
        assert dash_app.server.test_client().get(f"/setup/{older}").status_code == 404
        assert dash_app.server.test_client().get(f"/setup/{newer}").status_code == 200

    def test_a_form_for_a_made_up_link_is_not_looked_at(self, dash_app: Any, sqlite: Engine) -> None:
        browser = dash_app.server.test_client()
        csrf = token_in(browser.get(f"/setup/{self.open()}"))
        sent = {"username": "", "email": "", "password": "", "again": "", "csrf_token": csrf}
        assert browser.post("/setup/" + "a" * 43, data=sent).status_code == 404

    @pytest.mark.timeout(120, func_only=True)
    def test_heaps_of_accents_are_refused_before_they_are_put_in_order(self, dash_app: Any, sqlite: Engine) -> None:
        answer = self.send(dash_app.server.test_client(), self.open(), username="a" + "\u0301\u0323" * 7000)
        assert (answer.status_code, "more accents on one letter" in answer.text) == (422, True)

    def test_a_made_up_link_is_not_found(self, dash_app: Any, sqlite: Engine) -> None:
        assert dash_app.server.test_client().get("/setup/" + "a" * 43).status_code == 404

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"password": "short", "again": "short"}, "at least 15"),
            ({"again": "something else entirely"}, "differ"),
            ({"email": "nowhere"}, "e-mail"),
            ({"username": "a b"}, "letters"),
            ({"username": ""}, "empty"),
            ({"password": "olga@example.org", "again": "olga@example.org"}, "your name"),
            ({"password": "a" * 20, "again": "a" * 20}, "repeats"),
        ],
    )
    def test_a_wrong_entry_is_told_at_its_field_and_makes_nothing(
        self, dash_app: Any, sqlite: Engine, changed: dict[str, str], sentence: str
    ) -> None:
        answer = self.send(dash_app.server.test_client(), self.open(), **changed)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'aria-invalid="true"' in answer.text
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 0


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\tevil",
        " /x",
        "",
        None,
        "/a\nb",
        "\\/x",
    ],
)
def test_a_next_that_is_not_our_own_path_leads_home(target: str | None) -> None:
    assert safe_next(target) == "/"


@pytest.mark.parametrize("target", ["/experiments", "/compare?ids=1,2", "/experiments/7?x=%2F#top"])
def test_a_next_on_our_own_host_is_kept(target: str) -> None:
    assert safe_next(target) == target


class TestPasswords:
    @pytest.mark.parametrize("stored", [None, people.NO_PASSWORD, identities.NO_PASSWORD])
    def test_of_an_account_without_one_take_as_long(self, monkeypatch: pytest.MonkeyPatch, stored: str | None) -> None:
        """Else whoever measures would know which names sign in at the provider."""
        passwords.verify(None, PASSWORD)
        compared: list[str] = []
        monkeypatch.setattr(passwords, "_matches", lambda hashed, _given: bool(compared.append(hashed)))
        assert not passwords.verify(stored, PASSWORD)
        assert [hashed.startswith("$argon2id$") for hashed in compared] == [True]

    @pytest.mark.usefixtures("real_hashes")
    def test_are_argon2id_at_or_above_the_minimum(self) -> None:
        stored = passwords.hash_password("some long passphrase")
        assert re.match(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$", stored)

    def test_differing_in_the_last_of_many_characters_do_not_match(self) -> None:
        stored = passwords.hash_password("x" * 300 + "a")
        assert passwords.verify(stored, "x" * 300 + "a")
        assert not passwords.verify(stored, "x" * 300 + "b")

    def test_are_the_same_in_both_unicode_forms(self) -> None:
        stored = passwords.hash_password("caf\u00e9 caf\u00e9 caf\u00e9")
        assert passwords.verify(stored, "cafe\u0301 cafe\u0301 cafe\u0301")


def test_every_answer_carries_the_protective_headers(dash_app: Any, sqlite: Engine) -> None:
    browser = dash_app.server.test_client()
    for path in (
        "/login",
        "/",
        "/healthz",
        "/nowhere",
        "/assets/10-tokens.css",
        "/assets/nothing.css",
        "/_dash-layout",
    ):
        headers = browser.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-eval" not in headers["Content-Security-Policy"]
        assert headers["X-Request-ID"]
        if not path.startswith("/assets"):
            assert headers["Cache-Control"] == "no-store"


def test_scripts_are_never_allowed_inline(dash_app: Any, sqlite: Engine) -> None:
    policy = dash_app.server.test_client().get("/login").headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
