"""One installation as its owner has it: a data folder, a port, the `pfd` command, and its processes."""

import os
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import psutil

from tests.support import forked_command
from tests.support.waiting import wait_until

GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


def open_to_others(folder: Path) -> list[str]:
    """The files that others than their owner may read or change."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]


class Installation:
    """Commands run in a folder that is not the checkout, as a person would."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.data = folder / "data"
        self.address = f"http://127.0.0.1:{port}"
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith("PFD_") and k not in {"DATABASE_URL", "REDIS_URL"}
        }
        self.env = {**kept, "PFD_DATA_DIR": str(self.data), "PFD_PORT": str(port), "PFD_DEMO": "0"}
        self.output = folder / "output"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def run(self, *words: str, typed: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return forked_command.run(words, self.folder, {**self.env, **env}, typed, scratch)

    def start(self, word: str, **env: str) -> None:
        """Start a command that does not end by itself."""
        command, environment = [forked_command.PFD, word], {**self.env, **env}
        with self.output.open("wb") as output:
            self.supervisor = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    def serve(self, **env: str) -> None:
        """Start serving and wait until it says that it is ready."""
        self.start("serve", **env)
        wait_until(lambda: "PFD is ready at" in self.said() or self.supervisor.poll() is not None)
        assert self.supervisor.poll() is None, self.said()

    def said(self) -> str:
        """What it has written so far."""
        return self.output.read_text(errors="replace")

    def setup_link(self) -> str:
        """The link that it printed."""
        found = re.search(r"http\S+/setup/\S+", self.said())
        assert found is not None, self.said()
        return found[0]

    def processes(self) -> list[psutil.Process]:
        """Every living process that works for this installation, whoever its parent is by now."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("PFD_DATA_DIR") == str(self.data)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except GONE:
                continue
        return found

    def child(self, part: str) -> psutil.Process | None:
        """The supervisor's own child with this in its command line."""
        assert self.supervisor is not None
        for process in psutil.Process(self.supervisor.pid).children():
            try:
                if part in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    return process
            except GONE:
                continue
        return None

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an answer; 0 when nobody answers."""
        return self._ask(path if path.startswith("http") else self.address + path, None)

    def post(self, url: str, **fields: str) -> tuple[int, str]:
        """Send a form with the token that its page carries."""
        _, page = self.get(url)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None, page
        return self._ask(url, urllib.parse.urlencode({**fields, "csrf_token": token[1]}).encode())

    def _ask(self, url: str, body: bytes | None) -> tuple[int, str]:
        try:
            with self._browser.open(url, body, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def end(self) -> None:
        """Whatever the test did, leave nothing running."""
        for process in self.processes():
            try:
                process.kill()
            except GONE:
                continue
        if self.supervisor is not None:
            self.supervisor.wait(timeout=60)
