"""`/api/v1/hpo-campaigns` and `/api/v1/nas-campaigns` with their trials."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from api.v1._experiment_models import Status
from models.permissions import Permission
from services import hpo_campaigns, nas_campaigns
from services.actor import Actor
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.asked import Body
from web.rest.kinds import NAMED, WHOLE, Id, Json, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_campaigns", __name__, url_prefix=PREFIX)
HPO, NAS = "/hpo-campaigns", "/nas-campaigns"
Method = Literal["grid_search", "random_search", "bayesian", "hyperband"]
Space = Annotated[Json, Field(max_length=500)]


class HPOCampaign(Answer):
    """A search over hyper-parameters; its trials are experiments."""

    id: int
    name: str
    method: Method
    status: Status
    base_model_type: str | None
    dataset_id: int | None
    dataset: str | None
    search_space: Json | None
    budget: Json | None
    trials_completed: int
    trials_total: int | None
    best_experiment_id: int | None
    best_accuracy: float | None
    owner: str | None
    created_at: datetime
    updated_at: datetime


class Trial(Answer):
    """An experiment of a campaign."""

    id: int
    name: str
    status: Status
    hyperparameters: Json | None
    metrics: Json | None
    epochs_completed: int
    duration_seconds: float | None


class NASCampaign(Answer):
    """A search over architectures."""

    id: int
    name: str
    dataset_id: int
    dataset: str | None
    search_algorithm: str
    num_trials: int
    max_epochs_per_trial: int
    search_space_config: Json | None
    status: str
    best_trial_id: int | None
    best_accuracy: float | None
    error_message: str | None
    owner: str | None
    created_at: datetime
    updated_at: datetime


class NASTrial(Answer):
    """One architecture that was trained and scored."""

    id: int
    trial_number: int
    architecture: Json | None
    architecture_hash: str | None
    validation_accuracy: float | None
    validation_loss: float | None
    training_time: float | None
    num_parameters: int | None
    flops: int | None
    model_size_mb: float | None
    metrics: Json | None


class CampaignQuery(Paged):
    """Which campaigns."""

    status: Status | None = None


class NewHPOCampaign(Body):
    """A search to be made."""

    name: Annotated[str, line(255, 1), NAMED]
    method: Method
    dataset_id: Id | None = None
    base_model_type: Annotated[str, line(50, 1)] | None = None
    search_space: Space = {}
    budget: Space = {}
    trials_total: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] | None = None


class NewNASCampaign(Body):
    """A search to be made."""

    name: Annotated[str, line(200, 1), NAMED]
    dataset_id: Id
    search_algorithm: Annotated[str, line(50, 1)]
    num_trials: Annotated[int, Field(ge=1, le=1_000_000), WHOLE]
    max_epochs_per_trial: Annotated[int, Field(ge=1, le=1_000_000), WHOLE]
    search_space: Space = {}


def _hpo(found: Any) -> HPOCampaign:
    row, owner, dataset = found
    return HPOCampaign.from_row(row, owner=owner, dataset=dataset)


def _nas(found: Any) -> NASCampaign:
    row, owner, dataset = found
    return NASCampaign.from_row(row, owner=owner, dataset=dataset)


@operation(
    blueprint,
    "GET",
    HPO,
    permission=Permission.VIEW_HPO_RESULTS,
    query=CampaignQuery,
    answer=Listed[HPOCampaign],
    table=HPOCampaign,
)
def list_hpo_campaigns(session: Session, actor: Actor, query: CampaignQuery) -> Reply:
    """The searches over hyper-parameters, the newest first"""
    rows, following = hpo_campaigns.page(session, actor, **query.model_dump())
    return listed(Listed[HPOCampaign](items=[_hpo(row) for row in rows], next=following))


@operation(blueprint, "GET", f"{HPO}/<int:number>", permission=Permission.VIEW_HPO_RESULTS, answer=HPOCampaign)
def get_hpo_campaign(session: Session, actor: Actor, number: int, **_: Any) -> HPOCampaign:
    """One search over hyper-parameters"""
    return _hpo(hpo_campaigns.get(session, actor, number))


@operation(
    blueprint,
    "GET",
    f"{HPO}/<int:number>/trials",
    permission=Permission.VIEW_HPO_RESULTS,
    query=Paged,
    answer=Listed[Trial],
    table=Trial,
)
def list_hpo_trials(session: Session, actor: Actor, number: int, query: Paged) -> Reply:
    """The experiments of a search over hyper-parameters"""
    rows, following = hpo_campaigns.trials(session, actor, number, limit=query.limit, cursor=query.cursor)
    items = [Trial.from_row(row[0], name=row[0].shown_name) for row in rows]
    return listed(Listed[Trial](items=items, next=following))


@operation(
    blueprint,
    "POST",
    HPO,
    permission=Permission.RUN_HPO_CAMPAIGNS,
    body=NewHPOCampaign,
    answer=HPOCampaign,
    status=201,
    refusals=(409,),
    description="It waits: what runs searches comes with a later version. Reading the answer needs `view_hpo_results`.",
)
def create_hpo_campaign(session: Session, actor: Actor, body: NewHPOCampaign, **_: Any) -> Reply:
    """Plan a search over hyper-parameters"""
    made = hpo_campaigns.create(session, actor, **body.model_dump())
    told = _hpo(hpo_campaigns.get(session, actor, made.id))
    return Reply(told, {"Location": f"{PREFIX}{HPO}/{made.id}"})


@operation(
    blueprint,
    "DELETE",
    f"{HPO}/<int:number>",
    permission=Permission.RUN_HPO_CAMPAIGNS,
    answer=None,
    status=204,
    refusals=(409,),
)
def cancel_hpo_campaign(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Withdraw a search over hyper-parameters that has not ended; it stays readable as cancelled"""
    hpo_campaigns.cancel(session, actor, number)


