"""Mail: what leaves, in which form, and what becomes of it when the server will not have it."""

import logging
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as some
from sqlalchemy import Engine, select, update

from config import settings as configuration
from config.mail_server import MailServer
from database.engine import snapshot, transaction
from database.types import now
from models import EmailLog, Job, User
from services import notices
from services.mail import delivery, message, orders, sending
from services.mail.letters import Letter
from services.sessions import Visitor
from tests.support import mail
from tests.support.people import person

HERE = Visitor("192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Safari/537.36")
Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Configure]:
    """Settings of this test, with a data folder of its own."""

    def choose(**values: str) -> None:
        for name, value in {"PFD_DATA_DIR": str(tmp_path), "PFD_MAIL_FROM": "PFD <pfd@example.org>", **values}.items():
            monkeypatch.setenv(name, value)
        configuration.settings.cache_clear()
        configuration.settings().prepare_data_dir()

    choose()
    yield choose
    monkeypatch.undo()
    configuration.settings.cache_clear()


@pytest.fixture
def server(configure: Configure) -> Iterator[mail.Receiver]:
    """A mail server that takes everything."""
    with mail.receiver() as (taken, port):
        configure(PFD_SMTP_URL=f"smtp://127.0.0.1:{port}")
        yield taken


def told(event: str = "key_created", name: str = "for the pipeline", **facts: Any) -> int:
    with transaction() as session:
        owner = person("viewer", "vera").user_id
        assert owner is not None
        notices.tell_owner(session, owner, event, visitor=HERE, name=name, prefix="pfd_pk_0", **facts)
        return session.scalars(select(EmailLog.id).order_by(EmailLog.id.desc())).first() or 0


def row() -> EmailLog:
    with snapshot() as session:
        return session.scalars(select(EmailLog).order_by(EmailLog.id.desc())).first()  # type: ignore[return-value]


def job() -> Job:
    with snapshot() as session:
        return session.scalars(select(Job).order_by(Job.id.desc())).first()  # type: ignore[return-value]


class TestSent:
    def test_a_notice_reaches_its_owner_as_text_and_as_html(self, database: Engine, server: mail.Receiver) -> None:
        told()
        mail.run_waiting()
        (got,) = server.messages
        assert server.taken[0].rcpt_tos == ["vera@example.org"]
        assert (got["From"], got["To"]) == ("PFD <pfd@example.org>", "vera@example.org")
        assert got["Subject"] == "An API key was created"
        assert got["Auto-Submitted"] == "auto-generated"
        for kind in ("plain", "html"):
            text = mail.text_of(got, kind)
            assert "The API key “for the pipeline” (pfd_pk_0) was created." in text
            assert "192.0.2.7" in text and "Chrome 126 on Linux" in text
            assert f"{configuration.settings().address}/account/sessions" in text
        assert "<img" not in mail.text_of(got, "html") and "url(" not in mail.text_of(got, "html")
        assert (row().status, row().provider, row().error_message) == ("sent", "smtp", None)
        assert row().sent_at is not None and job().status == "completed"

    def test_the_same_row_is_the_same_message_to_the_byte(self, sqlite: Engine, configure: Configure) -> None:
        email_id = told()

        def made() -> bytes:
            with transaction() as session:
                begun = delivery.begin(session, email_id)
            assert begun is not None
            return bytes(
                message.composed(
                    begun.letter,
                    recipient=begun.recipient,
                    message_id=begun.message_id,
                    written_at=begun.written_at,
                )
            )

        assert made() == made()

    def test_a_mail_that_was_sent_is_not_sent_again(self, sqlite: Engine, server: mail.Receiver) -> None:
        email_id = told()
        mail.run_waiting()
        with transaction() as session:
            from services import job_queue

            job_queue.enqueue(session, notices.KIND, {"email_id": email_id})
        mail.run_waiting()
        assert len(server.taken) == 1

    def test_times_are_those_of_the_reader(self, sqlite: Engine, server: mail.Receiver) -> None:
        told()
        with transaction() as session:
            session.execute(update(User).values(time_zone="Asia/Kolkata", display_name="Vera <b>"))
            data = dict(row().event_data or {}, moment="2026-01-02T20:00:00+00:00")
            session.execute(update(EmailLog).values(event_data=data))
        mail.run_waiting()
        assert "03 January 2026, 01:30 (Asia/Kolkata)" in mail.text_of(server.messages[0])
        assert "Vera &lt;b&gt;" in mail.text_of(server.messages[0], "html")

    def test_a_link_is_nowhere_in_the_database(self, database: Engine, server: mail.Receiver) -> None:
        with transaction() as session:
            orders.order(
                session, user_id=None, to="a@example.org", event="account.reset_link", subject="Choose",
                template="reset", told={}, link="/reset/very-secret-token", link_ends=now() + timedelta(hours=1),
            )  # fmt: skip
        assert "very-secret" not in repr(row().to_dict()) and "very-secret" not in repr(job().to_dict())
        mail.run_waiting()
        assert f"{configuration.settings().address}/reset/very-secret-token" in mail.text_of(server.messages[0])
        assert orders.LINK not in (row().event_data or {})

    def test_a_link_that_ended_while_it_waited_is_not_sent(self, sqlite: Engine, server: mail.Receiver) -> None:
        with transaction() as session:
            orders.order(
                session, user_id=None, to="a@example.org", event="x", subject="Choose", template="reset", told={},
                link="/reset/t", link_ends=now() - timedelta(seconds=1),
            )  # fmt: skip
        mail.run_waiting()
        assert server.taken == [] and row().status == "failed"


