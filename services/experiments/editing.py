"""What people change about experiments: tags, notes, deletion and its undoing."""

import hashlib
import re
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from models.experiment import ACTIVE, Experiment
from models.explanation import Explanation
from models.hpo_campaign import HPOCampaign
from models.metric_series import MetricChunk, MetricSeries
from models.permissions import Permission, PermissionDenied
from models.tag import ExperimentTag, Tag
from models.training_run import TrainingRun
from services import audit, job_queue
from services.actor import Actor
from services.errors import Conflict, Invalid, NotFound
from services.experiments import lifecycle
from services.experiments.access import get, held, visibility
from services.text import clean

MOST_TAGS, MOST_AT_ONCE = 10, 1000
RESERVED_TAGS = {"all", "none", "system"}
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8A5FBF")


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What goes along when experiments are deleted."""

    names: tuple[str, ...]
    experiments: int
    active: int
    epochs: int
    points: int
    bytes: int
    explanations: int
    kept_days: int


def tag_name(text: str) -> str:
    """A tag as it is stored: lower case, no blanks, at most 50 characters."""
    if isinstance(text, str) and "," in text:
        raise Invalid("A tag has no comma; add one tag at a time.", field="tag")
    name = re.sub(r"\s+", "-", clean(text, field="tag", longest=50, shortest=1).casefold())
    if name in RESERVED_TAGS:
        raise Invalid(f"“{name}” cannot be a tag.", field="tag")
    return name


def visible_ids(session: Session, actor: Actor, ids: Sequence[int], *, deleted: bool = False) -> list[int]:
    """Those of the ids that the actor sees; what is not seen is not told apart from what is not there."""
    if len(ids) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} experiments at once.", field="ids")
    wanted = [number for number in ids if 0 < number < 2**31]
    return list(
        session.scalars(
            select(Experiment.id)
            .where(Experiment.id.in_(wanted), *visibility(actor, deleted=deleted))
            .order_by(Experiment.id)
        )
    )


def add_tag(session: Session, actor: Actor, ids: Sequence[int], text: str) -> int:
    """Put a tag on experiments and return how many did not have it yet."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    name = tag_name(text)
    fresh = put_tag(session, actor, visible_ids(session, actor, ids), name)
    if fresh:
        audit.record(session, actor, "experiment.tag", tag=name, experiments=fresh)
    return len(fresh)


def put_tag(session: Session, actor: Actor, wanted: Sequence[int], name: str) -> list[int]:
    """Put a checked tag on experiments that the actor sees; which of them did not have it. The caller records it."""
    held(session, wanted)  # ten tags at the most holds also for two people at once
    tag = hold_tags(session, actor, [name])[name]
    counts = dict(
        session.execute(
            select(ExperimentTag.experiment_id, func.count())
            .where(ExperimentTag.experiment_id.in_(wanted))
            .group_by(ExperimentTag.experiment_id)
        ).all()
    )
    tagged = set(
        session.scalars(
            select(ExperimentTag.experiment_id).where(
                ExperimentTag.tag_id == tag.id, ExperimentTag.experiment_id.in_(wanted)
            )
        )
    )
    fresh = [number for number in wanted if number not in tagged]
    if any(counts.get(number, 0) >= MOST_TAGS for number in fresh):
        raise Conflict(f"An experiment carries at most {MOST_TAGS} tags.")
    session.add_all(ExperimentTag(experiment_id=number, tag_id=tag.id, added_by=actor.user_id) for number in fresh)
    session.flush()
    recount(session, [tag.id])
    _touch(session, fresh)
    return fresh


def that_fit(session: Session, experiment_id: int, names: Sequence[str]) -> list[str]:
    """Those of these tags that the experiment does not carry, as many as it has room for, in the order given."""
    carried = select(Tag.name).join(ExperimentTag, ExperimentTag.tag_id == Tag.id)
    has = set(session.scalars(carried.where(ExperimentTag.experiment_id == experiment_id)))
    return [name for name in dict.fromkeys(names) if name not in has][: max(0, MOST_TAGS - len(has))]


def _touch(session: Session, ids: Sequence[int]) -> None:
    """Lists that show these experiments see by `updated_at` that they changed."""
    session.execute(update(Experiment).where(Experiment.id.in_(ids)).values(updated_at=now()))


def hold_tags(session: Session, actor: Actor, names: Collection[str]) -> dict[str, Tag]:
    """The tags of these names, made where they are new, and locked in one order.

    Whoever is to change several holds all of them first, or two with the same words would deadlock.
    """
    if not names:
        return {}
    wanted = select(Tag).where(Tag.name.in_(names)).order_by(Tag.id)
    known = {tag.name for tag in session.scalars(wanted)}
    for name in sorted(set(names) - known):
        _make_tag(session, actor, name)
    found = {tag.name: tag for tag in session.scalars(wanted.with_for_update())}
    missing = next((name for name in names if name not in found), None)
    if missing is not None:
        raise Conflict(f"The tag “{missing}” could not be made; choose another word.")
    return found


