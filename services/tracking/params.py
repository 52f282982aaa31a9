"""Parameters of runs: set once, kept in full and as rows that lists filter by."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from services.experiments import lifecycle
from services.imports.limits import number_from_text
from services.imports.store import PLANNED
from services.tracking import values
from services.tracking.errors import InvalidParameter

MOST = 5000
LARGEST_PLAN = 2**31 - 1


def checked(given: Any) -> dict[str, str]:
    """The parameters of a request; the same key twice is refused, as MLflow does."""
    if given is None:
        return {}
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise InvalidParameter("Invalid value for parameter 'params' supplied: Value must be a list of objects.")
    found: dict[str, str] = {}
    for place, one in enumerate(given):
        name = values.key(one.get("key"), f"params[{place}].key")
        if name in found:
            raise InvalidParameter(f"Duplicate parameter keys have been submitted: ['{name}']")
        said = one.get("value", "")
        found[name] = values.text(said, f"params[{place}].value", longest=values.LONGEST_PARAM, shortened=True)
    return found


def spoken(value: Any) -> str:
    """A hyper-parameter as the text that it was logged as, or that it would be."""
    return value if isinstance(value, str) else str(value)


def _stored(text: str) -> Any:
    """A number where that says exactly the same, so that charts have axes; else the text."""
    number = number_from_text(text)
    return number if str(number) == text else text


def put(session: Session, experiment_id: int, run_id: str, given: Mapping[str, str]) -> None:
    """Keep parameters of a run that is locked; one that is set already may be said again and not be changed."""
    if not given:
        return
    known: dict[str, Any] = dict(
        session.scalar(select(Experiment.hyperparameters).where(Experiment.id == experiment_id)) or {}
    )
    changed = [
        {"key": name, "old_value": spoken(known[name]), "new_value": value}
        for name, value in given.items()
        if name in known and spoken(known[name]) != value
    ]
    if len(changed) == 1 and len(given) == 1:
        (one,) = changed
        raise InvalidParameter(
            f"Changing param values is not allowed. Param with key='{one['key']}' was already logged with "
            f"value='{one['old_value'][:500]}' for run ID='{run_id}'. Attempted logging new value "
            f"'{one['new_value'][:500]}'."
        )
    if changed:
        raise InvalidParameter(
            f"Changing param values is not allowed. Params were already logged='{str(changed)[:2000]}' "
            f"for run ID='{run_id}'."
        )
    fresh = {name: _stored(value) for name, value in given.items() if name not in known}
    if not fresh:
        return
    if len(known) + len(fresh) > MOST:
        raise InvalidParameter(f"A run has at most {MOST:,} parameters.")
    columns: dict[str, Any] = {"hyperparameters": known | fresh}
    planned = next((n for name in PLANNED if isinstance(n := fresh.get(name), int) and 0 < n <= LARGEST_PLAN), None)
    if planned is not None:
        columns["total_epochs"] = planned
    session.execute(update(Experiment).where(Experiment.id == experiment_id).values(columns))
    rows = [
        {
            "experiment_id": experiment_id,
            "name": name,
            "value_text": given[name][:250],
            "value_number": lifecycle.as_number(value),
        }
        for name, value in fresh.items()
    ]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(ExperimentParam).on_conflict_do_nothing(), rows)
