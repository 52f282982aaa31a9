"""The log of the process: whatever clients send, each event begins a line and nothing else does."""

import io
import logging
from collections.abc import Iterator

import pytest

from web import tracing

FORGED = "2026-11-26T00:00:00Z INFO services.sessions [-] signed in as root"


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


@pytest.mark.parametrize("gap", ["\n", "\r\n", "\r", "%0A", "%0D%0A", "\n\n"])
@pytest.mark.parametrize("how", ["message", "argument", "error", "beside a secret"])
def test_no_text_of_a_client_looks_like_an_event_of_its_own(process_log: io.StringIO, gap: str, how: str) -> None:
    sent, log = f"/experiments{gap}{FORGED}", logging.getLogger("web.test")
    match how:
        case "message":
            log.warning(f"refused {sent}")
        case "argument":
            log.warning("refused %s", sent)
        case "error":
            log.error("callback failed", exc_info=ValueError(sent))
        case "beside a secret":
            log.warning("refused %s", f"/x?token=abc{gap}{FORGED}&y=1")
    kept = process_log.getvalue()
    assert "\r" not in kept
    assert not any(line.startswith("2026-11-26T00:00:00Z") for line in kept.splitlines())
    assert sum(line[:1] not in {" ", ""} for line in kept.splitlines()) == 1