def _make_tag(session: Session, actor: Actor, name: str) -> None:
    """Make a tag; of several people who make it at once, one does."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:40]
    for candidate in (slug or "tag", f"{slug or 'tag'}-{zlib.crc32(name.encode()):08x}"):
        used = session.scalar(select(func.count()).select_from(Tag)) or 0
        row = {
            "name": name,
            "slug": candidate,
            "color": _COLOURS[used % len(_COLOURS)],
            "created_by": actor.user_id,
            "usage_count": 0,
            "created_at": now(),
            "updated_at": now(),
        }
        session.execute(dialect.insert(Tag).values(row).on_conflict_do_nothing())
        if session.scalar(select(Tag.id).where(Tag.name == name)) is not None:
            return


def remove_tag(session: Session, actor: Actor, ids: Sequence[int], text: str) -> int:
    """Take a tag off experiments and return how many had it."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    tag_id = session.scalar(select(Tag.id).where(Tag.name == tag_name(text)))
    if tag_id is None:
        return 0
    wanted = held(session, visible_ids(session, actor, ids))
    rows = session.scalars(
        select(ExperimentTag.id).where(ExperimentTag.tag_id == tag_id, ExperimentTag.experiment_id.in_(wanted))
    ).all()
    session.execute(delete(ExperimentTag).where(ExperimentTag.id.in_(rows)))
    recount(session, [tag_id])
    _touch(session, wanted)
    if rows:
        audit.record(session, actor, "experiment.untag", tag=tag_name(text), experiments=wanted)
    return len(rows)


def recount(session: Session, tag_ids: Sequence[int] | None = None) -> None:
    """Make `usage_count` equal the rows it counts."""
    number = select(func.count()).where(ExperimentTag.tag_id == Tag.id).correlate(Tag).scalar_subquery()
    statement = update(Tag).values(usage_count=number)
    if tag_ids is not None:
        statement = statement.where(Tag.id.in_(tag_ids))
    session.execute(statement.execution_options(synchronize_session=False))


def tags_like(session: Session, actor: Actor, text: str, limit: int = 10) -> list[str]:
    """Tags to suggest, the most used first."""
    actor.require(Permission.VIEW_EXPERIMENTS)
    query = select(Tag.name).where(Tag.name.icontains(text[:50], autoescape=True))
    return list(session.scalars(query.order_by(Tag.usage_count.desc(), Tag.name).limit(limit)))


def tags_of(session: Session, actor: Actor, ids: Sequence[int]) -> list[tuple[str, int]]:
    """The tags that these experiments carry, in order, and how many of them carry each."""
    wanted = visible_ids(session, actor, ids)
    number = func.count()
    found = session.execute(
        select(Tag.name, number)
        .join(ExperimentTag, ExperimentTag.tag_id == Tag.id)
        .where(ExperimentTag.experiment_id.in_(wanted))
        .group_by(Tag.name)
        .order_by(Tag.name)
        .limit(100)
    )
    return [(name, count) for name, count in found]


