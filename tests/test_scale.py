"""What a make target says of a test's scale."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASKED = """
from tests.support import scale

def test_asked():
    assert scale.of("MADE_UP", 1) == 7
"""


def test_reaches_a_test_that_runs_without_the_settings_of_whoever_started_it(tmp_path: Path) -> None:
    (tmp_path / "test_asked.py").write_text(ASKED)
    words = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [sys.executable, *words, "-p", "tests.conftest", f"--rootdir={ROOT}", str(tmp_path / "test_asked.py")],
        cwd=ROOT,
        env={**os.environ, "PFD_TEST_MADE_UP": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