class TestRefused:
    @pytest.mark.parametrize("part", ["RCPT", "DATA"])
    def test_for_good_fails_at_once_with_what_the_server_said(
        self, database: Engine, server: mail.Receiver, part: str
    ) -> None:
        server.answers[part] = "550 No such person here"
        told()
        mail.run_waiting(also_later=True)
        assert row().status == "failed" and "550" in (row().error_message or "")
        assert "No such person" in (row().error_message or "")
        assert job().status == "failed" and job().attempts == 1

    @pytest.mark.parametrize("part", ["RCPT", "DATA"])
    def test_for_now_is_tried_again_after_pauses_that_grow(
        self, database: Engine, server: mail.Receiver, part: str
    ) -> None:
        server.answers[part] = "451 Come back later"
        told()
        pauses = []
        for _ in range(3):
            before = now()
            mail.run_waiting()
            pauses.append((job().not_before - before).total_seconds())
            assert (row().status, job().status) == ("pending", "pending")
            with transaction() as session:
                session.execute(update(Job).values(not_before=now()))
        assert 29 < pauses[0] < 59 < pauses[1] < 119 < pauses[2] < 239  # each from some time after it was asked for
        server.answers.clear()
        mail.run_waiting()
        assert (row().status, row().retry_count, len(server.taken)) == ("sent", 3, 1)

    def test_for_now_again_and_again_fails_in_the_end(self, sqlite: Engine, server: mail.Receiver) -> None:
        server.answers["RCPT"] = "451 Come back later"
        told()
        mail.run_waiting(also_later=True)
        assert (row().status, row().retry_count, job().status) == ("failed", delivery.MOST_TRIES, "failed")

    def test_a_server_that_is_away_is_no_refusal(self, sqlite: Engine, configure: Configure) -> None:
        configure(PFD_SMTP_URL=f"smtp://127.0.0.1:{mail.free_port()}")
        told()
        mail.run_waiting()
        assert row().status == "pending" and "cannot be reached" in (row().error_message or "")

    def test_a_server_that_hangs_is_given_up_and_tried_again(
        self, sqlite: Engine, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "PATIENCE", 0.3)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            configure(PFD_SMTP_URL=f"smtp://127.0.0.1:{silent.getsockname()[1]}")
            told()
            mail.run_waiting()
        assert row().status == "pending" and row().error_message == "The mail server does not answer."


