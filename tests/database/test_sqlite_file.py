"""Facts about the file of an SQLite database: nothing but a migration makes it, and its loss is an error."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError

from config.errors import ConfigurationError
from database import checks, migrations
from database import engine as engines
from database.engine import snapshot, transaction
from models import Dataset


@pytest.fixture
def file(sqlite: Engine) -> Path:
    """The file of the database in place."""
    return Path(sqlite.url.database or "")


@pytest.fixture
def missing(tmp_path: Path) -> Iterator[Path]:
    """A file that is not there, as the database in place; its name needs escaping in an address."""
    path = tmp_path / "a new #1 %41.sqlite3"
    engines.use_engine(engines.build_engine(f"sqlite:///{quote(str(path))}"))
    yield path
    engines.use_engine(None)


def write() -> None:
    with transaction() as session:
        session.add(Dataset(name="d"))


def names() -> list[str]:
    with snapshot() as session:
        return list(session.scalars(select(Dataset.name)))


def remove(path: Path) -> None:
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


class TestMissing:
    def test_a_write_fails_and_makes_no_file(self, missing: Path) -> None:
        with pytest.raises(OperationalError, match="unable to open"):
            write()
        assert not missing.exists()

    def test_a_read_fails_and_makes_no_file(self, missing: Path) -> None:
        with pytest.raises(OperationalError, match="unable to open"):
            names()
        assert not missing.exists()

    def test_its_revision_is_that_of_an_empty_database(self, missing: Path) -> None:
        assert migrations.current() is None
        assert not missing.exists()

    def test_a_migration_makes_it(self, missing: Path) -> None:
        migrations.upgrade()
        write()
        assert missing.is_file()
        assert names() == ["d"]

    def test_a_check_names_it_and_makes_none(self, missing: Path) -> None:
        (finding,) = checks.check()
        assert (finding.is_good, str(missing) in finding.result) == (False, True)
        assert not missing.exists()


class TestLostWhileInUse:
    def test_a_write_after_the_deletion_fails_and_makes_no_file(self, sqlite: Engine, file: Path) -> None:
        write()
        remove(file)
        with pytest.raises(OperationalError, match="unable to open"):
            write()
        assert not file.exists()

    def test_a_read_after_the_deletion_fails(self, sqlite: Engine, file: Path) -> None:
        names()
        remove(file)
        with pytest.raises(OperationalError, match="unable to open"):
            names()

    def test_a_read_after_the_folder_went_fails(self, sqlite: Engine, file: Path, tmp_path: Path) -> None:
        names()
        shutil.move(file.parent, tmp_path.with_name(f"{tmp_path.name}-away"))
        with pytest.raises(OperationalError, match="unable to open"):
            names()

    def test_a_backup_put_in_its_place_is_used_at_once(self, sqlite: Engine, file: Path, sqlite_template: Path) -> None:
        write()
        remove(file)
        with pytest.raises(OperationalError):
            names()
        shutil.copy(sqlite_template, file)
        assert names() == []
        write()
        with sqlite3.connect(file) as raw:
            assert raw.execute("SELECT name FROM datasets").fetchall() == [("d",)]


class TestDamaged:
    def test_a_damaged_page_is_a_finding_of_the_check(self, sqlite: Engine, file: Path) -> None:
        with sqlite.connect() as connection:
            root = connection.scalar(text("SELECT rootpage FROM sqlite_master WHERE name = 'training_runs'"))
            size = connection.scalar(text("PRAGMA page_size"))
        engines.use_engine(None)
        with file.open("r+b") as raw:
            raw.seek((root - 1) * size)
            raw.write(b"\xff" * size)
        engines.use_engine(engines.build_engine(f"sqlite:///{file}"))
        bad = [finding.what for finding in checks.check() if not finding.is_good]
        assert "integrity check" in bad


class TestOfAnotherProgram:
    @pytest.fixture
    def foreign(self, missing: Path) -> Path:
        """A database of somebody else."""
        with sqlite3.connect(missing) as raw:
            raw.execute("CREATE TABLE moz_places (url TEXT)")
        return missing

    def test_it_is_not_migrated(self, foreign: Path) -> None:
        with pytest.raises(ConfigurationError, match="is the database of another program: it holds moz_places"):
            migrations.upgrade()
        with sqlite3.connect(foreign) as raw:
            assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("moz_places",)]

    def test_a_revision_of_its_own_is_not_taken_for_a_newer_one_of_ours(self, foreign: Path) -> None:
        with sqlite3.connect(foreign) as raw:
            raw.execute("CREATE TABLE alembic_version (version_num TEXT)")
            raw.execute("INSERT INTO alembic_version VALUES ('ffff')")
        with pytest.raises(ConfigurationError, match="of another program"):
            migrations.refuse_foreign_database()

    def test_a_check_names_it(self, foreign: Path) -> None:
        with pytest.raises(ConfigurationError, match="of another program"):
            checks.check()
