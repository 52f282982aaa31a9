"""Every place where the database keeps what the vault has encrypted, and its renewal when the root key changes.

A kind of secret that is added later is one more line in `PLACES`; `pfd secrets rotate` does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.email_log import EmailLog, EmailStatus
from models.idempotency_key import IdempotencyKey
from models.user import User
from services import idempotency, vault
from services.mail import orders

BATCH = 200  # rows in one transaction, so that no other writer waits long


@dataclass(frozen=True, slots=True)
class Column:
    """Secrets of one purpose in a column of their own."""

    purpose: str
    column: InstrumentedAttribute[str | None]

    @property
    def name(self) -> str:
        """The table and the column."""
        return f"{self._model.__tablename__}.{self.column.key}"

    @property
    def _model(self) -> Any:
        return self.column.class_

    def after(self, session: Session, last: int) -> Sequence[tuple[int, str]]:
        """The next secrets with the numbers of their rows."""
        model = self._model
        query = select(model.id, self.column).where(self.column.is_not(None), model.id > last)
        return [(row[0], row[1]) for row in session.execute(query.order_by(model.id).limit(BATCH))]

    def replace(self, session: Session, row_id: int, old: str, new: str) -> None:
        """Store it under the new key, unless it was changed or removed meanwhile."""
        model = self._model
        session.execute(update(model).where(model.id == row_id, self.column == old).values({self.column: new}))


@dataclass(frozen=True, slots=True)
class LinksInMails:
    """Links that work once, until their mail has left."""

    purpose: str = orders.PURPOSE
    name: str = f"email_logs.event_data.{orders.LINK}"

    def after(self, session: Session, last: int) -> Sequence[tuple[int, str]]:
        """The next links with the numbers of their rows."""
        # What comes after `last` is read until a batch is full, as most mails that wait hold no link.
        query = select(EmailLog.id, EmailLog.event_data).where(EmailLog.status == EmailStatus.PENDING)
        found = []
        for row_id, data in session.execute(query.where(EmailLog.id > last).order_by(EmailLog.id)):
            if orders.LINK in (data or {}):
                found.append((row_id, str(data[orders.LINK])))
            if len(found) == BATCH:
                break
        return found

    def replace(self, session: Session, row_id: int, old: str, new: str) -> None:
        """Store it under the new key, unless the mail has left meanwhile."""
        row = session.get(EmailLog, row_id, with_for_update=True, populate_existing=True)
        if row is not None and (row.event_data or {}).get(orders.LINK) == old:
            row.event_data = {**(row.event_data or {}), orders.LINK: new}


PLACES: tuple[Column | LinksInMails, ...] = (
    Column("totp", User.totp_secret),
    Column("totp", User.totp_pending_secret),
    LinksInMails(),
    Column(idempotency.PURPOSE, IdempotencyKey.answer),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction has done; `last` is where the next goes on, None at the end."""

    last: int | None
    renewed: int
    unreadable: tuple[int, ...]


def renew(session: Session, place: Column | LinksInMails, last: int) -> Batch:
    """Put the next secrets of a place under the newest root key; those that are already are left alone."""
    rows, renewed, unreadable = place.after(session, last), 0, []
    for row_id, stored in rows:
        if vault.is_newest(place.purpose, stored):
            continue
        try:
            place.replace(session, row_id, stored, vault.renew(place.purpose, stored))
            renewed += 1
        except vault.Unreadable:
            unreadable.append(row_id)
    return Batch(rows[-1][0] if rows else None, renewed, tuple(unreadable))


def needs_earlier_keys(session: Session, place: Column | LinksInMails) -> bool:
    """Whether a secret of this place is under an earlier key that is still there."""
    last = 0
    while rows := place.after(session, last):
        for row_id, stored in rows:
            if not vault.is_newest(place.purpose, stored) and vault.is_readable(place.purpose, stored):
                return True
            last = row_id
    return False
