"""What belongs to whoever asks: notification preferences, API keys and their use."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from database.types import now
from models.permissions import Permission
from services import notification_preferences
from services.actor import Actor
from services.api_keys import keys
from services.api_requests import usage
from web.rest.answers import Answer, Listed, Reply, listed, tagged
from web.rest.asked import Body
from web.rest.kinds import NAMED, WHOLE, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_your_account", __name__, url_prefix=PREFIX)
KEYS = "/api-keys"
Frequency = Literal["immediate", "digest_daily", "digest_weekly"]


class Preference(Answer):
    """How you are told about an event."""

    event_type: str
    email_enabled: bool
    in_app_enabled: bool
    slack_enabled: bool
    webhook_enabled: bool
    email_frequency: Frequency


class PreferenceChange(Body):
    """What changes; what is left out stays."""

    email_enabled: bool | None = None
    in_app_enabled: bool | None = None
    slack_enabled: bool | None = None
    webhook_enabled: bool | None = None
    email_frequency: Frequency | None = None


class Key(Answer):
    """An API key; its text is shown once, when it is made."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    rate_limit: int
    state: Literal["active", "replaced", "expired", "revoked"]
    reason: str | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str | None


class MadeKey(Answer):
    """The text of a new key, which is nowhere else."""

    key: str


class NewKey(Body):
    """A key to be made."""

    name: Annotated[str, line(100, 1), NAMED]
    scopes: list[Annotated[str, line(100, 1)]] = Field(min_length=1, max_length=100)
    days: Annotated[int, Field(ge=1, le=keys.MOST_DAYS), WHOLE] = keys.DAYS
    rate_limit: Annotated[int, Field(ge=1, le=1_000_000_000), WHOLE] | None = None


class Day(Answer):
    """The requests of a key on a day of UTC."""

    api_key: str
    day: date
    requests: int


class Usage(Answer):
    """The last thirty days of your keys."""

    items: list[Day]


@operation(
    blueprint,
    "GET",
    "/notification-preferences",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=Listed[Preference],
)
def list_notification_preferences(session: Session, actor: Actor, **_: Any) -> Reply:
    """How you are told about each event"""
    items = [Preference.from_row(one) for one in notification_preferences.of(session, actor)]
    return Reply(Listed[Preference](items=items))


@operation(
    blueprint,
    "PATCH",
    "/notification-preferences/<event>",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    body=PreferenceChange,
    answer=Preference,
    tagged=True,
)
def change_notification_preference(
    session: Session, actor: Actor, event: str, body: PreferenceChange, **_: Any
) -> Reply:
    """Choose how you are told about an event"""
    chosen = body.model_dump(exclude_none=True)
    return tagged(Preference.from_row(notification_preferences.decide(session, actor, event, **chosen)))


@operation(blueprint, "GET", KEYS, permission=Permission.MANAGE_OWN_ACCOUNT, answer=Listed[Key], table=Key)
def list_api_keys(session: Session, actor: Actor, **_: Any) -> Reply:
    """Your API keys, those that work first"""
    found = keys.keys_of(session, actor)
    return listed(Listed[Key](items=[Key.from_row(one, scopes=list(one.scopes)) for one in found]))


@operation(
    blueprint,
    "POST",
    KEYS,
    permission=Permission.MANAGE_OWN_ACCOUNT,
    body=NewKey,
    answer=MadeKey,
    status=201,
    secret=True,
    sudo=True,
    refusals=(409,),
    description="For who is signed in and has confirmed it lately; a key makes no keys.",
)
def create_api_key(session: Session, actor: Actor, body: NewKey, **_: Any) -> Reply:
    """Make an API key"""
    return Reply(MadeKey(key=keys.create(session, actor, **body.model_dump())), {"Location": f"{PREFIX}{KEYS}"})


@operation(
    blueprint,
    "POST",
    f"{KEYS}/<int:number>/rotate",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=MadeKey,
    secret=True,
    sudo=True,
    refusals=(409,),
)
def rotate_api_key(session: Session, actor: Actor, number: int, **_: Any) -> MadeKey:
    """Make the key that follows; the old one works for another day"""
    return MadeKey(key=keys.rotate(session, actor, number))


@operation(
    blueprint,
    "DELETE",
    f"{KEYS}/<int:number>",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=None,
    status=204,
    sudo=True,
)
def revoke_api_key(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """End a key from its next request on"""
    keys.revoke(session, actor, number)


@operation(blueprint, "GET", "/usage", permission=Permission.MANAGE_OWN_ACCOUNT, answer=Usage, table=Day)
def list_usage(session: Session, actor: Actor, **_: Any) -> Reply:
    """The requests of your keys on each of the last thirty days"""
    found = keys.keys_of(session, actor)
    uses = usage.of_keys(session, [one.id for one in found])
    first = now().date() - timedelta(days=usage.DAYS - 1)
    days = [
        Day(api_key=one.prefix, day=first + timedelta(days=place), requests=requests)
        for one in found
        for place, requests in enumerate(uses[one.id].days)
        if requests
    ]
    return Reply(Usage(items=days), {}, [day.model_dump(mode="json") for day in days])
