"""Bodies that no page sends, with numbers of other people in every place: nothing of theirs is read or changed."""

import hashlib
import json
import logging
import os
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import transaction
from database.types import now
from models import (
    APIAlertRule,
    Base,
    EmailLog,
    Experiment,
    ExperimentTag,
    HPOCampaign,
    Job,
    LinkedIdentity,
    LoginHistory,
    OneTimeToken,
    Passkey,
    SavedSearch,
    SessionLog,
    Tag,
)
from models.permissions import Role
from services.actor import Actor
from services.api_keys import keys
from tests.support.people import client, person, token_of
from web import seal
from web.identity import cookie_name

CANARY = "canary-7f3a9c"
CASES = int(os.environ.get("FORGED_CASES", "6"))  # of each callback
# What an operator changes of others by right: the team tags and annotates together, and their jobs end with a run.
OF_THE_TEAM = {"experiments", "experiment_tags", "tags", "experiment_groups"}
LOGS = {"throttles", "system_logs", "api_rate_limits", "jobs", "email_logs"}
EMPTY: list[Any] = [0, 0.0, "", False, [], {}, None]
HOSTILE: list[Any] = [
    *EMPTY, 1, True, -1, -1.5, 0.1, 1e308, 2**63 - 1, -(2**63), "x" * 5000, "\x00", "\ud7ff\u202e", "' OR 1=1 --",
    "../../x", "NaN", "9" * 30, ["a", 1, None, {"x": []}], [[[]]], list(range(1, 30)), "victim", ["boss"], "t1",
    "super_admin", ["super_admin"], ["manage_users"], "delete", "restore", "cancel", "disable", "error_rate", ["p95"],
    "status", "90", "Europe/Berlin", "2026-01-01", "?ids=1,2", "/experiments/1",
    {"startRow": "a", "endRow": -5, "filterModel": [1], "sortModel": {"a": 1}},
    {"startRow": -1, "endRow": 2**60, "filterModel": {"x": 5}, "sortModel": [{"colId": "password_hash", "sort": "x"}]},
]  # fmt: skip


def fill() -> None:
    """Something of others behind each of the first numbers, with a word in all that is theirs alone."""
    everybody = [person(Role.SUPER_ADMIN, "boss"), person(Role.OPERATOR, "victim"), person(Role.VIEWER, "another")]
    with transaction() as session:
        for actor in everybody:
            number, address = actor.user_id or 0, "203.0.113.77"
            keys.create(session, actor, name=f"key {CANARY}", scopes=["view_experiments"])
            session.add_all(
                [
                    SavedSearch(user_id=number, name=f"saved {CANARY}", query=CANARY),
                    LoginHistory(user_id=number, ip_address=address, user_agent=CANARY, success=True),
                    SessionLog(
                        user_id=number,
                        session_token=hashlib.sha256(bytes([number])).hexdigest(),
                        ip_address=address,
                        user_agent=CANARY,
                        expires_at=now() + timedelta(hours=9),
                    ),
                    Passkey(user_id=number, name=f"key {CANARY}", credential_id=f"id{number}", public_key=b"x"),
                    LinkedIdentity(user_id=number, issuer=f"https://{CANARY}", subject=f"s{number}"),
                    EmailLog(user_id=number, recipient_email=f"{CANARY}@x.org", event_type="x", subject=CANARY),
                    Job(kind="training", payload={"x": CANARY}, error_message=CANARY, created_by=number),
                    *(
                        Experiment(name=f"{state} of {number}", status=state, created_by=number, total_epochs=5)
                        for state in ("running", "completed")
                    ),
                ]
            )
        owner = everybody[1].user_id
        session.add_all(
            [
                APIAlertRule(measure="error_rate", threshold=0.1, window_minutes=5, endpoint=f"GET /{CANARY}"),
                OneTimeToken(purpose="reset", token_hash="a" * 64, user_id=owner, expires_at=now() + timedelta(days=1)),
                HPOCampaign(name="campaign", method="random_search", created_by=owner),
                Tag(name="t1", slug="t1", color="#fff", created_by=owner),
            ]
        )
        session.flush()
        session.add(ExperimentTag(experiment_id=1, tag_id=1, added_by=owner))


def of_others(engine: Engine, me: Actor, skipped: set[str]) -> dict[str, list[str]]:
    """Every row that belongs to somebody else or to nobody."""
    found = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in skipped:
                mine = "id" if table.name == "users" else "user_id"
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                found[table.name] = [repr(dict(row)) for row in rows if row.get(mine) != me.user_id]
    return found


