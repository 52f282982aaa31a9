"""`/api/v1/me` and `/api/v1/openapi.json`: who a key is, and all that can be asked."""

from typing import Any

from flask import Blueprint
from pydantic import ConfigDict
from sqlalchemy.orm import Session

from services.actor import Actor
from web.rest.answers import Answer
from web.rest.document import document
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_about", __name__, url_prefix=PREFIX)


class Me(Answer):
    """The owner of a key, and what the key may do at this moment."""

    user: str
    role: str
    scopes: list[str]


class Document(Answer):
    """An OpenAPI 3.1 document."""

    model_config = ConfigDict(extra="allow")

    openapi: str


@operation(blueprint, "GET", "/me", permission=None, answer=Me, keys_only=True)
def me(session: Session, actor: Actor, **_: Any) -> Me:
    """The owner of the key, and what the key may do at this moment"""
    scopes = sorted(permission.value for permission in actor.permissions)
    return Me(user=actor.username, role=actor.role, scopes=scopes)


@operation(blueprint, "GET", "/openapi.json", permission=None, answer=Document)
def openapi(session: Session, actor: Actor, **_: Any) -> Document:
    """This document"""
    return Document.model_validate(document())
