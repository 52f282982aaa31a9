"""MLflow's experiments, which are our groups: made, read, renamed, deleted with their runs, restored."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database.types import now
from models.experiment import Experiment
from models.experiment_group import ExperimentGroup
from models.permissions import Permission
from services import audit
from services.actor import Actor
from services.errors import Forbidden
from services.experiments import editing, groups
from services.experiments.groups import DEFAULT_ID, DEFAULT_NAME
from services.tracking import ids, values
from services.tracking.errors import AlreadyThere, InvalidParameter, NotThere

MOST_TAGS = 200


def get(session: Session, actor: Actor, given: Any, *, lock: bool = False, hold: bool = False) -> ExperimentGroup:
    """A group by its number, deleted or not, locked to be changed or held so that nobody changes it."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    number = ids.group_id(given)
    query = select(ExperimentGroup).where(ExperimentGroup.id == number)
    found = session.scalar(query.with_for_update(read=hold) if lock or hold else query)
    if found is None:
        raise NotThere(f"No Experiment with id={number} exists")
    return found


def deleted(group: ExperimentGroup) -> InvalidParameter:
    """The refusal to write into what is put aside."""
    return InvalidParameter(f"The experiment {group.id} must be in the 'active' state. Current state is deleted.")


def by_name(session: Session, actor: Actor, name: Any) -> ExperimentGroup:
    """A group by its name, deleted or not."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    wanted = values.text(name, "experiment_name")
    found = session.scalar(select(ExperimentGroup).where(ExperimentGroup.name == wanted))
    if found is None:
        raise NotThere(f"Could not find experiment with name '{wanted[:300]}'")
    return found


def create(session: Session, actor: Actor, name: Any, tags: Mapping[str, str]) -> int:
    """A new group."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    label = _name(name)
    groups.ensure_default(session)  # which is the oldest, as in MLflow
    _refuse_taken(session, label)
    group = ExperimentGroup(name=label, tags=dict(tags) or None, created_by=actor.user_id)
    try:
        with session.begin_nested():
            session.add(group)
    except IntegrityError:  # another process was faster
        _refuse_taken(session, label)
        raise
    return group.id


def _name(given: Any) -> str:
    if given is None or given == "":
        raise InvalidParameter("Missing value for required parameter 'name'.")
    label = values.text(given, "name", longest=values.LONGEST_NAME)
    if not label.strip():
        raise InvalidParameter("Invalid experiment name: it is blank.")
    return label


def _refuse_taken(session: Session, name: str) -> None:
    found = session.scalar(select(ExperimentGroup).where(ExperimentGroup.name == name))
    if found is None and name != DEFAULT_NAME:
        return
    if found is not None and found.deleted_at is not None:
        raise AlreadyThere(
            f"Experiment '{name}' already exists in deleted state. You can restore the experiment, or use another name."
        )
    raise AlreadyThere(f"Experiment(name={name}) already exists.")


def rename(session: Session, actor: Actor, given: Any, new_name: Any) -> None:
    """Another name, for the group and for each experiment that stands in it."""
    group = _writable(session, actor, given)
    label = _name(new_name)
    if group.id == DEFAULT_ID:
        raise InvalidParameter("The default experiment holds the runs without a group and keeps its name.")
    if group.deleted_at is not None:
        raise InvalidParameter("Cannot rename a non-active experiment.")
    _require_own(actor, group)
    if label == group.name:
        return
    _refuse_taken(session, label)
    before = group.name
    try:
        with session.begin_nested():
            group.name = label
    except IntegrityError as error:  # another process was faster
        raise AlreadyThere(f"Experiment(name={label}) already exists.") from error
    session.execute(
        update(Experiment)
        .where(Experiment.group_name == before)
        .values(group_name=label)
        .execution_options(synchronize_session=False)
    )
    audit.record(session, actor, "group.rename", group=before, name=label)


def set_tag(session: Session, actor: Actor, given: Any, key: Any, value: Any) -> None:
    """Put one key of a group to a value."""
    name = values.key(key)
    said = values.text(value, "value", longest=values.LONGEST_GROUP_TAG)
    group = _writable(session, actor, given)
    if group.deleted_at is not None:
        raise deleted(group)
    tags = dict(group.tags or {}) | {name: said}
    if len(tags) > MOST_TAGS:
        raise InvalidParameter(f"An experiment has at most {MOST_TAGS} tags.")
    group.tags = tags


