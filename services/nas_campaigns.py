"""Searches over architectures: listed, read with their trials, planned, withdrawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.dataset import Dataset
from models.nas_campaign import NASCampaign, NASTrial
from models.permissions import Permission
from models.user import User
from services import audit, cursors, datasets
from services.actor import Actor
from services.errors import Conflict, Forbidden, Invalid, NotFound
from services.owners import shown_name
from services.text import clean

WAITING = frozenset({"pending", "running", "paused"})


def visible_to(actor: Actor) -> Select[Any]:
    """Every read of these campaigns starts here: a team's are the team's; with owner and dataset."""
    actor.require(Permission.VIEW_HPO_RESULTS)
    return (
        select(NASCampaign, shown_name(), Dataset.name)
        .outerjoin(User, User.id == NASCampaign.created_by)
        .outerjoin(Dataset, Dataset.id == NASCampaign.dataset_id)
    )


def page(
    session: Session, actor: Actor, *, status: str | None = None, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """The newest campaigns, and where the next page begins."""
    query = visible_to(actor)
    if status is not None:
        query = query.where(NASCampaign.status == status)
    return cursors.page(session, query, NASCampaign.id, limit=limit, cursor=cursor, about=["nas", status])


def get(session: Session, actor: Actor, number: int) -> Any:
    """One campaign with its owner and dataset."""
    found = session.execute(visible_to(actor).where(NASCampaign.id == number)).first() if number < 2**31 else None
    if found is None:
        raise NotFound("campaign")
    return found


def trials(
    session: Session, actor: Actor, number: int, *, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """The architectures that a campaign has tried, in their order."""
    get(session, actor, number)
    query = select(NASTrial).where(NASTrial.campaign_id == number)
    about = ["nas-trials", number]
    return cursors.page(session, query, NASTrial.id, limit=limit, cursor=cursor, about=about, ascending=True)


def create(
    session: Session,
    actor: Actor,
    *,
    name: str,
    dataset_id: int,
    search_algorithm: str,
    num_trials: int,
    max_epochs_per_trial: int,
    search_space: Mapping[str, Any] | None = None,
) -> NASCampaign:
    """Plan a campaign; it waits."""
    actor.require(Permission.RUN_HPO_CAMPAIGNS)
    try:
        datasets.get(session, actor, dataset_id)
    except NotFound as error:
        raise Invalid("There is no such dataset.", field="dataset_id") from error
    campaign = NASCampaign(
        name=clean(name, field="name", longest=200, shortest=1),
        dataset_id=dataset_id,
        search_algorithm=search_algorithm,
        num_trials=num_trials,
        max_epochs_per_trial=max_epochs_per_trial,
        search_space_config=dict(search_space or {}),
        created_by=actor.user_id,
    )
    session.add(campaign)
    session.flush()
    audit.record(session, actor, "nas_campaign.create", campaign=campaign.id, name=campaign.name)
    return campaign


def cancel(session: Session, actor: Actor, number: int) -> None:
    """Withdraw a campaign that has not ended: one's own, or anybody's for admins."""
    actor.require(Permission.RUN_HPO_CAMPAIGNS)
    query = select(NASCampaign).where(NASCampaign.id == number).with_for_update()
    campaign = session.scalar(query) if number < 2**31 else None
    if campaign is None:
        raise NotFound("campaign")
    if campaign.created_by != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This campaign is another person's; only they and admins stop it.")
    if campaign.status not in WAITING:
        raise Conflict(f"“{campaign.name}” has already ended.")
    campaign.status = "cancelled"
    session.flush()
    audit.record(session, actor, "nas_campaign.cancel", campaign=number)
