"""The mail with an invitation, beside the link that whoever invites sees once."""

from datetime import datetime

from sqlalchemy.orm import Session

from models.user import User
from services.actor import Actor
from services.mail import orders


def order(session: Session, actor: Actor, user: User, path: str, ends: datetime) -> None:
    """Send the link to the address of the new account."""
    orders.order(
        session,
        user_id=user.id,
        to=user.email,
        event="account.invitation",
        subject="You are invited to PFD",
        template="invitation",
        told={"by": actor.username, "username": user.username},
        link=path,
        link_ends=ends,
    )
