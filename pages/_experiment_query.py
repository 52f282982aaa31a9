"""What the list's controls ask for, made from what the browser sends; all of it is a stranger's word."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from services.errors import Invalid
from services.experiments.conditions import ACTIVE_STATUSES, STATUSES, Filter, condition, metric_of, param_of
from services.experiments.listing import ListQuery

DEFAULT_COLUMNS = ("metric:max:val_accuracy", "metric:min:val_loss")
STATUS_CHOICES = ("all", "active", *STATUSES, "deleted")
STATUS_LABELS = {"all": "All statuses", "active": "Running and waiting"}
DEFAULT_SORT = "-created"
MOST_COLUMNS = 12
LONGEST_FILTER = 2000  # characters of an address
OPERANDS = ("filter", "filterTo", "dateFrom", "dateTo")
FIELDS = {
    "status": "Status",
    "created": "Created",
    "tags": "Tags",
    "duration": "Duration",
    "epochs": "Epochs",
    "model": "Model",
    "dataset": "Dataset",
    "group": "Group",
    "parent": "Part of",
    "owner": "Owner",
    "started": "Started",
    "ended": "Ended",
}
DEFAULT_FIELDS = tuple(name for name in FIELDS if name not in {"parent", "started", "ended"})
OWN_COLUMNS = ("name", *FIELDS, "deleted")


def columns_from(value: Any) -> tuple[str, ...]:
    """The extra columns that are well-formed, each once."""
    if isinstance(value, str):  # of an address, where a comma in a name is written as %2C
        value = [unquote(item) for item in value.split(",")] if value else []
    if not isinstance(value, Sequence):
        return DEFAULT_COLUMNS
    good: list[str] = []
    for item in value:
        if not isinstance(item, str) or item in good:
            continue
        try:
            (metric_of if item.startswith("metric:") else param_of)(item)
        except Invalid:
            continue
        good.append(item)
    return tuple(good[:MOST_COLUMNS])


def fields_from(value: Any) -> tuple[str, ...]:
    """Those of the columns that every run has which are to be shown, in their order."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        return DEFAULT_FIELDS
    return tuple(name for name in FIELDS if name in value)


def sort_from(value: Any, columns: Sequence[str]) -> str:
    """The column to sort by, with a minus in front where the highest comes first."""
    if isinstance(value, str) and value.removeprefix("-") in {*OWN_COLUMNS, *columns} - {"tags"}:
        return value
    return DEFAULT_SORT


def sort_asked(request: Any) -> str:
    """The same word from a grid's request."""
    asked = request.get("sortModel") if isinstance(request, Mapping) else None
    first = asked[0] if isinstance(asked, list) and asked and isinstance(asked[0], Mapping) else None
    if first is None:
        return DEFAULT_SORT
    return f"{'' if first.get('sort') == 'asc' else '-'}{first.get('colId', 'created')}"


def filters_from(text: Any, columns: Sequence[str]) -> dict[str, Any]:
    """The grid's filters as an address holds them; what is not well-formed is left out."""
    if not isinstance(text, str) or len(text) > LONGEST_FILTER:
        return {}
    try:
        model = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    known = {*OWN_COLUMNS, *columns} - {"status"}  # which has a control of its own
    items = model.items() if isinstance(model, dict) else ()
    return {name: _own_words(item) for name, item in items if name in known and _is_filter(name, item)}


def _own_words(item: Mapping[str, Any]) -> dict[str, Any]:
    """Only what a filter of ours consists of: the grid stumbles over the rest of what it knows."""
    return {word: item[word] for word in ("filterType", "type", *OPERANDS) if word in item}


def _is_filter(name: str, item: Any) -> bool:
    if not isinstance(item, dict) or item.get("filterType") not in {"text", "number", "date"}:
        return False
    operands = [item.get(word) for word in OPERANDS]
    if not isinstance(item.get("type"), str) or not all(
        isinstance(value, str | int | float | None) for value in operands
    ):
        return False
    try:
        condition(_filter(name, item))
    except Invalid:
        return False  # else the list would stay empty, and how to show all of it would be for the reader to find out
    return True


def query_from(
    request: Mapping[str, Any] | None,
    text: Any,
    status: Any,
    columns: Any,
    filter_model: Mapping[str, Any] | None = None,
    order: Any = None,
    *,
    zone: Any = None,
) -> ListQuery:
    """A ListQuery from a grid's request, or its filters and order, and the page's controls; `zone` says whose days."""
    request = request if isinstance(request, Mapping) else {}
    extra = columns_from(columns)
    model = filter_model if filter_model is not None else request.get("filterModel")
    filters = list(_filters(model if isinstance(model, Mapping) else {}, _zone(zone)))
    if status in STATUS_CHOICES and status not in {"all", "deleted"}:
        filters.append(Filter("status", "in", list(ACTIVE_STATUSES) if status == "active" else [status]))
    sort = sort_asked(request) if order is None else sort_from(order, extra)
    start, end = _whole(request.get("startRow"), 0), _whole(request.get("endRow"), 100)
    return ListQuery(
        filters=tuple(filters),
        text=text if isinstance(text, str) else "",
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        offset=start,
        limit=max(1, end - start),
        metrics=tuple(item for item in extra if item.startswith("metric:")),
        params=tuple(item.removeprefix("param:") for item in extra if item.startswith("param:")),
        deleted=status == "deleted",
    )


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else otherwise


def _zone(name: Any) -> tzinfo:
    try:
        return ZoneInfo(name[:64]) if isinstance(name, str) and name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return UTC


def _filters(model: Mapping[str, Any], zone: tzinfo) -> list[Filter]:
    return [_filter(column, item, zone) for column, item in list(model.items())[:30] if isinstance(item, Mapping)]


def _filter(column: str, item: Mapping[str, Any], zone: tzinfo = UTC) -> Filter:
    first, second = ("dateFrom", "dateTo") if item.get("filterType") == "date" else ("filter", "filterTo")
    return Filter(column, str(item.get("type", "")), item.get(first), item.get(second), zone)
