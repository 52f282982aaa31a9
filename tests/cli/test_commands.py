"""The commands that end by themselves, on both databases."""

import math
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from cli.main import run
from database.engine import snapshot, transaction
from models.experiment import Experiment
from models.job import Job
from models.metric_series import MetricSeries
from models.system_log import SystemLog
from models.user import User

PASSWORD = "a long enough passphrase"


def user(name):
    with snapshot() as session:
        return session.scalar(select(User).where(User.username == name))


def count(model):
    with snapshot() as session:
        return session.scalar(select(func.count()).select_from(model))


class TestDatabase:
    @pytest.fixture
    def pfd_sqlite(self, sqlite, capsys):
        """A command on an SQLite database, for what other tests must not find changed afterwards."""

        def command(*words):
            return run(words), capsys.readouterr().out

        return command

    def test_check_is_good(self, pfd):
        status, out, _ = pfd("db", "check")
        assert (status, "BAD" in out) == (0, False)

    def test_check_names_what_differs(self, pfd_sqlite):
        with transaction() as session:
            session.execute(text("DROP INDEX ix_experiments_duration"))
        status, out = pfd_sqlite("db", "check")
        assert status == 1
        assert "ix_experiments_duration" in out

    def test_check_of_a_missing_database_names_it_and_makes_none(self, sqlite, pfd_sqlite):
        file = Path(sqlite.url.database)
        file.unlink()
        status, out = pfd_sqlite("db", "check")
        assert (status, f"there is no {file}" in out, file.exists()) == (1, True, False)

    def test_upgrade_twice(self, pfd):
        assert pfd("db", "upgrade")[1].endswith("already.\n")

    def test_down_asks_first_and_up_again(self, pfd_sqlite, monkeypatch):
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: "n")
        assert pfd_sqlite("db", "downgrade", "base")[0] == 130
        assert pfd_sqlite("db", "downgrade", "base", "--yes")[0] == 0
        assert pfd_sqlite("db", "check")[0] == 1
        assert pfd_sqlite("db", "upgrade")[0] == 0
        assert pfd_sqlite("db", "check")[0] == 0

    def test_revision_that_is_not_there(self, pfd):
        status, _, err = pfd("db", "downgrade", "nonsense", "--yes")
        assert (status, err.startswith("Error: ")) == (1, True)

    def test_broken_link_between_rows_is_found(self, sqlite, pfd_sqlite):
        file = sqlite.url.database
        with sqlite3.connect(file) as raw:
            raw.execute(
                "INSERT INTO metric_series (experiment_id, key_id, points, nonfinite, in_order) VALUES (7,7,0,0,1)"
            )
        status, out = pfd_sqlite("db", "check")
        assert (status, "BAD  foreign key check: metric_series" in out) == (1, True)


