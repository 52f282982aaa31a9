"""docs/asvs.md: every requirement is answered once, and every test that it names exists."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHEET = ROOT / "docs" / "asvs.md"
# OWASP ASVS 5.0.0, levels 1 and 2: 70 and 183.
WANTED = (Path(__file__).parent / "asvs_ids.txt").read_text().split()
OWN = [
    *(f"A{n}" for n in range(1, 12)), *(f"B{n}" for n in range(1, 15)), *(f"C{n}" for n in range(1, 11)),
    *(f"D{n}" for n in range(1, 16)), *(f"E{n}" for n in range(1, 10)),
    "H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H10", "I1", "I2", "I3", "I4", "I5", "I6", "I9", "I11", "J1",
    "K1", "K2", "K3", "K4", "K7", "K8",
]  # fmt: skip


def rows() -> list[list[str]]:
    """The cells of each row that begins with the number of a requirement."""
    lines = SHEET.read_text().splitlines()
    return [re.split(r" \| ", line.strip("| ")) for line in lines if re.match(r"\| [A-K]?\d", line)]


def defined_in(path: Path) -> set[str]:
    """The tests of a file, those of classes as `Class::test`."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
    return names


def test_every_requirement_is_answered_once() -> None:
    assert len(WANTED) == len(set(WANTED)) == 253
    counted = Counter(row[0] for row in rows())
    assert {name: counted[name] for name in [*WANTED, *OWN] if counted[name] != 1} == {}
    assert set(counted) == {*WANTED, *OWN}


def test_every_answer_says_something() -> None:
    for row in rows():
        assert len(row) == 3 and all(len(cell) > 2 for cell in row[1:]), row
        named = re.search(r"`[^`]+`|does not apply: |open: issue \d|docs/", row[2])
        assert named, f"{row[0]} names no test, file, document or issue"


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", SHEET.read_text())
    assert len(named) > 150
    known: dict[str, set[str]] = {}
    missing = []
    for file, name in named:
        if file not in known:
            known[file] = defined_in(ROOT / file) if (ROOT / file).is_file() else set()
        if not (ROOT / file).is_file() or (name and name not in known[file]):
            missing.append(f"{file}::{name}")
    assert missing == []


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[\w.-]+\.[a-z]+)`", SHEET.read_text())
    assert [name for name in named if not (ROOT / name).is_file()] == []
