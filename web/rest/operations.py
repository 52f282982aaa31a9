"""Operations of our own API: each is declared once, and that is what runs, what is guarded and what is documented."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel
from sqlalchemy.orm import Session

from database.engine import snapshot, transaction
from models.permissions import Permission
from services import idempotency, sudo
from services.limits import quotas
from web.api_record import never_sampled
from web.guard import API_KEY, KEY_OR_SESSION
from web.rest import answers, asked, principal
from web.rest.answers import TABLES, Answer, Reply
from web.rest.kinds import LARGEST_ID

PREFIX = "/api/v1"
Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address, with all that is known of it beforehand."""

    method: str
    path: str
    name: str
    group: str
    summary: str
    permission: Permission | None
    answer: type[BaseModel] | None
    status: int
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    table: type[BaseModel] | None = None  # the rows of the answer as CSV and Parquet
    refusals: tuple[int, ...] = ()
    conditional: bool = False  # changes only the state that If-Match names
    tagged: bool = False  # answers with an ETag
    sudo: bool = False
    export: bool = False  # as a file, or where it has no other form, it asks, counts and is noted as one of a page
    largest: int = LARGEST_ID  # number of a row
    look: Callable[[], Any] | None = None  # what is found out before a transaction opens
    keys_only: bool = False
    streams: bool = False
    by_itself: bool = False  # opens its own transactions, as something slow or counted happens between them
    description: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"

    @property
    def forms(self) -> tuple[str, ...]:
        """The forms of its answer."""
        return (asked.JSON,) if self.table is None else (asked.JSON, *TABLES)

    def is_export(self, form: str) -> bool:
        """Whether an answer in this form is something that somebody takes along."""
        return self.export and (self.table is None or form in TABLES)


OPERATIONS: list[Operation] = []


def operation(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    permission: Permission | None,
    answer: type[BaseModel] | None,
    status: int = 200,
    secret: bool = False,
    **more: Any,
) -> Callable[[Handler], Handler]:
    """Declare an operation; the function gets a session, the principal and what was asked for, and returns a model.

    `secret` keeps samples of it out of the record of requests.
    """

    def decorate(function: Handler) -> Handler:
        spec = Operation(
            method=method,
            path=f"{PREFIX}{path}",
            name=function.__name__,
            group=blueprint.name.removeprefix("v1_").replace("_", " "),
            summary=(function.__doc__ or "").strip().split("\n")[0],
            permission=permission,
            answer=answer,
            status=status,
            **more,
        )

        @functools.wraps(function)
        def view(**values: Any) -> Response:
            return _run(spec, function, values)

        marked: Any = never_sampled(view) if secret else view
        marked.needs = API_KEY if spec.keys_only else KEY_OR_SESSION
        marked.permission = permission
        blueprint.add_url_rule(path, function.__name__, view, methods=[method])
        OPERATIONS.append(spec)
        return function

    return decorate


def _run(spec: Operation, function: Handler, values: dict[str, Any]) -> Response:
    who = principal.of_request(spec.permission, keys_only=spec.keys_only)
    if spec.sudo and who.signed_in is not None:
        sudo.require(who.signed_in)
    # Beyond the largest number that a row can have nobody has one, and a database would not even read it.
    given = {name: min(value, spec.largest) if isinstance(value, int) else value for name, value in values.items()}
    form = asked.form(spec.forms) if not spec.streams else ""
    is_export = spec.is_export(form)
    if is_export and who.signed_in is not None:
        sudo.require(who.signed_in)
    given["query"] = asked.query(spec.query or asked.Query)
    spelled = b""
    if spec.body is not None:
        given["body"], spelled = asked.body(spec.body)
    if spec.conditional:
        given["expected"] = asked.conditions()
    if spec.streams:
        streamed: Response = function(who.actor, **given)
        return streamed
    if is_export and who.signed_in is not None:
        quotas.count_of_person(who.actor.user_id, "exports")  # those of a key count against its own limit
    if spec.look is not None:
        given["looked"] = spec.look()
    if spec.by_itself:
        return answers.response(_as_reply(function(who.actor, **given)), spec.status, form, spec.table)
    with _unit_of_work(writes=spec.writes or is_export) as session:
        repeat = _claim(session, who, spec, spelled)
        if repeat is not None and repeat.answered is not None:
            return _again(repeat.answered)
        reply = _as_reply(function(session, who.actor, **given))
        told = answers.response(reply, spec.status, form, spec.table)
        if repeat is not None:
            kept = {name: told.headers[name] for name in ("Location", "ETag") if name in told.headers}
            idempotency.keep(session, repeat, idempotency.Answered(spec.status, told.get_data(), kept))
    return told


def _unit_of_work(*, writes: bool) -> AbstractContextManager[Session]:
    return transaction() if writes else snapshot()


def _as_reply(value: Any) -> Reply:
    return value if isinstance(value, Reply) else Reply(value if isinstance(value, Answer) else None)


def _claim(session: Session, who: principal.Principal, spec: Operation, spelled: bytes) -> idempotency.Claim | None:
    key = asked.idempotency_key() if spec.method == "POST" else None
    if key is None:
        return None
    return idempotency.claim(session, who.actor, f"{spec.method} {request.path}", key, spelled)


def _again(answered: idempotency.Answered) -> Response:
    """The answer of the first time."""
    told = Response(answered.body, status=answered.status, mimetype=asked.JSON, headers=answered.headers)
    told.headers["Idempotency-Replayed"] = "true"
    return told
