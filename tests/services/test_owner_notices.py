"""Owners are told: each event by exactly one mail, and no request waits for a mail server."""

import smtplib
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from config import settings as configuration
from database.engine import snapshot, transaction
from models import Job, SessionLog, Throttle, User
from services import accounts, passwords, people, sessions, throttling
from services.actor import SYSTEM
from services.api_keys import keys
from services.errors import AppError
from services.sessions import Visitor
from tests.services.test_forgotten import ask
from tests.support import mail
from tests.support.people import person
from tests.web.test_sign_in import sign_in

NEW = "another fine passphrase"
HERE = Visitor("192.0.2.7", "curl/8.1")


def stored(name: str) -> str:
    with snapshot() as session:
        return session.scalar(select(User.password_hash).where(User.username == name)) or ""


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
                    sessions.complete_sign_in(session, attempt, False, None, HERE)
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


def test_a_server_that_hangs_slows_no_request(dash_app: Any, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request never speaks with the mail server: it only writes a row."""

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
