"""The decorators that seed 000 names: who comes through, who is refused, and how."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine

from models import permissions
from models.permissions import (
    AuthenticationRequired,
    Permission,
    PermissionDenied,
    Role,
    admin_required,
    operator_required,
    require_permission,
    require_role,
    require_sign_in,
    super_admin_required,
)
from pages import _page
from services.actor import Actor
from web import identity


@dataclass
class Somebody:
    role: str


DECORATORS: dict[str, tuple[Any, set[Role]]] = {
    "require_sign_in": (require_sign_in, set(Role)),
    "require_permission": (require_permission(Permission.MANAGE_USERS), {Role.ADMIN, Role.SUPER_ADMIN}),
    "require_role": (require_role(Role.VIEWER), {Role.VIEWER}),
    "operator_required": (operator_required, {Role.OPERATOR, Role.ADMIN, Role.SUPER_ADMIN}),
    "admin_required": (admin_required, {Role.ADMIN, Role.SUPER_ADMIN}),
    "super_admin_required": (super_admin_required, {Role.SUPER_ADMIN}),
}


@pytest.mark.parametrize("role", [*Role, "a word that is no role"])
@pytest.mark.parametrize("name", DECORATORS)
def test_lets_in_who_may_and_refuses_the_others(monkeypatch: pytest.MonkeyPatch, name: str, role: str) -> None:
    decorate, may = DECORATORS[name]
    monkeypatch.setattr(permissions, "_who", lambda: Somebody(role))
    guarded = decorate(lambda: "done")
    if role in may or name == "require_sign_in":
        assert guarded() == "done"
    else:
        with pytest.raises(PermissionDenied):
            guarded()


@pytest.mark.parametrize("name", DECORATORS)
def test_nobody_is_asked_to_sign_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(permissions, "_who", lambda: None)
    with pytest.raises(AuthenticationRequired):
        DECORATORS[name][0](lambda: "done")()


@pytest.mark.parametrize("name", DECORATORS)
def test_what_it_asks_for_can_be_read_at_the_start(name: str) -> None:
    assert DECORATORS[name][0](lambda: "done").needs


@pytest.mark.parametrize("role", list(Role))
def test_what_a_page_shows_asks_once_more(monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    """The dispatcher has asked before; a layout that something else calls is not open for that."""
    monkeypatch.setattr(_page, "current_actor", lambda: Actor(1, "x", role, permissions.ROLE_PERMISSIONS[role]))
    shown = _page.requires(Permission.MANAGE_USERS)(lambda: "done")
    if role in {Role.ADMIN, Role.SUPER_ADMIN}:
        assert shown() == "done"
    else:
        with pytest.raises(PermissionDenied):
            shown()


@pytest.mark.parametrize("asked", [identity.current_actor, identity.current_session])
def test_where_nobody_is_signed_in_nobody_is_taken_for_someone(dash_app: Any, sqlite: Engine, asked: Any) -> None:
    with dash_app.server.test_request_context("/"), pytest.raises(AuthenticationRequired):
        asked()
