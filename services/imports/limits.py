"""The rules that a value from a foreign file must keep before it becomes ours."""

import hashlib
import math
import os
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from services.curves.packing import LARGEST_STEP
from services.imports.run import BadValue, ImportSourceError
from services.text import harmless

MAX_KEY_LENGTH = 250
MAX_NAME_LENGTH = 255
MAX_SOURCE_ID_LENGTH = 500
MAX_TEXT_BYTES = 64 * 1024
MAX_KEYS = 10_000  # metrics, parameters or tags of one run
MAX_PLAIN_NODES = 10_000
MAX_PLAIN_DEPTH = 20
MAX_YAML_COST = 2 * MAX_TEXT_BYTES  # nodes and their characters: more than a file without aliases can have
LARGEST_INTEGER = 2**63 - 1
_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,18})", re.ASCII)


def clean_text(text: str) -> str:
    """Replace what no database keeps (NUL, halves of characters) and what no name needs (codes for a terminal)."""
    return harmless(text)


def decode(raw: bytes) -> str:
    """Read bytes as UTF-8; a byte that is none becomes U+FFFD."""
    return clean_text(raw.decode("utf-8", errors="replace"))


def checked_key(key: str, kind: str = "metric") -> str:
    """Refuse a key that no column holds, by its first words, as the whole may be endless."""
    key = clean_text(key).strip()
    if not key:
        raise BadValue(f"A {kind} has no name.")
    if len(key) > MAX_KEY_LENGTH:
        raise BadValue(f"The {kind} key “{key[:40]}…” has {len(key)} characters; {MAX_KEY_LENGTH} are allowed.")
    return key


def checked_text(text: str, what: str) -> str:
    """Refuse text that is longer than a parameter or a tag may be."""
    if len(text) > MAX_TEXT_BYTES or len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        raise BadValue(f"{what} is longer than {MAX_TEXT_BYTES // 1024} KiB.")
    return clean_text(text)


def checked_count(count: int, kind: str) -> None:
    """Refuse a run with so many keys that it is a mistake or an attack."""
    if count > MAX_KEYS:
        raise BadValue(f"The run has more than {MAX_KEYS:,} {kind}s.")


def checked_integer(value: int, what: str) -> int:
    """Refuse an integer that a 64-bit column does not hold."""
    if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise BadValue(f"{what} does not fit into 63 bits.")
    return value


def checked_step(value: int, what: str) -> int:
    """Refuse a step that no curve reaches."""
    if not -LARGEST_STEP <= value <= LARGEST_STEP:
        raise BadValue(f"{what} lies beyond ±2^53.")
    return value


def shortened(text: str, length: int) -> str:
    """Cut text to a length and keep it distinct by a digest of the whole at its end."""
    if len(text) <= length:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{text[: length - 17]}~{digest}"


def number_from_text(text: str) -> int | float | str:
    """Turn text into a number when the number says exactly the same, else leave it.

    “1e-4” and “0.10” are numbers; “007”, “1_000”, “nan” and a float with more digits than a double holds stay text.
    """
    if _INTEGER.fullmatch(text):
        whole = int(text)
        return whole if abs(whole) <= LARGEST_INTEGER else text
    if len(text) > 40 or not _NUMBER.fullmatch(text) or re.match(r"[+-]?0\d", text):
        return text
    number = float(text)
    try:
        same = math.isfinite(number) and Decimal(text) == Decimal(repr(number))
    except InvalidOperation:
        return text
    return number if same else text


