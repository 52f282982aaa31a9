"""The rules of the house that a machine can check: who imports whom, and what only one place may do."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("components", "diagnosis", "config", "database", "models", "services", "web", "pages", "api", "jobs", "cli")
# Who may import whom; a floor always uses its own files.
MAY_IMPORT = {
    "components": set(),
    "diagnosis": set(),
    "config": set(),
    "database": {"config"},
    "models": {"database"},
    "services": {"config", "database", "models", "diagnosis"},
    "web": {"config", "database", "models", "services", "components"},
    "pages": {"database", "models", "services", "web", "components"},
    "api": {"database", "models", "services", "web"},
    "jobs": {"config", "database", "models", "services", "diagnosis"},
    "cli": {"config", "database", "models", "services", "jobs"},
}
VOCABULARY = {"models.permissions"}  # all that pages and API may take from models
PACKAGES = {
    "services": {"dash", "flask", "flask_login", "celery", "click"},
    "diagnosis": {"sqlalchemy", "flask", "dash"},
}


def sources() -> list[Path]:
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imports_of(path: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, node.lineno))
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_the_floors(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    wrong = []
    for name, line in imports_of(path):
        top = name.split(".")[0]
        if top in PACKAGES.get(floor, set()):
            wrong.append(f"{path.name}:{line} imports {name}")
        if top not in FLOORS or top == floor:
            continue
        if top not in MAY_IMPORT[floor] or (floor in {"pages", "api"} and top == "models" and name not in VOCABULARY):
            wrong.append(f"{path.name}:{line} imports {name}")
    assert wrong == []


@pytest.mark.parametrize(
    ("made", "place"),
    [(r"\bdcc\.Graph\(", "components/graph.py"), (r"\bdbc\.Modal\(", "components/dialog.py")],
    ids=["charts", "dialogs"],
)
def test_it_is_made_in_one_place(made: str, place: str) -> None:
    makers = [path for path in sources() if re.search(made, path.read_text())]
    assert [str(path.relative_to(ROOT)) for path in makers] == [place]


def test_only_the_page_base_binds_server_callbacks() -> None:
    binding = re.compile(r"(?<![\w.])(?:dash\.callback|app\.callback)\(")
    binders = [path for path in sources() if binding.search(path.read_text())]
    assert [str(path.relative_to(ROOT)) for path in binders] == ["pages/_page.py"]


def test_nothing_sets_html_dangerously() -> None:
    words = re.compile(r"dangerously_allow_html\s*=\s*True|dangerously_allow_code\s*=\s*True|srcDoc\s*=")
    assert [path.name for path in sources() if words.search(path.read_text())] == []


def test_each_rule_of_security_that_is_set_aside_says_why_in_its_line() -> None:
    aside = re.compile(r"#\s*noqa: S\d+\b(?! - \w)|#\s*nosec")
    assert [str(path.relative_to(ROOT)) for path in sources() if aside.search(path.read_text())] == []


def test_only_settings_read_the_environment() -> None:
    allowed = {"config/settings.py"}
    readers = {
        str(path.relative_to(ROOT))
        for path in sources()
        if path.relative_to(ROOT).parts[0] in {"services", "web", "pages", "models", "database", "components", "config"}
        and re.search(r"os\.environ|os\.getenv|getenv\(", path.read_text())
    }
    assert readers <= allowed


def test_the_lock_pins_every_package_with_a_hash_and_names_no_index() -> None:
    text = (ROOT / "requirements.lock").read_text()
    packages = re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)
    assert len(packages) > 40
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if "==" in block:
            assert "--hash=sha256:" in block, block[:60]
    assert not re.search(r"https?://|--index|--find-links", text)
