"""Answers of our own API: a model as JSON, rows as CSV or Parquet, with what stands around them."""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Response, request
from pydantic import BaseModel, ConfigDict

from services.errors import ChangedMeanwhile
from services.experiments.options import csv_cell
from web.rest.asked import JSON
from web.rest.parquet import PARQUET, as_parquet

CSV = "text/csv"
TABLES = (CSV, PARQUET)
T = TypeVar("T")


class Answer(BaseModel):
    """What is answered: these names and no others, whatever a row has besides."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def from_row(cls, row: Any, **more: Any) -> Self:
        """From what has attributes of these names, and what it lacks."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields if name not in more}, **more)


class Listed(Answer, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A model to answer with, and its headers."""

    value: Answer | None
    headers: dict[str, str] = field(default_factory=dict)
    rows: Sequence[dict[str, Any]] | None = None  # of the answer as a table


def tagged(value: Answer, headers: dict[str, str] | None = None) -> Reply:
    """An answer with the ETag of all that it says."""
    return Reply(value, {"ETag": f'"{_digest(value)}"'} | (headers or {}))


def require_state(value: Answer, expected: tuple[str, ...], thing: str) -> None:
    """Refuse a change that was made for another state than this."""
    if expected != ("*",) and f'"{_digest(value)}"' not in expected:
        raise ChangedMeanwhile(thing)


def _digest(value: Answer) -> str:
    return hashlib.sha256(as_json(value)).hexdigest()[:24]


def listed(page: Listed[Any]) -> Reply:
    """A page of a list, with the address of the next one."""
    headers = {}
    if page.next is not None:
        values = request.args.to_dict(flat=False) | {"cursor": [page.next]}
        headers["Link"] = f'<{_address(values)}>; rel="next"'
    return Reply(page, headers, [item.model_dump(mode="json") for item in page.items] if wants_table() else None)


def _address(values: dict[str, list[str]]) -> str:
    return f"{request.path}?{urlencode(values, doseq=True)}"


def wants_table() -> bool:
    """Whether something else than JSON is asked for."""
    return bool(file_form())


def file_form() -> str:
    """“csv” or “parquet” where rows are asked for as a file; empty where they are as JSON."""
    wanted = request.accept_mimetypes.best_match((JSON, *TABLES)) if request.accept_mimetypes else JSON
    return {CSV: "csv", PARQUET: "parquet"}.get(str(wanted), "")


def as_json(value: Answer) -> bytes:
    """The body of an answer."""
    return value.model_dump_json().encode()


def as_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> bytes:
    """Rows as RFC 4180, safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([csv_cell(name) for name in columns])
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, dict) or (isinstance(value, list) and any(not isinstance(item, str) for item in value)):
        return csv_cell(orjson.dumps(value).decode())
    if isinstance(value, bool):
        return "true" if value else "false"
    return csv_cell(value)


def response(reply: Reply, status: int, form: str, table: type[BaseModel] | None) -> Response:
    """The answer in the form that was asked for."""
    if reply.value is None:
        return Response(status=status, headers=reply.headers)
    rows = reply.rows or ()
    if table is not None and form == CSV:
        body = as_csv(rows, tuple(table.model_fields))
        told = Response(body, status=status, content_type=f"{CSV}; charset=utf-8")
    elif table is not None and form == PARQUET:
        told = Response(as_parquet(rows, table), status=status, mimetype=PARQUET)
    else:
        told = Response(as_json(reply.value), status=status, mimetype=JSON)
    told.headers.extend(reply.headers)
    return told