def finite_time(seconds: float) -> float:
    """Keep a time that a calendar knows, else NaN: a broken clock must not lose the point."""
    return seconds if math.isfinite(seconds) and 0 < seconds < _LATEST else math.nan


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as an aware datetime; None for a time that no calendar knows."""
    if seconds is None or math.isnan(finite_time(seconds)):
        return None
    return datetime.fromtimestamp(seconds, tz=UTC)


def plain(value: Any, what: str) -> Any:
    """Copy a value from YAML or JSON into what JSON holds, within bounds that also stop a chain of aliases."""
    budget = MAX_PLAIN_NODES

    def copy(item: Any, depth: int) -> Any:
        nonlocal budget
        budget -= 1
        if budget < 0 or depth > MAX_PLAIN_DEPTH:
            raise BadValue(f"{what} holds too many or too deeply nested values.")
        if item is None or isinstance(item, bool):
            return item
        if isinstance(item, int):
            return item if abs(item) <= LARGEST_INTEGER else shortened(hex(item), 100)
        if isinstance(item, float):
            return item if math.isfinite(item) else str(item)
        if isinstance(item, date):
            return item.isoformat()
        if isinstance(item, dict):
            return {checked_key(str(key), "parameter"): copy(one, depth + 1) for key, one in item.items()}
        if isinstance(item, list | tuple | set):
            return [copy(one, depth + 1) for one in item]
        return checked_text(str(item), what)

    return copy(value, 0)


def located(named: str | os.PathLike[str]) -> Path:
    """The file or folder that a person named, whole and without links."""
    if not os.fspath(named):  # a variable that is not set; the folder one is in would be taken instead
        raise ImportSourceError("Name what to import; an empty name is none.")
    try:
        path = Path(named).expanduser().resolve()
    except RuntimeError as error:  # links in a circle before Python 3.13, or “~” of somebody unknown
        raise ImportSourceError(f"{named} leads nowhere.") from error
    if not path.exists():
        raise ImportSourceError(f"{named} does not exist.")
    return path


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether a path, with every link followed, stays within the folder that the person named."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except RuntimeError:  # links in a circle, before Python 3.13
        return False


def read_small_file(path: Path, root: Path, what: str, limit: int = MAX_TEXT_BYTES) -> bytes:
    """Read a regular file of bounded size from inside the folder."""
    if not is_inside(path, root):
        raise BadValue(f"{what} is a link that leads out of the folder.")
    if not path.is_file():
        raise BadValue(f"{what} is not a regular file.")
    with path.open("rb") as file:
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise BadValue(f"{what} is longer than {limit // 1024} KiB.")
    return raw


class _BoundedLoader(yaml.SafeLoader):
    """Counts an alias as all that it stands for, since a short chain of them stands for more than memory holds."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._cost = 0
        self._costs: dict[int, int] = {}  # by the identity of a node that is whole

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Give the next node, as long as all of them together are no more than a file may spell out."""
        before, is_alias = self._cost, self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if is_alias:
            self._cost += self._costs.get(id(node), MAX_YAML_COST)  # one inside itself is not whole yet
        else:
            self._cost += 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
            self._costs[id(node)] = self._cost - before
        if self._cost > MAX_YAML_COST:
            raise _TooMuch
        return node


class _TooMuch(yaml.YAMLError):
    pass


def _integer(loader: _BoundedLoader, node: yaml.ScalarNode) -> int | str:
    # One that no column holds stays text; Python does not even turn the longest into text again.
    try:
        value: int = loader.construct_yaml_int(node)
    except ValueError:  # of more digits than Python reads
        return str(node.value)
    return value if abs(value) <= LARGEST_INTEGER else str(node.value)


_BoundedLoader.add_constructor("tag:yaml.org,2002:int", _integer)


def read_yaml_mapping(path: Path, root: Path, what: str) -> dict[str, Any]:
    """Read a small YAML file of names and values with the safe loader."""
    text = decode(read_small_file(path, root, what))
    try:
        loaded = yaml.load(text, Loader=_BoundedLoader)  # noqa: S506 - it is a safe loader
    except _TooMuch:
        raise BadValue(f"{what} holds too many or too deeply nested values.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where is not None else ""
        raise BadValue(f"{what} is not plain YAML{line}.") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise BadValue(f"{what} does not hold names and values.")
    return {str(key): value for key, value in loaded.items()}