class Forger:
    """Makes bodies that pass the check of their form and hold anything."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.aim: int | None = None  # the one number that all of a body means; without one it means anything

    def body(self, output: str, spec: dict[str, Any], values: list[Any] | None = None) -> dict[str, Any]:
        """A body for a callback, of these values or of hostile ones and numbers of others."""
        self.aim = self.chance.randrange(1, 5) if self.chance.random() < 0.5 else None
        inputs, triggers = self._items(spec["inputs"], values)
        return {
            "output": output,
            "outputs": self._outputs(output),
            "inputs": inputs,
            "state": self._items(spec.get("state", []), None)[0],
            "changedPropIds": [self.chance.choice(triggers)] if triggers else [],
        }

    def _items(self, declared: list[dict[str, str]], values: list[Any] | None) -> tuple[list[Any], list[str]]:
        items: list[Any] = []
        triggers = []
        for item in declared:
            several = '["ALL' in item["id"]
            made = [self._item(item, values) for _ in range(self.chance.randrange(1, 4) if several else 1)]
            items.append(made if several else made[0])
            for one in made:
                name = one["id"] if isinstance(one["id"], str) else json.dumps(one["id"], separators=(",", ":"))
                triggers.append(f"{name}.{one['property']}")
        return items, triggers

    def _item(self, item: dict[str, str], values: list[Any] | None) -> dict[str, Any]:
        what, prop = item["id"], item["property"]
        if what == "_pages_location":
            value: Any = {"pathname": "/experiments/1", "search": "?ids=1,2"}.get(prop, "/")
        elif values is not None:
            value = self.chance.choice(values)
        elif prop in {"n_clicks", "n_submit"} and (self.aim or self.chance.random() < 0.7):
            value = 1
        elif what.startswith("pressed-") and (self.aim or self.chance.random() < 0.7):
            number = self.aim or self.chance.randrange(1, 8)
            value = {"type": what, "id": number, "index": number, "name": "victim", "tag": "t1", "times": 1}
        else:
            number = self.aim or self.chance.randrange(1, 8)
            theirs: list[Any] = [number, number, str(number), [number], [str(number)], {"id": number}]
            value = self.chance.choice(theirs if self.aim or self.chance.random() < 0.4 else HOSTILE)
        return {"id": self._identity(what), "property": prop, "value": value}

    def _identity(self, name: str) -> Any:
        if not name.startswith("{"):
            return name
        number = self.chance.randrange(1, 8)
        meant: list[Any] = [self.aim] if self.aim else [number, str(number), "victim", -1, 2**40, 1.5, "x" * 300]
        parts = json.loads(name).items()
        return {key: self.chance.choice(meant) if isinstance(part, list) else part for key, part in parts}

    def _outputs(self, output: str) -> Any:
        if "." not in output:
            return None
        names = output[2:-2].split("...") if output.startswith("..") else [output]
        made: list[Any] = []
        for name in names:
            what, prop = name.rsplit(".", 1)
            one = {"id": self._identity(what), "property": prop.split("@")[0]}
            made.append([one] if '["ALL' in name else one)
        return made if output.startswith("..") else made[0]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_read_and_change_nothing_of_others_and_meet_no_bug(
    dash_app: Any, sqlite: Engine, role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    fill()
    me, forger = person(role, "mallory"), Forger(20261126)
    visitor = client(dash_app.server, role, "mallory")
    skipped = LOGS | (OF_THE_TEAM if role is Role.OPERATOR else set())
    before = of_others(sqlite, me, skipped)
    answered = 0
    for output, need in seal.callback_needs(dash_app).items():
        for _ in range(CASES):
            body = forger.body(output, dash_app.callback_map[output])
            caplog.clear()
            answer = visitor.post("/_dash-update-component", json=body)
            if answer.status_code == 401:  # it has ended its own sessions, as it may
                visitor.set_cookie(cookie_name(), token_of(me))
            if need is not None and not me.may(need):
                assert answer.status_code in {401, 403}, body
                continue
            answered += answer.status_code in {200, 204}
            assert answer.status_code < 500, (body, answer.text[:300])
            assert CANARY not in answer.text, body
            bugs = [entry for entry in caplog.records if entry.levelno >= logging.ERROR]
            assert not bugs, (body, [str(entry.exc_info and entry.exc_info[1]) for entry in bugs])
        assert of_others(sqlite, me, skipped) == before, output
    assert answered > 50 * CASES


def test_of_admins_meet_no_bug_and_reach_no_super_admin(
    dash_app: Any, sqlite: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    fill()
    me, forger = person(Role.ADMIN, "mallory"), Forger(20261127)
    visitor = client(dash_app.server, Role.ADMIN, "mallory")
    of_the_owner = select(*Base.metadata.tables["users"].columns).where(Base.metadata.tables["users"].c.id == 1)
    with sqlite.connect() as connection:
        before = connection.execute(of_the_owner).one()
    for output in seal.callback_needs(dash_app):
        for _ in range(CASES):
            body = forger.body(output, dash_app.callback_map[output])
            caplog.clear()
            answer = visitor.post("/_dash-update-component", json=body)
            if answer.status_code == 401:
                visitor.set_cookie(cookie_name(), token_of(me))
            assert answer.status_code < 500, (body, answer.text[:300])
            bugs = [entry for entry in caplog.records if entry.levelno >= logging.ERROR]
            assert not bugs, (body, [str(entry.exc_info and entry.exc_info[1]) for entry in bugs])
    with sqlite.connect() as connection:
        assert connection.execute(of_the_owner).one() == before


def test_an_empty_value_that_says_it_was_pressed_does_nothing_without_a_fresh_factor(
    dash_app: Any, sqlite: Engine
) -> None:
    """What counts as an act is a value that is not empty, so no callback may act upon an empty one."""
    fill()
    nobody, forger = Actor(None, "nobody", Role.VIEWER.value, frozenset()), Forger(20261128)
    visitor = client(dash_app.server, Role.SUPER_ADMIN, "mallory")
    with transaction() as session:
        session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(minutes=40)))
    skipped = {"session_logs"}  # where the visitor is last seen
    before = of_others(sqlite, nobody, skipped)
    for output in sorted(seal.sudo_callbacks(dash_app)):  # the same bodies each time
        for _ in range(CASES * 3):
            body = forger.body(output, dash_app.callback_map[output], EMPTY)
            assert visitor.post("/_dash-update-component", json=body).status_code < 500
        assert of_others(sqlite, nobody, skipped) == before, output
