"""The log of requests as CSV: what the filters show, newest first, without bodies."""

import csv
import io

from sqlalchemy.orm import Session

from services import audit
from services.actor import Actor
from services.api_requests import log
from services.api_requests.log import Entry
from services.api_requests.wanted import Wanted
from services.experiments.options import csv_cell

MOST_ROWS = 50_000
COLUMNS = (
    "id", "time", "method", "endpoint", "status", "milliseconds", "received", "sent", "key", "owner", "address",
    "agent", "error", "request_id",
)  # fmt: skip


def as_csv(session: Session, actor: Actor, asked: Wanted) -> tuple[str, int, bool]:
    """The CSV (RFC 4180), safe to open in a spreadsheet, how many rows it has, and whether it stopped at the limit."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    written, after = 0, None
    while True:
        rows, after = log.page(session, actor, asked, after=after, limit=log.LARGEST_PAGE)
        for row in rows:
            writer.writerow([csv_cell(value) for value in _values(row)])
        written += len(rows)
        if after is None or written >= MOST_ROWS:
            break
    note(session, actor, asked, written)
    return out.getvalue(), written, after is not None


def note(session: Session, actor: Actor, asked: Wanted, rows: int) -> None:
    """Write down that somebody takes this many rows along."""
    audit.record(session, actor, "api_requests.export", rows=rows, asked=_words(asked))


def _values(row: Entry) -> list[object]:
    known = {name: getattr(row, name) for name in COLUMNS if name != "time"}
    return [row.moment.isoformat() if name == "time" else known[name] for name in COLUMNS]


def _words(asked: Wanted) -> dict[str, str]:
    return {name: str(getattr(asked, name)) for name in asked.__slots__ if getattr(asked, name)}
