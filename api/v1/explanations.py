"""`/api/v1/explanations`: why a model said so about a signal, as the programs that explain it report."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from models.permissions import Permission
from services import explanations
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.asked import Body
from web.rest.kinds import Id, Json, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_explanations", __name__, url_prefix=PREFIX)
EXPLANATIONS = "/explanations"
ONE = f"{EXPLANATIONS}/<int:number>"
SignalId = Annotated[str, line(100, 1)]
Method = Annotated[str, line(50, 1)]


class Explanation(Answer):
    """Why a model said so about a signal."""

    id: int
    experiment_id: int
    signal_id: str
    method: str
    explanation_data: Json | None
    created_at: datetime


class ExplanationQuery(Paged):
    """Which explanations."""

    experiment_id: Id | None = None
    signal_id: SignalId | None = None
    method: Method | None = None


class NewExplanation(Body):
    """What an explanation has found."""

    experiment_id: Id
    signal_id: SignalId
    method: Method = Field(description="How it was found, such as `shap` or `grad_cam`.")
    explanation_data: Annotated[Json, Field(max_length=500)] = Field(
        description="What was found, as the method says it."
    )


@operation(
    blueprint,
    "GET",
    EXPLANATIONS,
    permission=Permission.VIEW_XAI_EXPLANATIONS,
    query=ExplanationQuery,
    answer=Listed[Explanation],
    table=Explanation,
)
def list_explanations(session: Session, actor: Actor, query: ExplanationQuery) -> Reply:
    """The explanations of predictions, the newest first"""
    rows, following = explanations.page(session, actor, **query.model_dump())
    return listed(Listed[Explanation](items=[Explanation.from_row(row[0]) for row in rows], next=following))


@operation(
    blueprint,
    "GET",
    ONE,
    permission=Permission.VIEW_XAI_EXPLANATIONS,
    answer=Explanation,
)
def get_explanation(session: Session, actor: Actor, number: int, **_: Any) -> Explanation:
    """One explanation"""
    return Explanation.from_row(explanations.get(session, actor, number))


@operation(
    blueprint,
    "POST",
    EXPLANATIONS,
    permission=Permission.USE_XAI_DASHBOARD,
    body=NewExplanation,
    answer=Explanation,
    status=201,
    description="Reading the answer needs `view_xai_explanations`.",
)
def create_explanation(session: Session, actor: Actor, body: NewExplanation, **_: Any) -> Reply:
    """Keep an explanation of an experiment that you see"""
    made = explanations.create(session, actor, **body.model_dump())
    return Reply(Explanation.from_row(made), {"Location": f"{PREFIX}{EXPLANATIONS}/{made.id}"})


@operation(blueprint, "DELETE", ONE, permission=Permission.USE_XAI_DASHBOARD, answer=None, status=204)
def delete_explanation(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Remove an explanation of your experiment; admins remove any"""
    explanations.remove(session, actor, number)
