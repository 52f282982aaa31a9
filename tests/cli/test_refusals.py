"""What cannot work is told in one sentence, with a non-zero exit and nothing left half-done."""

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def refused(result, *words):
    assert result.returncode == 1, result
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in lines[0]


class TestServe:
    def test_port_in_use(self, installation):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", installation.port))
            taken.listen()
            refused(installation.run("serve"), f"Port {installation.port}", "PFD_PORT")
        assert not installation.data.exists()

    def test_host_that_is_not_ours(self, installation):
        refused(installation.run("serve", PFD_HOST="192.0.2.1"), "192.0.2.1")
        refused(installation.run("serve", PFD_HOST="no such host"), "PFD_HOST")
        assert not installation.data.exists()

    def test_data_folder_that_cannot_be_written(self, installation):
        installation.data.write_text("a file in its place")
        for command in (["serve"], ["worker"], ["db", "upgrade"], ["user", "set-role", "ada", "viewer"]):
            refused(installation.run(*command), "data folder", "PFD_DATA_DIR")
        assert installation.data.read_text() == "a file in its place"

    @pytest.mark.parametrize(
        ("url", "word"),
        [
            ("mysql://x", "DATABASE_URL"),
            ("postgresql://nobody:hidden@127.0.0.1:1/none", "cannot be reached"),
            ("sqlite:////no/such/folder/pfd.sqlite3", "cannot be reached"),
            ("sqlite://", "DATABASE_URL"),
            ("nonsense", "DATABASE_URL"),
        ],
    )
    def test_wrong_database(self, installation, url, word):
        result = installation.run("serve", DATABASE_URL=url)
        refused(result, word)
        assert "hidden" not in result.stderr
        if not url.startswith("sqlite:////"):
            assert not installation.data.exists()

    def test_file_that_is_no_database(self, installation):
        wrong = installation.folder / "wrong.sqlite3"
        wrong.write_text("this is a letter and no database, long enough to be read as a header " * 20)
        refused(installation.run("serve", DATABASE_URL=f"sqlite:///{wrong}"), "not a database")

    @pytest.mark.parametrize("garbage", [b"\x00\xff" * 50_000, b"SQLite format 3\x00" + b"\x07" * 50_000])
    def test_database_overwritten_by_garbage(self, installation, garbage):
        file = installation.data / "pfd.sqlite3"
        file.parent.mkdir()
        file.write_bytes(garbage)
        for command in (
            ["serve"],
            ["worker"],
            ["db", "check"],
            ["db", "upgrade"],
            ["user", "set-role", "ada", "viewer"],
        ):
            refused(installation.run(*command), str(file), "Put a backup in its place")
        assert file.read_bytes() == garbage

    def test_database_of_another_program(self, installation):
        file = installation.data / "pfd.sqlite3"
        file.parent.mkdir()
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE moz_places (url TEXT)")
        for command in (
            ["serve"],
            ["worker"],
            ["db", "check"],
            ["db", "upgrade"],
            ["user", "set-role", "ada", "viewer"],
        ):
            refused(installation.run(*command), str(file), "another program", "DATABASE_URL")

    def test_newer_database(self, installation):
        assert installation.run("db", "upgrade").returncode == 0
        with sqlite3.connect(installation.data / "pfd.sqlite3") as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        for command in (["serve"], ["db", "upgrade"], ["user", "set-role", "ada", "viewer"]):
            refused(installation.run(*command), "9999", "newer version")

    @pytest.mark.parametrize(
        ("name", "value"),
        [("PFD_PORT", "http"), ("PFD_PORT", "70000"), ("PFD_WEB_WORKERS", "0"), ("PFD_PUBLIC_URL", "example.org")],
    )
    def test_wrong_setting(self, installation, name, value):
        refused(installation.run("serve", **{name: value}), name)
        assert not installation.data.exists()

    def test_file_of_places_that_is_none(self, installation):
        letter = installation.folder / "letter.mmdb"
        refused(installation.run("serve", PFD_GEOIP=str(letter)), "PFD_GEOIP", "No such file")
        letter.write_text("a letter")
        refused(installation.run("serve", PFD_GEOIP=str(letter)), "PFD_GEOIP", "damaged")
        assert not installation.data.exists()

    def test_redis_that_does_not_answer(self, installation):
        refused(installation.run("serve", REDIS_URL="redis://127.0.0.1:1/0"), "REDIS_URL")
        refused(installation.run("serve", REDIS_URL="nonsense"), "REDIS_URL")

    @pytest.mark.parametrize(
        ("given", "word"),
        [
            ({"PFD_ADMIN_USERNAME": "ada"}, "go together"),
            (
                {"PFD_ADMIN_USERNAME": "ada", "PFD_ADMIN_EMAIL": "ada@example.org", "PFD_ADMIN_PASSWORD": "short"},
                "PFD_ADMIN_PASSWORD",
            ),
            (
                {"PFD_ADMIN_USERNAME": "ada", "PFD_ADMIN_EMAIL": "ada", "PFD_ADMIN_PASSWORD": "long enough for all"},
                "PFD_ADMIN_EMAIL",
            ),
        ],
    )
    def test_admin_account_that_cannot_be_made(self, installation, given, word):
        refused(installation.run("serve", **given), word)


