"""What tests of services share: a mail server."""

from collections.abc import Iterator

import pytest

from config import settings as configuration
from tests.support import mail


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[mail.Receiver]:
    """A mail server that takes everything."""
    with mail.receiver() as (taken, port):
        monkeypatch.setenv("PFD_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("PFD_MAIL_FROM", "pfd@example.org")
        configuration.settings.cache_clear()
        yield taken
        monkeypatch.undo()
        configuration.settings.cache_clear()
