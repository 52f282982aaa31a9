"""MLflow's file store: a folder per experiment, in it a folder per run, in it a file per parameter, tag and metric."""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.imports.limits import (
    checked_count,
    clean_text,
    decode,
    is_inside,
    read_small_file,
    read_yaml_mapping,
)
from services.imports.mlflow_run import MlflowRecord, imported, seconds, series_from
from services.imports.run import BadRun, BadValue, ImportedRun, ImportedSeries, ImportSourceError

META = "meta.yaml"
TRASH = ".trash"
MAX_METRIC_BYTES = 256 * 1024 * 1024
MAX_LINE_BYTES = 4096
_RUN_ID = re.compile(r"[0-9a-f]{32}")
# What else MLflow keeps in an experiment's folder, or beside the experiments.
_NOT_RUNS = frozenset({"tags", "datasets", "models", "traces", "assessments"})
_PARTS = ("metrics", "params", "tags")  # what only a run has below it


@dataclass(frozen=True)
class _Experiment:
    folder: Path
    name: str | None
    is_deleted: bool


def is_store(folder: Path) -> bool:
    """Tell whether a folder is a file store, holds one under the name mlruns, or is one experiment of one."""
    return bool(_experiment_folders(folder))


def count_runs(folder: Path) -> int:
    """Count run folders over all experiments."""
    return sum(len(_run_folders(one)) for one in _experiments(folder))


def read_runs(folder: Path) -> Iterator[ImportedRun | BadRun]:
    """Read the runs experiment by experiment, by folder name."""
    for experiment in _experiments(folder):
        for run_folder in _run_folders(experiment):
            yield _read_run(run_folder, experiment, folder)


def _experiment_folders(folder: Path) -> list[Path]:
    if _is_experiment(folder):
        return [folder]
    for root in (folder, folder / "mlruns"):
        if root.is_dir() and not root.is_symlink():
            found = [*_children(root), *(_children(root / TRASH) if (root / TRASH).is_dir() else [])]
            experiments = [child for child in found if _is_experiment(child)]
            if experiments:
                return experiments
    return []


def _is_experiment(folder: Path) -> bool:
    # Without its own meta.yaml it is one by the runs in it, which must not be missed with it.
    if (folder / META).is_file():
        return True
    return not _is_known_otherwise(folder) and any(
        _RUN_ID.fullmatch(child.name) and not child.is_symlink() and _has_parts(child) for child in folder.iterdir()
    )


def _experiments(folder: Path) -> list[_Experiment]:
    folders = _experiment_folders(folder)
    if not folders:
        raise ImportSourceError(f"No MLflow runs under {folder}: there is no meta.yaml of an experiment.")
    experiments = []
    for one in folders:
        name, is_deleted = one.name, one.parent.name == TRASH
        try:
            meta = read_yaml_mapping(one / META, folder, META)
        except (BadValue, OSError):
            meta = {}  # its runs are whole without it; they go by the folder's name
        if "run_id" in meta or "run_uuid" in meta:
            raise ImportSourceError(f"{one} is a single run; name the folder of its experiment.")
        is_deleted = is_deleted or meta.get("lifecycle_stage") == "deleted"
        experiments.append(_Experiment(one, str(meta.get("name") or name)[:1000], is_deleted))
    if not any(_run_folders(one) for one in experiments):
        raise ImportSourceError(f"No MLflow runs under {folder}.")
    return experiments


def _children(folder: Path) -> list[Path]:
    # A link to another folder is not followed: it may lead out, or in a circle.
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())


def _run_folders(experiment: _Experiment) -> list[Path]:
    return [child for child in _children(experiment.folder) if not _is_known_otherwise(child) and _is_run(child)]


def _is_run(folder: Path) -> bool:
    # A run that lost its meta.yaml is still one, and is named as a bad one.
    return (folder / META).is_file() or _RUN_ID.fullmatch(folder.name) is not None or _has_parts(folder)


def _has_parts(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in _PARTS)


def _is_known_otherwise(folder: Path) -> bool:
    return folder.name in _NOT_RUNS or folder.name.startswith(".")


def _read_run(folder: Path, experiment: _Experiment, root: Path) -> ImportedRun | BadRun:
    run_id = clean_text(folder.name)
    if not (folder / META).is_file():
        # By its path, as nothing else tells whose run it was.
        return BadRun(run_id, clean_text(folder.relative_to(root).as_posix()), f"{META} is missing.")
    try:
        info = read_yaml_mapping(folder / META, root, META)
        named = info.get("run_id") or info.get("run_uuid")
        if isinstance(named, int):  # of few digits and without quotes
            named = str(named)
        if not isinstance(named, str) or len(named) > 200:
            raise BadValue(f"{META} names no run.")
        run_id = clean_text(named)
        record = MlflowRecord(run_id, info, experiment.name, experiment.is_deleted)
        record.params = _texts(folder / "params", root, "Parameter")
        record.tags = _texts(folder / "tags", root, "Tag")
        may_grow = info.get("status") in (1, "RUNNING")
        record.metrics = [_metric(key, path, root, may_grow) for key, path in _files(folder / "metrics", root).items()]
        return imported(record)
    except BadValue as error:
        return BadRun(run_id, clean_text(folder.name), str(error))
    except OSError as error:
        return BadRun(run_id, clean_text(folder.name), f"Cannot be read: {error.strerror or error}.")


def _files(folder: Path, root: Path) -> dict[str, Path]:
    """Key → file; a key with slashes is a path of folders."""
    found: dict[str, Path] = {}
    if folder.is_symlink() and not is_inside(folder, root):
        raise BadValue(f"{folder.name} is a link that leads out of the folder.")
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            found[path.relative_to(folder).as_posix()] = path
            checked_count(len(found), "key")
    return dict(sorted(found.items()))


def _texts(folder: Path, root: Path, what: str) -> dict[str, str]:
    return {
        key: decode(read_small_file(path, root, f"{what} “{clean_text(key[:40])}”"))
        for key, path in _files(folder, root).items()
    }


def _metric(key: str, path: Path, root: Path, may_grow: bool) -> ImportedSeries:
    what = f"Metric “{clean_text(key[:40])}”"
    raw = read_small_file(path, root, what, MAX_METRIC_BYTES)
    lines = raw.split(b"\n")
    torn = lines.pop()  # empty when the last line is whole
    if torn and not may_grow:
        lines.append(torn)  # an editor may have taken the last line end; nobody is writing here any more
    points = [_point(line, f"{what}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    return series_from(key, points)


def _point(line: bytes, where: str) -> tuple[int, float, float]:
    """Read `timestamp value [step [dataset digest]]`; the oldest versions wrote no step."""
    parts = line.split() if len(line) <= MAX_LINE_BYTES else []
    if len(parts) < 2:
        raise BadValue(f"{where} is not “timestamp value step”.")
    try:
        step = int(parts[2]) if len(parts) > 2 else 0
        value, timestamp = float(parts[1]), float(parts[0])
    except ValueError as error:
        raise BadValue(f"{where} is not “timestamp value step”.") from error
    return step, value, seconds(timestamp, where) if math.isfinite(timestamp) else math.nan
