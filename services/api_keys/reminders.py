"""Owners are told of a key that ends soon, once, while there is time to put another in its place."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from database.types import now
from models.api_key import APIKey
from models.user import User
from services import notices

BEFORE = timedelta(days=7)
AT_ONCE = 200


def tell(session: Session) -> int:
    """Tell the owners of some of the keys that end within the week; returns how many were told of."""
    moment = now()
    ending = session.execute(
        select(APIKey.id, APIKey.user_id, APIKey.name, APIKey.prefix, APIKey.created_at, APIKey.expires_at)
        .join(User, User.id == APIKey.user_id)
        .where(
            APIKey.is_active,
            APIKey.replaced_at.is_(None),  # whoever has replaced it knows
            APIKey.end_told_at.is_(None),
            APIKey.expires_at > moment,
            APIKey.expires_at <= moment + BEFORE,
            User.is_active,
        )
        .order_by(APIKey.id)
        .limit(AT_ONCE)
    ).all()
    told = 0
    for key_id, owner, name, prefix, made, ends in ending:
        # The account before its keys, as everywhere: the row of a mail that refers to it would else wait for its end.
        session.execute(select(User.id).where(User.id == owner).with_for_update(read=True, key_share=True))
        mine = update(APIKey).where(APIKey.id == key_id, APIKey.end_told_at.is_(None)).values(end_told_at=moment)
        if session.scalar(mine.returning(APIKey.id)) is None or ends is None or ends - made <= BEFORE:
            continue  # somebody else told of it, or it was made for these few days
        notices.tell_owner(session, owner, "key_ending", name=name, prefix=prefix, ends=f"{ends:%d %B %Y}")
        told += 1
    return told
