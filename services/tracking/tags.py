"""Keys and values of runs: what has a column of ours goes there, the rest stays as it was said."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.run_tag import RunTag
from services.experiments import run_tags
from services.imports import parents
from services.tracking import values
from services.tracking.errors import InvalidParameter, NotThere

NOTE, NAME, PARENT, USER = "mlflow.note.content", "mlflow.runName", "mlflow.parentRunId", "mlflow.user"
MOST = 1000


def checked(given: Any, *, longest: int = values.LONGEST_TAG) -> dict[str, str]:
    """The tags of a request; of a key that is there twice the last one counts."""
    if given is None:
        return {}
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise InvalidParameter("Invalid value for parameter 'tags' supplied: Value must be a list of objects.")
    return {
        values.key(one.get("key"), f"tags[{place}].key"): values.text(
            one.get("value", ""), f"tags[{place}].value", longest=longest, shortened=True
        )
        for place, one in enumerate(given)
    }


def put(session: Session, experiment_id: int, given: Mapping[str, str]) -> None:
    """Keep tags of a run; a key that is there gets the new value."""
    if not given:
        return
    columns = {}
    if NOTE in given:
        columns["notes"] = given[NOTE] or None
    if given.get(NAME, "").strip():
        columns["given_name"] = given[NAME].strip()[: values.LONGEST_NAME]
    if columns:
        session.execute(update(Experiment).where(Experiment.id == experiment_id).values(columns))
    others = {name: value for name, value in given.items() if name not in (NOTE, NAME)}
    run_tags.keep(session, experiment_id, others)
    if others and session.execute(_too_many(experiment_id)).first():
        raise InvalidParameter(f"A run has at most {MOST:,} tags.")
    if given.get(PARENT):
        parents.join(session, session.get_one(Experiment, experiment_id), given[PARENT])


def _too_many(experiment_id: int) -> Any:
    return select(RunTag.name).where(RunTag.experiment_id == experiment_id).offset(MOST).limit(1)


def remove(session: Session, experiment_id: int, run_id: str, key: Any) -> None:
    """Take a key off a run."""
    name = values.key(key)
    if name == NOTE:
        found = session.scalar(select(Experiment.notes).where(Experiment.id == experiment_id))
        if found:
            session.execute(update(Experiment).where(Experiment.id == experiment_id).values(notes=None))
            return
    gone = session.execute(
        delete(RunTag).where(RunTag.experiment_id == experiment_id, RunTag.name == name).returning(RunTag.name)
    ).first()
    if gone is None:
        raise NotThere(f"No tag with name: {name} in run with id {run_id}")
