"""The demo of a new installation: generated signals, and experiments that are really trained on them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from config.settings import settings
from database.types import now
from diagnosis.demo import DEMO_CONFIGS, DEMO_SEEDS, demo_config, demo_dataset
from diagnosis.faults import FAULT_NAMES, SHOWN_NAMES, Severity
from diagnosis.features import feature_matrix, feature_names
from diagnosis.splits import stratified_split
from diagnosis.trainer_config import TrainerConfig
from models.dataset import Dataset
from models.experiment import Experiment
from models.hpo_campaign import HPOCampaign
from models.job import Job, JobStatus
from models.permissions import Permission
from models.signal import Signal
from models.tag import Tag
from services import audit, job_queue, signal_files, training
from services.actor import SYSTEM, Actor
from services.experiments import editing

KIND = "demo.load"
NAME = "Demo: eleven bearing faults"
TAG = "demo"
DATA_SEED = 7
DESCRIPTION = (
    "Vibration of a fluid-film bearing at 20,480 Hz, one second a record, healthy and with ten faults in four "
    "severities, generated from the physics of each fault with strong noise."
)
ORIGIN = "Loaded by PFD as a demo; “pfd demo remove” takes it away again."
_FILES = "demo-*.h5"  # a file that is being written is left to whoever writes it


@dataclass(frozen=True, slots=True)
class Made:
    """A written signal file and what its rows will say."""

    file_path: str
    signals: tuple[dict[str, Any], ...]
    details: dict[str, Any]


def ensure_demo(session: Session) -> bool:
    """Load the demo at the first start of an installation, unless PFD_DEMO=0; removed once, it stays away."""
    if not settings().demo or session.scalar(select(Job.id).where(Job.kind == KIND).limit(1)) is not None:
        return False
    return load(session)


def load(session: Session) -> bool:
    """Let the worker load the demo; False when it is there or on its way."""
    if not is_wanted(session):
        return False
    under_way = select(Job.id).where(Job.kind == KIND, Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
    if session.scalar(under_way.limit(1)) is not None:
        return False
    job_queue.enqueue(session, KIND)
    return True


def is_wanted(session: Session) -> bool:
    """Whether there is no demo yet."""
    return session.scalar(select(Dataset.id).where(Dataset.is_demo).limit(1)) is None


def generate(number: int) -> Made:
    """Make the signals and write their file; seconds of work, so no transaction is open meanwhile."""
    data = demo_dataset(DATA_SEED)
    split = stratified_split(data.labels, seed=DATA_SEED)
    parts = {
        name: (data.signals[rows], data.labels[rows], [data.metadata[row] for row in rows])
        for name, rows in zip(signal_files.PARTS, split, strict=True)
    }
    details = {
        "classes": list(SHOWN_NAMES),
        "sampling_rate": data.sampling_rate,
        "samples": int(data.signals.shape[1]),
        "seed": DATA_SEED,
        "split": {name: len(rows) for name, rows in zip(signal_files.PARTS, split, strict=True)},
        "generator": ORIGIN,
    }
    file_path = f"{signal_files.FOLDER}/demo-{number}.h5"
    signal_files.write(
        file_path,
        parts,
        sampling_rate=data.sampling_rate,
        class_names=SHOWN_NAMES,
        seed=DATA_SEED,
        configuration=details,
    )
    measured = feature_matrix(data.signals, data.sampling_rate)
    columns = {name: measured[:, feature_names.index(name)] for name in ("rms", "kurtosis", "dominant_frequency")}
    rows = tuple(
        {
            "signal_id": f"{entry['fault']}_{row:03d}",
            "fault_class": entry["fault"],
            "severity": entry["severity"],
            "file_path": file_path,
            **{name: float(values[row]) for name, values in columns.items()},
        }
        for row, entry in enumerate(data.metadata)
    )
    return Made(file_path, rows, details)


def store(session: Session, made: Made) -> bool:
    """Rows of the signals, and the experiments with their jobs; False when another load came first."""
    if not is_wanted(session):
        return False
    dataset = Dataset(
        name=_free_name(session),
        description=DESCRIPTION,
        num_signals=len(made.signals),
        fault_types=list(FAULT_NAMES),
        severity_levels=[severity.value for severity in Severity],
        file_path=made.file_path,
        meta_data=made.details,
        is_demo=True,
    )
    session.add(dataset)
    session.flush()
    moment = now()
    session.add_all(Signal(dataset_id=dataset.id, created_at=moment, updated_at=moment, **row) for row in made.signals)
    tags: dict[str, list[int]] = {}
    for seed in DEMO_SEEDS:  # the seed outside, so that one of each kind is seen first
        for name in DEMO_CONFIGS:
            config = demo_config(name, seed)
            experiment = training.create(
                session,
                SYSTEM,
                name=f"{name}, seed {seed}",
                config=config,
                dataset_id=dataset.id,
                comes_from={"origin": ORIGIN},
                group_name=name,
                is_demo=True,
            )
            for tag in _tags_of(config):
                tags.setdefault(tag, []).append(experiment.id)
    for tag, ids in tags.items():
        editing.add_tag(session, SYSTEM, ids, tag)
    return True


def discard(made: Made) -> None:
    """Take back a file whose rows were not wanted any more."""
    signal_files.path_of(made.file_path).unlink(missing_ok=True)


def remove(session: Session, actor: Actor) -> int:
    """Take the demo away for good, with its work under way; returns how many experiments went."""
    actor.require(Permission.MANAGE_DEMO)
    session.execute(
        update(Job)
        .where(Job.kind == KIND, Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)))
        .values(status=JobStatus.CANCELLED, ended_at=now())
    )
    experiments = session.scalars(select(Experiment.id).where(Experiment.is_demo)).all()
    editing.remove(session, experiments)
    datasets = session.scalars(select(Dataset.id).where(Dataset.is_demo)).all()
    # What people have trained on the demo's signals is theirs and stays, although the signals go.
    for model in (Experiment, HPOCampaign):
        session.execute(update(model).where(model.dataset_id.in_(datasets)).values(dataset_id=None))
    session.execute(delete(Signal).where(Signal.dataset_id.in_(datasets)))
    session.execute(delete(Dataset).where(Dataset.id.in_(datasets)))
    session.execute(delete(Tag).where(Tag.usage_count == 0, Tag.created_by.is_(None)))
    audit.record(session, actor, "demo.remove", experiments=len(experiments), datasets=len(datasets))
    event.listen(session, "after_commit", lambda _: _remove_files(), once=True)
    return len(experiments)


def _remove_files() -> None:
    # After the commit: rows without their file would be worse than a file without its rows.
    for path in (settings().files_dir / signal_files.FOLDER).glob(_FILES):
        path.unlink(missing_ok=True)


def _free_name(session: Session) -> str:
    taken = set(session.scalars(select(Dataset.name).where(Dataset.name.startswith(NAME, autoescape=True))))
    return next(name for name in (NAME, *(f"{NAME} ({n})" for n in range(2, len(taken) + 3))) if name not in taken)


def _tags_of(config: TrainerConfig) -> tuple[str, ...]:
    return (TAG, *(("spectra", "features") if config.representation == "both" else (_WORDS[config.representation],)))


_WORDS = {"spectrum": "spectra", "features": "features"}
