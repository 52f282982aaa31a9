"""A real mail server that keeps what it takes, and the worker's part: running what waits."""

import datetime
import email
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import update

from config.settings import settings
from database import engine as engines
from database.engine import snapshot, transaction
from database.types import now
from models import Job
from services import job_queue
from tests.support.postgresql import free_port

USER, PASSWORD = "pfd", "pa:ss/w@rd %"


class Receiver:
    """Takes mail, or answers what the test wants; a hanging one waits in the middle of the conversation."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.answers: dict[str, str] = {}
        self.log_ins: list[bool] = []
        self.hanging = threading.Event()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.taken.append(envelope)
        return "250 OK"

    def log_in(self, _server: Any, _session: Any, _envelope: Any, _way: str, data: Any) -> AuthResult:
        fits = isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
        self.log_ins.append(fits)
        return AuthResult(success=fits, handled=False)  # or a failed one is left without an answer

    @property
    def messages(self) -> list[EmailMessage]:
        """What was taken, read as a mail program reads it."""
        return [email.message_from_bytes(envelope.content, policy=policy.default) for envelope in self.taken]

    def subjects(self) -> list[str]:
        """The subjects, in order."""
        return [str(message["Subject"]) for message in self.messages]


@contextmanager
def receiver(**options: Any) -> Iterator[tuple[Receiver, int]]:
    """A server on a port of this machine, and that port."""
    handler, port = Receiver(), free_port()
    if options.pop("auth", False):
        options |= {"authenticator": handler.log_in, "auth_required": True, "auth_require_tls": False}
        options["auth_exclude_mechanism"] = ["LOGIN"]  # which waits for ever after a wrong password
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=60, **options)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


def certificate(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """What a server for this name shows, and the file by which clients trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "private.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, private)
    return context, trusted


def run_waiting(*, also_later: bool = False) -> None:
    """Run the errands that wait as a worker does, those that they order too; `also_later`: pauses are over at once."""
    from jobs import tasks

    engines.announce_with(None)  # which importing the tasks has named
    for _ in range(50):
        if also_later:
            with transaction() as session:
                session.execute(update(Job).where(Job.status == "pending").values(not_before=now()))
        with snapshot() as session:
            due = job_queue.waiting(session, tasks.ERRANDS)
        if not due:
            return
        for job_id in due:
            tasks.run(job_id)
    raise AssertionError("what waits never ends")


def outbox() -> list[EmailMessage]:
    """The mails that lie in the outbox, the oldest first."""
    files = sorted(settings().outbox_dir.glob("*.eml"))
    return [email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """One of its two forms."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())
