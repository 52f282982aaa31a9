"""A letter as a message: plain text, the same as HTML, and headers that nobody can add to."""

import hashlib
import unicodedata
from datetime import datetime
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import settings
from services.errors import AppError
from services.mail.letters import Letter

if TYPE_CHECKING:
    from jinja2 import Template

_SEPARATORS = "\u2028\u2029"
LONGEST_SUBJECT = 200


class Unfit(AppError):
    """A mail that must not be sent, as a header of it would become something else on its way."""

    code = "unfit_mail"

    def __init__(self, part: str) -> None:
        super().__init__(f"The {part} of this mail holds what must not stand in a header.")


def composed(letter: Letter, *, recipient: str, message_id: str, written_at: datetime) -> EmailMessage:
    """The message; the same row gives the same bytes each time."""
    sender = settings().mail_sender
    message = EmailMessage(policy=policy.SMTP if recipient.isascii() else policy.SMTPUTF8)
    message["From"] = Address(sender.display_name, addr_spec=sender.addr_spec)
    message["To"] = _address(recipient)
    message["Subject"] = _plain(letter.subject, "subject")[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(written_at)
    message["Message-ID"] = _plain(message_id, "number")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_as_text(letter), cte="quoted-printable")
    message.add_alternative(_as_html(letter), subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}")
    return message


def _address(text: str) -> Address:
    try:
        found = Address(addr_spec=_plain(text, "address"))
    except (ValueError, IndexError, HeaderParseError):
        raise Unfit("address") from None
    if found.addr_spec != text:
        raise Unfit("address")
    return found


def _plain(text: str, part: str) -> str:
    """The text, unless it holds a control character, or would hold one once encoded words in it are decoded."""
    try:
        decoded = str(make_header(decode_header(text)))
    except (HeaderParseError, UnicodeError, LookupError, ValueError):
        raise Unfit(part) from None
    for form in (text, decoded):
        if any(unicodedata.category(letter) in {"Cc", "Cs"} or letter in _SEPARATORS for letter in form):
            raise Unfit(part)
    if decoded != text:
        raise Unfit(part)
    return text


def _as_text(letter: Letter) -> str:
    parts = [letter.greeting, *letter.paragraphs]
    if letter.button is not None:
        parts.append(f"{letter.button[0]}:\n{letter.button[1]}")
    if letter.facts:
        parts.append("\n".join(f"{name}: {value}" for name, value in letter.facts))
    if letter.closing:
        parts.append(letter.closing)
    return "\n\n".join(parts) + f"\n\n-- \nSent by PFD at {settings().address}\n"


def _as_html(letter: Letter) -> str:
    return _template().render(letter=letter, home=settings().address)


@lru_cache(maxsize=1)
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # not before a worker has a letter to write

    folder = Path(__file__).with_name("templates")
    return Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined).get_template(
        "letter.html"
    )
