"""What a person takes along: all that is theirs, nothing of anybody else, nothing that opens anything."""

from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models import (
    Dataset,
    EmailLog,
    Experiment,
    Explanation,
    LinkedIdentity,
    LoginHistory,
    Passkey,
    SavedSearch,
    SystemLog,
    User,
    WebhookConfiguration,
)
from models.notification_preference import EventType
from models.permissions import Permission, Role
from services import deletion, notification_preferences, own_data
from services.actor import Actor
from services.api_keys import keys
from services.own_data import OwnData
from tests.support.people import person, token_of
from tests.support.second_factor import give_app, give_codes

TOLD_AS = {  # what deleting an account counts, by its name here
    "API keys": "api_keys",
    "sessions": "sessions",
    "passkeys": "passkeys",
    "linked accounts": "linked_accounts",
    "notification settings": "notification_preferences",
    "saved searches": "saved_searches",
    "webhooks": "webhooks",
    "experiments": "experiments",
    "datasets": "datasets",
    "rows of the system log": "acts",
    "sign-ins": "sign_ins",
}
OPENS_SOMETHING = {"backup codes", "one-time links"}  # of which nothing but the secret is there to tell
NOT_MADE_YET = {"waiting digests"}


def taken(actor: Actor) -> OwnData:
    with transaction() as session:
        return own_data.collect(session, actor, 0)


def fill(actor: Actor, name: str) -> str:
    """One of each kind for somebody, and the secrets among it."""
    with transaction() as session:
        key = keys.create(session, actor, name=f"{name}-key", scopes=[Permission.VIEW_EXPERIMENTS])
        notification_preferences.decide(session, actor, EventType.ALL[0], email_enabled=True)
        own = {"user_id": actor.user_id}
        experiment = Experiment(name=f"{name}-run", created_by=actor.user_id)
        session.add_all(
            (
                experiment,
                Dataset(name=f"{name}-set", created_by=actor.user_id),
                Passkey(name=f"{name}-phone", credential_id=f"{name}-credential", public_key=b"canary-public", **own),
                LinkedIdentity(issuer="https://id.example", subject=f"{name}-subject", **own),
                SavedSearch(name=f"{name}-search", query="status:failed", **own),
                WebhookConfiguration(
                    provider_type="slack",
                    webhook_url=f"https://hooks.example/{name}-canary",
                    name=f"{name}-hook",
                    **own,
                ),
                LoginHistory(success=False, ip_address="192.0.2.7", **own),
                EmailLog(
                    recipient_email=f"{name}@example.org",
                    event_type="x",
                    subject=f"{name}-mail",
                    event_data={"link": "canary-link"},
                    **own,
                ),
            )
        )
        session.flush()
        session.add(Explanation(experiment_id=experiment.id, signal_id=f"{name}-signal", method="shap"))
    token = token_of(actor)
    return f"{key} {token}"


def test_each_kind_is_told_of_ones_own_alone(database: Engine) -> None:
    bob, ada = person(Role.ADMIN, "bob"), person(Role.ADMIN, "ada")  # somebody else is the first of the accounts
    fill(ada, "ada")
    fill(bob, "bob")
    text = own_data.as_json(taken(ada))
    told = orjson.loads(text)
    assert "bob" not in text
    names = ("run", "set", "phone", "subject", "search", "hook", "mail", "key", "signal")
    assert [name for name in names if f"ada-{name}" not in text] == []
    assert told["account"]["username"] == "ada"
    parts = {name: part for name, part in told.items() if isinstance(part, dict) and "items" in part}
    assert len(parts) == 13
    assert [name for name, part in parts.items() if not part["items"] or part["cut"]] == []


def test_all_that_an_account_is_deleted_with_or_leaves_is_told(database: Engine) -> None:
    assert {*deletion.GOES, *deletion.STAYS} == {*TOLD_AS, *OPENS_SOMETHING, *NOT_MADE_YET}
    ada = person(Role.OPERATOR, "ada")
    fill(ada, "ada")
    with snapshot() as session:
        counted = deletion.preview(session, person(Role.ADMIN), ada.user_id or 0)
    told = taken(ada)
    kinds = {name: count for name, count in (counted.goes | counted.stays).items() if name in TOLD_AS}
    del kinds["notification settings"]  # told with those that nobody has decided about
    assert len(kinds) == len(TOLD_AS) - 1
    assert {name: len(getattr(told, TOLD_AS[name]).items) for name in kinds} == kinds


def test_nothing_that_opens_anything_is_in_it(sqlite: Engine) -> None:
    ada = person(Role.OPERATOR, "ada")
    key, token = fill(ada, "ada").split()
    seed, codes = give_app(ada), give_codes(ada)
    text = own_data.as_json(taken(ada))
    with snapshot() as session:
        hashed = session.scalars(select(User.password_hash).where(User.id == ada.user_id)).one()
    secrets = [key, key.rpartition("_")[2], token, hashed, seed, *codes, "canary", "ada-credential"]
    assert [secret for secret in secrets if str(secret) in text] == []


def test_it_is_bounded_and_says_where_it_was_cut(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "MOST", 3)
    ada = person(Role.OPERATOR, "ada")
    with transaction() as session:
        session.add_all(Experiment(name=f"run {place}", created_by=ada.user_id) for place in range(4))
        session.add_all(LoginHistory(user_id=ada.user_id, success=True) for _ in range(3))
    told = taken(ada)
    assert ([one.name for one in told.experiments.items], told.experiments.cut) == (["run 3", "run 2", "run 1"], True)
    assert (len(told.sign_ins.items), told.sign_ins.cut) == (3, False)
    assert told.notification_preferences.cut is True


def test_that_it_was_taken_stands_in_the_system_log(sqlite: Engine) -> None:
    ada = person(Role.OPERATOR, "ada")
    fill(ada, "ada")
    taken(ada)
    with snapshot() as session:
        row = session.scalars(select(SystemLog).where(SystemLog.action == "account.export")).one()
    assert row.user_id == ada.user_id
    assert row.details is not None and (row.details["told"]["experiments"], row.details["cut"]) == (1, [])


def test_it_takes_as_many_statements_for_much_as_for_little(database: Engine, count_queries: Any) -> None:
    ada = person(Role.OPERATOR, "ada")
    fill(ada, "ada")
    little = count_queries(database, lambda: taken(ada))
    with transaction() as session:
        session.add_all(Experiment(name=f"run {place}", created_by=ada.user_id) for place in range(50))
    assert count_queries(database, lambda: taken(ada)) == little
    assert len(taken(ada).experiments.items) == 51