def notes_to_edit(session: Session, actor: Actor, experiment_id: int) -> tuple[str, str]:
    """The notes as they are now, and what to give `set_notes` so that it tells when they have changed since."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    notes = get(session, actor, experiment_id).notes or ""
    return notes, _digest(notes)


def set_notes(session: Session, actor: Actor, experiment_id: int, text: str, *, expected: str | None = None) -> None:
    """Replace the notes (Markdown) of an experiment, unless they are no longer those that the writer had seen."""
    actor.require(Permission.CREATE_EXPERIMENTS)
    notes = clean(text, field="notes", longest=50_000, lines=True)
    experiment = get(session, actor, experiment_id, lock=True)
    before = experiment.notes or ""
    if notes == before:
        return
    if expected is not None and expected != _digest(before):
        raise Conflict(
            "These notes were changed elsewhere since you opened them. Copy your text, close the editor and open it "
            "again: it then shows the notes as they are now."
        )
    experiment.notes = notes or None
    audit.record(session, actor, "experiment.notes", experiments=[experiment_id])


def _digest(notes: str) -> str:
    return hashlib.sha256(notes.encode()).hexdigest()[:32]


def preview_deletion(session: Session, actor: Actor, ids: Sequence[int]) -> DeletionPreview:
    """What would go along, before anything does."""
    wanted = _deletable(session, actor, ids)
    names = session.scalars(
        select(func.coalesce(Experiment.given_name, Experiment.name))
        .where(Experiment.id.in_(wanted))
        .order_by(Experiment.id)
        .limit(20)
    ).all()

    def total(value: ColumnElement[int], *where: ColumnElement[bool]) -> int:
        return int(session.scalar(select(func.coalesce(value, 0)).where(*where)) or 0)

    series = MetricSeries.experiment_id.in_(wanted)
    sizes = func.sum(func.length(MetricChunk.steps) + func.length(MetricChunk.values) + func.length(MetricChunk.times))
    size = session.scalar(
        select(func.coalesce(sizes, 0)).join(MetricSeries, MetricSeries.id == MetricChunk.series_id).where(series)
    )
    return DeletionPreview(
        names=tuple(names),
        experiments=len(wanted),
        active=total(func.count(), Experiment.id.in_(wanted), Experiment.status.in_(ACTIVE)),
        epochs=total(func.count(), TrainingRun.experiment_id.in_(wanted)),
        points=total(func.sum(MetricSeries.points), series),
        bytes=int(size or 0),
        explanations=total(func.count(), Explanation.experiment_id.in_(wanted)),
        kept_days=settings().deleted_kept.days,
    )


def _deletable(session: Session, actor: Actor, ids: Sequence[int]) -> list[int]:
    wanted = visible_ids(session, actor, ids)
    if not wanted:
        raise NotFound("experiment")
    if actor.may(Permission.DELETE_ANY_EXPERIMENT):
        return wanted
    actor.require(Permission.DELETE_OWN_EXPERIMENTS)
    own = session.scalars(
        select(Experiment.id).where(Experiment.id.in_(wanted), Experiment.created_by == (actor.user_id or 0))
    ).all()
    if len(own) != len(wanted):
        raise PermissionDenied(Permission.DELETE_ANY_EXPERIMENT.value)
    return wanted


def delete_experiments(session: Session, actor: Actor, ids: Sequence[int]) -> list[int]:
    """Put experiments aside; running ones are cancelled first. `restore` brings them back until they are purged."""
    wanted = held(session, _deletable(session, actor, ids), Experiment.deleted_at.is_(None))
    if not wanted:
        return []  # somebody else has, at the same moment
    for number in session.scalars(
        select(Experiment.id).where(Experiment.id.in_(wanted), Experiment.status.in_(ACTIVE)).order_by(Experiment.id)
    ).all():
        lifecycle.cancel(session, actor, number)
    session.execute(update(Experiment).where(Experiment.id.in_(wanted)).values(deleted_at=now()))
    audit.record(session, actor, "experiment.delete", experiments=wanted)
    return wanted


def restore_experiments(session: Session, actor: Actor, ids: Sequence[int]) -> list[int]:
    """Undo a deletion."""
    wanted = visible_ids(session, actor, ids, deleted=True)
    if not actor.may(Permission.DELETE_ANY_EXPERIMENT):
        actor.require(Permission.DELETE_OWN_EXPERIMENTS)
        owned = Experiment.created_by == (actor.user_id or 0)
        wanted = list(session.scalars(select(Experiment.id).where(Experiment.id.in_(wanted), owned)))
    wanted = held(session, wanted)
    if not wanted:
        return []
    session.execute(update(Experiment).where(Experiment.id.in_(wanted)).values(deleted_at=None))
    audit.record(session, actor, "experiment.restore", experiments=wanted)
    return wanted


def purge(session: Session, limit: int = 200) -> int:
    """Remove for good what was deleted long enough ago; returns how many went."""
    gone = Experiment.deleted_at < now() - settings().deleted_kept
    old = session.scalars(select(Experiment.id).where(gone).order_by(Experiment.id).limit(limit)).all()
    old = held(session, old, gone)  # not what is restored at the same moment
    remove(session, old)
    return len(old)


def remove(session: Session, ids: Sequence[int]) -> None:
    """Remove experiments with everything that hangs on them, at once and for good."""
    if not ids:
        return
    # Locked first: a worker that is recording an epoch ends before, and finds nothing to write to after.
    held(session, ids)
    tags = session.scalars(select(ExperimentTag.tag_id).where(ExperimentTag.experiment_id.in_(ids)).distinct()).all()
    for number in ids:
        job_queue.cancel_for(session, number)
    session.execute(update(HPOCampaign).where(HPOCampaign.best_experiment_id.in_(ids)).values(best_experiment_id=None))
    for model in (TrainingRun, Explanation):
        session.execute(delete(model).where(model.experiment_id.in_(ids)))
    session.execute(delete(Experiment).where(Experiment.id.in_(ids)))
    session.execute(select(Tag.id).where(Tag.id.in_(tags)).order_by(Tag.id).with_for_update())
    recount(session, tags)
