"""Signal files: HDF5 with the groups train, val and test, each with its signals and labels."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from config.settings import settings
from database.types import now
from services.errors import Invalid

FOLDER = "datasets"
PARTS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Part:
    """Records of one part: signals of shape (n_records, n_samples) and their labels."""

    signals: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SignalFile:
    """What a training reads of a file."""

    train: Part
    val: Part
    sampling_rate: float
    class_names: tuple[str, ...]


def path_of(file_path: str) -> Path:
    """Where a file of a dataset's row lies; a row cannot point out of the installation's own folder."""
    root = settings().files_dir
    path = (root / file_path).resolve()
    if not path.is_relative_to(root):
        raise Invalid("This signal file does not lie in the data folder.")
    return path


def write(
    file_path: str,
    parts: Mapping[str, tuple[NDArray[np.float32], NDArray[np.int64], Sequence[Mapping[str, Any]]]],
    *,
    sampling_rate: float,
    class_names: Sequence[str],
    seed: int,
    configuration: Mapping[str, Any],
) -> Path:
    """Write signals, labels and metadata of each part: the whole file appears at once, or none does."""
    import h5py  # 15 MB that only those who open signal files need

    path = path_of(file_path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    total = sum(len(labels) for _, labels, _ in parts.values())
    described = orjson.dumps(dict(configuration), option=orjson.OPT_SORT_KEYS)
    try:
        with h5py.File(unfinished, "w") as file:
            file.attrs.update(
                {
                    "num_classes": len(class_names),
                    "class_names": orjson.dumps(list(class_names)).decode(),
                    "sampling_rate": sampling_rate,
                    "signal_length": next(iter(parts.values()))[0].shape[1],
                    "generation_date": now().isoformat(),
                    "split_ratios": [len(parts[name][1]) / total for name in parts],
                    "seed": seed,
                    "config": described.decode(),
                    "config_hash": hashlib.sha256(described).hexdigest(),
                }
            )
            for name, (signals, labels, metadata) in parts.items():
                group = file.create_group(name)
                group.create_dataset("signals", data=signals)
                group.create_dataset("labels", data=labels)
                group.create_dataset("metadata", data=[orjson.dumps(dict(entry)).decode() for entry in metadata])
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    return path


def read(file_path: str) -> SignalFile:
    """The parts that a training needs; a file that is missing or damaged is named in a sentence."""
    import h5py

    path = path_of(file_path)
    try:
        with h5py.File(path, "r") as file:
            names = orjson.loads(file.attrs["class_names"])
            train, val = (
                Part(
                    np.asarray(file[name]["signals"], dtype=np.float32),
                    np.asarray(file[name]["labels"], dtype=np.int64),
                )
                for name in ("train", "val")
            )
            return SignalFile(train, val, float(file.attrs["sampling_rate"]), tuple(str(name) for name in names))
    except FileNotFoundError as error:
        raise Invalid(f"The signal file {path.name} is gone.") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Invalid(f"The signal file {path.name} cannot be read: {error}.") from error
