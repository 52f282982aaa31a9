"""Which tests come by which line: one run of the tests under coverage, a context for each test function."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

SETTINGS = """[run]
dynamic_context = test_function
source = {sources}
data_file = {data}
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """The tests by file and line."""

    root: Path
    by_line: dict[str, dict[int, list[str]]]
    files: dict[str, list[str]]

    @classmethod
    def seen(cls, root: Path, tests: Sequence[str], folder: Path) -> "Reached":
        """Run the tests once, all of which must pass, and note what each comes by."""
        rules, data_file = folder / "coverage.ini", folder / "coverage"
        sources = ",".join(str(root / name) for name in ("models", "services", "web", "api", "pages"))
        rules.write_text(SETTINGS.format(sources=sources, data=data_file))
        command = [sys.executable, "-m", "coverage", "run", f"--rcfile={rules}", "-m", "pytest", "-q"]
        command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not browser", *tests]
        subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, stdout=sys.stderr)
        data = CoverageData(str(data_file))
        data.read()
        by_line = {str(Path(name).relative_to(root)): data.contexts_by_lineno(name) for name in data.measured_files()}
        files = defaultdict(list)
        for path in (root / "tests").rglob("test_*.py"):
            files[path.stem].append(str(path.relative_to(root)))
        return cls(root, by_line, dict(files))

    def tests(self, file: Path, lines: range, *, first: Sequence[str]) -> list[str]:
        """The tests that came by one of the lines, those of some files before the others."""
        found = {name for line in lines for name in self.by_line.get(str(file), {}).get(line, []) if name}
        nodes = {node for name in found for node in self._nodes(name)}
        return sorted(nodes, key=lambda node: (node.partition("::")[0] not in first, node))

    def _nodes(self, context: str) -> list[str]:
        parts = context.split(".")
        at = next((index for index, part in enumerate(parts) if part in self.files), None)
        return [] if at is None else ["::".join([path, *parts[at + 1 :]]) for path in self.files[parts[at]]]
