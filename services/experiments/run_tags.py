"""Keys and values that a tracking client, or an import, noted about an experiment."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.run_tag import RunTag


def of(session: Session, experiment_id: int, most: int) -> dict[str, str]:
    """The keys of an experiment and their values, in order."""
    found = session.execute(
        select(RunTag.name, RunTag.value).where(RunTag.experiment_id == experiment_id).order_by(RunTag.name).limit(most)
    )
    return dict(found.all())


def keep(session: Session, experiment_id: int, tags: Mapping[str, str]) -> None:
    """Put keys to values; one that is there gets the new value."""
    if not tags:
        return
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(RunTag)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[RunTag.experiment_id, RunTag.name], set_={"value": insert.excluded.value}
        ),
        [{"experiment_id": experiment_id, "name": name, "value": value} for name, value in tags.items()],
    )
