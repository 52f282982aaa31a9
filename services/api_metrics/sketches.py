"""Percentiles that can be merged: DDSketch, at most 1 % away from the exact value (arXiv 1908.10693)."""

from collections.abc import Sequence
from typing import Any, Self

from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import Store

ACCURACY = 0.01
_MAPPING = LogarithmicMapping(ACCURACY)
Packed = tuple[int, Sequence[int], Sequence[int]]


class SparseStore(Store):
    """The bins that hold something.

    The library's own store keeps every bin between the lowest and the highest: times of a request lie over three orders
    of magnitude, of which one hour fills a few dozen bins, and merging a quarter of a year would walk over all of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bins: dict[int, int] = {}

    def copy(self, store: "SparseStore") -> None:
        """Hold what another holds."""
        self.bins, self.count = dict(store.bins), store.count

    def length(self) -> int:
        """How many bins hold something."""
        return len(self.bins)

    def add(self, key: int, weight: float = 1) -> None:
        """Count into one bin."""
        self.bins[key] = self.bins.get(key, 0) + int(weight)
        self.count += int(weight)

    def key_at_rank(self, rank: float, lower: bool = True) -> int:
        """The bin in which the value of this rank lies."""
        seen = 0
        for key in sorted(self.bins):
            seen += self.bins[key]
            if (seen > rank) if lower else (seen >= rank + 1):
                return key
        return max(self.bins)

    def merge(self, store: "SparseStore") -> None:
        """Add what another holds."""
        bins = self.bins
        for key, weight in store.bins.items():
            bins[key] = bins.get(key, 0) + weight
        self.count += store.count


class Sketch(BaseDDSketch):
    """How long requests took, in milliseconds, as counts in bins that grow by 2 %."""

    def __init__(self) -> None:
        super().__init__(_MAPPING, SparseStore(), SparseStore(), 0)

    def quantile(self, share: float) -> float | None:
        """The value that this share of all values does not exceed; None where there is none."""
        found = self.get_quantile_value(share)
        return None if found is None else float(found)

    def count_in(self, bin: int | None) -> None:
        """Count one value whose bin is known, as `add` does."""
        self._count += 1
        if bin is None:
            self._zero_count += 1
        else:
            bins = self._store.bins
            bins[bin] = bins.get(bin, 0) + 1
            self._store.count += 1

    def bins(self) -> list[tuple[float, int]]:
        """The values that bins stand for, and how many lie in each, from the lowest."""
        zero = [(0.0, self._zero_count)] if self._zero_count else []
        return zero + [(float(_MAPPING.value(key)), count) for key, count in sorted(self._store.bins.items())]

    def packed(self) -> Packed:
        """The same sketch as whole numbers, in one order."""
        keys = sorted(self._store.bins)
        return int(self._zero_count), keys, [self._store.bins[key] for key in keys]

    @classmethod
    def unpacked(cls, packed: Packed) -> Self:
        """The sketch that was packed."""
        made = cls()
        made._zero_count, keys, counts = packed
        made._store.bins = dict(zip(keys, counts, strict=True))
        made._store.count = sum(counts)
        made._count = made._zero_count + made._store.count
        return made

    @classmethod
    def summed(cls, packed: Sequence[Packed]) -> Self:
        """Several sketches that were packed as one."""
        bins: dict[int, int] = {}
        zero = 0
        for none, keys, counts in packed:
            zero += none
            if bins:
                for key, count in zip(keys, counts, strict=True):
                    bins[key] = bins.get(key, 0) + count
            else:
                bins = dict(zip(keys, counts, strict=True))
        return cls.unpacked((zero, list(bins), list(bins.values())))


def bin_of(value: float) -> int | None:
    """The bin of a value; None stands for nothing at all."""
    return _MAPPING.key(value) if value > _MAPPING.min_possible else None


def merged(sketches: Any) -> Sketch:
    """One sketch of several; in which order does not matter."""
    whole = Sketch()
    for sketch in sketches:
        whole.merge(sketch)
    return whole
