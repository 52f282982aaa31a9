"""Probes: alive (the process) and ready (database, migrations, queue); no details for strangers."""

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from config.errors import ConfigurationError
from database.engine import snapshot
from services import health
from web.guard import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers; the database is not asked, so that a hiccup of it restarts nothing."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """The database answers, is migrated to this version, and the queue moves."""
    try:
        with snapshot() as session:
            ready = health.is_ready(session)
    except (SQLAlchemyError, ConfigurationError):
        ready = False
    return Response("ready\n" if ready else "not ready\n", status=200 if ready else 503, mimetype="text/plain")
