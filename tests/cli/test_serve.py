"""`pfd serve` as a process: what it answers, what it starts again, and that it leaves nothing behind."""

import contextlib
import os
import signal
import sqlite3
import subprocess

import psutil
import pytest
from sqlalchemy.engine import make_url

from cli import installation as checks
from config.settings import Settings
from tests.support.installation import Installation, open_to_others
from tests.support.postgresql import free_port
from tests.support.waiting import wait_until

PASSWORD = "a long enough passphrase"
PROGRAMS = ("gunicorn", "__main__.py worker", "__main__.py beat")


def lives(process):
    """Whether it still does something."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


class TestFirstStart:
    def test_it_answers(self, serving):
        assert serving.get("/healthz") == (200, "ok\n")
        assert serving.get("/readyz") == (200, "ready\n")
        status, page = serving.get("/login")
        assert (status, 'name="password"' in page) == (200, True)

    def test_its_start_is_a_row_of_the_system_log(self, serving):
        with sqlite3.connect(serving.data / "pfd.sqlite3") as database:
            rows = database.execute("SELECT action FROM system_logs WHERE action = 'product.start'").fetchall()
        assert rows == [("product.start",)]

    def test_web_worker_and_scheduler_run(self, serving):
        for part in PROGRAMS:
            assert wait_until(lambda part=part: serving.child(part))

    def test_setup_link_makes_the_owner_and_is_dead_afterwards(self, serving):
        link = serving.setup_link()
        fields = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "again": PASSWORD}
        status, page = serving.post(link, **fields)
        assert (status, 'name="password"' in page) == (200, False)
        assert serving.get(link)[0] == 404
        assert "ada is now super_admin" in serving.run("user", "set-role", "ada", "super_admin").stdout

    def test_mail_is_written_to_a_folder_that_is_named(self, serving):
        (line,) = [line for line in serving.said().splitlines() if "Mail is written to files" in line]
        assert str(serving.data / "mail") in line
        assert serving.post(serving.address + "/forgot", username="ada")[0] == 200
        (file,) = wait_until(lambda: list((serving.data / "mail").glob("*reset-link.eml")))
        assert "/reset/" in file.read_text() and file.stat().st_mode & 0o777 == 0o600

    def test_data_folder_is_its_owners_only(self, serving):
        assert serving.data.stat().st_mode & 0o777 == 0o700

    def test_second_one_on_the_folder_is_refused(self, serving, free_port_number):
        refused = serving.run("serve", PFD_PORT=str(free_port_number))
        assert refused.returncode == 1
        assert "already runs on the data folder" in refused.stderr

    def test_its_database_is_not_taken_down_meanwhile(self, serving):
        refused = serving.run("db", "downgrade", "base", "--yes")
        assert refused.returncode == 1
        assert "already runs on the data folder" in refused.stderr
        assert "end it first" in refused.stderr
        assert serving.get("/readyz")[0] == 200


class TestSomethingDies:
    @pytest.mark.parametrize("part", PROGRAMS)
    def test_it_is_started_again(self, serving, part):
        before = wait_until(lambda: serving.child(part))
        helpers = before.children(recursive=True)
        before.kill()
        after = wait_until(lambda: (found := serving.child(part)) and found.pid != before.pid and found)
        assert after.is_running()
        wait_until(lambda: serving.get("/healthz")[0] == 200)
        wait_until(lambda: not any(lives(helper) for helper in helpers))
        assert "killed by SIGKILL" in serving.said()

    def test_its_warden_is_replaced_and_still_ends_what_a_killed_supervisor_leaves(self, serving):
        before = wait_until(lambda: serving.child("warden.py"))
        before.kill()
        wait_until(lambda: (found := serving.child("warden.py")) and found.pid != before.pid)
        assert not before.is_running()
        serving.supervisor.kill()  # the last test that needs it
        wait_until(lambda: serving.processes() == [])


@pytest.fixture(scope="class")
def open_folder(tmp_path_factory):
    """An installation that serves on a data folder that others may look into."""
    made = Installation(tmp_path_factory.mktemp("open"), free_port())
    made.data.mkdir()
    made.data.chmod(0o755)
    try:
        made.serve()
        yield made
    finally:
        made.end()


class TestOpenFolder:
    def test_nothing_that_its_programs_make_can_be_read_by_others(self, open_folder):
        assert open_folder.get("/api/nothing")[0] in {401, 404}  # counted, and written into a journal
        made = {path.name for path in open_folder.data.iterdir()}
        assert made >= {"pfd.sqlite3", "serve.lock", "limits.sqlite3"}
        assert open_to_others(open_folder.data) == []

    def test_killed_while_it_starts_it_leaves_no_process(self, open_folder):
        open_folder.supervisor.kill()
        wait_until(lambda: open_folder.processes() == [])


@pytest.fixture(scope="class")
def restarted(tmp_path_factory):
    """An installation whose account and database were named at its start, interrupted and started again."""
    made = Installation(tmp_path_factory.mktemp("restarted"), free_port())
    made.env["DATABASE_URL"] = "sqlite:///here.sqlite3"
    admin = {"PFD_ADMIN_USERNAME": "ada", "PFD_ADMIN_EMAIL": "ada@example.org", "PFD_ADMIN_PASSWORD": PASSWORD}
    try:
        made.serve(**admin)
        os.kill(made.supervisor.pid, signal.SIGINT)
        made.first_ended = made.supervisor.wait(timeout=120), wait_until(lambda: made.processes() == [])
        made.serve(**admin)
        yield made
    finally:
        made.end()


class TestSecondStart:
    def test_the_first_one_left_no_process_when_interrupted(self, restarted):
        assert restarted.first_ended == (0, True)

    def test_it_needs_no_set_up(self, restarted):
        assert "/setup/" not in restarted.said()
        status, page = restarted.post(f"{restarted.address}/login", username="ada", password=PASSWORD)
        assert (status, 'name="password"' in page) == (200, False)

    def test_children_never_see_the_admin_password(self, restarted):
        assert "PFD_ADMIN_PASSWORD" not in restarted.child("gunicorn").environ()

    def test_database_of_a_relative_address_is_the_same_for_all(self, restarted):
        assert restarted.get("/readyz") == (200, "ready\n")
        assert (restarted.folder / "here.sqlite3").is_file()
        assert not (restarted.data / "pfd.sqlite3").exists()

    def test_killed_it_leaves_no_process_and_can_be_started_again(self, restarted):
        wait_until(lambda: len(restarted.processes()) >= 8)
        restarted.supervisor.kill()
        restarted.supervisor.wait()
        wait_until(lambda: restarted.processes() == [])
        restarted.serve()
        assert restarted.get("/healthz")[0] == 200


def test_a_relative_address_is_the_same_file_in_a_folder_of_any_name(monkeypatch, tmp_path):
    folder = tmp_path / "p%20q?x"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///here.sqlite3")
    monkeypatch.setattr(checks, "settings", Settings)
    address = checks.environment_of_children()["DATABASE_URL"]
    assert make_url(address).database == f"{folder}/here.sqlite3"


class TestTeam:
    def test_with_postgresql_and_redis_it_answers_and_asked_to_end_leaves_no_process(
        self, installation, postgresql_url, redis_url
    ):
        installation.serve(DATABASE_URL=postgresql_url, REDIS_URL=redis_url)
        assert installation.get("/readyz") == (200, "ready\n")
        assert not (installation.data / "pfd.sqlite3").exists()
        wait_until(lambda: len(installation.processes()) >= 8)  # supervisor, warden, three programs, their workers
        os.kill(installation.supervisor.pid, signal.SIGTERM)
        assert installation.supervisor.wait(timeout=120) == 0
        wait_until(lambda: installation.processes() == [])  # who was killed dies as soon as it has a core

    def test_worker_alone_ends_when_asked(self, installation):
        assert installation.run("db", "upgrade").returncode == 0
        installation.start("worker")
        wait_until(lambda: len(installation.processes()) >= 2)
        installation.supervisor.terminate()
        installation.supervisor.wait(timeout=120)
        wait_until(lambda: installation.processes() == [])

    def test_worker_alone_ends_with_its_terminal(self, installation):
        assert installation.run("db", "upgrade").returncode == 0
        installation.start("worker")
        wait_until(lambda: len(installation.processes()) >= 2)

        def has_ended_after_hanging_up():
            with contextlib.suppress(ProcessLookupError):
                os.kill(installation.supervisor.pid, signal.SIGHUP)
            with contextlib.suppress(subprocess.TimeoutExpired):
                installation.supervisor.wait(timeout=2)
            return installation.supervisor.returncode is not None and installation.processes() == []

        wait_until(has_ended_after_hanging_up)  # before it is ready, Celery still starts itself anew
