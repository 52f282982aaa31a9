"""The life of a key: made, listed, replaced, revoked, by its owner or by those who manage keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.api_key import APIKey
from models.permissions import Permission, Role
from models.user import User
from services import audit, notices, throttling
from services.actor import Actor
from services.api_keys import form
from services.api_keys.after_reset import works
from services.api_keys.form import Key
from services.errors import Conflict, Forbidden, Invalid, NotFound, TooManyAttempts
from services.text import clean, harmless

MOST_SHOWN = 200
DAYS, MOST_DAYS = 90, 3650
OVERLAP = timedelta(hours=24)  # how long a replaced key goes on working
RATE = 1000  # requests an hour
LOGGING_RATE = 100_000  # of a key that logs runs: a script that logs each step by itself sends some ten a second
# A key never touches accounts, not even that of its owner: who finds it must not be able to stay.
NOT_FOR_KEYS = frozenset(
    {
        Permission.MANAGE_OWN_ACCOUNT,
        Permission.MANAGE_USERS,
        Permission.MANAGE_API_KEYS,
        Permission.SECURITY_SETTINGS,
    }
)

State = Literal["active", "replaced", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A key as it may be shown: never its secret, never its hash."""

    id: int
    name: str
    prefix: str
    owner: str
    scopes: tuple[str, ...]
    rate_limit: int
    state: State
    reason: str | None
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    last_address: str | None


class TooManyKeys(TooManyAttempts):
    """Keys are made faster than anybody needs them."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        minutes = max(1, round(retry_after / 60))
        self.args = (f"You have made many keys in a short time. Make the next one in about {minutes} min.",)


def visible_to(actor: Actor) -> Select[APIKey]:
    """Every read of keys starts here: one's own, or all of them for those who manage keys."""
    if actor.may(Permission.MANAGE_API_KEYS):
        return select(APIKey)
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    return select(APIKey).where(APIKey.user_id == actor.user_id)


def scopes_for(actor: Actor) -> list[Permission]:
    """What a key of this person may be allowed, in the order of the declaration."""
    return [permission for permission in Permission if permission in actor.permissions - NOT_FOR_KEYS]


def usual_rate(scopes: Sequence[str]) -> int:
    """The limit of a key with these scopes for which none is chosen."""
    return min(LOGGING_RATE if Permission.RUN_EXPERIMENTS in scopes else RATE, settings().api_rate_limit_max)


def rates() -> tuple[int, int, int]:
    """The limit of a key for which none is chosen, of one that logs runs, and the highest that can be."""
    return usual_rate(()), usual_rate((Permission.RUN_EXPERIMENTS,)), settings().api_rate_limit_max


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    days: int = DAYS,
    rate_limit: int | None = None,
) -> str:
    """Make a key and return its text, which is nowhere else and never shown again."""
    actor.require(Permission.MANAGE_OWN_ACCOUNT)
    label = clean(name, field="name", longest=100, shortest=1)
    wanted = _scopes(actor, scopes)
    if isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
        raise Invalid(f"A key lasts between 1 and {MOST_DAYS:,} days.", field="days")
    limit = usual_rate(wanted) if rate_limit is None else rate_limit
    if isinstance(limit, bool) or not 1 <= limit <= settings().api_rate_limit_max:
        raise Invalid(
            f"A limit lies between 1 and {settings().api_rate_limit_max:,} requests an hour.", field="rate_limit"
        )
    owner = _make_room(session, actor)
    expires = now() + timedelta(days=days)
    made = _store(session, actor, owner, label, wanted, limit, expires, "api_key.create")
    notices.tell_owner(session, owner, "key_created", name=label, prefix=made.prefix)
    return made.text


def _make_room(session: Session, actor: Actor) -> int:
    """Whose key is to be made, once it is sure that they may have another."""
    # Locked, so that the limit holds also for two keys at once.
    mine = select(User.id).where(User.id == actor.user_id, User.is_active)
    owner = session.scalar(mine.with_for_update(key_share=True))
    if owner is None:
        raise NotFound("account")
    most = settings().keys_per_person
    held = select(func.count()).select_from(APIKey).where(APIKey.user_id == owner, works())
    if (session.scalar(held) or 0) >= most:
        raise Conflict(f"A person has at most {most} keys that work; revoke one that is not used.")
    wait = throttling.reserve(session, *throttling.key_buckets(owner))
    if wait:
        raise TooManyKeys(wait)
    return owner


def _scopes(actor: Actor, scopes: Sequence[str]) -> list[str]:
    allowed = {permission.value for permission in scopes_for(actor)}
    wanted = list(dict.fromkeys(scopes))
    if not wanted:
        raise Invalid("Choose at least one thing that the key may do.", field="scopes")
    beyond = [scope for scope in wanted if scope not in allowed]
    if beyond:
        raise Invalid(f"You cannot give a key “{str(beyond[0])[:60].replace('_', ' ')}”.", field="scopes")
    return wanted


