"""Points as compact columns: 8 bytes a value or 4 where that loses nothing, steps and times nearly for free."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Beyond it a double, and so a browser, no longer tells one step from the next; the difference of two steps within it
# is far from overflowing 64 bits.
LARGEST_STEP = 2**53

REGULAR, NARROW, WIDE = 0, 1, 2
_UNKNOWN_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one series: steps, values, and seconds since the epoch (NaN where unknown)."""

    steps: Ints
    values: Floats
    times: Floats
    even: bool = False  # whether the steps are known to rise by the same from point to point

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, where: slice | NDArray[np.bool_] | Ints) -> "Points":
        return Points(self.steps[where], self.values[where], self.times[where])

    @staticmethod
    def of(steps: object, values: object, times: object = None) -> "Points":
        """Points from any sequences; times are rounded to the millisecond, as they are stored."""
        step_array = np.asarray(steps, dtype=np.int64)
        value_array = np.asarray(values, dtype=np.float64)
        time_array = (
            np.full(len(step_array), np.nan)
            if times is None
            else np.round(np.asarray(times, dtype=np.float64) * 1000) / 1000
        )
        if not len(step_array) == len(value_array) == len(time_array):
            raise ValueError("steps, values and times differ in length")
        if len(step_array) and not -LARGEST_STEP <= step_array.min() <= step_array.max() <= LARGEST_STEP:
            raise ValueError("a step lies beyond ±2^53")
        return Points(step_array, value_array, time_array)

    @staticmethod
    def untimed(steps: Ints, values: Floats, *, even: bool = False) -> "Points":
        """Points whose times nobody asked for; their NaN takes no memory."""
        return Points(steps, values, np.broadcast_to(np.float64(np.nan), len(steps)), even)

    @staticmethod
    def concatenate(parts: "list[Points]") -> "Points":
        """One after the other."""
        if not parts:
            return Points.of([], [])
        steps = np.concatenate([part.steps for part in parts])
        values = np.concatenate([part.values for part in parts])
        if all(part.times.strides == (0,) for part in parts):
            return Points.untimed(steps, values)
        return Points(steps, values, np.concatenate([part.times for part in parts]))


def pack_steps(steps: Ints) -> tuple[int, bytes]:
    """The codec and the bytes; evenly spaced steps need none beyond the first and the last."""
    if len(steps) < 2:
        return REGULAR, b""
    deltas = np.diff(steps)
    if (deltas == deltas[0]).all():
        return REGULAR, b""
    offsets = steps - steps[0]
    if np.abs(offsets).max() < 2**31:
        return NARROW, offsets.astype("<i4").tobytes()
    return WIDE, offsets.astype("<i8").tobytes()


def unpack_steps(codec: int, data: bytes, first: int, last: int, points: int) -> Ints:
    """The reverse of `pack_steps`."""
    if codec == REGULAR:
        if points < 2 or first == last:
            return np.full(points, first, dtype=np.int64)
        stride = (last - first) // (points - 1)
        return np.arange(first, first + stride * points, stride, dtype=np.int64)
    return np.frombuffer(data, dtype="<i4" if codec == NARROW else "<i8").astype(np.int64) + first


def pack_values(values: Floats) -> bytes:
    """Single precision where every value survives it, double otherwise."""
    with np.errstate(over="ignore"):
        single = values.astype("<f4")
    if np.array_equal(single.astype(np.float64), values, equal_nan=True):
        return single.tobytes()
    return values.astype("<f8").tobytes()


def stored_values(data: bytes, points: int) -> NDArray[np.floating]:
    """The values as they are stored; the width tells the precision."""
    return np.frombuffer(data, dtype="<f4" if len(data) == 4 * points else "<f8")


def unpack_values(data: bytes, points: int) -> Floats:
    """The reverse of `pack_values`."""
    return stored_values(data, points).astype(np.float64, copy=False)


def pack_times(times: Floats, *, again: bool = False) -> bytes:
    """Milliseconds as compressed differences; nothing at all where no time is known.

    What is packed again with the next point is packed quickly.
    """
    known = np.isfinite(times)
    if not known.any():
        return b""
    milliseconds = np.full(len(times), _UNKNOWN_TIME, dtype=np.int64)
    milliseconds[known] = np.round(times[known] * 1000).astype(np.int64)
    deltas = np.diff(milliseconds, prepend=np.int64(0))
    planes = deltas.astype("<i8").view(np.uint8).reshape(-1, 8).T.copy()
    return zlib.compress(planes.tobytes(), 1 if again else 6)


def unpack_times(data: bytes, points: int) -> Floats:
    """The reverse of `pack_times`."""
    if not data:
        return np.full(points, np.nan)
    planes = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(8, points)
    milliseconds = np.cumsum(planes.T.copy().view("<i8").reshape(-1))
    times = milliseconds / 1000
    times[milliseconds == _UNKNOWN_TIME] = np.nan
    return times.astype(np.float64)
