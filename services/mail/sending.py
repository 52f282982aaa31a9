"""Hand a message to the mail server, or lay it into the outbox while none is named."""

import contextlib
import os
import re
import secrets
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage

from config.mail_server import MailServer
from config.settings import settings
from services.errors import AppError
from services.text import harmless

PATIENCE = 20.0  # seconds for each answer of the server
LONGEST_REASON = 500


class Refused(AppError):
    """The server will never take this mail."""

    code = "mail_refused"


class NotNow(AppError):
    """The mail could not be handed in, and may be tried again."""

    code = "mail_not_now"


def reaches_people() -> bool:
    """Whether mails go to a server; without one they stay files in the outbox, which somebody has to fetch."""
    return settings().mail_server is not None


def send(message: EmailMessage, recipient: str, name: str) -> str:
    """Send it, and return by which way it went; `name` is that of its file in the outbox."""
    server = settings().mail_server
    if server is None:
        _lay_out(message, name)
        return "outbox"
    _hand_in(server, message, recipient)
    return "smtp"


def _lay_out(message: EmailMessage, name: str) -> None:
    folder = settings().outbox_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = folder / f".{name}-{secrets.token_hex(4)}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(message))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(folder / f"{name}.eml")
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise NotNow(f"The outbox {folder} cannot be written: {error.strerror or error}.") from None


def file_name(email_id: int, event: str) -> str:
    """The name of a mail in the outbox; the same mail has the same one each time."""
    return f"{email_id:06d}-{re.sub(r'[^a-z0-9]+', '-', event.casefold()).strip('-') or 'mail'}"


def _hand_in(server: MailServer, message: EmailMessage, recipient: str) -> None:
    sender = settings().mail_sender.addr_spec
    # Nothing of these errors but the server's own answer is told: they could hold the password.
    try:
        with _connected(server) as connection:
            if server.user is not None and server.password is not None:
                _log_in(connection, server.user, server.password)
            options = [] if recipient.isascii() else ["SMTPUTF8"]
            connection.send_message(message, sender, [recipient], mail_options=options)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _judged(code, said) from None
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise _judged(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPNotSupportedError:
        raise Refused("The mail server takes no addresses with letters outside ASCII.") from None
    except smtplib.SMTPResponseException as error:  # before it has heard of this mail
        raise NotNow(_words(error.smtp_code, error.smtp_error)) from None
    except ssl.SSLCertVerificationError as error:
        raise NotNow(f"The certificate of the mail server cannot be trusted: {error.verify_message}.") from None
    except TimeoutError:
        raise NotNow("The mail server does not answer.") from None
    except smtplib.SMTPServerDisconnected as error:
        waited = isinstance(error.__context__, TimeoutError)
        raise NotNow(f"The mail server {'does not answer' if waited else 'ended the connection'}.") from None
    except (smtplib.SMTPException, OSError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NotNow(f"The mail server cannot be reached: {harmless(str(reason))[:LONGEST_REASON]}.") from None


@contextlib.contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    verified = ssl.create_default_context()
    connection: smtplib.SMTP
    if server.implicit_tls:
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=verified)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
    try:
        if server.starttls:
            connection.ehlo_or_helo_if_needed()
            if not connection.has_extn("starttls"):
                raise NotNow("The mail server offers no encryption (STARTTLS), so nothing was sent to it.")
            connection.starttls(context=verified)
        yield connection
    finally:
        # Once it has taken the mail, what it says to a goodbye changes nothing.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.quit()
        connection.close()


def _log_in(connection: smtplib.SMTP, user: str, password: str) -> None:
    try:
        connection.login(user, password)
    except smtplib.SMTPNotSupportedError:
        raise NotNow("The mail server asks for no password, but PFD_SMTP_URL names one.") from None
    except smtplib.SMTPAuthenticationError:
        # It says nothing about this mail, and somebody will put the password right.
        raise NotNow("The mail server refused the user or the password in PFD_SMTP_URL.") from None


def _judged(code: int, said: object) -> AppError:
    return Refused(_words(code, said)) if 500 <= code < 600 else NotNow(_words(code, said))


def _words(code: int, said: object) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return f"The mail server answered {code}: {' '.join(harmless(text).split())[:LONGEST_REASON]}"
