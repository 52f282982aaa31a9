"""Take each guard away in turn and see whether the suite notices: `make guards`.

A guard is a call of `require`, a condition that ends in a refusal, a decorator that asks for a permission, or the part
of a query that keeps other people's rows out. Each is removed in a copy of the project. The tests (without a browser)
that were seen to come by the guard run first, then those that name its module; another test cannot notice. Exit status
1 if fewer than 95 % are noticed.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.campaigns.reached import Reached

ROOT = Path(__file__).resolve().parents[2]
GUARDED = ("models/permissions.py", "services", "web", "api", "pages/_page.py")
CALLS = {"require", "require_permission", "require_fresh"}
REFUSALS = {
    "PermissionDenied", "AuthenticationRequired", "NotFound", "KeyRefused", "KeyInAddress", "FactorNeeded",
    "TooManyAttempts", "Undeclared",
}  # fmt: skip
DECORATORS = {"requires", "requires_key", "require_permission", "require_role", "require_sign_in", "admin_required",
              "super_admin_required", "operator_required"}  # fmt: skip
WHOSE = {"visibility", "_whose", "_mine"}
OTHERS = (
    "tests/web",
    "tests/services",
    "tests/api",
    "tests/pages",
    "tests/imports",
    "tests/cli/test_keys.py",
    "tests/cli/test_users.py",
)
REACH = 0.95


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: where it stands, and the text of its file without it."""

    file: Path
    line: int
    words: str
    without: str
    reached_at: range  # the lines that run where it guards


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _refuses(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise) and statement.exc is not None:
        return _name(statement.exc) in REFUSALS
    return isinstance(statement, ast.Return) and statement.value is not None and _name(statement.value) == "refusal"


def _only_looks_up(statement: ast.If) -> bool:
    """Whether it says that something is not there, which keeps nobody out."""
    raised = statement.body[0]
    is_missing = isinstance(raised, ast.Raise) and raised.exc is not None and _name(raised.exc) == "NotFound"
    test = statement.test
    is_none = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Is)
    return is_missing and (is_none or isinstance(test, ast.UnaryOp))


def _replaced(source: str, node: ast.stmt | ast.expr, by: str) -> str:
    """The source with one node written otherwise; offsets are in bytes."""
    lines = source.encode().splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    before = b"".join(lines[: node.lineno - 1]) + lines[node.lineno - 1][: node.col_offset]
    after = lines[node.end_lineno - 1][node.end_col_offset :] + b"".join(lines[node.end_lineno :])
    return (before + by.encode() + after).decode()


def guards_of(file: Path) -> Iterator[Guard]:
    """Every guard of a file."""
    source = file.read_text()
    for node in ast.walk(ast.parse(source)):
        by: str | None = None
        target: ast.stmt | ast.expr | None = None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _name(node.value) in CALLS:
            target, by = node, "pass"
        elif isinstance(node, ast.If) and not node.orelse and len(node.body) == 1 and _refuses(node.body[0]):
            if _only_looks_up(node):
                continue
            target, by = node.test, "False"
        elif isinstance(node, ast.Starred) and _name(node.value) in WHOSE:
            target, by = node, "*()"
        elif isinstance(node, ast.Compare) and "actor.user_id" in ast.unparse(node) and len(node.ops) == 1:
            target, by = node, ast.unparse(node.left) + " == " + ast.unparse(node.left)
        elif isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if _name(decorator) in DECORATORS:
                    without = _replaced(source, decorator, "staticmethod")
                    body = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
                    yield Guard(file, decorator.lineno, ast.unparse(decorator), without, body)
        if target is not None and by is not None:
            words = " ".join(ast.unparse(node).split())[:90]
            lines = range(target.lineno, (target.end_lineno or target.lineno) + 1)
            yield Guard(file, target.lineno, words, _replaced(source, target, by), lines)


def all_guards() -> list[Guard]:
    """Every guard of the product."""
    files = [
        path for name in GUARDED for path in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    ]
    return [guard for file in sorted(files) for guard in guards_of(file)]


def tests_near(file: Path) -> list[str]:
    """The test files that name the module, which are quickest to notice; none of them needs a browser."""
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    package, _, name = module.rpartition(".")
    words = (f"from {package} import", f"{module} import", f"import {module}")
    near = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "browser" not in text and any(word in text for word in words) and name in text:
            near.append(str(path.relative_to(ROOT)))
    return near


def is_noticed(copy: Path, guard: Guard, reached: Reached) -> bool:
    """Whether any test fails without the guard."""
    changed = copy / guard.file.relative_to(ROOT)
    kept = changed.read_text()
    changed.write_text(guard.without)
    try:
        near = tests_near(guard.file)
        coming_by = reached.tests(guard.file.relative_to(ROOT), guard.reached_at, first=near)
        return any(_fails(copy, tests) for tests in (coming_by, near or list(OTHERS)) if tests)
    finally:
        changed.write_text(kept)


def _fails(copy: Path, tests: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not browser", *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ended.returncode not in {0, 5}


def main() -> int:
    """Run the campaign and print what nobody noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="only print the guards")
    parser.add_argument("--only", default="", help="only guards in files whose path contains this")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    guards = [guard for guard in all_guards() if asked.only in str(guard.file.relative_to(ROOT))]
    if asked.list:
        for guard in guards:
            print(f"{guard.file.relative_to(ROOT)}:{guard.line}: {guard.words}")
        return 0
    with tempfile.TemporaryDirectory(prefix="pfd-guards-") as folder:
        print("Running the tests once, to see which come by which guard", flush=True)
        reached = Reached.seen(ROOT, list(OTHERS), Path(folder))
        copies: Queue[Path] = Queue()
        for number in range(asked.processes):
            copy = Path(folder) / str(number)
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "data", "__pycache__"))
            copies.put(copy)

        def tried(guard: Guard) -> bool:
            copy = copies.get()
            try:
                noticed = is_noticed(copy, guard, reached)
            finally:
                copies.put(copy)
            word = "noticed" if noticed else "NOT NOTICED"
            print(f"{word}: {guard.file.relative_to(ROOT)}:{guard.line}: {guard.words}", flush=True)
            return noticed

        with ThreadPoolExecutor(asked.processes) as pool:
            outcomes = list(pool.map(tried, guards))
    share = sum(outcomes) / max(1, len(outcomes))
    print(f"{sum(outcomes)} of {len(outcomes)} lost guards are noticed ({share:.0%}; reach {REACH:.0%})")
    return 0 if share >= REACH else 1


if __name__ == "__main__":
    sys.exit(main())
