"""A form behind a link of a mail that has ended, or never was: sent off, it changes nothing and says so."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine

PASSWORD = "a long enough passphrase"


@pytest.mark.parametrize("path", ["/reset", "/invitation", "/setup", "/confirm-email"])
def test_what_is_sent_by_it_is_refused(dash_app: Any, sqlite: Engine, path: str) -> None:
    browser = dash_app.server.test_client()
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text)
    assert found is not None
    form = {
        "csrf_token": found[1],
        "password": PASSWORD,
        "again": PASSWORD,
        "username": "ada",
        "email": "a@example.org",
    }
    answer = browser.post(f"{path}/{'x' * 43}", data=form)
    assert (answer.status_code, "has been used or has ended" in answer.text) == (404, True)
