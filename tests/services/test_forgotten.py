"""A forgotten password, and owners who are told: each event by one mail."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from config import settings as configuration
from database.engine import snapshot, transaction
from database.types import now
from models import Job, OneTimeToken, SessionLog, SystemLog, Throttle, User
from services import accounts, forgotten, passwords, people, sessions, throttling
from services.actor import SYSTEM
from services.api_keys import keys
from services.errors import AppError, NotFound
from services.sessions import Visitor
from tests.support import mail
from tests.support.people import PASSWORD, client, person
from tests.web.test_sign_in import sign_in, token_in

NEW = "another fine passphrase"
HERE = Visitor("192.0.2.7", "curl/8.1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, dash_app: Any) -> Iterator[mail.Receiver]:
    """A mail server that takes everything."""
    with mail.receiver() as (taken, port):
        monkeypatch.setenv("PFD_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("PFD_MAIL_FROM", "pfd@example.org")
        configuration.settings.cache_clear()
        yield taken
        monkeypatch.undo()
        configuration.settings.cache_clear()


def ask(browser: Any, name: str, **headers: str) -> Any:
    token = token_in(browser.get("/forgot"))
    return browser.post("/forgot", data={"username": name, "csrf_token": token}, headers=headers)


def link_in(taken: mail.Receiver) -> str:
    found = re.search(r"http://127\.0\.0\.1:8050(/reset/[\w-]{43})\s", mail.text_of(taken.messages[-1]))
    assert found is not None, mail.text_of(taken.messages[-1])
    return found[1]


def a_link(taken: mail.Receiver, browser: Any, name: str = "vera") -> str:
    ask(browser, name)
    mail.run_waiting()
    return link_in(taken)


def choose(browser: Any, link: str, new: str = NEW, again: str | None = None) -> Any:
    page = browser.get(link)
    if page.status_code != 200:
        return page
    given = {"password": new, "again": new if again is None else again, "csrf_token": token_in(page)}
    return browser.post(link, data=given)


def stored(name: str = "vera") -> str:
    with snapshot() as session:
        return session.scalar(select(User.password_hash).where(User.username == name)) or ""


class TestAsking:
    def test_known_and_unknown_get_the_same_answer(self, dash_app: Any, database: Engine) -> None:
        person("viewer", "vera")
        names = ("vera@example.org", "nobody-at-all@example.org")
        known, unknown = (ask(dash_app.server.test_client(), name) for name in names)
        assert known.status_code == unknown.status_code == 200
        assert known.data == unknown.data
        changing = {"X-Request-ID", "Set-Cookie", "Date"}
        told = [{name: value for name, value in answer.headers if name not in changing} for answer in (known, unknown)]
        assert told[0] == told[1]
        assert len(known.headers["Set-Cookie"]) == len(unknown.headers["Set-Cookie"])

    def test_known_and_unknown_cost_the_same_statements_and_the_same_job(
        self, dash_app: Any, database: Engine, count_queries: Any
    ) -> None:
        person("viewer", "vera")

        def asking(name: str) -> Callable[[], None]:
            def work() -> None:
                with transaction() as session:
                    forgotten.ask(session, name, HERE)

            return work

        asking("first")()  # makes the counters
        assert count_queries(database, asking("vera")) == count_queries(database, asking("nobody"))
        with snapshot() as session:
            assert session.scalars(select(Job.kind)).all() == [forgotten.KIND] * 3

    def test_what_was_typed_is_kept_nowhere(self, sqlite: Engine) -> None:
        with transaction() as session:
            forgotten.ask(session, "a password in the wrong field", HERE)
        with snapshot() as session:
            rows = [*session.scalars(select(Job)), *session.scalars(select(SystemLog))]
        assert "wrong field" not in repr([row.to_dict() for row in rows])

    def test_only_an_account_gets_a_mail(self, dash_app: Any, database: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        person("viewer", "dora")
        with transaction() as session:
            people.invite(session, SYSTEM, username="ines", email="ines@example.org", role="viewer")
            session.execute(update(Job).values(status="completed"))
            session.execute(update(User).where(User.username == "dora").values(is_active=False))
        browser = dash_app.server.test_client()
        for name in ("nobody", "ines", "dora", "VERA"):
            ask(browser, name)
        mail.run_waiting()
        assert [envelope.rcpt_tos for envelope in server.taken] == [["vera@example.org"]]

    def test_five_a_day_for_an_account(self, database: Engine, server: mail.Receiver) -> None:
        user_id = person("viewer", "vera").user_id
        for _ in range(7):
            with transaction() as session:
                forgotten.send_link(session, user_id, {})
        mail.run_waiting()
        assert len(server.taken) == forgotten.MOST_A_DAY

    def test_an_address_that_asks_again_and_again_is_slowed_down(self, dash_app: Any, sqlite: Engine) -> None:
        browser = dash_app.server.test_client()
        answers = [ask(browser, f"name{place}") for place in range(12)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0

    def test_the_link_never_follows_the_host_header(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        ask(
            dash_app.server.test_client(),
            "vera",
            **{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
        )
        poisoned = dash_app.server.test_client()
        token = token_in(poisoned.get("/forgot", base_url="http://evil.example"))
        poisoned.post("/forgot", base_url="http://evil.example", data={"username": "vera", "csrf_token": token})
        mail.run_waiting()
        assert len(server.taken) == 2
        assert all(b"evil.example" not in envelope.content for envelope in server.taken)

    def test_a_form_of_another_page_asks_nothing(self, dash_app: Any, sqlite: Engine) -> None:
        assert dash_app.server.test_client().post("/forgot", data={"username": "vera"}).status_code == 400
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(Job)) == 0

    @pytest.mark.parametrize("name", ["", "\x00", "\ud800", "x" * 5000, "' OR 1=1 --"])
    def test_any_name_is_borne(self, dash_app: Any, database: Engine, name: str) -> None:
        assert (
            ask(dash_app.server.test_client(), name.encode("utf-8", "surrogatepass").decode("latin-1")).status_code
            == 200
        )


class TestResetting:
    def test_the_new_password_signs_in_and_the_old_one_does_not(
        self, dash_app: Any, database: Engine, server: mail.Receiver
    ) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        done = choose(browser, a_link(server, browser))
        assert done.status_code == 200 and "Your password was changed" in done.text
        assert sign_in(browser, "vera", PASSWORD).status_code == 401
        assert sign_in(browser, "vera", NEW).status_code == 302

    def test_nobody_is_signed_in_by_it(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        choose(browser, a_link(server, browser))
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(SessionLog)) == 0
        assert browser.get("/", headers={"Accept": "text/html"}).status_code == 302

    def test_the_second_factor_stays(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        with transaction() as session:
            session.execute(update(User).values(totp_enabled=True, totp_secret="sealed", password_reset_required=True))
        browser = dash_app.server.test_client()
        choose(browser, a_link(server, browser))
        with snapshot() as session:
            user = session.scalars(select(User)).one()
        assert (user.totp_enabled, user.totp_secret, user.password_reset_required) == (True, "sealed", False)

    def test_every_session_and_every_other_link_ends(
        self, dash_app: Any, database: Engine, server: mail.Receiver
    ) -> None:
        signed_in = client(dash_app.server, "viewer", "vera")
        stranger = client(dash_app.server, "viewer", "nora")
        browser = dash_app.server.test_client()
        first, second = a_link(server, browser), a_link(server, browser)
        assert browser.get(first).status_code == 404  # a new link ends the one before
        choose(browser, second)
        assert browser.get(second).status_code == 404
        assert signed_in.get("/", headers={"Accept": "text/html"}).status_code == 302
        assert stranger.get("/", headers={"Accept": "text/html"}).status_code == 200

    def test_it_is_told_and_recorded_once(self, dash_app: Any, database: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        choose(browser, a_link(server, browser))
        mail.run_waiting()
        assert server.subjects() == ["Choose a new password", "Your password was reset"]
        with snapshot() as session:
            actions = session.scalars(select(SystemLog.action).order_by(SystemLog.id)).all()
        assert actions == ["user.send_reset_link", "user.reset_password"]

    def test_the_database_holds_no_token(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        token = a_link(server, dash_app.server.test_client()).rsplit("/", 1)[1]
        with sqlite.connect() as connection:
            assert token not in "\n".join(connection.connection.iterdump())  # type: ignore[attr-defined]

    def test_opening_the_link_changes_nothing(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        link, before = a_link(server, browser), stored()
        for _ in range(3):
            assert browser.get(link).status_code == 200
            assert browser.head(link).status_code == 200
        assert stored() == before

    @pytest.mark.parametrize(
        ("new", "again"), [("short", None), (NEW, "something else entirely"), ("vera@example.org", None)]
    )
    def test_what_is_wrong_is_told_and_the_link_goes_on_working(
        self, dash_app: Any, sqlite: Engine, server: mail.Receiver, new: str, again: str | None
    ) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        link, before = a_link(server, browser), stored()
        assert choose(browser, link, new, again).status_code == 422
        assert stored() == before
        assert choose(browser, link).status_code == 200

    def test_a_link_ends_after_an_hour(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        link = a_link(server, browser)
        with snapshot() as session:
            lasts = session.scalars(select(OneTimeToken.expires_at)).one() - now()
        assert timedelta(minutes=59) < lasts <= timedelta(hours=1)
        with transaction() as session:
            session.execute(update(OneTimeToken).values(expires_at=now()))
        assert browser.get(link).status_code == 404
        assert choose(browser, link).status_code == 404

    def test_an_account_that_is_disabled_meanwhile_stays_shut(
        self, dash_app: Any, sqlite: Engine, server: mail.Receiver
    ) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        link = a_link(server, browser)
        with transaction() as session:
            session.execute(update(User).values(is_active=False))
        assert choose(browser, link).status_code == 404

    def test_of_many_at_once_exactly_one_wins(self, database: Engine) -> None:
        person("viewer", "vera")
        with transaction() as session:
            user_id = session.scalars(select(User.id)).one()
            from services import one_time_tokens

            token = one_time_tokens.issue(session, "reset", timedelta(hours=1), user_id)

        def finish(place: int) -> str | None:
            try:
                with transaction() as session:
                    forgotten.complete(session, token, f"hash {place}", HERE)
            except NotFound:
                return None
            return f"hash {place}"

        with ThreadPoolExecutor(16) as pool:
            winners = [won for won in pool.map(finish, range(100)) if won is not None]
        assert winners == [stored()]

    def test_the_browser_that_reset_it_is_not_shut_out_by_strangers_who_guess(
        self, dash_app: Any, sqlite: Engine, server: mail.Receiver
    ) -> None:
        person("viewer", "vera")
        browser, stranger = dash_app.server.test_client(), dash_app.server.test_client()
        link = a_link(server, browser)
        for _ in range(8):
            sign_in(stranger, "vera", "a wrong passphrase")
        choose(browser, link)
        assert sign_in(stranger, "vera", NEW).status_code == 429
        assert sign_in(browser, "vera", NEW).status_code == 302


class TestOwnersAreTold:
    """Each event is exactly one mail."""

    def told(self, taken: mail.Receiver) -> list[str]:
        mail.run_waiting()
        subjects = taken.subjects()
        taken.taken.clear()
        return subjects

    def test_a_sign_in_with_a_new_device(self, dash_app: Any, database: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        for _ in range(3):
            assert sign_in(browser, "vera").status_code == 302
            with transaction() as session:
                session.execute(update(SessionLog).values(is_active=False))
        assert self.told(server) == ["New sign-in to your account"]
        sign_in(dash_app.server.test_client(), "vera")
        assert self.told(server) == ["New sign-in to your account"]

    def test_a_failed_sign_in_is_no_mail(self, dash_app: Any, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        sign_in(dash_app.server.test_client(), "vera", "a wrong passphrase")
        assert self.told(server) == []

    def test_a_lock_out_once_however_long_it_lasts(
        self, dash_app: Any, database: Engine, server: mail.Receiver
    ) -> None:
        person("viewer", "vera")
        for place in range(30):
            with transaction() as session:
                attempt = sessions.begin_sign_in(session, "vera", Visitor(f"192.0.2.{place}", "curl/8.1"))
                if place % 3 == 0:
                    session.execute(update(Throttle).values(blocked_until=None))
            if not attempt.wait:
                with transaction() as session:
                    sessions.complete_sign_in(session, attempt, False, "", HERE)
        assert self.told(server) == ["Many failed sign-ins"]
        with transaction() as session:
            throttling.release(session, throttling.account_bucket("vera"))
        for _ in range(8):
            with transaction() as session:
                sessions.begin_sign_in(session, "vera", HERE)
        assert self.told(server) == ["Many failed sign-ins"]

    def test_a_lock_out_of_a_name_that_nobody_has_is_the_same_job_and_no_mail(
        self, sqlite: Engine, server: mail.Receiver
    ) -> None:
        for _ in range(8):
            with transaction() as session:
                sessions.begin_sign_in(session, "nobody", HERE)
        with snapshot() as session:
            assert session.scalars(select(Job.kind)).all() == ["lock_out"]
        assert self.told(server) == []

    def test_keys_made_replaced_and_revoked(self, database: Engine, server: mail.Receiver) -> None:
        owner, admin = person("operator", "vera"), person("admin")
        with transaction() as session:
            keys.create(session, owner, name="pipeline", scopes=["view_experiments"])
        assert self.told(server) == ["An API key was created"]
        with transaction() as session:
            keys.rotate(session, owner, keys.keys_of(session, owner)[0].id)
        assert self.told(server) == ["An API key was replaced"]
        with snapshot() as session:
            newest = keys.keys_of(session, owner)[0].id
        for _ in range(2):  # the second time changes nothing
            with transaction() as session:
                keys.revoke(session, admin, newest, "found in a log")
        mail.run_waiting()
        assert "was revoked by admin-person. Reason: found in a log." in mail.text_of(server.messages[0])
        assert self.told(server) == ["An API key was revoked"]

    def test_another_role(self, database: Engine, server: mail.Receiver) -> None:
        user_id, boss = person("viewer", "vera").user_id, person("super_admin")
        assert user_id is not None
        with transaction() as session:
            people.set_role(session, boss, user_id, "operator")
        mail.run_waiting()
        assert "super_admin-person has changed your role from viewer to operator." in mail.text_of(server.messages[0])
        with transaction() as session:
            people.set_role(session, boss, user_id, "operator")
        assert self.told(server) == ["Your role was changed"]

    def test_a_password_that_is_set_on_the_command_line(self, sqlite: Engine, server: mail.Receiver) -> None:
        person("viewer", "vera")
        with transaction() as session:
            accounts.reset_password(session, SYSTEM, "vera", NEW)
        assert self.told(server) == ["Your password was changed"]

    def test_what_was_refused_tells_nobody(self, sqlite: Engine, server: mail.Receiver) -> None:
        owner = person("operator", "vera")
        with pytest.raises(AppError), transaction() as session:
            keys.create(session, owner, name="pipeline", scopes=["view_experiments"])
            keys.create(session, owner, name="pipeline", scopes=["manage_users"])
        assert self.told(server) == []

    def test_an_invitation_brings_its_link(self, dash_app: Any, database: Engine, server: mail.Receiver) -> None:
        with transaction() as session:
            link = people.invite(session, person("admin"), username="ines", email="ines@example.org", role="viewer")
        mail.run_waiting()
        text = mail.text_of(server.messages[0])
        assert link in text and "admin-person has made an account for you" in text
        assert server.taken[0].rcpt_tos == ["ines@example.org"]
        assert passwords.verify(stored("ines"), "!") is False


def test_a_server_that_hangs_slows_no_request(
    dash_app: Any, sqlite: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A request never speaks with the mail server: it only writes a row."""
    import smtplib

    def speak(*_: Any, **__: Any) -> None:
        raise AssertionError("a request has spoken with the mail server")

    monkeypatch.setattr(smtplib, "SMTP", speak)
    monkeypatch.setenv("PFD_SMTP_URL", "smtp://192.0.2.1:25")
    monkeypatch.setenv("PFD_MAIL_FROM", "pfd@example.org")
    configuration.settings.cache_clear()
    try:
        person("viewer", "vera")
        browser = dash_app.server.test_client()
        assert ask(browser, "vera").status_code == 200
        assert sign_in(browser, "vera").status_code == 302
    finally:
        monkeypatch.undo()
        configuration.settings.cache_clear()