def test_the_web_part_alone_says_what_is_wrong_as_well(installation):
    env = installation.env | {"DATABASE_URL": "postgresql://nobody:hidden@127.0.0.1:1/none"}
    command = [sys.executable, str(ROOT / "app.py")]
    result = subprocess.run(command, env=env, cwd=installation.folder, capture_output=True, text=True, timeout=150)
    refused(result, "cannot be reached")
    assert "hidden" not in result.stderr


class TestUnsafe:
    """Known keys and passwords, addresses without https, debuggers: refused without a secret in the sentence."""

    @pytest.mark.parametrize(
        ("given", "word"),
        [
            ({"PFD_SECRET_KEY": "short"}, "PFD_SECRET_KEY"),
            ({"PFD_SECRET_KEY": "a" * 40}, "PFD_SECRET_KEY"),
            ({"PFD_SECRET_KEY": "abc" * 20}, "PFD_SECRET_KEY"),
            ({"PFD_SECRET_KEY": "django-insecure-changeme-0123456789"}, "PFD_SECRET_KEY"),
            ({"PFD_SECRET_KEY": "Please-Change-Me-Please-0123456789"}, "PFD_SECRET_KEY"),
            ({"PFD_SECRET_KEY": "your-secret-0123456789-qwertyuiop"}, "PFD_SECRET_KEY"),
            ({"PFD_PUBLIC_URL": "http://pfd.example.org"}, "PFD_PUBLIC_URL"),
            ({"PFD_SMTP_URL": "smtps://a:hidden@mail.example.org"}, "PFD_MAIL_FROM"),
            ({"PFD_SMTP_URL": "mail.example.org:25"}, "PFD_SMTP_URL"),
            ({"PFD_PUBLIC_URL": "http://192.0.2.7:8050"}, "PFD_PUBLIC_URL"),
            ({"PFD_PUBLIC_URL": "ftp://pfd.example.org"}, "PFD_PUBLIC_URL"),
            ({"PFD_PUBLIC_URL": "https://pfd.example.org/path"}, "PFD_PUBLIC_URL"),
            ({"DATABASE_URL": "postgresql://pfd:pfd@db.example.org/pfd"}, "DATABASE_URL"),
            ({"DATABASE_URL": "postgresql://ada:password@db.example.org/pfd"}, "DATABASE_URL"),
            ({"DATABASE_URL": "postgresql+psycopg2://postgres:postgres@db.example.org/pfd"}, "DATABASE_URL"),
            ({"DATABASE_URL": "postgresql://ada:ADA@192.0.2.7/pfd"}, "DATABASE_URL"),
            ({"DASH_DEBUG": "1"}, "DASH_DEBUG"),
            ({"DASH_DEBUG": "true"}, "DASH_DEBUG"),
            ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
            ({"DASH_MCP_ENABLED": "true"}, "DASH_MCP_ENABLED"),
            ({"PFD_TRUSTED_PROXIES": "99"}, "PFD_TRUSTED_PROXIES"),
            ({"PFD_OIDC_ISSUER": "https://id.example.org"}, "go together"),
            ({"PFD_OIDC_ISSUER": "http://id.example.org"}, "PFD_OIDC_ISSUER"),
            ({"PFD_OIDC_ROLES": "engineers=chief"}, "PFD_OIDC_ROLES"),
            ({"PFD_ARTIFACT_URI": "s3://key:hidden@bucket/prefix"}, "PFD_ARTIFACT_URI"),
            ({"PFD_ARTIFACT_ENDPOINT_URL": "https://minio.example.org"}, "PFD_ARTIFACT_URI"),
        ],
    )
    def test_refused_before_anything_is_made(self, installation, given, word):
        result = installation.run("serve", **given)
        refused(result, word)
        assert not any(value in result.stderr for value in given.values() if len(value) > 4)
        assert not installation.data.exists()

    def test_secret_file_that_others_can_read(self, installation):
        assert installation.run("db", "upgrade").returncode == 0
        secret = installation.data / "secret_key"
        secret.write_text("x" * 64)
        secret.chmod(0o644)
        refused(installation.run("serve"), "chmod 600")


class TestImport:
    def test_empty_folder(self, installation):
        empty = installation.folder / "empty"
        empty.mkdir()
        for kind in ("tensorboard", "mlflow"):
            refused(installation.run("import", kind, str(empty)), str(empty))
        assert not installation.data.exists()

    def test_no_such_path(self, installation):
        for kind in ("tensorboard", "mlflow", "csv"):
            refused(installation.run("import", kind, "nowhere"), "nowhere does not exist")
        assert not installation.data.exists()

    def test_empty_file(self, installation):
        (installation.folder / "a.csv").write_text("")
        refused(installation.run("import", "csv", "a.csv"))
        assert not installation.data.exists()
