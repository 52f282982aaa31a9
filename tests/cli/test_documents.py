"""What the documents state and a machine can check."""

import re
import subprocess
from pathlib import Path

import pytest

import models
from config.settings import Settings

ROOT = Path(__file__).parents[2]
SCHEMA = (ROOT / "docs" / "schema.md").read_text()
README = (ROOT / "README.md").read_text()
COMMON = {"id", "created_at", "updated_at"}


@pytest.mark.parametrize("table", models.Base.metadata.tables.values(), ids=lambda table: table.name)
def test_schema_names_every_table_with_its_columns(table):
    row = re.search(rf"^\| `{table.name}` \| (.*?) \|$", SCHEMA, re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`(\w+)`", row[1])) == {column.name for column in table.columns} - COMMON


def test_schema_names_no_table_that_is_not_there():
    tables = SCHEMA.split("## Tables")[1].split("## Departures")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", tables, re.MULTILINE)) == set(models.Base.metadata.tables)


def test_readme_names_every_setting():
    names = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert {name for name in names if f"`{name}`" not in README} == set()


def test_links_lead_somewhere():
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("http") and not target.endswith("benchmarks.md"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_lock_file_names_no_index_and_only_hashed_packages():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    packages = [number for number, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
    assert [lines[number] for number in packages if "--hash=sha256:" not in lines[number + 1]] == []


def test_help_of_make_names_every_target():
    made = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    targets = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    assert sorted(re.findall(r"^  make (\w+)", made.stdout, re.MULTILINE)) == sorted(targets)