def _store(
    session: Session,
    actor: Actor,
    owner: int,
    name: str,
    scopes: Sequence[str],
    rate_limit: int,
    expires: datetime | None,
    action: str,
) -> Key:
    made = form.make()
    session.add(
        APIKey(
            user_id=owner,
            key_hash=made.digest,
            name=name,
            prefix=made.prefix,
            scopes=list(scopes),
            rate_limit=rate_limit,
            expires_at=expires,
        )
    )
    session.flush()
    audit.record(
        session, actor, action, key=made.prefix, name=name, owner=owner, scopes=list(scopes), rate_limit=rate_limit
    )
    return made


def keys_of(session: Session, actor: Actor, *, everybodys: bool = False, most: int = MOST_SHOWN) -> list[KeyFacts]:
    """The actor's own keys, or everybody's, the newest first."""
    query = visible_to(actor)
    if everybodys:
        actor.require(Permission.MANAGE_API_KEYS)
    else:
        query = query.where(APIKey.user_id == actor.user_id)
    rows = session.execute(
        query.add_columns(User.username)
        .join(User, User.id == APIKey.user_id)
        .order_by(APIKey.is_active.desc(), APIKey.id.desc())
        .limit(most)
    )
    return [
        KeyFacts(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            owner=owner,
            scopes=tuple(key.scopes),
            rate_limit=key.rate_limit,
            state=_state(key),
            reason=key.revoked_reason,
            created=key.created_at,
            expires=key.expires_at,
            last_used=key.last_used_at,
            last_address=key.last_used_ip,
        )
        for key, owner in rows
    ]


def _state(key: APIKey) -> State:
    if not key.is_active:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now():
        return "expired"
    return "replaced" if key.replaced_at is not None else "active"


def _own(session: Session, actor: Actor, key_id: int) -> APIKey:
    return _locked(session, visible_to(actor).where(APIKey.id == key_id))


def _locked(session: Session, wanted: Select[APIKey]) -> APIKey:
    """The key, after its owner: whoever changes a person ends their keys after that, and two would else deadlock."""
    owner = select(User.id).where(User.id.in_(wanted.with_only_columns(APIKey.user_id)))
    session.execute(owner.with_for_update(read=True))
    found = session.scalar(wanted.with_for_update())
    if found is None:
        raise NotFound("key")
    return found


def rotate(session: Session, actor: Actor, key_id: int) -> str:
    """Make a key that may do the same and return it; the old one works for another day, so that nothing stops."""
    _make_room(session, actor)
    key = _own(session, actor, key_id)
    if key.user_id != actor.user_id:
        raise NotFound("key")  # whoever manages keys revokes them; nobody else holds a key that acts for its owner
    if _state(key) != "active":
        raise Conflict("Only a key that works can be replaced.")
    scopes = [scope for scope in key.scopes if scope in {permission.value for permission in scopes_for(actor)}]
    if not scopes:
        raise Conflict("Your role no longer allows anything that this key may do; make a new one.")
    lasts = timedelta(days=DAYS) if key.expires_at is None else key.expires_at - key.created_at
    moment = now()
    made = _store(session, actor, key.user_id, key.name, scopes, key.rate_limit, moment + lasts, "api_key.rotate")
    key.replaced_at = moment
    key.expires_at = moment + OVERLAP if key.expires_at is None else min(key.expires_at, moment + OVERLAP)
    ends = f"{key.expires_at:%d %B %Y, %H:%M} UTC"
    notices.tell_owner(session, key.user_id, "key_rotated", name=key.name, prefix=key.prefix, ends=ends)
    return made.text


def revoke(session: Session, actor: Actor, key_id: int, reason: str = "") -> str:
    """End a key from its next request on and return what may be shown of it."""
    key = _own(session, actor, key_id)
    return _revoke(session, actor, key, reason)


def revoke_by_prefix(session: Session, actor: Actor, prefix: str) -> str:
    """The same by what a key shows of itself, or by the key itself."""
    given = form.parse(prefix)
    shown = harmless(prefix) if given is None else given.prefix
    key = _locked(session, visible_to(actor).where(APIKey.prefix == shown[:20]))
    return _revoke(session, actor, key, "")


def is_above(actor: Actor, owner_id: int, role: str | None) -> bool:
    """Whether a key is one of a super admin, which somebody below them does not end."""
    return role == Role.SUPER_ADMIN.value and owner_id != actor.user_id and not actor.may(Permission.SECURITY_SETTINGS)


def _revoke(session: Session, actor: Actor, key: APIKey, reason: str) -> str:
    if is_above(actor, key.user_id, session.scalar(select(User.role).where(User.id == key.user_id))):
        raise Forbidden("Only a super admin revokes a key of a super admin.")
    if key.is_active:
        key.is_active = False
        key.revoked_reason = clean(reason, field="reason", longest=255) or None
        audit.record(session, actor, "api_key.revoke", key=key.prefix, owner=key.user_id, reason=key.revoked_reason)
        by = "you" if actor.user_id == key.user_id else actor.username
        reason = key.revoked_reason or "none was given"
        notices.tell_owner(session, key.user_id, "key_revoked", name=key.name, prefix=key.prefix, by=by, reason=reason)
    return key.prefix
