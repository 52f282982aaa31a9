"""The product as its users run it: its own start command, its own port, a signed-in client."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

ROOT = Path(__file__).resolve().parent.parent
USER, PASSWORD = "bench", "benchmarks are not contests"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Product:
    """A running installation."""

    port: int
    process: subprocess.Popen[bytes]
    started_in: float
    cookie: str = ""
    specs: dict[str, Any] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers={"Cookie": self.cookie, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def sign_in(self) -> None:
        """Sign in through the form, and learn what the callbacks declare."""
        _, page, headers = self.request("GET", "/login")
        form = headers["Set-Cookie"].split(";")[0]
        token = re.search(rb'csrf_token" value="([^"]+)', page)
        assert token is not None
        fields = urlencode({"username": USER, "password": PASSWORD, "csrf_token": token.group(1).decode()})
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": form}
        status, _, headers = self.request("POST", "/login", fields.encode(), kind)
        assert status == 302, status
        self.cookie = next(value.split(";")[0] for value in headers.get_all("Set-Cookie") or () if "sid" in value)
        _, listed, _ = self.request("GET", "/_dash-dependencies")
        self.specs = {item["output"]: item for item in json.loads(listed)}

    def body(self, output: str, values: Mapping[str, Any], changed: str) -> bytes:
        """A dispatch body such as the page sends; `output` may be the beginning of the callback's name."""
        full = (
            output if output in self.specs else next(name for name in self.specs if name.strip(".").startswith(output))
        )
        spec = self.specs[full]
        names = full[2:-2].split("...") if full.startswith("..") else [full]
        outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]

        def filled(items: list[dict[str, str]]) -> list[dict[str, Any]]:
            return [{**item, "value": values.get(f"{item['id']}.{item['property']}")} for item in items]

        return json.dumps(
            {
                "output": full,
                "outputs": outputs if full.startswith("..") else outputs[0],
                "inputs": filled(spec["inputs"]),
                "state": filled(spec["state"]),
                "changedPropIds": [changed],
            }
        ).encode()

    def dispatch(self, body: bytes) -> bytes:
        """Post a body to the dispatcher."""
        status, answer, _ = self.request("POST", "/_dash-update-component", body, {"Content-Type": "application/json"})
        assert status == 200, (status, answer[:300])
        return answer

    def memory(self) -> tuple[float, float]:
        """Megabytes of web and worker, and of every process there is; what they share is counted once (PSS)."""
        parent = psutil.Process(self.process.pid)
        serving, total = 0.0, 0.0
        for process in [parent, *parent.children(recursive=True)]:
            try:
                used = process.memory_full_info().pss / 1e6
                words = " ".join(process.cmdline())
            except (psutil.NoSuchProcess, AttributeError):
                continue
            total += used
            if "gunicorn" in words or words.endswith("__main__.py worker"):
                serving += used
        return serving, total


def environment(data_dir: Path, port: int) -> dict[str, str]:
    """The settings of a benchmark's installation; DATABASE_URL is taken over from whoever started it."""
    return {
        **os.environ,
        "PFD_DATA_DIR": str(data_dir),
        "PFD_PORT": str(port),
        "PFD_DEMO": "0",
        "PFD_ADMIN_USERNAME": USER,
        "PFD_ADMIN_EMAIL": "bench@example.org",
        "PFD_ADMIN_PASSWORD": PASSWORD,
    }


@contextmanager
def running(data_dir: Path) -> Iterator[Product]:
    """Start the product with its own command; ended with all its processes at the end."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", "serve"],
        env=environment(data_dir, port),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    product = Product(port, process, 0.0)
    try:
        product.started_in = _first_answer(product, began)
        product.sign_in()
        yield product
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _first_answer(product: Product, began: float) -> float:
    while time.perf_counter() - began < 120:
        if product.process.poll() is not None:
            raise RuntimeError("the product did not start")
        try:
            if product.request("GET", "/login")[0] == 200:
                return time.perf_counter() - began
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the product did not answer within two minutes")


@contextmanager
def data_folder() -> Iterator[Path]:
    """A data folder that goes away again."""
    with tempfile.TemporaryDirectory(prefix="pfd-bench-") as folder:
        yield Path(folder)
