"""A CSV file as a table: its delimiter, its header, and what kind of values each column holds."""

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from services.imports.limits import MAX_KEYS, checked_key, clean_text, finite_time
from services.imports.run import BadValue, ImportSourceError

MAX_CSV_BYTES = 1024 * 1024 * 1024
_SAMPLE_CHARACTERS = 64 * 1024
_DELIMITERS = (";", "\t", ",")  # in this order on a tie: with “;” a comma is most likely a decimal one
_MISSING = frozenset({"", "na", "n/a", "none", "null", "-"})
_WORDS = {
    **dict.fromkeys(("nan", "+nan", "-nan"), math.nan),
    **dict.fromkeys(("inf", "+inf", "infinity", "+infinity"), math.inf),
    **dict.fromkeys(("-inf", "-infinity"), -math.inf),
    "true": 1.0,
    "false": 0.0,
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_DOTTED_TIME = re.compile(r"\d{4}(\.\d{2}){5}", re.ASCII)


@dataclass
class Column:
    """What a look at all cells of a column found."""

    name: str
    numbers: int = 0
    times: int = 0
    texts: int = 0
    all_whole: bool = True
    ascending_by_one: bool = True
    last: float = math.nan
    largest: float = -math.inf
    constant: str | None = None
    is_constant: bool = True

    @property
    def is_numeric(self) -> bool:
        # A stray word among numbers is a mistake to report, a stray number among words is text.
        return self.numbers > self.texts + self.times

    @property
    def is_empty(self) -> bool:
        return self.numbers + self.times + self.texts == 0


@dataclass
class Table:
    """The layout of a CSV file; `rows` reads its cells again from the start."""

    path: Path
    delimiter: str
    has_header: bool
    columns: list[Column] = field(default_factory=list)
    row_count: int = 0
    is_torn: bool = False  # the last line stops in the middle, as while a program still writes

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Give line number and cells of each row; a row too long or too short is left to the caller."""
        with self.path.open(encoding=_encoding(self.path), errors="replace", newline="") as file:
            # Strict, or a quote that is never closed would swallow all rows below it without a word.
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            first_line = 1
            try:
                for cells in reader:
                    first_line = reader.line_num + 1
                    if not any(cell.strip() for cell in cells):
                        continue
                    yield reader.line_num, [clean_text(cell).strip() for cell in cells]
            except csv.Error as error:
                raise ImportSourceError(f"{self.path.name}, line {first_line}: {_complaint(error)}") from error

    def data_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Give the rows below the header, without a torn last one."""
        rows = self.rows()
        if self.has_header:
            next(rows, None)
        for seen, row in enumerate(rows):
            if seen < self.row_count:
                yield row


def read_table(path: Path) -> Table:
    """Look through a CSV file once; ImportSourceError when it is empty or no table."""
    if path.stat().st_size > MAX_CSV_BYTES:
        raise ImportSourceError(f"{path.name} is larger than {MAX_CSV_BYTES // 1024**2} MiB.")
    with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    if not any(line.strip("\ufeff\x00 \t") for line in sample.splitlines()):
        raise ImportSourceError(f"{path.name} is empty.")
    if "\x00" in sample:
        raise ImportSourceError(f"{path.name} is not text, so it is no CSV file.")
    table = Table(path, _delimiter(sample), has_header=True)
    first = next(table.rows(), (0, []))[1]
    if not first:
        raise ImportSourceError(f"{path.name} is empty.")
    table.has_header = any(cell and number(cell, table.delimiter) is None and time_of(cell) is None for cell in first)
    names = first if table.has_header else [f"column {i}" for i in range(1, len(first) + 1)]
    table.columns = [Column(name) for name in _distinct(names if len(names) > 1 or table.has_header else ["value"])]
    _look_through(table)
    if table.row_count == 0:
        raise ImportSourceError(f"{path.name} has a header but no rows.")
    return table


def number(cell: str, delimiter: str) -> float | None:
    """Read a number, a word for one, or a truth value; None for anything else."""
    if _NUMBER.fullmatch(cell):
        return float(cell)
    if delimiter != "," and _DECIMAL_COMMA.fullmatch(cell):
        return float(cell.replace(",", "."))
    return _WORDS.get(cell.lower())


def is_missing(cell: str) -> bool:
    """Tell an empty cell; loggers write one where a metric was not measured at that step."""
    return cell.lower() in _MISSING


def time_of(cell: str) -> float | None:
    """Read an ISO time, or the dotted one of the IMS recordings, as seconds since 1970; without a zone it is UTC."""
    try:
        if _DOTTED_TIME.fullmatch(cell):
            when = datetime.strptime(cell, "%Y.%m.%d.%H.%M.%S").replace(tzinfo=UTC)
        elif len(cell) >= 10 and cell[4] == cell[7] == "-":
            when = datetime.fromisoformat(cell)
        else:
            return None
        seconds = finite_time((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(seconds) else seconds


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _complaint(error: csv.Error) -> str:
    words = str(error)
    if words.startswith("unexpected end"):
        return 'A quote (") is opened and never closed.'
    if "expected after" in words:
        return 'The quotes (") do not match: one is not closed, or text follows a closed one.'
    if words.startswith("field larger"):
        return f'A cell has more than {csv.field_size_limit():,} characters; perhaps a quote (") is not closed.'
    return f"{words}."


def _delimiter(sample: str) -> str:
    line = next((line for line in sample.splitlines() if line.strip()), "")
    widths = {delimiter: len(next(csv.reader([line], delimiter=delimiter), [])) for delimiter in _DELIMITERS}
    best = max(widths, key=lambda delimiter: widths[delimiter])  # the first of equals
    return best if widths[best] > 1 else ","


def _distinct(names: list[str]) -> list[str]:
    if len(names) > MAX_KEYS:
        raise ImportSourceError(f"The header names more than {MAX_KEYS:,} columns.")
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        try:
            name = checked_key(name, "column") if name else ""
        except BadValue as error:
            raise ImportSourceError(str(error)) from error
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _look_through(table: Table) -> None:
    rows = table.rows()
    if table.has_header:
        next(rows)
    short = False
    for _, cells in rows:
        table.row_count += 1
        short = len(cells) < len(table.columns)
        for column, cell in zip(table.columns, cells, strict=False):
            _look_at(column, cell, table.delimiter)
    if short and not _ends_with_line_end(table.path):
        table.is_torn = True
        table.row_count -= 1


def _look_at(column: Column, cell: str, delimiter: str) -> None:
    if is_missing(cell):
        column.ascending_by_one = False
        return
    if column.constant is None:
        column.constant = cell
    elif column.constant != cell:
        column.is_constant = False
    value = number(cell, delimiter)
    if value is not None:
        column.numbers += 1
        column.all_whole = column.all_whole and value.is_integer()
        follows = value == column.last + 1 or (column.numbers == 1 and value in (0.0, 1.0))
        column.ascending_by_one = column.ascending_by_one and follows
        column.last = value
        column.largest = max(column.largest, value) if not math.isnan(value) else column.largest
    elif time_of(cell) is not None:
        column.times += 1
    else:
        column.texts += 1


def _ends_with_line_end(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in (b"\n", b"\r", b"\x00")  # UTF-16 ends its line end with a zero byte
