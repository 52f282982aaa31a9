"""What was refused to whom: a row each, but not one for each of a flood."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.system_log import SystemLog
from services import audit
from services.actor import Actor
from services.networks import network_of
from services.text import harmless

STATUS = "refused"
WINDOW = timedelta(minutes=1)
MOST = 20  # rows in a window for one person, or for one address (IPv6: its /64) of which nobody is known
MOST_REMEMBERED = 1000  # people and addresses
MOST_LOOKED_AT = 1000  # rows of strangers, among which those of one network are found
NOBODY = Actor(None, "nobody", "none")

Kind = Literal["page", "callback", "route", "key", "attempts"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that was not let through."""

    actor: Actor
    address: str
    kind: Kind
    target: str
    reason: str
    key: str | None = None  # what may be shown of an API key

    @property
    def action(self) -> str:
        """As the log names it."""
        return f"refused.{self.kind}"

    @property
    def principal(self) -> int | str:
        """Whose rows are counted."""
        return network_of(self.address) if self.actor.user_id is None else self.actor.user_id


@dataclass(slots=True)
class _Recent:
    written: dict[tuple[str, str], float] = field(default_factory=dict)
    left_out: int = 0


_recent: OrderedDict[int | str, _Recent] = OrderedDict()
_lock = threading.Lock()


def forget() -> None:
    """Begin anew."""
    with _lock:
        _recent.clear()


def _of(principal: int | str) -> _Recent:
    known = _recent.setdefault(principal, _Recent())
    _recent.move_to_end(principal)
    if len(_recent) > MOST_REMEMBERED:
        _recent.popitem(last=False)
    oldest = time.monotonic() - WINDOW.total_seconds()
    known.written = {what: moment for what, moment in known.written.items() if moment > oldest}
    return known


def is_news(refusal: Refusal) -> bool:
    """Whether to ask the database at all: this process has written no such row within a minute, nor too many."""
    with _lock:
        known = _of(refusal.principal)
        if (refusal.action, _target(refusal)) in known.written or len(known.written) >= MOST:
            known.left_out += 1
            return False
    return True


def _target(refusal: Refusal) -> str:
    return harmless(refusal.target)[:200]


def _rows(session: Session, refusal: Refusal) -> list[tuple[str, Any]]:
    """Action and target of what was refused to the same principal within a minute, by whichever process."""
    recent = (
        select(SystemLog.action, SystemLog.details, SystemLog.ip_address)
        .where(
            SystemLog.created_at > now() - WINDOW,
            SystemLog.status == STATUS,
            SystemLog.user_id.is_not_distinct_from(refusal.actor.user_id),
        )
        .order_by(SystemLog.id.desc())
    )
    if refusal.actor.user_id is not None:
        found = session.execute(recent.limit(MOST)).all()
    else:  # one network has many addresses, which no two databases compare alike
        strangers = session.execute(recent.limit(MOST_LOOKED_AT)).all()
        found = [row for row in strangers if network_of(row.ip_address) == refusal.principal]
    return [(action, (details or {}).get("target")) for action, details, _ in found]


def record(session: Session, refusal: Refusal) -> bool:
    """Write the row unless another process has; it tells how many were left out since the one before."""
    audit.hold_chain(session, refusal.actor.user_id)
    rows = _rows(session, refusal)
    what = (refusal.action, _target(refusal))
    is_there = what in rows
    with _lock:
        known = _of(refusal.principal)
        if is_there:
            known.written[what] = time.monotonic()
        if is_there or len(rows) >= MOST:
            known.left_out += 1
            return False
        known.written[what] = time.monotonic()
        left_out, known.left_out = known.left_out, 0
    more = {"key": refusal.key} if refusal.key else {}
    audit.record(
        session,
        refusal.actor,
        refusal.action,
        status=STATUS,
        error=refusal.reason,
        target=what[1],
        not_recorded=left_out,
        **more,
    )
    return True
