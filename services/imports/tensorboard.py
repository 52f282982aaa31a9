"""Runs from TensorBoard event files: every folder that holds some is one run, as in TensorBoard itself.

The source id is the folder's name, the name of its oldest event file (time, host and process are in it) and a digest
of that file's first record (the time to the microsecond). It survives growth, later files of a resumed run, another
working directory and a move of everything above the folder. A renamed folder, or a copy under another name, is
another run.
"""

import hashlib
import json
import math
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from services.imports.epochs import epochs_from_series
from services.imports.event_files import EventFile, is_event_file
from services.imports.event_summaries import RunSummaries
from services.imports.limits import (
    MAX_NAME_LENGTH,
    MAX_SOURCE_ID_LENGTH,
    MAX_TEXT_BYTES,
    clean_text,
    is_inside,
    located,
    moment,
    plain,
    read_yaml_mapping,
    shortened,
)
from services.imports.run import BadRun, BadValue, ImportedRun, ImportSourceError, RunStatus, model_type_of

# A run without word for this long is taken as ended: nothing in an event file says so.
RUNNING_WINDOW_SECONDS = 600.0
_EVALUATION_FOLDERS = frozenset({"validation", "val", "valid", "eval", "test"})
# What the hparams plugin writes as the end of a session; 0 and 3 leave it open.
_SESSION_STATUS: dict[int, Literal["completed", "failed"]] = {1: "completed", 2: "failed"}


def read_runs(directory: str | os.PathLike[str], *, now: float | None = None) -> Iterator[ImportedRun | BadRun]:
    """Read every run below the folder, one at a time; a damaged one is a BadRun and the others go on."""
    root = _root(directory)
    for folder in _run_folders(root):
        yield _read_run(folder, root, time.time() if now is None else now)


def count_runs(directory: str | os.PathLike[str]) -> int:
    """Count the runs by their folders alone."""
    return len(_run_folders(_root(directory)))


def _root(directory: str | os.PathLike[str]) -> Path:
    root = located(directory)
    if not root.is_dir():
        raise ImportSourceError(f"{directory} is not a folder; name the folder that holds the event files.")
    if not _run_folders(root):
        raise ImportSourceError(f"No TensorBoard event files under {directory}.")
    return root


def _run_folders(root: Path) -> list[Path]:
    # os.walk does not follow links to folders, so a link cannot lead out or in a circle.
    return sorted(
        Path(folder) for folder, _, names in os.walk(root) if any(is_event_file(Path(folder, name)) for name in names)
    )


def _event_files(folder: Path) -> list[Path]:
    # The name carries the second of creation: the oldest file first, however the writer begins its names.
    def age(path: Path) -> tuple[int, str]:
        created = re.search(r"tfevents\.(\d{1,15})", path.name)
        return int(created[1]) if created else 0, path.name

    return sorted((path for path in folder.iterdir() if is_event_file(path)), key=age)


def _read_run(folder: Path, root: Path, now: float) -> ImportedRun | BadRun:
    relative = folder.relative_to(root)
    name = clean_text(relative.as_posix() if relative.parts else folder.name)
    source_id = shortened(f"{clean_text(folder.name)}/{clean_text(_event_files(folder)[0].name)}", MAX_SOURCE_ID_LENGTH)
    try:
        paths = _event_files(folder)
        for path in paths:
            if not is_inside(path, root):
                raise BadValue(f"{clean_text(path.name)} is a link that leads out of the folder.")
            if not path.is_file():
                raise BadValue(f"{clean_text(path.name)} is not a regular file.")
        summaries = RunSummaries()
        first_record = b""
        for path in paths:
            for event in EventFile(path):
                first_record = first_record or event.SerializeToString(deterministic=True)
                summaries.add(event)
        if not first_record:
            raise BadValue("No complete record has been written yet.")
        source_id = _source_id(folder, paths[0], first_record)
        return _run(source_id, shortened(name, MAX_NAME_LENGTH), folder, root, summaries, now)
    except BadValue as error:
        return BadRun(source_id, name, str(error))
    except OSError as error:
        return BadRun(source_id, name, f"Cannot be read: {error.strerror or error}.")


def _source_id(folder: Path, first_file: Path, first_record: bytes) -> str:
    digest = hashlib.sha256(first_record).hexdigest()[:16]
    return shortened(f"{clean_text(folder.name)}/{clean_text(first_file.name)}#{digest}", MAX_SOURCE_ID_LENGTH)


def _run(source_id: str, name: str, folder: Path, root: Path, found: RunSummaries, now: float) -> ImportedRun:
    series = found.series()
    hyperparameters = dict(found.hyperparameters)
    config: dict[str, Any] = {}
    if (folder / "hparams.yaml").is_file():  # written by Lightning beside the event files
        try:
            hyperparameters = plain(
                read_yaml_mapping(folder / "hparams.yaml", root, "hparams.yaml"), "hparams.yaml"
            ) | (hyperparameters)
        except BadValue as error:
            config["hparams_yaml_left_out"] = str(error)
    notes = _sort_texts(found.texts, config)
    status = _status(found, now)
    group = clean_text(folder.relative_to(root).parent.as_posix())
    return ImportedRun(
        source="tensorboard",
        source_id=source_id,
        name=name,
        status=status,
        group=None if group == "." else shortened(group, MAX_NAME_LENGTH),
        model_type=model_type_of(hyperparameters.items()),
        started_at=moment(found.first_time),
        ended_at=None if status == "running" else moment(found.last_time),
        config=config,
        hyperparameters=hyperparameters,
        notes=notes,
        series=series,
        epochs=epochs_from_series(series, evaluation=folder.name.lower() in _EVALUATION_FOLDERS),
    )


def _status(found: RunSummaries, now: float) -> RunStatus:
    # The wall time of the last record, not the file's own: a fresh copy of an old run is not running.
    if found.session_status in _SESSION_STATUS:
        return _SESSION_STATUS[found.session_status]
    recent = not math.isnan(found.last_time) and now - found.last_time < RUNNING_WINDOW_SECONDS
    return "running" if recent else "completed"


def _sort_texts(texts: dict[str, list[tuple[int, str]]], config: dict[str, Any]) -> str | None:
    """Put a text that is a JSON object (the arguments of a script) into the config, all other text into notes."""
    paragraphs: list[str] = []
    for tag, entries in texts.items():
        if len(entries) == 1 and entries[0][1].lstrip().startswith("{"):
            try:
                config[tag] = plain(json.loads(entries[0][1]), tag)
                continue
            except (ValueError, RecursionError):
                pass  # it only looked like JSON, and stays text
        lines = [f"- step {step}: {text}" for step, text in entries] if len(entries) > 1 else [entries[0][1]]
        paragraphs.append("\n".join([f"**{tag.strip()}**", "", *lines]))
    notes = "\n\n".join(paragraphs)
    if len(notes.encode()) > MAX_TEXT_BYTES:
        notes = notes.encode()[: MAX_TEXT_BYTES - 8].decode(errors="ignore") + " …"
    return notes or None
