"""Files of runs in a store that refuses, is full or falls silent: each is told, none is waited for."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from jobs import tasks
from services.storage import chosen as storage
from tests.support import object_store, scripted_store, tracking
from tests.support.artifacts import noted, put
from tests.support.object_store import BUCKET, PREFIX
from tests.support.scripted_store import SILENCE, ScriptedStore
from tests.support.tracking import Tracking

PART = 8 * 1024 * 1024


@pytest.fixture
def api(dash_app: Any, sqlite: Engine) -> Tracking:
    return Tracking(dash_app.server, tracking.key())


@pytest.fixture
def run(api: Tracking) -> str:
    return api.run()


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedStore]:
    """One for all tests: for each address the library reads half a second long what S3 can do."""
    with scripted_store.serving() as store:
        yield store


@pytest.fixture
def scripted(server: ScriptedStore, chosen: Callable[..., None]) -> Iterator[ScriptedStore]:
    """A store that answers as the test says."""
    uri = f"s3://{BUCKET}/{PREFIX}"
    chosen(**object_store.ENVIRONMENT, PFD_ARTIFACT_URI=uri, PFD_ARTIFACT_ENDPOINT_URL=server.address)
    yield server
    server.forget()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here as long as people would."""
    from services.storage import s3

    monkeypatch.setattr(s3, "LONGEST_CALL", 0.5)


def test_a_small_file_is_sent_at_once_and_a_large_one_in_parts(
    api: Tracking, run: str, scripted: ScriptedStore
) -> None:
    put(api, run, "small")
    assert [kind for kind in scripted.asked if kind not in {"HEAD", "GET"}] == ["PUT"]
    scripted.asked.clear()
    put(api, run, "large", b"x" * (2 * PART + 1))
    part, end = "PUT ?partNumber ?uploadId", "POST ?uploadId"
    assert [kind for kind in scripted.asked if kind not in {"HEAD", "GET"}] == ["POST ?uploads", part, part, part, end]


def test_parts_that_came_lately_are_left_alone(scripted: ScriptedStore) -> None:
    from datetime import UTC, datetime

    begun = "<Upload><Key>{0}</Key><UploadId>{0}</UploadId><Initiated>{1}</Initiated></Upload>"
    uploads = begun.format("old", "2020-01-01T00:00:00Z") + begun.format("new", datetime.now(UTC).isoformat())
    listing = f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{uploads}</ListMultipartUploadsResult>"
    scripted.answers["GET ?uploads"] = (200, listing)
    storage.store().remove_broken_off(3600)
    assert scripted.asked.count("DELETE ?uploadId") == 2  # the old one, of each kind


def test_a_purge_ends_with_the_first_that_the_store_does_not_remove(sqlite: Engine, scripted: ScriptedStore) -> None:
    start = f"{PREFIX}/runs/"
    found = "".join(f"<CommonPrefixes><Prefix>{start}{one * 32}/</Prefix></CommonPrefixes>" for one in "ab")
    scripted.answers["GET ?delimiter"] = (200, f"<ListBucketResult>{found}</ListBucketResult>")
    scripted.answers["GET"] = (500, "InternalError")
    assert tasks.purge_files() == 0
    assert scripted.asked == ["GET ?delimiter", "GET", "GET"]  # tried again once, and no other run after it


def test_parts_that_ended_by_themselves_hinder_no_purge(scripted: ScriptedStore) -> None:
    begun = "<Upload><Key>a</Key><UploadId>{0}</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated></Upload>"
    uploads = begun.format(1) + begun.format(2)
    scripted.answers["GET ?uploads"] = (200, f"<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>")
    scripted.answers["DELETE ?uploadId"] = (404, "NoSuchUpload")
    assert storage.store().remove_broken_off(3600) == 0
    assert scripted.asked.count("DELETE ?uploadId") == 4  # both, of each kind


def test_a_store_that_does_not_list_parts_hinders_no_purge(scripted: ScriptedStore) -> None:
    scripted.answers["GET ?uploads"] = (403, "AccessDenied")
    assert storage.store().remove_broken_off(3600) == 0


@pytest.mark.parametrize(
    ("status", "code", "ours", "words"),
    [
        (403, "AccessDenied", 503, "refuses this server"),
        (403, "InvalidAccessKeyId", 503, "refuses this server"),
        (403, "SignatureDoesNotMatch", 503, "refuses this server"),
        (404, "NoSuchBucket", 503, "refuses this server"),
        (500, "InternalError", 503, "does not answer"),
        (503, "SlowDown", 503, "does not answer"),
        (403, "QuotaExceeded", 507, "is full"),
        (507, "XMinioStorageFull", 507, "is full"),
    ],
)
def test_what_the_store_says_becomes_a_sentence(
    api: Tracking,
    run: str,
    scripted: ScriptedStore,
    caplog: pytest.LogCaptureFixture,
    status: int,
    code: str,
    ours: int,
    words: str,
) -> None:
    scripted.answers |= {"PUT": (status, code), "POST ?uploads": (status, code)}
    with caplog.at_level(logging.INFO):
        for size in (1, PART + 1):
            answer = put(api, run, "a", b"x" * size)
            assert (answer.status_code, words in answer.json["message"]) == (ours, True)
    assert noted(run) is None
    told = caplog.text + answer.text
    assert not any(value in told for value in object_store.KEYS.values())
    if ours == 503:
        assert code in caplog.text


def test_without_any_key_the_store_is_not_asked(
    api: Tracking, run: str, scripted: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.storage import s3

    for name in object_store.KEYS:
        monkeypatch.delenv(name)
    s3._made.cache_clear()  # as in a process that begins
    answer = put(api, run, "a")
    assert (answer.status_code, "refuses this server" in answer.json["message"]) == (503, True)
    assert scripted.asked == []
    s3._made.cache_clear()


@pytest.mark.parametrize("silent", ["all", "PUT", "POST ?uploads", "PUT ?partNumber ?uploadId", "POST ?uploadId"])
def test_a_store_that_falls_silent_is_not_waited_for(
    api: Tracking, run: str, scripted: ScriptedStore, soon: None, silent: str
) -> None:
    scripted.answers[silent] = SILENCE  # which reads no part either
    answer = put(api, run, "a", b"x" * (1 if silent == "PUT" else 2 * PART))
    assert (answer.status_code, "does not answer" in answer.json["message"]) == (503, True)
    assert noted(run) is None
