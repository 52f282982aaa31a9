"""`/api/v1/roles`: what each role may do, and which of them need a second factor."""

from typing import Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import ROLE_PERMISSIONS, Permission
from models.permissions import Role as RoleName
from services.actor import Actor
from services.second_factor import policy
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.asked import Body
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_roles", __name__, url_prefix=PREFIX)
ROLES = "/roles"
Word = Literal["viewer", "operator", "admin", "super_admin"]


class Role(Answer):
    """A role; what it may do is fixed by the version of the product."""

    role: Word
    permissions: list[str]
    needs_second_factor: bool


class SecondFactorPolicy(Body):
    """Which roles need a second factor."""

    roles: list[Word] = Field(max_length=4, description="All of them; others need none.")


@operation(
    blueprint, "GET", ROLES, permission=Permission.MANAGE_USERS, answer=Listed[Role], table=Role,
    description="For admins who are signed in; a key never touches accounts.",
)  # fmt: skip
def list_roles(session: Session, actor: Actor, **_: Any) -> Reply:
    """The roles and what each may do"""
    return listed(_roles(session))


def _roles(session: Session) -> Listed[Role]:
    needed = policy.required_roles(session)
    return Listed[Role](
        items=[
            Role(
                role=role.value,
                permissions=[one.value for one in Permission if one in ROLE_PERMISSIONS[role]],
                needs_second_factor=role.value in needed,
            )
            for role in RoleName
        ]
    )


@operation(
    blueprint,
    "PUT",
    f"{ROLES}/second-factor",
    permission=Permission.SECURITY_SETTINGS,
    body=SecondFactorPolicy,
    answer=Listed[Role],
    sudo=True,
    description="Who has none is led to its set-up at the next click; nobody is locked out.",
)
def require_second_factor(session: Session, actor: Actor, body: SecondFactorPolicy, **_: Any) -> Listed[Role]:
    """Say which roles need a second factor"""
    policy.require_for(session, actor, list(body.roles))
    session.flush()
    return _roles(session)
