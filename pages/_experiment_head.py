"""The head of an experiment's page: status, progress, what failed."""

from dash import dcc, html
from dash.development.base_component import Component

from components.feedback import notice, status_badge
from components.plain_table import plain_table
from components.shell import section
from components.values import NOTHING, duration_text, number, progress, stat, stat_row, time_tag
from services.experiments.details import Detail

BADGE, SUMMARY = "experiment-badge", "experiment-summary"
STARTED, ENDED = "experiment-started", "experiment-ended"


def badge(found: Detail) -> Component:
    """The status, or that it was deleted."""
    return status_badge(found.status)


def subtitle(found: Detail) -> Component:
    """What was trained on what, by whom, since when."""
    words = [word for word in (found.model, found.dataset, found.owner) if word]
    text = " · ".join(words)
    return html.Span([text, " · " if text else "", "created ", time_tag(found.created)])


def summary(found: Detail) -> list[Component]:
    """Figures in a row, and notices above them."""
    parts: list[Component] = []
    if found.deleted is not None:
        parts.append(notice(["Deleted ", time_tag(found.deleted), ". It can be restored."], kind="warning"))
    if found.status == "failed":
        parts.append(notice(found.failure or "It failed, and no reason was given.", kind="error"))
    if found.is_demo:
        parts.append(notice("Part of the demo: a small model for this machine to train, on generated signals."))
    stats = [*_progress(found), stat("Elapsed", duration_text(found.elapsed))]
    if found.remaining is not None:
        stats.append(stat("Remaining", f"about {duration_text(found.remaining)}"))
    best = NOTHING if found.best_epoch is None else f"{found.best_epoch:,}"
    stats.append(stat("Best epoch", best, hint=found.best_by))
    stats.append(stat("Epochs", _epochs(found)))
    parts.append(stat_row(stats))
    return parts


def _epochs(found: Detail) -> str:
    if not found.epochs and not found.total_epochs:
        return NOTHING
    return f"{found.epochs:,}" if not found.total_epochs else f"{found.epochs:,} of {found.total_epochs:,}"


def _progress(found: Detail) -> list[Component]:
    total = found.total_epochs
    if total:
        share = min(1.0, found.epochs / total)
        return [stat("Progress", f"{share:.0%}", hint=progress(found.epochs, total, label="Epochs done"))]
    if found.is_active:
        return [stat("Progress", NOTHING, hint="the number of epochs is not known")]
    return []


def moments(found: Detail) -> tuple[Component, Component]:
    """When it started and when it ended."""
    return time_tag(found.started, "datetime"), time_tag(found.ended, "datetime")


def children(found: Detail) -> list[Component]:
    """The runs that are part of this one, as a sweep or a cross-validation leaves them."""
    if not found.children:
        return []
    shown = [child.id for child in found.children]
    hint = f"the first {len(shown)} of {found.children_total:,}" if found.children_total > len(shown) else None
    compare = f"/compare?ids={','.join(map(str, shown))}"
    table = plain_table(
        ("Experiment", "Status", *found.children_metrics, "Took"),
        [
            (
                dcc.Link(child.name, href=f"/experiments/{child.id}", className="grid-link"),
                status_badge(child.status),
                *map(number, child.values),
                duration_text(child.duration),
            )
            for child in found.children
        ],
        label="Runs that are part of this one",
        numeric=range(2, 3 + len(found.children_metrics)),
    )
    actions = [dcc.Link("Compare them", href=compare)] if len(shown) > 1 else []
    return [section("Runs in it", table, hint=hint, actions=actions)]
