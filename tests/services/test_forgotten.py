"""A forgotten password: asked for by anybody, answered alike, set anew by whoever reads the mail."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import Job, OneTimeToken, SessionLog, SystemLog, User
from services import forgotten, people
from services.actor import SYSTEM
from services.errors import NotFound
from services.sessions import Visitor
from tests.support import mail
from tests.support.people import PASSWORD, client, person
from tests.web.test_sign_in import sign_in, token_in

NEW = "another fine passphrase"
HERE = Visitor("192.0.2.7", "curl/8.1")


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
        # Under a foreign name there is no form at all.
        assert dash_app.server.test_client().get("/forgot", base_url="http://evil.example").status_code == 400
        mail.run_waiting()
        assert len(server.taken) == 1
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
