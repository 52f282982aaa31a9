"""How a person wants to be called, and to see things."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.permissions import Permission
from models.user import User
from services import audit
from services.actor import Actor
from services.errors import Invalid, NotFound
from services.text import clean

Theme = Literal["system", "light", "dark"]
Density = Literal["comfortable", "compact"]
THEMES: tuple[Theme, ...] = get_args(Theme)
DENSITIES: tuple[Density, ...] = get_args(Density)
_NO_PLACES = ("posix/", "right/")
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person has chosen; None where they leave it to the browser."""

    username: str
    email: str
    display_name: str | None
    time_zone: str | None
    theme: str | None
    density: str | None

    @property
    def name(self) -> str:
        """How they are called."""
        return self.display_name or self.username


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    """Every zone that this machine knows by name."""
    named = {zone for zone in available_timezones() if not zone.startswith(_NO_PLACES)} - _NO_ZONES
    return tuple(sorted(named | {"UTC"}))


def read(session: Session, actor: Actor) -> Profile:
    """The actor's own profile."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    row = session.execute(
        select(User.username, User.email, User.display_name, User.time_zone, User.theme, User.density).where(
            User.id == actor.user_id
        )
    ).first()
    if row is None:
        raise NotFound("account")
    return Profile(*row)


def hold(session: Session, actor: Actor) -> None:
    """Let nobody change the actor's account before this transaction has ended."""
    _own(session, actor)


def save(session: Session, actor: Actor, *, display_name: str, time_zone: str) -> None:
    """Store name and time zone; empty means the user name, and the zone of the browser."""
    name = clean(display_name, field="display_name", longest=100)
    zone = clean(time_zone, field="time_zone", longest=64)
    if zone and zone not in time_zones():
        raise Invalid("There is no such time zone; choose one from the list.", field="time_zone")
    user = _own(session, actor)
    before = {"display_name": user.display_name, "time_zone": user.time_zone}
    user.display_name, user.time_zone = name or None, zone or None
    after = {"display_name": user.display_name, "time_zone": user.time_zone}
    if after != before:
        audit.record(session, actor, "user.change_profile", before=before, after=after)


def choose_appearance(session: Session, actor: Actor, *, theme: object = None, density: object = None) -> None:
    """Store what was pressed; the other one stays as it is."""
    user = _own(session, actor)
    if theme is not None:
        if theme not in THEMES:
            raise Invalid("There is no such theme.", field="theme")
        user.theme = str(theme)
    if density is not None:
        if density not in DENSITIES:
            raise Invalid("There is no such density.", field="density")
        user.density = str(density)


def _own(session: Session, actor: Actor) -> User:
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    user = session.scalar(select(User).where(User.id == actor.user_id, User.is_active).with_for_update(key_share=True))
    if user is None:
        raise NotFound("account")
    return user
