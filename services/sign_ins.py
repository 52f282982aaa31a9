"""The attempts to sign in to a person's account, as its owner may read them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.login_history import LoginHistory
from models.permissions import Permission
from services import devices
from services.actor import Actor
from services.errors import Invalid
from services.experiments.options import csv_cell

PAGE, MOST_EXPORTED = 50, 10_000

Result = Literal["all", "succeeded", "failed"]
RESULTS: tuple[Result, ...] = ("all", "succeeded", "failed")


@dataclass(frozen=True, slots=True)
class SignIn:
    """One attempt."""

    id: int
    moment: datetime
    method: str
    succeeded: bool
    reason: str | None
    address: str
    place: str
    device: str


def visible_to(actor: Actor) -> Select[LoginHistory]:
    """Every read of the history starts here: the actor's own attempts."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    return select(LoginHistory).where(LoginHistory.user_id == actor.user_id)


def page(
    session: Session, actor: Actor, *, result: Result = "all", before: int | None = None, limit: int = PAGE
) -> tuple[list[SignIn], int | None]:
    """The newest attempts, or those before a row, and where the next page begins if there is one."""
    if result not in RESULTS:
        raise Invalid("There is no such result.", field="result")
    query = visible_to(actor).order_by(LoginHistory.id.desc())
    if result != "all":
        query = query.where(LoginHistory.success.is_(result == "succeeded"))
    if before is not None:
        query = query.where(LoginHistory.id < before)
    rows = session.scalars(query.limit(limit + 1)).all()
    return [_shown(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def _shown(row: LoginHistory) -> SignIn:
    return SignIn(
        id=row.id,
        moment=row.timestamp,
        method=row.login_method,
        succeeded=row.success,
        reason=row.failure_reason,
        address=row.ip_address or "unknown",
        place=row.location or "unknown",
        device=devices.describe(row.user_agent).words,
    )


def as_csv(session: Session, actor: Actor, *, result: Result = "all") -> str:
    """The same attempts as CSV, the newest first, safe to open in a spreadsheet."""
    rows, _ = page(session, actor, result=result, limit=MOST_EXPORTED)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("time (UTC)", "method", "result", "reason", "address", "place", "device"))
    writer.writerows(_cells(row) for row in rows)
    return out.getvalue()


def _cells(row: SignIn) -> Sequence[str]:
    result = "succeeded" if row.succeeded else "failed"
    moment = row.moment.isoformat(timespec="seconds")
    values = (moment, row.method, result, row.reason, row.address, row.place, row.device)
    return [csv_cell(value) for value in values]
