"""Searches over hyper-parameters: listed, read with their trials, planned, withdrawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.dataset import Dataset
from models.experiment import ACTIVE, Experiment, ExperimentStatus
from models.hpo_campaign import HPOCampaign, HPOMethod
from models.permissions import Permission
from models.user import User
from services import audit, cursors, datasets
from services.actor import Actor
from services.errors import Conflict, Forbidden, Invalid, NotFound
from services.experiments.access import visibility
from services.owners import shown_name
from services.text import clean


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of these campaigns starts here: a team's are the team's; with owner and dataset."""
    actor.require(Permission.VIEW_HPO_RESULTS)
    return (
        select(HPOCampaign, shown_name(), Dataset.name)
        .outerjoin(User, User.id == HPOCampaign.created_by)
        .outerjoin(Dataset, Dataset.id == HPOCampaign.dataset_id)
    )


def page(
    session: Session, actor: Actor, *, status: str | None = None, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """The newest campaigns, and where the next page begins."""
    query = visible_to(actor)
    if status is not None:
        query = query.where(HPOCampaign.status == ExperimentStatus(status))
    return cursors.page(session, query, HPOCampaign.id, limit=limit, cursor=cursor, about=["hpo", status])


def get(session: Session, actor: Actor, number: int) -> Any:
    """One campaign with its owner and dataset."""
    found = session.execute(visible_to(actor).where(HPOCampaign.id == number)).first() if number < 2**31 else None
    if found is None:
        raise NotFound("campaign")
    return found


def trials(
    session: Session, actor: Actor, number: int, *, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """The experiments of a campaign that the actor sees, in their order."""
    get(session, actor, number)
    query = select(Experiment).where(Experiment.hpo_campaign_id == number, *visibility(actor))
    about = ["hpo-trials", number]
    return cursors.page(session, query, Experiment.id, limit=limit, cursor=cursor, about=about, ascending=True)


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    method: str,
    dataset_id: int | None = None,
    base_model_type: str | None = None,
    search_space: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    trials_total: int | None = None,
) -> HPOCampaign:
    """Plan a campaign; it waits."""
    actor.require(Permission.RUN_HPO_CAMPAIGNS)
    label = clean(name, field="name", longest=255, shortest=1)
    if session.scalar(select(HPOCampaign.id).where(HPOCampaign.name == label)) is not None:
        raise Conflict(f"There is a campaign “{label}” already.")
    if dataset_id is not None:
        try:
            datasets.get(session, actor, dataset_id)
        except NotFound as error:
            raise Invalid("There is no such dataset.", field="dataset_id") from error
    campaign = HPOCampaign(
        name=label,
        method=HPOMethod(method),
        dataset_id=dataset_id,
        base_model_type=base_model_type,
        search_space=dict(search_space or {}),
        budget=dict(budget or {}),
        trials_total=trials_total,
        created_by=actor.user_id,
    )
    session.add(campaign)
    session.flush()
    audit.record(session, actor, "hpo_campaign.create", campaign=campaign.id, name=label)
    return campaign


def cancel(session: Session, actor: Actor, number: int) -> None:
    """Withdraw a campaign that has not ended: one's own, or anybody's for admins."""
    actor.require(Permission.RUN_HPO_CAMPAIGNS)
    query = select(HPOCampaign).where(HPOCampaign.id == number).with_for_update()
    campaign = session.scalar(query) if number < 2**31 else None
    if campaign is None:
        raise NotFound("campaign")
    if campaign.created_by != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This campaign is another person's; only they and admins stop it.")
    if campaign.status not in ACTIVE:
        raise Conflict(f"“{campaign.name}” has already ended.")
    campaign.status = ExperimentStatus.CANCELLED
    session.flush()
    audit.record(session, actor, "hpo_campaign.cancel", campaign=number)
