"""Two hundred secrets in every place of a request: none stands in a table, a file or the process log afterwards."""

import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from tests.support import records, secret_values
from web import api_record, tracing

pytestmark = pytest.mark.usefixtures("recorded")
SECRETS = list(secret_values.seeded())


@pytest.fixture
def process_log() -> Iterator[io.StringIO]:
    """What the process says, in the form in which it says it."""
    root, kept = logging.getLogger(), logging.getLogger().handlers
    tracing.configure_logging()
    out = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(out)
    yield out
    root.handlers = kept


def ask_everywhere(client: FlaskClient, name: str, secret: str, tells_itself: bool) -> None:
    """The secret in the header, query, JSON, form, multipart, path and the text of errors."""
    value = secret if tells_itself else f"{name}={secret}"  # where no name stands beside it
    line = value.replace("\n", " ")
    client.get("/api/test/echo", headers={name if name != "note" else "X-Note": line.encode("latin-1").decode()})
    client.get("/api/test/echo", headers={"User-Agent": f"script ({line})", "Referer": f"http://x.example/?{line}"})
    client.get("/api/test/echo", headers={"Authorization": f"Bearer {line}"})
    client.get("/api/test/echo", query_string={name: secret, "next": f"/x?{value}"})
    deep: Any = {name: secret, "list": [{"a": value}], "whole": {name: {"x": [secret]}}}
    for _ in range(9):
        deep = {"d": [deep]}
    client.post("/api/test/echo", json=deep)
    client.post("/api/test/echo", json={value: 1, "filler": "x" * 1900, name: secret})
    client.post("/api/test/echo", data={name: secret, "text": value})
    client.post(
        "/api/test/echo",
        data={name: secret, "file": (io.BytesIO(value.encode()), line[:50])},
        content_type="multipart/form-data",
    )
    client.get(f"/api/test/paths/{line.replace('?', '')}")
    client.get(f"/api/nothing/{line.replace('?', '')}")
    client.post("/api/test/refuse", data=value.encode())
    client.post("/api/test/bug", data=value.encode())


def found_in(secrets: list[tuple[str, str]], kept: str) -> list[tuple[str, str]]:
    """Which of them stand there; a number only where it is not a part of another."""
    found = []
    for kind, core in secrets:
        if core in kept and (kind != "code" or re.search(rf"(?<![\w.]){core}(?![\w.])", kept)):
            found.append((kind, core))
    return found


def test_two_hundred_secrets_in_every_place_leave_no_trace(
    taking: Flask, database: Engine, chosen: Callable[..., None], process_log: io.StringIO, data_dir: Path, capfd: Any
) -> None:
    assert len(SECRETS) == 200
    chosen(PFD_API_SAMPLES=1)
    client = taking.test_client()
    for _, name, secret, tells_itself in SECRETS:
        ask_everywhere(client, name, secret, tells_itself)
    cores = [(kind, secret_values.core(kind, secret)) for kind, _, secret, _ in SECRETS]
    journals = "".join(path.read_text() for path in api_record.folder().glob("*.jsonl"))
    assert journals.count("\n") == 200 * 12
    rows = records.drained()
    assert len(rows) == 200 * 12
    with database.connect() as connection:
        kept = "\n".join(
            " ".join(map(str, row))  # a time as text: in its repr the microseconds look like a code
            for table in ("api_request_logs", "api_usage", "system_logs")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        )
    limits = (data_dir / "limits.sqlite3").read_bytes().decode("latin-1")
    said = process_log.getvalue()
    places = {"journal": journals, "tables": kept, "limits": limits, "log": said, "output": "".join(capfd.readouterr())}
    assert {place: found_in(cores, content) for place, content in places.items()} == {place: [] for place in places}
    assert "[redacted]" in kept and "[redacted]" in said
    assert "unhandled error" in said
    samples = [sample for row in rows for sample in (row.request_payload_sample, row.response_payload_sample)]
    assert max(len(api_record.redaction.orjson.dumps(sample)) for sample in samples if sample) <= 2048
