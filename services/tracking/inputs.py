"""What a run was fed with: datasets by name and digest, and models."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.run_input import RunInput
from services.actor import Actor
from services.tracking import runs, values
from services.tracking.errors import InvalidParameter

MOST = 1000
DATASET, MODEL = "dataset", "model"
LONGEST_NAME, LONGEST_DIGEST, LONGEST_FACT = 500, 36, 65_535


def log(session: Session, actor: Actor, run_id: Any, datasets: Any, models: Any) -> None:
    """Keep what went into a run; the same again is kept once."""
    rows = [_dataset(one) for one in _list(datasets, "datasets")] + [_model(one) for one in _list(models, "models")]
    aim = runs.target(session, actor, run_id)
    if rows:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(
            dialect.insert(RunInput).on_conflict_do_nothing(), [{"experiment_id": aim.id, **row} for row in rows]
        )


def _list(given: Any, what: str) -> list[dict[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST or not all(isinstance(one, dict) for one in given):
        raise InvalidParameter(f"Invalid value for parameter '{what}' supplied: a list of at most {MOST} objects.")
    return given


def _dataset(given: dict[str, Any]) -> dict[str, Any]:
    facts = given.get("dataset")
    if not isinstance(facts, dict):
        raise InvalidParameter("Missing value for required parameter 'datasets.dataset'.")
    name = values.text(facts.get("name"), "datasets.dataset.name", longest=LONGEST_NAME)
    digest = values.text(facts.get("digest"), "datasets.dataset.digest", longest=LONGEST_DIGEST)
    kept = {
        field: values.text(facts[field], f"datasets.dataset.{field}", longest=LONGEST_FACT)
        for field in ("source_type", "source", "schema", "profile")
        if facts.get(field) is not None
    }
    labels = [
        {
            "key": values.text(one.get("key"), "datasets.tags.key", longest=255),
            "value": values.text(one.get("value"), "datasets.tags.value", longest=500),
        }
        for one in _list(given.get("tags"), "datasets.tags")
    ]
    return {"kind": DATASET, "name": name, "digest": digest, "facts": {"dataset": kept, "tags": labels}}


def _model(given: dict[str, Any]) -> dict[str, Any]:
    name = values.text(given.get("model_id"), "models.model_id", longest=LONGEST_NAME)
    return {"kind": MODEL, "name": name, "digest": "", "facts": {}}


def spoken(kind: str, name: str, digest: str, facts: dict[str, Any]) -> dict[str, Any]:
    """An input as MLflow writes it."""
    if kind == MODEL:
        return {"model_id": name}
    return {"tags": facts.get("tags", []), "dataset": {"name": name, "digest": digest, **facts.get("dataset", {})}}
