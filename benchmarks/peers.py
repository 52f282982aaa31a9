"""A peer beside us in the same run, where it is installed: `pip install '.[bench]'`."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import psutil

from benchmarks.product import free_port


def mlflow_start_and_memory() -> tuple[float, float] | None:
    """Seconds from the start of MLflow's own server to its first answer, and its memory in MB (PSS)."""
    if importlib.util.find_spec("mlflow") is None:
        return None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pfd-bench-mlflow-") as folder:
        began = time.perf_counter()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "mlflow",
                "server",
                "--port",
                str(port),
                "--backend-store-uri",
                "sqlite:///mlflow.db",
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while time.perf_counter() - began < 180:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                        break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.05)
            taken = time.perf_counter() - began
            parent = psutil.Process(process.pid)
            everybody = [parent, *parent.children(recursive=True)]
            memory = sum(one.memory_full_info().pss for one in everybody if one.is_running())
            return taken, memory / 1e6
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
