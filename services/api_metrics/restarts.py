"""When the product was started, as the charts mark it: a row of the system log each, with the version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.permissions import Permission
from models.system_log import SystemLog
from services import audit
from services.actor import SYSTEM, Actor
from services.api_metrics.windows import Window

ACTION = "product.start"
MOST = 20  # beyond which marks would hide the curves


@dataclass(frozen=True, slots=True)
class Restart:
    """A start of the product, and of which version if it is another than before."""

    moment: datetime
    version: str | None


def note(session: Session) -> None:
    """Remember that the product answers from now on."""
    try:
        installed = version("pfd-dashboard")
    except PackageNotFoundError:
        installed = ""
    audit.record(session, SYSTEM, ACTION, version=installed)


def within(session: Session, actor: Actor, window: Window) -> Sequence[Restart]:
    """The last starts in a window, the earliest first."""
    actor.require(Permission.VIEW_API_METRICS)
    in_it = SystemLog.created_at >= window.begin, SystemLog.created_at < window.end
    rows = session.execute(
        select(SystemLog.created_at, SystemLog.details)
        .where(SystemLog.action == ACTION, *in_it)
        .order_by(SystemLog.id.desc())
        .limit(MOST + 1)
    ).all()
    told = [(moment, str((details or {}).get("version") or "")) for moment, details in reversed(rows)]
    made, before = [], told[0][1] if told else ""
    for moment, its in told:
        made.append(Restart(moment, its if its != before else None))
        before = its
    return made[-MOST:]
