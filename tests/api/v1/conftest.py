"""What tests of our own API share: a program that speaks it with a key, checked against the document."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.rest import Rest


@pytest.fixture
def api(dash_app: Any, database: Engine) -> Rest:
    """A program of an operator's, on both databases."""
    return Rest(dash_app.server)


@pytest.fixture
def lone_api(dash_app: Any, sqlite: Engine) -> Rest:
    """The same, for what does not depend on the database."""
    return Rest(dash_app.server)
