"""What each mail says, before it becomes a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.settings import settings
from services.errors import AppError
from services.notices import NOTICES
from services.text import harmless

LONGEST_FACT = 500
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Letter:
    """Sentences, facts under each other, at most one thing to press, and what to do when it was somebody else."""

    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    button: tuple[str, str] | None = None
    closing: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for."""

    name: str
    time_zone: str | None


class UnknownLetter(AppError):
    """A mail that another version of the product has ordered."""

    code = "unknown_letter"

    def __init__(self) -> None:
        super().__init__("This version of PFD does not know what this mail should say.")


def written(template: str, event: str, subject: str, told: Mapping[str, Any], reader: Reader, link: str) -> Letter:
    """The letter for a row of the log."""
    event = event.removeprefix("security.")
    if template == "notice" and event in NOTICES:
        return _notice(event, subject, told, reader)
    if template not in _WITH_LINK:
        raise UnknownLetter
    return _WITH_LINK[template](subject, told, reader, link)


def _notice(event: str, subject: str, told: Mapping[str, Any], reader: Reader) -> Letter:
    notice = NOTICES[event]
    facts = _Facts({name: shown(value) for name, value in dict(told.get("facts") or {}).items()})
    return Letter(
        subject=subject,
        greeting=_greeting(reader),
        paragraphs=(notice.sentence.format_map(facts),),
        facts=_circumstances(told, reader),
        button=("See your sessions", f"{settings().address}/account/sessions"),
        closing="If this was you, there is nothing to do. If it was not, end the sessions that you do not know, "
        "change your password, and tell whoever looks after this installation.",
    )


def _reset(subject: str, told: Mapping[str, Any], reader: Reader, link: str) -> Letter:
    return Letter(
        subject=subject,
        greeting=_greeting(reader),
        paragraphs=(
            "Somebody, most likely you, has forgotten the password of your account.",
            "The link works once, for one hour. A second factor, if you use one, is asked for as always.",
        ),
        facts=_circumstances(told, reader),
        button=("Choose a new password", settings().address + link),
        closing="If it was not you, leave this mail alone: nothing has changed.",
    )


def _email(subject: str, told: Mapping[str, Any], reader: Reader, link: str) -> Letter:
    return Letter(
        subject=subject,
        greeting=_greeting(reader),
        paragraphs=(
            "This address is to become that of your account. Confirm that mail reaches you here.",
            "The link works once, for 24 hours. Until then everything stays as it is.",
        ),
        facts=_circumstances(told, reader),
        button=("Confirm this address", settings().address + link),
        closing="If you do not know what this is about, leave this mail alone: nothing will change.",
    )


def _invitation(subject: str, told: Mapping[str, Any], reader: Reader, link: str) -> Letter:
    return Letter(
        subject=subject,
        greeting=_greeting(reader),
        paragraphs=(
            f"{shown(told.get('by'))} has made an account for you. Choose a password, and you are in.",
            "The link works once, for seven days.",
        ),
        facts=(("User name", shown(told.get("username"))), ("Address", settings().address)),
        button=("Open your account", settings().address + link),
        closing="If you did not expect this, leave this mail alone: the account stays closed.",
    )


_WITH_LINK = {"reset": _reset, "email": _email, "invitation": _invitation}


class _Facts(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return UNKNOWN


def shown(value: object) -> str:
    """A fact as one line that only can be read: names are chosen by strangers, and addresses told by their browsers."""
    text = " ".join(harmless(str(value if value is not None else UNKNOWN)).split())
    return text[:LONGEST_FACT]


def _greeting(reader: Reader) -> str:
    return f"Hello {shown(reader.name)},"


def _circumstances(told: Mapping[str, Any], reader: Reader) -> tuple[tuple[str, str], ...]:
    facts = []
    if told.get("moment"):
        facts.append(("When", _when(str(told["moment"]), reader.time_zone)))
    if told.get("device"):
        facts.append(("Device", shown(told["device"])))
    if told.get("address"):
        facts.append(("Address", shown(told["address"])))
    if told.get("place"):
        facts.append(("Place", shown(told["place"])))
    return tuple(facts)


def _when(moment: str, zone: str | None) -> str:
    try:
        there: tzinfo = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a machine with fewer zones than the one it was chosen on
        there, zone = UTC, None
    found = datetime.fromisoformat(moment).astimezone(there)
    return f"{found:%d %B %Y, %H:%M} ({zone or 'UTC'})"
