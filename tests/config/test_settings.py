"""The settings: what is wrong is told in a sentence; the secret key is whole or not there."""

import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from config import root_keys
from config import settings as configuration
from config.artifact_store import Bucket
from config.errors import ConfigurationError
from config.settings import Settings
from tests.support.full_disk import no_room


def made(tmp_path: Path) -> Settings:
    chosen = Settings(data_dir=tmp_path)
    chosen.prepare_data_dir()
    return chosen


class TestSecretKey:
    def test_is_made_once_and_for_its_owner_only(self, tmp_path: Path) -> None:
        first, second = made(tmp_path).secret_key(), made(tmp_path).secret_key()
        assert first == second
        assert len(first) >= 32
        assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600

    def test_of_many_starts_at_once_all_read_the_same(self, tmp_path: Path) -> None:
        chosen = made(tmp_path)
        keys: list[str] = []
        threads = [threading.Thread(target=lambda: keys.append(chosen.secret_key())) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(keys)) == 1
        assert [path.name for path in tmp_path.glob("secret_key*")] == ["secret_key"]

    def test_is_named_and_leaves_nothing_where_the_disk_is_full(self, tmp_path: Path) -> None:
        with no_room(), pytest.raises(OSError, match=r"secret_key'$"):
            root_keys.read(tmp_path / "secret_key")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("content", ["", "short", "\n" * 40])
    def test_that_is_damaged_is_refused(self, tmp_path: Path, content: str) -> None:
        chosen = made(tmp_path)
        (tmp_path / "secret_key").write_text(content)
        with pytest.raises(ConfigurationError, match="damaged"):
            chosen.secret_key()


@pytest.mark.parametrize("name", ["with blank", "p%20c", "q?x=1", "h#y", "ä", "a@b:c"])
def test_the_database_stands_in_the_data_folder_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    assert make_url(Settings(data_dir=tmp_path / name).database_url).database == f"{tmp_path / name}/pfd.sqlite3"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "mysql://x/y", "must start with"),
        ("DATABASE_URL", "postgresql://a:b@127.0.0.1:abc/pfd", "not an address"),
        ("PFD_PORT", "eighty", "PFD_PORT"),
        ("PFD_PORT", "70000", "PFD_PORT"),
        ("PFD_SECRET_KEY", "short", "at least 32"),
        ("PFD_PUBLIC_URL", "pfd.example.org", "must look like"),
        ("PFD_SMTP_URL", "mail.example.org", "must look like"),
        ("PFD_SMTP_URL", "http://a:b@mail.example.org", "must look like"),
        ("PFD_SMTP_URL", "smtp://mail.example.org:99999", "must look like"),
        ("PFD_SMTP_URL", "smtp://mail.example.org/path", "must look like"),
        ("PFD_SMTP_URL", "smtp://user@mail.example.org", "both a user and a password"),
        ("PFD_SMTP_URL", "smtp://a:b%0d%0aQUIT@mail.example.org", "ASCII"),
        ("PFD_MAIL_FROM", "nobody", "must look like"),
        ("PFD_MAIL_FROM", "a@b.org\nBcc: c@d.org", "must look like"),
        ("PFD_MAIL_FROM", "=?utf-8?q?a=0a?= <a@b.org>", "must look like"),
        ("PFD_MAIL_FROM", "a@b.org, c@d.org", "must look like"),
        ("PFD_WEB_WORKERS", "0", "PFD_WEB_WORKERS"),
        ("PFD_SESSION_IDLE", "-PT1M", "PFD_SESSION_IDLE"),
        ("PFD_SESSION_ABSOLUTE", "P9999999D", "PFD_SESSION_ABSOLUTE"),
        ("PFD_DELETED_KEPT", "-P1D", "PFD_DELETED_KEPT"),
        ("PFD_DATA_DIR", "~nobody-of-this-name/data", "PFD_DATA_DIR"),
        ("PFD_ARTIFACT_URI", "/srv/artifacts", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "gs://bucket", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "s3://", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "s3://Bucket_of/x", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "s3://a:b@bucket/x", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "s3://bucket/../other", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "s3://bucket//x", "must look like s3://"),
        ("PFD_ARTIFACT_URI", "s3://bucket/x?versionId=1", "must look like s3://"),
        ("PFD_ARTIFACT_ENDPOINT_URL", "minio:9000", "must look like https://"),
        ("PFD_ARTIFACT_ENDPOINT_URL", "http://a:b@minio:9000", "must look like https://"),
        ("PFD_ARTIFACT_ENDPOINT_URL", "http://minio:99999", "must look like https://"),
        ("PFD_ARTIFACT_ENDPOINT_URL", "http://minio:9000/bucket", "must look like https://"),
        ("PFD_ARTIFACT_ENDPOINT_URL", "http://minio:9000", "needs PFD_ARTIFACT_URI"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        configuration.load()
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "a:b@" not in str(refused.value)


class TestBucket:
    @pytest.fixture(autouse=True)
    def named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PFD_ARTIFACT_URI", "s3://files.of-runs/pfd/2026/")
        monkeypatch.setenv("PFD_ARTIFACT_ENDPOINT_URL", "https://minio.example.org:9000/")

    def test_is_read_from_its_address(self) -> None:
        found = Bucket("files.of-runs", "pfd/2026", "https://minio.example.org:9000")
        assert configuration.load().artifact_bucket == found

    def test_is_none_where_the_address_is_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("PFD_ARTIFACT_URI", "PFD_ARTIFACT_ENDPOINT_URL"):
            monkeypatch.setenv(name, "")
        assert configuration.load().artifact_bucket is None

    def test_is_refused_without_the_package_that_reads_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(ConfigurationError, match=r"needs the package s3fs.*pip install '\.\[s3\]'"):
            configuration.load()

    def test_is_refused_larger_files_than_it_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PFD_ARTIFACT_BYTES", "83886080001")
        with pytest.raises(ConfigurationError, match=r"PFD_ARTIFACT_BYTES is at most 83,886,080,000 with"):
            configuration.load()


class TestRotation:
    def test_a_new_key_comes_first_and_the_old_one_stays(self, tmp_path: Path) -> None:
        chosen = made(tmp_path)
        before = chosen.secret_key()
        root_keys.add(tmp_path / "secret_key")
        assert chosen.secret_key() != before
        assert chosen.root_keys()[1:] == (before,)
        assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600

    def test_forgets_the_old_ones_when_told_to(self, tmp_path: Path) -> None:
        chosen = made(tmp_path)
        root_keys.add(tmp_path / "secret_key")
        newest = chosen.secret_key()
        root_keys.keep_newest(tmp_path / "secret_key")
        assert chosen.root_keys() == (newest,)

    def test_keys_from_the_environment_keep_their_order(self, tmp_path: Path) -> None:
        chosen = Settings(data_dir=tmp_path, secret_key_override="a" * 40, secret_keys_before=f"{'b' * 40}, {'c' * 40}")
        assert [key[0] for key in chosen.root_keys()] == ["a", "b", "c"]
        assert not list(tmp_path.iterdir())

    def test_each_purpose_has_another_key(self, tmp_path: Path) -> None:
        chosen = made(tmp_path)
        assert len({chosen.key_for("one"), chosen.key_for("two"), chosen.secret_key()}) == 3
