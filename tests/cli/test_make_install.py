"""What `make install` says while it works: calm lines, and all of it once something fails."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
Make = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def make_install(tmp_path: Path) -> Make:
    """`make install` of 45 packages with a Python that answers what a script of the shell says."""

    def make(script: str) -> subprocess.CompletedProcess[str]:
        shutil.copy(MAKEFILE, tmp_path)
        (tmp_path / "pyproject.toml").touch()
        (tmp_path / "requirements.lock").write_text("".join(f"p{n}==1 \\\n    --hash=sha256:0\n" for n in range(45)))
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\ncase $* in *requirements.lock) {script};; esac\n")
        python.chmod(0o755)
        # Under `make test` a make of ours would take itself for a part of that one, and say which folder it enters.
        environment = {name: value for name, value in os.environ.items() if "MAKE" not in name and name != "MFLAGS"}
        return subprocess.run(
            ["make", "install"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return make


WHOLE = """
    for n in $(seq 45); do echo "Collecting p$n==1"; echo "  Downloading p$n.whl"; done
    echo "WARNING: an index is slow" >&2; echo "Installing collected packages: p1"; echo "Successfully installed p1"
"""


def test_progress_is_a_line_for_twenty_packages(make_install: Make) -> None:
    said = make_install(WHOLE).stdout.splitlines()
    assert [line.split(" (")[0] for line in said] == [
        "Installing the 45 packages of requirements.lock",
        "  20 of 45",
        "  40 of 45",
        "  all are here; putting them into .venv takes about as long again",
    ]


def test_a_warning_that_stops_nothing_is_not_shown(make_install: Make) -> None:
    made = make_install(WHOLE)
    assert (made.returncode, made.stderr) == (0, "")


def test_a_failure_is_told_in_all_of_its_lines(make_install: Make) -> None:
    made = make_install('echo "ERROR: no match for p1"; echo "  Expected 1"; echo "       Got 2" >&2; exit 1')
    assert made.returncode == 2
    assert made.stderr.splitlines()[:4] == [
        "ERROR: no match for p1",
        "  Expected 1",
        "       Got 2",
        "The packages of requirements.lock could not be installed; the reason stands above.",
    ]


def test_a_pip_that_dies_without_a_word_is_a_failure(make_install: Make) -> None:
    assert make_install("kill -9 $$").returncode == 2
