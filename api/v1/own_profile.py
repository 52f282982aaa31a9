"""`/api/v1/profile`: how one wants to be called, and to see things."""

from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import profile
from services.actor import Actor
from web.rest.answers import Answer, Reply, require_state, tagged
from web.rest.asked import Body
from web.rest.kinds import line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_your_profile", __name__, url_prefix=PREFIX)
PROFILE = "/profile"


class Profile(Answer):
    """What you have chosen; null where it is left to the browser."""

    username: str
    email: str
    display_name: str | None
    time_zone: str | None
    theme: profile.Theme | None
    density: profile.Density | None


class ProfileChange(Body):
    """What changes; what is left out stays."""

    display_name: Annotated[str, line(100)] | None = Field(None, description="Empty: the user name.")
    time_zone: Annotated[str, line(64)] | None = Field(
        None, description="Such as `Europe/Zurich`; empty: that of the browser."
    )
    theme: profile.Theme | None = None
    density: profile.Density | None = None


@operation(
    blueprint,
    "GET",
    PROFILE,
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=Profile,
    tagged=True,
    description="For who is signed in; a key never touches accounts.",
)
def get_profile(session: Session, actor: Actor, **_: Any) -> Reply:
    """Your profile"""
    return tagged(Profile.from_row(profile.read(session, actor)))


@operation(
    blueprint,
    "PATCH",
    PROFILE,
    permission=Permission.MANAGE_OWN_ACCOUNT,
    body=ProfileChange,
    answer=Profile,
    tagged=True,
    conditional=True,
)
def change_profile(session: Session, actor: Actor, body: ProfileChange, expected: tuple[str, ...], **_: Any) -> Reply:
    """Change how you are called, your time zone, and how pages look"""
    profile.hold(session, actor)  # before it is compared: of two changes at once one is refused
    before = profile.read(session, actor)
    require_state(Profile.from_row(before), expected, "profile")
    name = before.display_name if body.display_name is None else body.display_name
    zone = before.time_zone if body.time_zone is None else body.time_zone
    profile.save(session, actor, display_name=name or "", time_zone=zone or "")
    profile.choose_appearance(session, actor, theme=body.theme, density=body.density)
    session.flush()
    return tagged(Profile.from_row(profile.read(session, actor)))
