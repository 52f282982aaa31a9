"""What the list can be asked for: metrics and hyper-parameters there are, and whether anything moved."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session, aliased

from models.experiment import Experiment
from models.experiment_param import ExperimentParam
from models.metric_series import MetricKey, MetricSeries
from models.permissions import Permission
from services.actor import Actor
from services.curves.directions import direction_of
from services.experiments.access import visibility
from services.imports.synonyms import words_of

MOST_NAMES = 500
_BEGIN_FORMULAS = frozenset("=+-@＝＋－＠")
_NUMBERS = frozenset({"-inf", "-Infinity"})  # as metrics are told, and as programs read them
# Where the decimal sign is a comma a spreadsheet begins a cell behind a semicolon or a tab, and sees no quotes of ours.
_CELLS_WITHIN = re.compile(r"([;\t\r\n][^\S\t\r\n]*)(?=[=+\-@＝＋－＠])")
LOOKED_AT, CANDIDATES, SHOWN_AT_FIRST = 50, 24, 2  # experiments (a screen or two), metrics, columns


def metric_names(session: Session, actor: Actor) -> list[str]:
    """The names of metrics, in order."""
    if not actor.may(Permission.VIEW_EXPERIMENTS):
        return []
    return list(session.scalars(select(MetricKey.name).order_by(MetricKey.name).limit(MOST_NAMES)))


def param_names(session: Session, actor: Actor) -> list[str]:
    """The names of hyper-parameters, in order.

    One index step per name instead of one per row: SQL has no other way to skip through an index.
    """
    if not actor.may(Permission.VIEW_EXPERIMENTS):
        return []
    first = select(func.min(ExperimentParam.name).label("name"), literal(1).label("place"))
    names = first.cte("names", recursive=True)
    step = aliased(ExperimentParam)
    following = select(func.min(step.name)).where(step.name > names.c.name).correlate(names).scalar_subquery()
    names = names.union_all(
        select(following, names.c.place + 1).where(names.c.name.is_not(None), names.c.place < MOST_NAMES)
    )
    return list(session.scalars(select(names.c.name).where(names.c.name.is_not(None))))


def default_columns(session: Session, actor: Actor) -> tuple[str, ...]:
    """Columns for the metrics that most of the newest experiments have, or none while nobody logged any."""
    newest = list(
        session.scalars(
            select(Experiment.id)
            .where(*visibility(actor))
            .order_by(Experiment.created_at.desc(), Experiment.id.desc())
            .limit(LOOKED_AT)
        )
    )
    return common_metrics(session, newest)


def common_metrics(session: Session, ids: Sequence[int]) -> tuple[str, ...]:
    """Columns for the metrics that most of these experiments have.

    The second is the one that tells most about experiments without the first: two metrics of one tool would leave
    the rows of another empty.
    """
    found = session.execute(
        select(MetricKey.id, MetricKey.name, func.count().label("times"))
        .join(MetricSeries, MetricSeries.key_id == MetricKey.id)
        .where(MetricSeries.experiment_id.in_(ids), MetricSeries.last_value.is_not(None))
        .group_by(MetricKey.id, MetricKey.name)
        .order_by(func.count().desc(), MetricKey.name)
        .limit(MOST_NAMES)
    ).all()
    common = sorted(found, key=lambda row: (row.times, _telling(row.name)), reverse=True)[:CANDIDATES]
    names: dict[int, str] = {row.id: row.name for row in common}
    having: dict[int, set[int]] = {number: set() for number in names}
    pairs = select(MetricSeries.key_id, MetricSeries.experiment_id).where(
        MetricSeries.experiment_id.in_(ids), MetricSeries.key_id.in_(names)
    )
    for key_id, experiment_id in session.execute(pairs):
        having[key_id].add(experiment_id)
    chosen: list[str] = []
    told: set[int] = set()
    while names and len(chosen) < SHOWN_AT_FIRST:
        best = max(names, key=lambda key: (len(having[key] - told), len(having[key]), _telling(names[key])))
        told |= having[best]
        name = names.pop(best)
        chosen.append(f"metric:{direction_of(name) or 'last'}:{name}")
    return tuple(chosen)


def _telling(name: str) -> tuple[bool, bool]:
    """Of metrics that as many have, one that says how good a model is comes first, and that of the validation."""
    return "val" in words_of(name) or "validation" in words_of(name), direction_of(name) is not None


def version(session: Session, actor: Actor) -> str:
    """A text that changes when the list would look different: each change of a row moves its `updated_at`."""
    if not actor.may(Permission.VIEW_EXPERIMENTS):
        return ""
    newest, changed = session.execute(
        select(
            select(func.max(Experiment.id)).scalar_subquery(),
            select(func.max(Experiment.updated_at)).scalar_subquery(),
        )
    ).one()
    return f"{newest}-{changed.timestamp() if changed else 0}"


def csv_columns(extra: tuple[str, ...]) -> list[tuple[str, str]]:
    """Field and heading of each column of the exported list."""
    return [
        ("id", "id"),
        ("name", "name"),
        ("unique_name", "unique name"),
        ("group", "group"),
        ("status", "status"),
        ("model", "model"),
        ("dataset", "dataset"),
        ("owner", "owner"),
        ("epochs", "epochs"),
        ("duration", "duration (s)"),
        ("parent", "part of"),
        ("created", "created (UTC)"),
        ("started", "started (UTC)"),
        ("ended", "ended (UTC)"),
        *[(name, name) for name in extra],
    ]


def csv_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = " ".join(value) if isinstance(value, list) else str(value)
    if text in _NUMBERS:
        return text
    bare = text.lstrip()
    blanks = text[: len(text) - len(bare)]
    # Spreadsheets look behind blanks, and in East Asian ones at the wide forms as well.
    quote = "'" if blanks[:1] in {"\t", "\r", "\n"} or bare[:1] in _BEGIN_FORMULAS else ""
    return quote + blanks + _CELLS_WITHIN.sub(r"\1'", bare)
