"""What experiments look like to a program, and what it sends of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from services.experiments.conditions import STATUSES
from services.experiments.details import Detail
from web.rest.answers import Answer
from web.rest.asked import Body, Query
from web.rest.kinds import NAMED, WHOLE, Id, Json, Paged, Written, line, lines

Name = Annotated[str, line(255, 1), NAMED]
Notes = Annotated[str, lines(50_000)]
TagName = Annotated[str, line(50, 1), Field(description="Lower case, without comma; blanks become dashes.")]
Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
assert set(STATUSES) == set(Status.__args__)  # type: ignore[attr-defined]


class Experiment(Answer):
    """An experiment; `name` is what its author called it, `unique_name` is nobody else's."""

    id: int
    name: str
    unique_name: str
    status: Status
    group: str | None
    model: str | None
    dataset: str | None
    owner: str | None
    parent_id: int | None
    source: str | None
    tags: list[str]
    notes: str | None
    hyperparameters: Json
    config: Json
    epochs: int
    total_epochs: int | None
    best_epoch: int | None
    best_by: str | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    deleted: datetime | None
    duration: float | None = Field(description="Seconds; of one that runs, so far.")
    failure: str | None
    is_demo: bool
    is_own: bool

    @classmethod
    def of(cls, found: Detail) -> "Experiment":
        """From what its page shows."""
        same = {
            name: getattr(found, name) for name in cls.model_fields if name not in {"parent_id", "duration", "tags"}
        }
        parent = None if found.parent is None else found.parent[0]
        return cls(**same, parent_id=parent, duration=found.elapsed, tags=list(found.tags))


class ExperimentRow(Answer):
    """An experiment in a list; `values` are the metrics and hyper-parameters that `column` asks for."""

    id: int
    name: str
    unique_name: str
    status: Status
    group: str | None
    model: str | None
    dataset: str | None
    owner: str | None
    parent: str | None
    epochs: int | None
    total_epochs: int | None
    duration: float | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    deleted: datetime | None
    tags: list[str]
    demo: bool
    values: dict[str, float | str | None]


class ExperimentFilters(Query):
    """Which experiments."""

    text: Annotated[str, line(500)] = Field("", description="Words that name, notes, tags and configuration hold.")
    status: list[Status] = Field([], max_length=6)
    tag: list[Annotated[str, line(50, 1)]] = Field([], max_length=10, description="Each of these tags.")
    name: Annotated[str, line(255, 1)] | None = Field(None, description="Part of the name.")
    group: Annotated[str, line(255, 1)] | None = None
    model: Annotated[str, line(50, 1)] | None = None
    dataset: Annotated[str, line(255, 1)] | None = None
    owner: Annotated[str, line(100, 1)] | None = None
    created_from: Written | None = Field(None, description="The first moment, as 2026-11-21T08:00:00Z.")
    created_to: Written | None = Field(None, description="The first moment that is too late.")
    filter: list[Annotated[str, line(1000, 1)]] = Field(
        [],
        max_length=20,
        description=(
            'A condition as JSON: `["metric:max:val_accuracy", "greaterThan", 0.9]`. Columns as in `sort`; '
            "operations: equals, notEqual, contains, notContains, startsWith, endsWith, lessThan, lessThanOrEqual, "
            "greaterThan, greaterThanOrEqual, inRange (with two values), blank, notBlank; of a status: in (a list)."
        ),
    )
    deleted: Literal["true", "false"] = Field("false", description="Those that were deleted and can be restored.")


class ExperimentQuery(Paged, ExperimentFilters):
    """Which experiments, in which order, with which further columns."""

    sort: Annotated[str, line(300, 1)] = Field(
        "-created",
        description=(
            "id, name, status, model, group, dataset, owner, epochs, duration, created, started, ended, deleted, "
            "parent, `metric:<last|min|max>:<name>` or `param:<name>`; with a minus in front the highest comes first."
        ),
    )
    column: list[Annotated[str, line(300, 1)]] = Field(
        [], max_length=30, description="Further values of each row: `metric:<last|min|max>:<name>` or `param:<name>`."
    )


class ExperimentCount(Answer):
    """How many experiments match."""

    experiments: int


class ExperimentDeletion(Answer):
    """What goes with an experiment, and for how many days it can be restored."""

    active: bool
    epochs: int
    points: int
    bytes: int
    explanations: int
    kept_days: int


class ExperimentColumns(Answer):
    """Names for `column`, `sort` and `filter`: 500 of each at the most; `suggested` are columns of the newest runs."""

    metrics: list[str]
    params: list[str]
    suggested: list[str]


class NewExperiment(Body):
    """An experiment that begins now."""

    name: Name
    notes: Notes | None = None
    group: Annotated[str, line(255, 1)] | None = None
    model: Annotated[str, line(50, 1)] | None = None
    dataset_id: Id | None = None
    parent_id: Id | None = None
    total_epochs: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] | None = None
    tags: list[TagName] = Field([], max_length=10)
    hyperparameters: dict[Annotated[str, line(250, 1)], int | float | bool | Annotated[str, lines(6000)] | None] = (
        Field({}, max_length=500, json_schema_extra={"additionalProperties": False})  # only names like these
    )
    config: dict[str, Any] = Field({}, max_length=500)


class ExperimentChange(Body):
    """What changes; what is left out stays."""

    name: Name | None = None
    notes: Notes | None = None
    tags: list[TagName] | None = Field(None, max_length=10, description="All of them; others are taken off.")
    total_epochs: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] | None = None


class Ending(Body):
    """How an experiment ended."""

    status: Literal["completed", "failed"]
    failure: Annotated[str, lines(5000)] | None = Field(None, description="Why, where it failed.")
