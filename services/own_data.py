"""All that is kept about a person, as they may take it along: account, traces, and the names of what they made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from database.types import now
from models.dataset import Dataset
from models.email_log import EmailLog
from models.experiment import Experiment
from models.explanation import Explanation
from models.passkey import Passkey
from models.permissions import Permission
from models.saved_search import SavedSearch
from models.system_log import SystemLog
from models.user import User
from models.webhook_configuration import WebhookConfiguration
from services import audit, identities, notification_preferences, session_list, sign_ins
from services.actor import Actor
from services.api_keys import keys
from services.api_keys.keys import KeyFacts
from services.errors import NotFound
from services.notification_preferences import Preference
from services.session_list import OpenSession
from services.sign_ins import SignIn

MOST = 5_000  # of each kind
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """The newest of one kind; `cut` says that there are more than are told here."""

    items: list[T]
    cut: bool


@dataclass(frozen=True, slots=True)
class Account:
    """The account itself; of second factors only that there are some."""

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


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """One passkey."""

    name: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """An account of another house that opens this one."""

    issuer: str
    subject: str
    email: str | None
    linked: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class OwnSearch:
    """One saved search."""

    name: str
    query: str
    created: datetime


@dataclass(frozen=True, slots=True)
class OwnWebhook:
    """Where events are posted to; the rest of such an address is a secret."""

    name: str
    provider: str
    host: str
    events: list[str]
    created: datetime


@dataclass(frozen=True, slots=True)
class OwnExperiment:
    """One experiment of theirs, deleted ones as long as they can be restored."""

    id: int
    name: str
    status: str
    created: datetime
    deleted: datetime | None


@dataclass(frozen=True, slots=True)
class OwnExplanation:
    """One explanation of an experiment of theirs."""

    id: int
    experiment_id: int
    signal_id: str
    method: str
    created: datetime


@dataclass(frozen=True, slots=True)
class OwnDataset:
    """One dataset of theirs."""

    id: int
    name: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to them; its text is not kept."""

    moment: datetime
    recipient: str
    subject: str
    status: str


@dataclass(frozen=True, slots=True)
class Act:
    """A row that they have left in the system log."""

    moment: datetime
    action: str
    status: str
    address: str | None


@dataclass(frozen=True, slots=True)
class OwnData:
    """All of it."""

    made: datetime
    account: Account
    passkeys: Part[OwnPasskey]
    linked_accounts: Part[OwnIdentity]
    api_keys: Part[KeyFacts]
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


def collect(session: Session, actor: Actor, this: int) -> OwnData:
    """Gather it in bounded statements, `this` being the session that asks; that it was taken along is itself a row."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    own = actor.user_id

    def part(query: Any, made: Callable[[Any], T]) -> Part[T]:
        return _part([made(row) for row in session.execute(query.limit(MOST + 1))])

    attempts, more_attempts = sign_ins.page(session, actor, limit=MOST)
    found = OwnData(
        made=now(),
        account=_account(session, actor),
        passkeys=part(
            select(Passkey.name, Passkey.created_at, Passkey.last_used_at)
            .where(Passkey.user_id == own)
            .order_by(Passkey.id.desc()),
            lambda row: OwnPasskey(*row),
        ),
        linked_accounts=_part(
            [
                OwnIdentity(one.issuer, one.subject, one.email, one.created_at, one.last_used_at)
                for one in identities.of(session, actor)
            ]
        ),
        api_keys=_part(keys.keys_of(session, actor, most=MOST + 1)),
        sessions=_part(session_list.open_sessions(session, actor, this, most=MOST + 1)),
        sign_ins=Part(attempts, more_attempts is not None),
        notification_preferences=_part(notification_preferences.of(session, actor)),
        saved_searches=part(
            select(SavedSearch.name, SavedSearch.query, SavedSearch.created_at)
            .where(SavedSearch.user_id == own)
            .order_by(SavedSearch.id.desc()),
            lambda row: OwnSearch(*row),
        ),
        webhooks=part(
            select(
                WebhookConfiguration.name,
                WebhookConfiguration.provider_type,
                WebhookConfiguration.webhook_url,
                WebhookConfiguration.enabled_events,
                WebhookConfiguration.created_at,
            )
            .where(WebhookConfiguration.user_id == own)
            .order_by(WebhookConfiguration.id.desc()),
            lambda row: OwnWebhook(row[0], row[1], urlsplit(row[2]).hostname or "", list(row[3]), row[4]),
        ),
        experiments=part(
            select(Experiment.id, Experiment.name, Experiment.status, Experiment.created_at, Experiment.deleted_at)
            .where(Experiment.created_by == own)
            .order_by(Experiment.id.desc()),
            lambda row: OwnExperiment(row[0], row[1], row[2].value, row[3], row[4]),
        ),
        explanations=part(
            select(
                Explanation.id,
                Explanation.experiment_id,
                Explanation.signal_id,
                Explanation.method,
                Explanation.created_at,
            )
            .join(Experiment, Experiment.id == Explanation.experiment_id)
            .where(Experiment.created_by == own)
            .order_by(Explanation.id.desc()),
            lambda row: OwnExplanation(*row),
        ),
        datasets=part(
            select(Dataset.id, Dataset.name, Dataset.created_at)
            .where(Dataset.created_by == own)
            .order_by(Dataset.id.desc()),
            lambda row: OwnDataset(*row),
        ),
        mails=part(
            select(EmailLog.created_at, EmailLog.recipient_email, EmailLog.subject, EmailLog.status)
            .where(EmailLog.user_id == own)
            .order_by(EmailLog.id.desc()),
            lambda row: Mail(*row),
        ),
        acts=part(
            select(SystemLog.created_at, SystemLog.action, SystemLog.status, SystemLog.ip_address)
            .where(SystemLog.user_id == own)
            .order_by(SystemLog.created_at.desc(), SystemLog.id.desc()),
            lambda row: Act(*row),
        ),
    )
    parts = {one.name: value for one in fields(found) if isinstance(value := getattr(found, one.name), Part)}
    told = {name: len(its.items) for name, its in parts.items() if its.items}
    audit.record(session, actor, "account.export", told=told, cut=[name for name, its in parts.items() if its.cut])
    return found


def _part(found: Sequence[T]) -> Part[T]:
    return Part(list(found[:MOST]), len(found) > MOST)


def _account(session: Session, actor: Actor) -> Account:
    user = session.scalar(select(User).where(User.id == actor.user_id))
    if user is None:
        raise NotFound("account")
    return Account(
        id=user.id,
        username=user.username,
        email=user.email,
        display_name=user.display_name,
        role=user.role,
        time_zone=user.time_zone,
        theme=user.theme,
        density=user.density,
        authenticator_app=user.totp_enabled,
        created=user.created_at,
    )


def as_json(found: OwnData) -> str:
    """The same as a file that people can read."""
    return orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