def delete_tag(session: Session, actor: Actor, given: Any, key: Any) -> None:
    """Take a key off a group."""
    group = _writable(session, actor, given)
    tags = dict(group.tags or {})
    if tags.pop(values.key(key), None) is None:
        raise NotThere(f"No tag with name: {key} in experiment with id {group.id}")
    group.tags = tags or None


def delete(session: Session, actor: Actor, given: Any) -> None:
    """Put a group aside with all its experiments."""
    group = get(session, actor, given, lock=True)
    if group.id == DEFAULT_ID:
        raise InvalidParameter("The default experiment holds the runs without a group and cannot be deleted.")
    if group.deleted_at is not None:
        raise NotThere(f"No Experiment with id={group.id} exists")
    _require_deleting(actor, group)
    group.deleted_at = now()
    wanted = session.scalars(
        select(Experiment.id).where(Experiment.group_name == group.name, Experiment.deleted_at.is_(None))
    ).all()
    for start in range(0, len(wanted), editing.MOST_AT_ONCE):
        editing.delete_experiments(session, actor, wanted[start : start + editing.MOST_AT_ONCE])
    audit.record(session, actor, "group.delete", group=group.name)


def restore(session: Session, actor: Actor, given: Any) -> None:
    """Bring a group back, with the experiments that went with it."""
    group = get(session, actor, given, lock=True)
    if group.deleted_at is None:
        raise NotThere(f"No deleted Experiment with id={group.id} exists")
    _require_deleting(actor, group)
    went_along = session.scalars(
        select(Experiment.id).where(Experiment.group_name == group.name, Experiment.deleted_at >= group.deleted_at)
    ).all()
    group.deleted_at = None
    for start in range(0, len(went_along), editing.MOST_AT_ONCE):
        editing.restore_experiments(session, actor, went_along[start : start + editing.MOST_AT_ONCE])
    audit.record(session, actor, "group.restore", group=group.name)


def _writable(session: Session, actor: Actor, given: Any) -> ExperimentGroup:
    actor.require(Permission.CREATE_EXPERIMENTS)
    if ids.group_id(given) == DEFAULT_ID:
        groups.ensure_default(session)
    return get(session, actor, given, lock=True)


def _require_own(actor: Actor, group: ExperimentGroup) -> None:
    if group.created_by != actor.user_id and not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        raise Forbidden("This experiment is another person's; only they and admins rename, delete or restore it.")


def _require_deleting(actor: Actor, group: ExperimentGroup) -> None:
    if not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        actor.require(Permission.DELETE_OWN_EXPERIMENTS)
    _require_own(actor, group)


def holds(group_ids: Mapping[int, str]) -> ColumnElement[bool]:
    """Which experiments stand in these groups, given as number and name."""
    names = list(group_ids.values())
    if DEFAULT_ID in group_ids:
        return or_(Experiment.group_name.is_(None), Experiment.group_name.in_([*names, DEFAULT_NAME, ""]))
    return Experiment.group_name.in_(names)


def named(session: Session, given: Any) -> dict[int, str]:
    """The names of groups by their numbers; what is not there is left out, as MLflow does."""
    if not isinstance(given, list) or not given:
        return {}
    if len(given) > 1000:
        raise InvalidParameter("At most 1000 experiment_ids at once.")
    wanted = {ids.group_id(number) for number in given}
    found = session.execute(
        select(ExperimentGroup.id, ExperimentGroup.name).where(ExperimentGroup.id.in_(sorted(wanted)))
    )
    names: dict[int, str] = dict(found.all())
    if DEFAULT_ID in wanted:
        names.setdefault(DEFAULT_ID, DEFAULT_NAME)
    return names


def spoken(group: ExperimentGroup) -> dict[str, Any]:
    """A group as MLflow writes it."""
    return {
        "experiment_id": str(group.id),
        "name": group.name,
        "artifact_location": f"mlflow-artifacts:/{group.id}",
        "lifecycle_stage": "active" if group.deleted_at is None else "deleted",
        "creation_time": values.in_milliseconds(group.created_at),
        "last_update_time": values.in_milliseconds(group.updated_at),
        "tags": [{"key": key, "value": value} for key, value in (group.tags or {}).items()],
    }
