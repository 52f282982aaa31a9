"""Links that work once: made, looked up by the hash of their token, used up by one winner."""

import hashlib
import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.types import now
from models.one_time_token import OneTimeToken
from models.user import User

Purpose = Literal["setup", "invitation", "reset", "email"]


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def issue(
    session: Session, purpose: Purpose, lasts: timedelta, user_id: int | None = None, payload: str | None = None
) -> str:
    """A fresh token; earlier ones for the same purpose and person end."""
    end(session, purpose, user_id)
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            purpose=purpose,
            token_hash=token_hash(token),
            user_id=user_id,
            expires_at=now() + lasts,
            payload=payload,
        )
    )
    return token


def end(session: Session, purpose: Purpose, user_id: int | None = None) -> None:
    """No open token for this purpose and person works any more."""
    session.execute(
        update(OneTimeToken)
        .where(OneTimeToken.purpose == purpose, OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None))
        .values(used_at=now())
    )


def end_all(session: Session, user_id: int) -> None:
    """No open link of this person works any more: who had one made may be whom this shuts out."""
    theirs = update(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None))
    session.execute(theirs.values(used_at=now()))


def find(session: Session, purpose: Purpose, token: str) -> OneTimeToken | None:
    """The row behind a token that still works."""
    return session.scalar(
        select(OneTimeToken).where(
            OneTimeToken.purpose == purpose,
            OneTimeToken.token_hash == token_hash(token),
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now(),
        )
    )


def owner(session: Session, used: OneTimeToken) -> User | None:
    """Whose link it was, as they are now, and locked."""
    return session.get(User, used.user_id or 0, with_for_update={"key_share": True}, populate_existing=True)


def use(session: Session, purpose: Purpose, token: str) -> OneTimeToken | None:
    """The row, now used up; of several who use it at once, one gets it.

    The account is locked before its link: whoever changes somebody ends their links after that, and two would deadlock.
    """
    found = find(session, purpose, token)
    if found is None:
        return None
    session.execute(select(User.id).where(User.id == found.user_id).with_for_update(key_share=True))
    won = session.scalar(
        update(OneTimeToken)
        .where(OneTimeToken.id == found.id, OneTimeToken.used_at.is_(None))
        .values(used_at=now())
        .returning(OneTimeToken.id)
    )
    return found if won is not None else None
