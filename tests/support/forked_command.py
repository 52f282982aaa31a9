"""The `pfd` command, run to its end."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.forked import Forked

PFD = str(Path(sys.executable).with_name("pfd"))
LASTS = 150  # seconds


def run(
    words: Sequence[str], folder: Path, env: Mapping[str, str], typed: str, scratch: Path
) -> subprocess.CompletedProcess[str]:
    """What it answers, with a folder, an environment, input and output of its own."""
    files = [scratch / name for name in ("stdin", "stdout", "stderr")]
    for file, text in zip(files, (typed, "", ""), strict=True):
        file.write_text(text)
    process = Forked(PFD, words, env, folder, files)
    try:
        status = process.wait(LASTS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(list(words), status, files[1].read_text(), files[2].read_text())
