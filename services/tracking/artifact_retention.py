"""Files whose run or model was removed for good go as well, and what broke off on its way in."""

import contextlib
import os
import shutil
import time
from pathlib import Path

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.logged_model import LoggedModel
from services.tracking import artifacts, ids

AT_ONCE = 500
BROKEN_OFF_AFTER = 24 * 3600.0  # seconds: no upload takes as long


def purge(session: Session) -> int:
    """Remove what belongs to nobody any more; returns how many folders and files went."""
    # Both folders are read before the database is: a run is there before its first file, and no id comes twice.
    runs, models = _names(artifacts.root() / "runs"), _names(artifacts.root() / "models")
    return _of_runs(session, runs) + _of_models(session, models) + _broken_off()


def _of_runs(session: Session, found: list[list[str]]) -> int:
    gone = 0
    for names in found:
        rows = session.execute(
            select(Experiment.source, Experiment.source_id, Experiment.id).where(
                or_(false(), *(ids.run_condition(name) for name in names if ids.is_run_id(name)))
            )
        )
        known = {ids.run_id(*row) for row in rows}
        gone += _remove(artifacts.root() / "runs", [name for name in names if name not in known])
    return gone


def _of_models(session: Session, found: list[list[str]]) -> int:
    gone = 0
    for names in found:
        known = set(session.scalars(select(LoggedModel.model_id).where(LoggedModel.model_id.in_(names))))
        gone += _remove(artifacts.root() / "models", [name for name in names if name not in known])
    return gone


def _names(folder: Path) -> list[list[str]]:
    with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
        names = [entry.name for entry in entries]
    return [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]


def _remove(folder: Path, names: list[str]) -> int:
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
    return len(names)


def _broken_off() -> int:
    gone = 0
    for path in artifacts.coming().glob("*"):
        if path.stat().st_mtime < time.time() - BROKEN_OFF_AFTER:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
