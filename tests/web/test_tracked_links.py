"""Where the runs and groups of a tracking client are shown."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from sqlalchemy import Engine

from tests.support import tracking
from tests.support.tracking import Tracking


def test_a_run_is_shown_on_its_page(dash_app: Any, sqlite: Engine, client_of: Callable[[str], Any]) -> None:
    run = Tracking(dash_app.server, tracking.key()).run()
    answer = client_of("viewer").get(f"/tracked/runs/{run}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/experiments/1")


def test_a_group_is_shown_as_the_list_of_its_runs(
    dash_app: Any, sqlite: Engine, client_of: Callable[[str], Any]
) -> None:
    group = Tracking(dash_app.server, tracking.key()).group("a & b?=#")
    answer = client_of("viewer").get(f"/tracked/groups/{group}")
    address = urlsplit(answer.headers["Location"])
    assert (address.scheme, address.netloc, address.path) == ("", "", "/experiments")
    shown = orjson.loads(parse_qs(address.query)["filter"][0])
    assert shown == {"group": {"filterType": "text", "type": "equals", "filter": "a & b?=#"}}


def test_the_default_group_is_what_has_none(sqlite: Engine, client_of: Callable[[str], Any]) -> None:
    address = urlsplit(client_of("viewer").get("/tracked/groups/0").headers["Location"])
    shown = orjson.loads(parse_qs(address.query)["filter"][0])
    assert shown == {"group": {"filterType": "text", "type": "blank"}}


@pytest.mark.parametrize("path", ["runs/" + "a" * 32, "runs/x", "runs/%00", "groups/7", "groups/x", "groups/-1"])
def test_what_is_not_there_leads_nowhere(sqlite: Engine, client_of: Callable[[str], Any], path: str) -> None:
    assert client_of("viewer").get(f"/tracked/{path}").status_code == 404