@operation(
    blueprint,
    "GET",
    NAS,
    permission=Permission.VIEW_HPO_RESULTS,
    query=CampaignQuery,
    answer=Listed[NASCampaign],
    table=NASCampaign,
)
def list_nas_campaigns(session: Session, actor: Actor, query: CampaignQuery) -> Reply:
    """The searches over architectures, the newest first"""
    rows, following = nas_campaigns.page(session, actor, **query.model_dump())
    return listed(Listed[NASCampaign](items=[_nas(row) for row in rows], next=following))


@operation(blueprint, "GET", f"{NAS}/<int:number>", permission=Permission.VIEW_HPO_RESULTS, answer=NASCampaign)
def get_nas_campaign(session: Session, actor: Actor, number: int, **_: Any) -> NASCampaign:
    """One search over architectures"""
    return _nas(nas_campaigns.get(session, actor, number))


@operation(
    blueprint,
    "GET",
    f"{NAS}/<int:number>/trials",
    permission=Permission.VIEW_HPO_RESULTS,
    query=Paged,
    answer=Listed[NASTrial],
    table=NASTrial,
)
def list_nas_trials(session: Session, actor: Actor, number: int, query: Paged) -> Reply:
    """The architectures that a search has tried"""
    rows, following = nas_campaigns.trials(session, actor, number, limit=query.limit, cursor=query.cursor)
    return listed(Listed[NASTrial](items=[NASTrial.from_row(row[0]) for row in rows], next=following))


@operation(
    blueprint,
    "POST",
    NAS,
    permission=Permission.RUN_HPO_CAMPAIGNS,
    body=NewNASCampaign,
    answer=NASCampaign,
    status=201,
    description="It waits: what runs searches comes later. Needs `view_hpo_results` and `view_datasets`.",
)
def create_nas_campaign(session: Session, actor: Actor, body: NewNASCampaign, **_: Any) -> Reply:
    """Plan a search over architectures"""
    made = nas_campaigns.create(session, actor, **body.model_dump())
    told = _nas(nas_campaigns.get(session, actor, made.id))
    return Reply(told, {"Location": f"{PREFIX}{NAS}/{made.id}"})


@operation(
    blueprint,
    "DELETE",
    f"{NAS}/<int:number>",
    permission=Permission.RUN_HPO_CAMPAIGNS,
    answer=None,
    status=204,
    refusals=(409,),
)
def cancel_nas_campaign(session: Session, actor: Actor, number: int, **_: Any) -> None:
    """Withdraw a search over architectures that has not ended; it stays readable as cancelled"""
    nas_campaigns.cancel(session, actor, number)
