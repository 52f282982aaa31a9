"""Files whose run or model was removed for good go as well, and what broke off on its way in."""

import logging
import time
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.logged_model import LoggedModel
from services.errors import Invalid
from services.storage.chosen import store
from services.storage.errors import Missing
from services.storage.store import KINDS, At
from services.tracking import ids

logger = logging.getLogger(__name__)

AT_ONCE = 500
BROKEN_OFF_AFTER = 24 * 3600.0  # seconds: no upload takes as long


def owners() -> Iterator[list[str]]:
    """All who have files, some at a time; asked before the database is, as a run is there before its first file."""
    for kind in KINDS:
        names = store().owners(kind)
        while some := [f"{kind}/{name}" for name in islice(names, AT_ONCE)]:
            yield some


def of_nobody(session: Session, found: list[str]) -> list[str]:
    """Those of them who are no more; no id comes twice."""
    runs, models = (
        [owner.removeprefix(f"{kind}/") for owner in found if owner.startswith(f"{kind}/")] for kind in KINDS
    )
    rows = session.execute(
        select(Experiment.source, Experiment.source_id, Experiment.id).where(
            or_(false(), *(ids.run_condition(name) for name in runs if ids.is_run_id(name)))
        )
    )
    known = {f"runs/{ids.run_id(*row)}" for row in rows}
    saved = select(LoggedModel.model_id).where(LoggedModel.model_id.in_(models))
    known |= {f"models/{name}" for name in session.scalars(saved)}
    return [owner for owner in found if owner not in known]


def remove(owners: list[str], until: float) -> int:
    """Remove their files and return how many went; a store that is away ends it, as each further one would wait.

    None is begun once the time is over.
    """
    gone = 0
    for owner in owners:
        if time.monotonic() > until:
            break
        try:
            store().remove(At(owner))
            gone += 1
        except (Missing, Invalid, OSError) as error:
            logger.warning("the files of %s stay for now: %s", owner, error)
    return gone


def remove_broken_off() -> int:
    """Remove what has been on its way in for a day."""
    return store().remove_broken_off(BROKEN_OFF_AFTER)
