"""People of each role, and clients that are signed in as them."""

import json
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from database.engine import transaction
from models.permissions import Role
from models.user import User
from services import passwords, sessions
from services.actor import Actor, actor_of
from services.sessions import Visitor
from web.identity import cookie_name

PASSWORD = "a long enough passphrase"
_HASHES: dict[str, str] = {}


def _hash() -> str:
    # One hash for the whole run: hashing is slow on purpose, and these tests are not about it.
    if PASSWORD not in _HASHES:
        _HASHES[PASSWORD] = passwords.hash_password(PASSWORD)
    return _HASHES[PASSWORD]


def person(role: str | Role = Role.OPERATOR, name: str | None = None) -> Actor:
    """An account of this role, made on first use."""
    username = name or f"{Role(role).value}-person"
    with transaction() as session:
        user = session.scalar(select(User).where(User.username == username))
        if user is None:
            user = User(
                username=username, email=f"{username}@example.org", role=Role(role).value, password_hash=_hash()
            )
            session.add(user)
            session.flush()
        return actor_of(user)


def client(server: Flask, role: str | Role | None, name: str | None = None) -> FlaskClient:
    """A client that holds a live session of such a person."""
    made = server.test_client()
    if role is not None:
        made.set_cookie(cookie_name(), token_of(person(role, name)))
    return made


def token_of(actor: Actor) -> str:
    """The token of a new session."""
    with transaction() as session:
        user = session.get(User, actor.user_id)
        assert user is not None
        return sessions.open_session(session, user, Visitor("127.0.0.1", "test"))


def filled(items: list[dict[str, str]], **values: Any) -> list[Any]:
    """Inputs or states as the renderer sends them; a pattern of several that meets nothing is an empty list."""
    return [
        []
        if '["ALL' in item["id"]
        else {**item, "id": identity_of(item["id"]), "value": values.get(f"{item['id']}.{item['property']}")}
        for item in items
    ]


def identity_of(name: str) -> Any:
    """The id of a component; where a pattern stands for one of several, some name that none of them has."""
    if not name.startswith("{"):
        return name
    return {key: "none" if isinstance(part, list) else part for key, part in json.loads(name).items()}


def filled_outputs(output: str) -> tuple[Any, Any]:
    """The outputs of a callback as the renderer sends them, and as it writes those that callbacks share."""
    if "." not in output:
        return None, None
    names = output[2:-2].split("...") if output.startswith("..") else [output]
    pairs = [name.rsplit(".", 1) for name in names]
    plain: list[Any] = [
        [] if '["ALL' in name else {"id": identity_of(name), "property": prop.split("@")[0]} for name, prop in pairs
    ]
    shared: list[Any] = [[] if '["ALL' in name else {"id": identity_of(name), "property": prop} for name, prop in pairs]
    return (plain, shared) if output.startswith("..") else (plain[0], shared[0])


def dispatch(test_client: Any, app: Any, output: str, *, changed: str | None = None, **values: Any) -> Any:
    """Post a well-formed body to a callback; `values` are by `id.property`, the rest is null.

    What has changed is the first input, unless another one is named.
    """
    spec = app.callback_map[output]
    # The router always sends both.
    values = {"_pages_location.pathname": "/", "_pages_location.search": "", **values}
    body = {
        "output": output,
        "outputs": filled_outputs(output)[0],
        "inputs": filled(spec["inputs"], **values),
        "state": filled(spec.get("state", []), **values),
        "changedPropIds": [changed] if changed else [f"{item['id']}.{item['property']}" for item in spec["inputs"][:1]],
    }
    return test_client.post("/_dash-update-component", json=body)


def csrf_token(signed_in: Any) -> str:
    """What the forms of the app carry for this person."""
    layout = signed_in.get("/_dash-layout").text
    found = re.search(r'"name":"csrf_token"[^}]*"value":"([^"]+)"|"value":"([^"]+)"[^}]*"name":"csrf_token"', layout)
    assert found is not None, layout[:500]
    return found[1] or found[2]
