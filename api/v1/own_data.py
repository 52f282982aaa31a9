"""`/api/v1/account/export`: all that is kept about who asks, as one answer to take along."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from flask import Blueprint
from sqlalchemy.orm import Session

from api.v1.own import Key, Preference
from api.v1.own_sessions import SIGNED_IN, OpenSession, SignIn
from models.permissions import Permission
from services import own_data
from services.actor import Actor
from web.identity import current_session
from web.rest.answers import Answer
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_your_data", __name__, url_prefix=PREFIX)
T = TypeVar("T")


class Part(Answer, Generic[T]):
    """The newest of one kind; `cut` says that there are more than are told here."""

    items: list[T]
    cut: bool


class OwnAccount(Answer):
    """The account itself."""

    id: int
    username: str
    email: str
    display_name: str | None
    role: str
    time_zone: str | None
    theme: str | None
    density: str | None
    authenticator_app: bool
    created: datetime


class OwnPasskey(Answer):
    """One passkey."""

    name: str
    created: datetime
    last_used: datetime | None


class OwnIdentity(Answer):
    """An account of another house that opens this one."""

    issuer: str
    subject: str
    email: str | None
    linked: datetime
    last_used: datetime | None


class OwnSearch(Answer):
    """One saved search."""

    name: str
    query: str
    created: datetime


class OwnWebhook(Answer):
    """Where events are posted to; the rest of such an address is a secret."""

    name: str
    provider: str
    host: str
    events: list[str]
    created: datetime


class OwnExperiment(Answer):
    """One experiment of yours, deleted ones as long as they can be restored."""

    id: int
    name: str
    status: str
    created: datetime
    deleted: datetime | None


class OwnExplanation(Answer):
    """One explanation of an experiment of yours."""

    id: int
    experiment_id: int
    signal_id: str
    method: str
    created: datetime


class OwnDataset(Answer):
    """One dataset of yours."""

    id: int
    name: str
    created: datetime


class Mail(Answer):
    """One mail to you; its text is not kept."""

    moment: datetime
    recipient: str
    subject: str
    status: str


class Act(Answer):
    """A row that you have left in the system log."""

    moment: datetime
    action: str
    status: str
    address: str | None


class OwnData(Answer):
    """All that is kept about you; keys, passkeys and the like without what opens anything."""

    made: datetime
    account: OwnAccount
    passkeys: Part[OwnPasskey]
    linked_accounts: Part[OwnIdentity]
    api_keys: Part[Key]
    sessions: Part[OpenSession]
    sign_ins: Part[SignIn]
    notification_preferences: Part[Preference]
    saved_searches: Part[OwnSearch]
    webhooks: Part[OwnWebhook]
    experiments: Part[OwnExperiment]
    explanations: Part[OwnExplanation]
    datasets: Part[OwnDataset]
    mails: Part[Mail]
    acts: Part[Act]


@operation(
    blueprint,
    "GET",
    "/account/export",
    permission=Permission.MANAGE_OWN_ACCOUNT,
    answer=OwnData,
    export=True,
    secret=True,  # all about a person at once is no sample
    description=(
        f"The newest {own_data.MOST:,} of each kind; the lists of sign-ins, keys, experiments and so on tell the rest "
        f"a page at a time. {SIGNED_IN}"
    ),
)
def export_own_data(session: Session, actor: Actor, **_: Any) -> OwnData:
    """All that is kept about you"""
    found = own_data.collect(session, actor, current_session().session_id)
    made: OwnData = OwnData.model_validate(found, from_attributes=True)
    return made
