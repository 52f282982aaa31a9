"""What a period was made of: counts, bytes, times and sketch of each route and key; whole numbers that add up."""

import heapq
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import orjson

from services.api_metrics.sketches import Sketch, bin_of, merged

NOBODY = "0"  # the key of requests that came without one, or with one that is gone
MOST_LABELS = 200  # of routes, and of keys, in one hour
OTHERS = "(others)"
TRIMMED_FROM = 60
KEPT_BY_NAME = 5  # of the slowest, and of the last that failed
_MICROSECONDS = 1_000_000

Told = Sequence[Any]  # milliseconds, number of the row, microseconds since 1970, status


@dataclass(slots=True)
class Part:
    """The requests of one route or key."""

    classes: list[int] = field(default_factory=lambda: [0] * 5)  # of statuses, from 1xx on
    received: int = 0
    sent: int = 0
    nanoseconds: int = 0
    sketch: Sketch = field(default_factory=Sketch)
    slowest: list[Told] = field(default_factory=list)
    failed_last: list[Told] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(self.classes)

    @property
    def failed(self) -> int:
        """Those that were answered with 400 or more."""
        return self.classes[3] + self.classes[4]

    @property
    def error_rate(self) -> float | None:
        """The share that has failed."""
        return self.failed / self.requests if self.requests else None

    @property
    def average(self) -> float | None:
        """Milliseconds in the mean."""
        return self.nanoseconds / self.requests / 1e6 if self.requests else None

    def take(self, place: int, nanoseconds: int, bin: int | None, received: int, sent: int) -> None:
        """Count one request; class and bin are found once for route and key."""
        self.classes[place] += 1
        self.received += received
        self.sent += sent
        self.nanoseconds += nanoseconds
        self.sketch.count_in(bin)

    def merge(self, other: "Part") -> None:
        """Add what another counts."""
        self.classes = [mine + its for mine, its in zip(self.classes, other.classes, strict=True)]
        self.received += other.received
        self.sent += other.sent
        self.nanoseconds += other.nanoseconds
        self.sketch.merge(other.sketch)
        if other.slowest:
            self.slowest = [*self.slowest, *other.slowest]
            self.failed_last = [*self.failed_last, *other.failed_last]
            if len(self.slowest) > TRIMMED_FROM:  # each time would be most of the work of a merge
                self.trim()

    def trim(self) -> None:
        """Leave of the single requests those that are told of."""
        self.slowest, self.failed_last = _slowest(self.slowest), _last(self.failed_last)

    def packed(self) -> dict[str, Any]:
        """The same as JSON that is as short as it gets."""
        self.trim()
        numbers = [*self.classes, self.received, self.sent, self.nanoseconds]
        return {"n": numbers, "s": self.sketch.packed(), "t": self.slowest, "f": self.failed_last}

    @classmethod
    def unpacked(cls, packed: Any) -> Self:
        """The part that was packed."""
        *classes, received, sent, nanoseconds = packed["n"]
        return cls(classes, received, sent, nanoseconds, Sketch.unpacked(packed["s"]), packed["t"], packed["f"])


