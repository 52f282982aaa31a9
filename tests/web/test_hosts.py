"""Under which names it answers: its own, and where those cannot be known any."""

from typing import Any

import pytest
from sqlalchemy import Engine

from config.settings import settings
from web import hosts

FOREIGN = ("evil.example", "pfd.example.org.evil.example", "127.0.0.1.evil.example", "192.0.2.7:8050", "", "[", "a b")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    def tell(**chosen: Any) -> None:
        changed = settings().model_copy(update=chosen)
        monkeypatch.setattr(hosts, "settings", lambda: changed)

    return tell


def answer(dash_app: Any, host: str, path: str = "/login") -> int:
    return int(dash_app.server.test_client().get(path, headers={"Host": host}).status_code)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8050", "127.0.0.1:8050", "[::1]:8050"])
def test_on_this_machine_by_the_machines_own_names(dash_app: Any, sqlite: Engine, host: str) -> None:
    assert answer(dash_app, host) == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_under_no_other_name(dash_app: Any, sqlite: Engine, told: Any, host: str) -> None:
    assert answer(dash_app, host) == 400
    told(public_url="https://pfd.example.org", host="0.0.0.0")
    assert answer(dash_app, host) == 400


def test_under_its_public_name(dash_app: Any, sqlite: Engine, told: Any) -> None:
    assert answer(dash_app, "pfd.example.org") == 400
    told(public_url="https://pfd.example.org")
    assert answer(dash_app, "PFD.example.org") == 200


def test_open_to_a_network_without_a_public_name_under_any(dash_app: Any, sqlite: Engine, told: Any) -> None:
    told(host="0.0.0.0")
    assert answer(dash_app, "lab-machine:8050") == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_by_address(dash_app: Any, sqlite: Engine, path: str) -> None:
    assert answer(dash_app, "10.0.0.3:8050", path) == 200


@pytest.mark.parametrize("path", ["/experiments", "/nowhere"])
def test_open_to_a_network_nobody_is_led_to_the_sign_in_of_what_can_be_no_name(
    dash_app: Any, sqlite: Engine, told: Any, path: str
) -> None:
    told(host="0.0.0.0")
    environ = {"HTTP_HOST": "x" * 3000, "HTTP_ACCEPT": "text/html"}
    assert dash_app.server.test_client().get(path, environ_overrides=environ).status_code == 400
