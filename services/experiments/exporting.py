"""The list as CSV: what the filters show, in the order in which it is shown."""

import csv
import io
from dataclasses import replace

from sqlalchemy.orm import Session

from models.permissions import Permission
from services import audit
from services.actor import Actor
from services.experiments.listing import LARGEST_PAGE, ListQuery, list_rows
from services.experiments.options import csv_cell, csv_columns

MOST_ROWS = 10_000


def list_as_csv(session: Session, actor: Actor, query: ListQuery) -> tuple[str, int, bool]:
    """The CSV (RFC 4180), how many rows it has, and whether it stopped at the limit."""
    actor.require(Permission.EXPORT_RESULTS)
    columns = [*csv_columns((*query.metrics, *(f"param:{name}" for name in query.params))), ("tags", "tags")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([csv_cell(heading) for _, heading in columns])
    written, more = 0, True
    while more and written < MOST_ROWS:
        page = list_rows(session, actor, replace(query, offset=written, limit=LARGEST_PAGE))
        for row in page.rows:
            writer.writerow([csv_cell(row.get(field)) for field, _ in columns])
        written += len(page.rows)
        more = page.has_more and bool(page.rows)
    audit.record(session, actor, "experiments.export", rows=written)
    return text.getvalue(), written, more
