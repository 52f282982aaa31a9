"""The `pfd` command, forked from a process that has its modules already: a second less for each."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LASTS = 60
_PROCESSES = multiprocessing.get_context("forkserver")
# What the commands load only when they need it; nothing here reads the environment.
_PROCESSES.set_forkserver_preload(
    ["cli.main", "cli.installation", "sqlalchemy.dialects.sqlite", "database.migrations", "models", "services.accounts"]
)


def run(
    words: Sequence[str], folder: Path, env: dict[str, str], typed: str, scratch: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with a folder, an environment, input and output of its own."""
    files = [scratch / name for name in ("stdin", "stdout", "stderr")]
    for file, text in zip(files, (typed, "", ""), strict=True):
        file.write_text(text)
    process = _PROCESSES.Process(target=_become, args=(list(words), str(folder), env, [str(file) for file in files]))
    process.start()
    process.join(LASTS)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired(list(words), LASTS)
    return subprocess.CompletedProcess(list(words), process.exitcode, files[1].read_text(), files[2].read_text())


def _become(words: list[str], folder: str, env: dict[str, str], files: list[str]) -> None:
    for number, file in enumerate(files):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND if number else os.O_RDONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "w" if number else "r") for number in range(3))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    sys.argv = ["pfd", *words]
    from cli.main import main

    main()
