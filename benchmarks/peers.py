"""Peers beside us in the same run: TensorBoard, which we have; MLflow and Trackio where their commands are found."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from benchmarks.load import EPOCHS, KEYS
from benchmarks.product import free_port


@contextmanager
def _server(
    command: Sequence[str], url: str, folder: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A peer's own server, and the seconds from its start to its first answer."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while time.perf_counter() - began < 180:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start")
            try:
                with urllib.request.urlopen(url, timeout=5):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        else:
            raise RuntimeError(f"{command[0]} did not answer within three minutes")
        yield process, time.perf_counter() - began
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextmanager
def _mlflow() -> Iterator[tuple[int, subprocess.Popen[bytes], float] | None]:
    """MLflow's own server on SQLite: its port, its process, and how long it took to its first answer.

    MLflow pins an older web server than ours, so it is taken from wherever its command is: an environment of its own.
    """
    folders = [*os.environ.get("PATH", "").split(os.pathsep), str(Path(sys.executable).parent)]
    mlflow = next(
        (found for folder in folders if (found := shutil.which("mlflow", path=folder)) and _is_all(found)), None
    )
    if mlflow is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pfd-bench-mlflow-") as folder:
        command = [mlflow, "server", "--port", str(port), "--backend-store-uri", "sqlite:///mlflow.db"]
        with _server(command, f"http://127.0.0.1:{port}/health", folder) as (process, taken):
            yield port, process, taken


def _is_all(mlflow: str) -> bool:
    """Whether this is all of MLflow: its client alone, which the tests have, brings a command of that name as well."""
    asked = [str(Path(mlflow).parent / "python"), "-c", "import importlib.metadata as m; m.version('mlflow')"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@contextmanager
def mlflow_server() -> Iterator[int | None]:
    """The port of MLflow's own server; None where it is not installed."""
    with _mlflow() as found:
        yield None if found is None else found[0]


@contextmanager
def trackio_server(token: str) -> Iterator[int | None]:
    """The port of Trackio's own server, to which this token may write; None where it is not installed."""
    trackio = shutil.which("trackio")
    if trackio is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pfd-bench-trackio-") as folder:
        its = {"TRACKIO_DIR": folder, "TRACKIO_WRITE_TOKEN": token, "GRADIO_SERVER_PORT": str(port), "BROWSER": "true"}
        with _server([trackio, "show"], f"http://127.0.0.1:{port}/version", folder, its):
            yield port


def mlflow_start_and_memory() -> tuple[float, float] | None:
    """Seconds from the start of MLflow's own server to its first answer, and its memory in MB (PSS)."""
    with _mlflow() as found:
        return None if found is None else (found[2], _settled(psutil.Process(found[1].pid)) / 1e6)


def _settled(parent: psutil.Process) -> int:
    """Bytes (PSS) of a process with its children, once they no longer grow: the first of several workers answers while
    the others still load."""
    seen = [0]
    for _ in range(60):
        everybody = [parent, *parent.children(recursive=True)]
        seen.append(sum(one.memory_full_info().pss for one in everybody if one.is_running()))
        if len(seen) > 3 and seen[-1] < 1.01 * seen[-4]:
            break
        time.sleep(1)
    return seen[-1]


@contextmanager
def tensorboard(runs: int) -> Iterator[str]:
    """The address of a TensorBoard that shows as many runs of 100 epochs as our comparison."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pfd-bench-tensorboard-") as folder:
        _write_runs(Path(folder), runs)
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", str(port)]
        with _server(command, f"http://127.0.0.1:{port}/", folder):
            yield f"http://127.0.0.1:{port}/"


def _write_runs(folder: Path, runs: int) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    rng = np.random.default_rng(5)
    for run in range(runs):
        writer = EventFileWriter(str(folder / f"run{run:02d}"))
        for epoch in range(1, EPOCHS + 1):
            values = [Summary.Value(tag=key, simple_value=float(rng.random())) for key in KEYS]
            writer.add_event(Event(wall_time=1.7e9 + 7 * epoch, step=epoch, summary=Summary(value=values)))
        writer.close()
