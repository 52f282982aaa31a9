"""Rows of our own API as Parquet: the columns have the types that the model of a row declares."""

import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import BaseModel

PARQUET = "application/vnd.apache.parquet"


def as_parquet(rows: Sequence[dict[str, Any]], table: type[BaseModel]) -> bytes:
    """Rows, as JSON says them, as a file; what is no number, time, text or list of texts stands as JSON in it."""
    # Who asks for it pays: the import costs a process some 65 MB.
    import pyarrow
    from pyarrow import parquet

    types = {
        bool: pyarrow.bool_(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        str: pyarrow.string(),
        datetime: pyarrow.timestamp("us", tz="UTC"),
        date: pyarrow.date32(),
        list: pyarrow.list_(pyarrow.string()),
        dict: pyarrow.string(),
    }
    kinds = {name: kind_of(field.annotation) for name, field in table.model_fields.items()}
    columns = {name: [_READ[kind](row[name]) for row in rows] for name, kind in kinds.items()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in kinds.items()])
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns, schema=schema), out, compression="zstd")
    return out.getvalue()


def kind_of(annotation: Any) -> type:
    """What a column holds: of a choice with a float, floats; `dict` stands for whatever else."""
    if get_origin(annotation) is Annotated:
        return kind_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        options = [one for one in get_args(annotation) if one is not NoneType]
        kinds = {kind_of(one) for one in options}
        free = any(kind_of(one) is str and get_origin(one) is not Literal for one in options)
        if float in kinds and kinds <= {float, int, str} and not free:  # the words are NaN and the infinities
            return float
        return kinds.pop() if len(kinds) == 1 else dict
    if get_origin(annotation) is Literal:
        return str if all(isinstance(one, str) for one in get_args(annotation)) else dict
    if get_origin(annotation) is list:
        return list if kind_of(get_args(annotation)[0]) is str else dict
    if isinstance(annotation, type):
        return next((kind for kind in (bool, int, float, str, datetime, date) if issubclass(annotation, kind)), dict)
    return dict


def _unless_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


_READ: dict[type, Callable[[Any], Any]] = {
    bool: _unless_none(bool),
    int: _unless_none(int),
    float: _unless_none(float),
    str: _unless_none(str),
    datetime: _unless_none(datetime.fromisoformat),
    date: _unless_none(date.fromisoformat),
    list: _unless_none(list),
    dict: _unless_none(lambda value: orjson.dumps(value).decode()),
}