@dataclass(slots=True)
class Facts:
    """The requests of a period by route, and once more by key."""

    endpoints: dict[str, Part] = field(default_factory=dict)
    keys: dict[str, Part] = field(default_factory=dict)

    def whole(self) -> Part:
        """All requests of the period."""
        return whole_of(self.endpoints.values())

    def merge(self, other: "Facts") -> None:
        """Add another period."""
        for mine, its in ((self.endpoints, other.endpoints), (self.keys, other.keys)):
            for label, part in its.items():
                mine.setdefault(label, Part()).merge(part)

    def packed(self) -> bytes:
        """The facts as they stand in a row; the same facts are the same bytes."""
        tree = {"e": _packed(self.endpoints), "k": _packed(self.keys)}
        return zlib.compress(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS))

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The facts of a row."""
        tree = orjson.loads(zlib.decompress(packed))
        return cls(*({label: Part.unpacked(part) for label, part in tree[name].items()} for name in "ek"))


def _packed(parts: dict[str, Part]) -> dict[str, Any]:
    return {label: part.packed() for label, part in parts.items()}


def one_of(packed: bytes, label: str) -> Part:
    """The requests of one route out of the facts of a row, without making objects of the others."""
    found = orjson.loads(zlib.decompress(packed))["e"].get(label)
    return Part() if found is None else Part.unpacked(found)


def summed(contents: Iterable[bytes]) -> tuple[Facts, list[dict[str, int]]]:
    """Many rows as one, and of each row how many requests each route had.

    The same as unpacking each and merging it, without an object for each of its parts: of a quarter of a year they are
    many thousands, and making them would take most of the time in which a page answers.
    """
    gathered: dict[str, dict[str, list[dict[str, Any]]]] = {"e": {}, "k": {}}
    counted = []
    for content in contents:
        tree = orjson.loads(zlib.decompress(content))
        counted.append({label: sum(part["n"][:5]) for label, part in tree["e"].items()})
        for name, labels in gathered.items():
            for label, part in tree[name].items():
                labels.setdefault(label, []).append(part)
    return Facts(*({label: _sum_of(parts) for label, parts in gathered[name].items()} for name in "ek")), counted


def _sum_of(parts: list[dict[str, Any]]) -> Part:
    *classes, received, sent, nanoseconds = map(sum, zip(*(part["n"] for part in parts), strict=True))
    sketch = Sketch.summed([part["s"] for part in parts])
    told = ([its for part in parts for its in part[name]] for name in "tf")
    made = Part(classes, received, sent, nanoseconds, sketch, *told)
    made.trim()
    return made


def pack_sketch(sketch: Sketch) -> bytes:
    """A sketch by itself, as it stands in a row."""
    return zlib.compress(orjson.dumps(sketch.packed()))


def unpack_sketch(packed: bytes) -> Sketch:
    """The sketch of a row."""
    return Sketch.unpacked(orjson.loads(zlib.decompress(packed)))


def whole_of(parts: Iterable[Part]) -> Part:
    """Several parts as one."""
    whole = Part()
    listed = list(parts)
    for part in listed:
        for name in ("received", "sent", "nanoseconds"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.classes = [mine + its for mine, its in zip(whole.classes, part.classes, strict=True)]
    whole.sketch = merged(part.sketch for part in listed)
    whole.slowest = _slowest([told for part in listed for told in part.slowest])
    whole.failed_last = _last([told for part in listed for told in part.failed_last])
    return whole


def of_rows(rows: Iterable[Sequence[Any]]) -> Facts:
    """The facts of raw rows: id, route, method, status, moment, milliseconds, bytes asked, bytes answered, key."""
    facts = Facts()
    told: dict[str, list[Told]] = {}
    failed: dict[str, list[Told]] = {}
    for number, endpoint, method, status, moment, milliseconds, received, sent, key in rows:
        label = label_of(endpoint, method)
        place, nanoseconds, bin = min(max(status // 100, 1), 5) - 1, round(milliseconds * 1e6), bin_of(milliseconds)
        for parts, name in ((facts.endpoints, label), (facts.keys, str(key or NOBODY))):
            part = parts.get(name)
            if part is None:
                part = parts[name] = Part()
            part.take(place, nanoseconds, bin, received or 0, sent or 0)
        its = (milliseconds, number, _micros(moment), status)
        told.setdefault(label, []).append(its)
        if status >= 400:
            failed.setdefault(label, []).append(its)
    for label, rest in told.items():
        facts.endpoints[label].slowest = _slowest(rest)
        facts.endpoints[label].failed_last = _last(failed.get(label, []))
    return Facts(_bounded(facts.endpoints), _bounded(facts.keys))


def label_of(endpoint: str, method: str) -> str:
    """A route as it is declared, with the method in front."""
    return f"{method} {endpoint}"


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * _MICROSECONDS)


def _slowest(told: list[Told]) -> list[Told]:
    return heapq.nsmallest(KEPT_BY_NAME, told, key=lambda its: (-its[0], its[1]))


def _last(told: list[Told]) -> list[Told]:
    return heapq.nsmallest(KEPT_BY_NAME, told, key=lambda its: (-its[2], -its[1]))


def _bounded(parts: dict[str, Part]) -> dict[str, Part]:
    """The busiest by name and all others as one, so that no row grows without end."""
    if len(parts) <= MOST_LABELS:
        return parts
    ranked = sorted(parts, key=lambda label: (-parts[label].requests, label))
    kept = {label: parts[label] for label in ranked[: MOST_LABELS - 1]}
    return {**kept, OTHERS: whole_of(parts[label] for label in ranked[MOST_LABELS - 1 :])}