class TestEncryption:
    @pytest.mark.parametrize("scheme", ["smtps", "smtp"])
    def test_a_password_is_told_to_a_server_that_is_trusted(
        self, sqlite: Engine, configure: Configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
    ) -> None:
        monkeypatch.setattr("config.mail_server.LOCAL", frozenset())  # as if it stood elsewhere
        context, trusted = mail.certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        way = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
        with mail.receiver(auth=True, **way) as (taken, port):
            configure(PFD_SMTP_URL=f"{scheme}://{mail.USER}:pa%3Ass%2Fw%40rd%20%25@localhost:{port}")
            told()
            mail.run_waiting()
        assert row().error_message is None
        assert taken.log_ins == [True] and len(taken.taken) == 1

    @pytest.mark.parametrize("scheme", ["smtps", "smtp"])
    def test_one_that_is_not_trusted_hears_nothing(
        self, sqlite: Engine, configure: Configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
    ) -> None:
        monkeypatch.setattr("config.mail_server.LOCAL", frozenset())
        context, _ = mail.certificate(tmp_path)
        way = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
        with mail.receiver(auth=True, **way) as (taken, port):
            configure(PFD_SMTP_URL=f"{scheme}://{mail.USER}:secret@localhost:{port}")
            told()
            mail.run_waiting()
        assert taken.log_ins == [] and taken.taken == []
        assert "cannot be trusted" in (row().error_message or "")

    def test_one_elsewhere_without_encryption_hears_nothing(
        self, sqlite: Engine, configure: Configure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("config.mail_server.LOCAL", frozenset())
        with mail.receiver() as (taken, port):
            configure(PFD_SMTP_URL=f"smtp://localhost:{port}")
            told()
            mail.run_waiting()
        assert taken.taken == [] and "STARTTLS" in (row().error_message or "")

    def test_a_wrong_password_is_tried_again_and_stands_nowhere(
        self, sqlite: Engine, configure: Configure, caplog: pytest.LogCaptureFixture
    ) -> None:
        with mail.receiver(auth=True) as (taken, port), caplog.at_level(logging.DEBUG):
            configure(PFD_SMTP_URL=f"smtp://{mail.USER}:quite-wrong-word@127.0.0.1:{port}")
            told()
            mail.run_waiting()
        assert taken.log_ins == [False] and taken.taken == []
        assert row().status == "pending"
        said = caplog.text + repr(row().to_dict()) + repr(job().to_dict()) + repr(configuration.settings())
        assert "quite-wrong-word" not in said + repr(configuration.settings().mail_server)


class TestOutbox:
    def test_without_a_server_a_mail_is_a_file_for_its_owner_only(self, database: Engine, configure: Configure) -> None:
        told()
        mail.run_waiting()
        (file,) = configuration.settings().outbox_dir.iterdir()
        assert file.suffix == ".eml" and file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert mail.outbox()[0]["To"] == "vera@example.org"
        assert (row().status, row().provider) == ("sent", "outbox")

    def test_a_mail_that_leaves_twice_is_one_file(self, sqlite: Engine, configure: Configure) -> None:
        email_id = told()
        for _ in range(2):  # as when the worker is killed before it can note that it was sent
            with transaction() as session:
                begun = delivery.begin(session, email_id)
            assert begun is not None and delivery.send(begun) == "outbox"
        assert len(list(configuration.settings().outbox_dir.iterdir())) == 1

    def test_a_folder_that_cannot_be_written_is_tried_again(self, sqlite: Engine, configure: Configure) -> None:
        configuration.settings().outbox_dir.write_text("a file in its place")
        told()
        mail.run_waiting()
        assert row().status == "pending" and "outbox" in (row().error_message or "")


HOSTILE = [
    "x\r\nBcc: evil@example.org",
    "x\nSubject: other",
    "=?utf-8?q?x=0d=0aBcc:_evil=40example.org?=",
    "=?utf-8?b?eAoNCkJjYzogZXZpbEBleGFtcGxlLm9yZw==?=",
    "x\u2028Bcc: evil@example.org",
    "x\x00y",
    "=?utf-16?b?AAo=?=",
]


class TestInjection:
    @pytest.mark.parametrize("word", HOSTILE)
    def test_no_fact_adds_a_header_or_a_recipient(self, sqlite: Engine, server: mail.Receiver, word: str) -> None:
        told(name=word)
        mail.run_waiting()
        (got,) = server.messages
        assert sorted(got.keys()) == sorted(
            ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
        )
        assert server.taken[0].rcpt_tos == ["vera@example.org"]

    @pytest.mark.parametrize("word", HOSTILE)
    @pytest.mark.parametrize("column", ["subject", "recipient_email", "message_id"])
    def test_what_must_not_stand_in_a_header_fails(
        self, sqlite: Engine, server: mail.Receiver, column: str, word: str
    ) -> None:
        told()
        with transaction() as session:
            session.execute(update(EmailLog).values({column: f"{word}@example.org"}))
        mail.run_waiting()
        assert server.taken == [] and row().status == "failed"

    @rules(max_examples=200)
    @given(word=some.text(max_size=60), recipient=some.text(max_size=30))
    def test_any_text_gives_one_message_to_one_person_or_none(
        self, configure: Configure, word: str, recipient: str
    ) -> None:
        letter = Letter(subject=word, greeting=word, paragraphs=(word,), facts=((word, word),), closing=word)
        try:
            made = message.composed(
                letter, recipient=f"{recipient}@example.org", message_id="<1@example.org>", written_at=now()
            )
        except message.Unfit:
            return
        head = bytes(made).split(b"\r\n\r\n", 1)[0].decode()
        names = [line.split(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))]
        assert sorted(names) == sorted(set(names)) and not {"Bcc", "Cc"} & set(names)
        assert len(made["To"].addresses) == 1

    def test_markup_in_a_fact_is_text(self, sqlite: Engine, server: mail.Receiver) -> None:
        told(name="<script>alert(1)</script>{prefix}")
        mail.run_waiting()
        html = mail.text_of(server.messages[0], "html")
        assert "<script>" not in html and "&lt;script&gt;alert(1)&lt;/script&gt;{prefix}" in html


class TestErrands:
    def test_a_busy_worker_sends_mail_beside_its_job(self, sqlite: Engine, server: mail.Receiver) -> None:
        from database import engine as engines
        from jobs import tasks

        engines.announce_with(None)
        told()
        tasks.beside()
        assert len(server.taken) == 1 and row().status == "sent"


def test_a_server_shows_no_password() -> None:
    assert "hidden" not in repr(MailServer("h", 25, False, "u", "hidden"))
