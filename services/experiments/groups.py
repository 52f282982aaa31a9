"""Groups of experiments: a row for each name, made where a new one appears."""

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from database.types import now
from models.experiment_group import ExperimentGroup

DEFAULT_ID, DEFAULT_NAME = 0, "Default"  # where experiments without a group stand


def ensure(session: Session, name: str | None, created_by: int | None = None) -> int:
    """The number of the group of this name, made where it is new; a deleted one that is used again is back."""
    if not name or name == DEFAULT_NAME:
        return ensure_default(session)
    # Held until the experiment is in it: it would else keep the old name of a group that is renamed at the same moment.
    is_named = ExperimentGroup.name == name
    there = select(ExperimentGroup.id).where(is_named, ExperimentGroup.deleted_at.is_(None)).with_for_update(read=True)
    found = session.scalar(there)
    if found is None:
        _insert(session, name=name, created_by=created_by)
        back = update(ExperimentGroup).where(is_named, ExperimentGroup.deleted_at.is_not(None))
        session.execute(back.values(deleted_at=None))
        found = session.scalars(there).one()
    return found


def ensure_default(session: Session) -> int:
    """The group of experiments without one, made on first use."""
    if not has_default(session):
        _insert(session, id=DEFAULT_ID, name=DEFAULT_NAME)
    return DEFAULT_ID


def has_default(session: Session) -> bool:
    """Whether it is there."""
    return session.scalar(select(ExperimentGroup.id).where(ExperimentGroup.id == DEFAULT_ID)) is not None


def _insert(session: Session, **columns: object) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    moment = now()
    row = {**columns, "created_at": moment, "updated_at": moment}
    session.execute(dialect.insert(ExperimentGroup).values(row).on_conflict_do_nothing())
