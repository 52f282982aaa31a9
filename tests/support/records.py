"""The record of requests in tests: begin without any, and make rows of what was asked since."""

import shutil
from typing import Any

from sqlalchemy import select

from database.engine import snapshot
from models import APIRequestLog, APIUsage
from services.api_requests.draining import Drain
from web import api_record


def forget() -> None:
    """Leave no record of earlier tests."""
    api_record.journal().close()
    shutil.rmtree(api_record.folder(), ignore_errors=True)


def drained() -> list[APIRequestLog]:
    """All requests, in order."""
    Drain(api_record.folder()).run()
    with snapshot() as session:
        return list(session.scalars(select(APIRequestLog).order_by(APIRequestLog.id)))


def usage() -> list[Any]:
    """All uses of keys, in order."""
    with snapshot() as session:
        return list(session.scalars(select(APIUsage).order_by(APIUsage.id)))
