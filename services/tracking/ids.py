"""How runs and groups are named to a tracking client."""

import re
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_

from models.experiment import Experiment
from services.tracking.errors import InvalidParameter, NotThere

SOURCE = "mlflow"
_RUN = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ZEROS = "0" * 24  # no random number begins so: what follows is the number of an experiment that came another way


def run_id(source: str | None, source_id: str | None, number: int) -> str:
    """The run id of an experiment: the one it was logged under, else its own number."""
    if source == SOURCE and source_id and _RUN.fullmatch(source_id):
        return source_id
    return f"{number:032x}"


def run_condition(given: Any) -> ColumnElement[bool]:
    """Which experiment a run id names."""
    if not isinstance(given, str) or not given:
        raise InvalidParameter("Missing value for required parameter 'run_id'.")
    if not _RUN.fullmatch(given):
        raise NotThere(f"Run with id={given[:64]} not found")
    if given.startswith(_ZEROS):
        number = int(given, 16)
        if number >= 2**31:
            raise NotThere(f"Run with id={given} not found")
        logged = and_(Experiment.source == SOURCE, func.length(Experiment.source_id) == len(given))
        return and_(Experiment.id == number, not_(func.coalesce(logged, False)))
    return and_(Experiment.source == SOURCE, Experiment.source_id == given)


def is_logged(given: Any) -> bool:
    """Whether this is the id of a run that was logged under it."""
    return isinstance(given, str) and _RUN.fullmatch(given) is not None and not given.startswith(_ZEROS)


def group_id(given: Any) -> int:
    """The number of a group; what is no number names nothing."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str) or not given:
        raise InvalidParameter("Missing value for required parameter 'experiment_id'.")
    if not re.fullmatch(r"[0-9]{1,10}", given, re.ASCII) or int(given) >= 2**31:
        raise NotThere(f"No Experiment with id={given[:64]} exists")
    return int(given)


def is_run_id(given: str) -> bool:
    """Whether some run could have this id."""
    return _RUN.fullmatch(given) is not None and not (given.startswith(_ZEROS) and int(given, 16) >= 2**31)