class TestImport:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "runs.csv"
        path.write_text("run,epoch,loss\n" + "".join(f"a,{n},{n / 10}\nb,{n},{n / 7}\n" for n in range(1, 6)))
        return path

    def test_new_then_unchanged_then_extended(self, pfd, file):
        assert pfd("import", "csv", str(file)) == (0, "2 runs: 2 new, 0 extended, 0 unchanged, 0 bad\n", "")
        assert pfd("import", "csv", str(file)) == (0, "2 runs: 0 new, 0 extended, 2 unchanged, 0 bad\n", "")
        file.write_text(file.read_text() + "b,6,0.5\n")
        assert pfd("import", "csv", str(file)) == (0, "2 runs: 0 new, 1 extended, 1 unchanged, 0 bad\n", "")
        with snapshot() as session:
            assert sorted(session.scalars(select(MetricSeries.points))) == [5, 6]

    def test_bad_run_is_named_while_the_other_goes_in(self, pfd, file):
        file.write_text(file.read_text() + f"a,{2**70},1\n")
        status, out, err = pfd("import", "csv", str(file))
        assert (status, out) == (1, "2 runs: 1 new, 0 extended, 0 unchanged, 1 bad\n")
        assert err.startswith("Left out “a”: ")
        assert count(Experiment) == 1

    def test_quote_that_is_never_closed_brings_nothing_in(self, pfd, file):
        file.write_text(file.read_text() + 'b,6,"0.5\n')
        status, out, err = pfd("import", "csv", str(file))
        assert (status, out, err) == (1, "", 'Error: runs.csv, line 12: A quote (") is opened and never closed.\n')
        assert count(Experiment) == 0

    def test_dry_run_writes_nothing(self, pfd, file):
        status, out, _ = pfd("import", "csv", str(file), "--dry-run")
        assert (status, out.splitlines()[-1]) == (
            0,
            "2 runs: 2 new, 0 extended, 0 unchanged, 0 bad (dry run: nothing was written)",
        )
        assert count(Experiment) == 0

    def test_dry_run_names_what_would_become_of_each(self, pfd, file):
        pfd("import", "csv", str(file))
        file.write_text(file.read_text() + "b,6,0.5\nc,1,0.5\n")
        _, out, _ = pfd("import", "csv", str(file), "--dry-run")
        assert [line.split() for line in out.splitlines()[:3]] == [["unchanged", "a"], ["extended", "b"], ["new", "c"]]

    def test_owner(self, pfd, file, typed):
        typed(PASSWORD)
        pfd("user", "create", "ada", "--email", "ada@example.org", "--password-stdin")
        assert pfd("import", "csv", str(file), "--user", "ada")[0] == 0
        with snapshot() as session:
            assert set(session.scalars(select(Experiment.created_by))) == {user("ada").id}

    def test_second_import_with_an_owner_gives_one_to_those_without(self, pfd, file, typed):
        pfd("import", "csv", str(file))
        typed(PASSWORD)
        pfd("user", "create", "ada", "--email", "ada@example.org", "--password-stdin")
        assert pfd("import", "csv", str(file), "--user", "ada")[1].startswith("2 runs: 0 new, 2 extended")
        with snapshot() as session:
            assert set(session.scalars(select(Experiment.created_by))) == {user("ada").id}

    def test_second_import_leaves_the_owner_there_is_and_says_so(self, pfd, file, typed):
        for name in ("ada", "eng"):
            typed(PASSWORD)
            pfd("user", "create", name, "--email", f"{name}@example.org", "--password-stdin")
        pfd("import", "csv", str(file), "--user", "ada")
        said = pfd("import", "csv", str(file), "--user", "eng")[1]
        assert said.endswith("2 of them belong to somebody else, who stays their owner.\n")
        with snapshot() as session:
            assert set(session.scalars(select(Experiment.created_by))) == {user("ada").id}

    def test_unknown_owner_brings_nothing_in(self, pfd, file):
        assert pfd("import", "csv", str(file), "--user", "eve")[0] == 1
        assert count(Experiment) == 0

    def test_run_that_cannot_be_stored_costs_only_itself(self, pfd, file, monkeypatch):
        from services.errors import Invalid
        from services.imports import store as storing

        real = storing.store

        def refuse_one(session, actor, run_read, owner_id, **options):
            if run_read.name == "a":
                raise Invalid("It is refused.")
            return real(session, actor, run_read, owner_id, **options)

        monkeypatch.setattr(storing, "store", refuse_one)
        status, out, err = pfd("import", "csv", str(file))
        assert (status, err) == (1, "Left out “a”: It is refused.\n")
        assert out.startswith("2 runs: 1 new")

    def test_interrupted_it_keeps_what_came_in(self, pfd, file, monkeypatch):
        from services.imports import store as storing

        real, calls = storing.store, []

        def interrupt_the_second(session, actor, run_read, owner_id, **options):
            calls.append(run_read)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(session, actor, run_read, owner_id, **options)

        monkeypatch.setattr(storing, "store", interrupt_the_second)
        status, out, err = pfd("import", "csv", str(file))
        assert (status, out, err.strip()) == (130, "1 run: 1 new, 0 extended, 0 unchanged, 0 bad\n", "Stopped.")
        assert count(Experiment) == 1
        with snapshot() as session:
            assert session.scalars(select(SystemLog.action)).all() == ["experiment.import"]

    def test_interrupted_it_names_what_was_bad_before(self, pfd, file, monkeypatch):
        from services.imports import csv as reader
        from services.imports.run import BadRun

        def read_one(_location):
            yield BadRun("a", "a", "It is torn.")
            raise KeyboardInterrupt

        monkeypatch.setattr(reader, "read_runs", read_one)
        status, out, err = pfd("import", "csv", str(file))
        assert (status, out) == (130, "1 run: 0 new, 0 extended, 0 unchanged, 1 bad\n")
        assert err.split("\n") == ["Left out “a”: It is torn.", "", "Stopped.", ""]

    def test_codes_for_a_terminal_are_neither_kept_nor_printed(self, pfd, tmp_path):
        path = tmp_path / "runs.csv"
        hostile = "\x1b]0;owned\x07\x9b31m\u202eexe"
        path.write_text(f"run,epoch,loss\n{hostile},1,1\nbad{hostile},x\x1b[2J,1\n{hostile},2,1\n{hostile},3,1\n")
        _, out, err = pfd("import", "csv", str(path))
        with snapshot() as session:
            said = [out, err, *session.scalars(select(Experiment.name))]
        assert len(said) == 3 and "Left out" in err
        assert not any(character in text for text in said for character in "\x1b\x07\x9b\u202e")

    def test_values_that_are_not_numbers_are_kept(self, pfd, tmp_path):
        path = tmp_path / "nan.csv"
        path.write_text("step,loss\n1,0.5\n2,nan\n3,inf\n")
        assert pfd("import", "csv", str(path))[0] == 0
        with snapshot() as session:
            row = session.scalars(select(MetricSeries)).one()
            assert (row.points, row.nonfinite, row.last_special) == (3, 2, str(math.inf))

    def test_bar_is_drawn_on_a_terminal_only(self, pfd, file, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        status, out, err = pfd("import", "csv", str(file))
        assert (status, out) == (0, "2 runs: 2 new, 0 extended, 0 unchanged, 0 bad\n")
        assert "Importing" in err


class TestDemo:
    def test_load_queues_it_once_and_remove_takes_it_away(self, pfd, monkeypatch):
        monkeypatch.setattr("jobs.announcing.announce_to_celery", lambda: None)
        assert pfd("demo", "load")[0] == 0
        assert count(Job) == 1
        assert pfd("demo", "load")[1] == "The demo is there already, or on its way.\n"
        assert pfd("demo", "remove")[0] == 0


class TestWords:
    def test_help_of_the_csv_import_says_which_column_is_what(self, capsys):
        from services.imports import csv_layout

        assert run(["import", "csv", "--help"]) == 0
        said = capsys.readouterr().out
        named = [*csv_layout._STEP_NAMES[:2], *csv_layout._EPOCH_NAMES, *csv_layout._RUN_NAMES, "timestamp", "group"]
        assert [name for name in named if name not in said] == []

    def test_help_needs_no_settings(self, capsys, monkeypatch):
        monkeypatch.setenv("PFD_PORT", "nonsense")
        assert run(["--help"]) == 0
        said = capsys.readouterr().out
        assert [
            word for word in ("serve", "worker", "db", "user", "import", "demo") if f"\n  {word} " not in said
        ] == []

    def test_unknown_word(self, capsys):
        assert run(["nonsense"]) == 2
        assert "No such command" in capsys.readouterr().err
