"""Addresses below /api/ that are nobody's, asked for by many at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.routing import Map

from web import api_paths, errors


def test_of_those_who_ask_first_one_makes_the_routes(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Flask("web", static_folder=None)
    errors.register(server)
    api_paths.register(server)
    server.add_url_rule("/api/here", "here", lambda: "here")
    begun, go_on, made = threading.Event(), threading.Event(), []

    def slowly(*given: Any, **options: Any) -> Map:
        made.append(given)
        begun.set()
        go_on.wait(60)
        return Map(*given, **options)

    monkeypatch.setattr(api_paths, "Map", slowly)
    with ThreadPoolExecutor(4) as people:
        first = people.submit(lambda: server.test_client().get("/api/nowhere"))
        assert begun.wait(60)
        others = [people.submit(lambda: server.test_client().post("/api/here")) for _ in range(3)]
        assert not [one for one in others if one.done()]
        go_on.set()
        assert first.result(60).status_code == 404
        assert {one.result(60).status_code for one in others} == {405}
    assert len(made) == 1
