"""What tests of the API share: a key, and a server with routes that take whatever is sent."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, jsonify, request

from config import settings as configuration
from services.errors import Invalid
from tests.support import object_store, records
from tests.support.object_store import ObjectStore
from web.api_record import never_sampled
from web.bearer import requires_key
from web.guard import public
from web.server import create_server


@pytest.fixture
def recorded() -> Iterator[None]:
    """No record of other tests stands before those of this one."""
    records.forget()
    yield
    records.forget()


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Settings of this test alone."""

    def choose(**names: object) -> None:
        for name, value in names.items():
            monkeypatch.setenv(name, str(value))
        configuration.settings.cache_clear()

    yield choose
    monkeypatch.undo()
    configuration.settings.cache_clear()


@pytest.fixture(scope="session")
def object_store_server() -> Iterator[ObjectStore]:
    """A server that speaks S3."""
    with object_store.serving() as store:
        yield store


@pytest.fixture
def bucket(object_store_server: ObjectStore, chosen: Callable[..., None]) -> ObjectStore:
    """An empty bucket, in which files of runs lie during this test."""
    object_store_server.make_empty()
    chosen(**object_store.ENVIRONMENT, **object_store_server.settings)
    return object_store_server


@pytest.fixture(scope="session")
def taking(data_dir: Any) -> Flask:
    """The server in front of routes that say what they were sent, as a value, as a refusal and as a bug."""
    server = create_server()
    blueprint = Blueprint("taking", __name__, url_prefix="/api/test")

    def said() -> Any:
        if request.is_json:
            return request.get_json()
        return request.form.to_dict() or request.args.to_dict()

    @blueprint.route("/echo", methods=["GET", "POST"])
    @public
    def echo() -> Any:
        return jsonify(given=said())

    @blueprint.post("/secret")
    @public
    @never_sampled
    def secret() -> Any:
        return jsonify(given=said())

    @blueprint.get("/paths/<path:part>")
    @public
    def paths(part: str) -> Any:
        return jsonify(length=len(part))

    @blueprint.post("/refuse")
    @public
    def refuse() -> Any:
        raise Invalid(f"This cannot be: {request.get_data(as_text=True)}", field="x")

    @blueprint.post("/bug")
    @public
    def bug() -> Any:
        raise RuntimeError(f"unexpected {request.get_data(as_text=True)}")

    @blueprint.get("/nothing")
    @public
    def nothing() -> Any:
        return ""

    @blueprint.get("/mine")
    @requires_key()
    def mine() -> Any:
        return jsonify(fine=True)

    server.register_blueprint(blueprint)
    return server
