"""How MLflow names things, whether it keeps them in files or in a database."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.imports.epochs import epochs_from_series
from services.imports.limits import (
    MAX_NAME_LENGTH,
    MAX_TEXT_BYTES,
    checked_count,
    checked_integer,
    checked_key,
    checked_step,
    checked_text,
    clean_text,
    finite_time,
    moment,
    number_from_text,
    shortened,
)
from services.imports.run import BadValue, ImportedRun, ImportedSeries, RunStatus, model_type_of

_STATUS: Mapping[str, RunStatus] = {
    "RUNNING": "running",
    "SCHEDULED": "pending",
    "FINISHED": "completed",
    "FAILED": "failed",
    "KILLED": "cancelled",
}
# The file store writes the number of the enumeration instead.
_STATUS_NAMES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_SYSTEM_PREFIX = "mlflow."
_NOTE, _NAME, _PARENT, _USER = "mlflow.note.content", "mlflow.runName", "mlflow.parentRunId", "mlflow.user"
_CONFIG_TAGS = {
    "mlflow.source.name": "source_name",
    "mlflow.source.type": "source_type",
    "mlflow.source.git.commit": "git_commit",
    "mlflow.source.git.branch": "git_branch",
    "mlflow.source.git.repoURL": "git_repository",
    "mlflow.project.entryPoint": "entry_point",
}
# Before version 1.0 MLflow wrote seconds; as milliseconds they would lie in the first weeks of 1970.
_SMALLEST_MILLISECONDS = 10**11


@dataclass
class MlflowRecord:
    """One run as MLflow keeps it, not yet checked; `info` is meta.yaml or the row of `runs`."""

    run_id: str
    info: Mapping[str, Any]
    experiment_name: str | None = None
    is_deleted: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[ImportedSeries] = field(default_factory=list)


def imported(record: MlflowRecord) -> ImportedRun:
    """Check one run and put each thing in its place."""
    for kind, found in (("parameter", record.params), ("tag", record.tags), ("metric", record.metrics)):
        checked_count(len(found), kind)
    params = {
        checked_key(key, "parameter"): number_from_text(checked_text(value, f"Parameter “{key[:40]}”"))
        for key, value in record.params.items()
    }
    tags = _checked_tags(record.tags)
    info = record.info
    name = tags.get(_NAME) or _text(info.get("run_name")) or _text(info.get("name")) or f"run-{record.run_id[:8]}"
    artifact_uri = _text(info.get("artifact_uri"))
    series = tuple(record.metrics)
    return ImportedRun(
        source="mlflow",
        source_id=record.run_id,
        name=shortened(name, MAX_NAME_LENGTH),
        status=status_of(info.get("status")),
        group=shortened(clean_text(record.experiment_name), MAX_NAME_LENGTH) if record.experiment_name else None,
        model_type=model_type_of(params.items(), tags.items()),
        deleted=record.is_deleted or info.get("lifecycle_stage") == "deleted",
        started_at=moment(seconds(info.get("start_time"), "The start time")),
        ended_at=moment(seconds(info.get("end_time"), "The end time")),
        config=_config(info, tags),
        hyperparameters=params,
        tags={key: value for key, value in tags.items() if not key.startswith(_SYSTEM_PREFIX)},
        notes=tags.get(_NOTE) or None,
        parent_source_id=tags.get(_PARENT) or None,
        artifact_paths=[artifact_uri] if artifact_uri else [],
        series=series,
        epochs=epochs_from_series(series),
        owner=tags.get(_USER) or _text(info.get("user_id")),
    )


def status_of(value: object) -> RunStatus:
    """Read the status in words or as the number of the file store; BadValue for one that MLflow does not have."""
    name = _STATUS_NAMES.get(value, "") if isinstance(value, int) else (_text(value) or "").upper()
    if name not in _STATUS:
        raise BadValue(f"Its status is {str(value)[:40]!r}, which MLflow does not know.")
    return _STATUS[name]


def seconds(timestamp: object, what: str) -> float:
    """Turn MLflow's milliseconds (in old versions seconds) into seconds; NaN when there is none."""
    if timestamp is None:
        return math.nan
    if isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        raise BadValue(f"{what} is not a number.")
    if isinstance(timestamp, int):
        checked_integer(timestamp, what)
    return finite_time(timestamp / 1000 if abs(timestamp) >= _SMALLEST_MILLISECONDS else float(timestamp))


def series_from(key: str, points: Iterable[tuple[int, float, float]]) -> ImportedSeries:
    """Make a series of (step, value, seconds) in the order written; equal steps stay apart."""
    rows = list(points)
    key = checked_key(key)
    steps = [checked_step(step, f"A step of “{key}”") for step, _, _ in rows]
    return ImportedSeries.of(key, steps, [value for _, value, _ in rows], [when for _, _, when in rows])


def _checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    checked = {}
    for key, value in tags.items():
        # MLflow's own bookkeeping (model histories) may be long, and nothing here needs it.
        if key.startswith(_SYSTEM_PREFIX) and key != _NOTE and len(value) > MAX_TEXT_BYTES:
            continue
        checked[checked_key(key, "tag")] = checked_text(value, f"Tag “{key[:40]}”")
    return checked


def _config(info: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for field_name, ours in (
        ("source_name", "source_name"),
        ("source_version", "git_commit"),
        ("entry_point_name", "entry_point"),
    ):
        if text := _text(info.get(field_name)):
            config[ours] = text
    config |= {ours: tags[tag] for tag, ours in _CONFIG_TAGS.items() if tags.get(tag)}
    known = {*_CONFIG_TAGS, _NOTE, _NAME, _PARENT, _USER}
    others = {key: value for key, value in tags.items() if key.startswith(_SYSTEM_PREFIX) and key not in known}
    if others:
        config["mlflow_tags"] = others
    return config


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str | int | float | date):  # what a list holds may be far more than its file
        raise BadValue("A field of the run is neither text nor a number.")
    return checked_text(str(value), "A field of the run").strip() or None
