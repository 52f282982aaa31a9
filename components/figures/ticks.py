"""Ticks that read as numbers: 0.002 and 6e−5 in full at every tick, also between the powers of a logarithmic axis."""

import math
from typing import Any

LEAST, MOST = 3, 8  # ticks that are seen at once
BEYOND = 2  # decades of further ticks, for a curve that grows
_DIGITS = (tuple(range(1, 10)), (1, 2, 5), (1, 3), (1,))
DAY = 86_400.0
_SPANS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_LETTERS = {6: "M", 9: "G", 12: "T"}


def tick_text(value: float) -> str:
    """A number as a tick says it: 0.002, 500, 20,000, 3M, and in powers of ten what would be a row of zeros."""
    power = math.floor(math.log10(abs(value)) + 1e-9) if value else 0
    if -4 < power < 6:
        text = f"{value:,.{9 - max(power, 0)}f}".rstrip("0").rstrip(".")
    elif 6 <= power < 15:
        text = f"{value / 10 ** (power // 3 * 3):.6g}{_LETTERS[power // 3 * 3]}"
    else:
        text = f"{value / 10.0**power:.6g}e{power}"
    return text.replace("-", "−")


def linear_ticks(limits: tuple[float, float]) -> dict[str, Any]:
    """Ticks of a linear axis; plotly.js chooses them, but writes a small number as “600µ” or “0.8e−4”."""
    largest = max(abs(limit) for limit in limits)
    if 1e-3 <= largest < 1e15 or largest < 1e-290:
        return {"exponentformat": "SI"} if largest >= 1e6 else {"exponentformat": "none", "separatethousands": True}
    if largest >= 1e15 or limits[1] - limits[0] < 1e-9 * largest:
        return {"exponentformat": "e"}
    step, digits = _step(limits[0], limits[1])
    first, last = math.ceil(limits[0] / step) - 2 * MOST, math.floor(limits[1] / step) + 2 * MOST
    return _array([round(place * step, digits) for place in range(first, last + 1)])


def log_ticks(limits: tuple[float, float]) -> dict[str, Any]:
    """Ticks of a logarithmic axis from its lowest to its highest value: plotly.js writes “2” for both 0.2 and 200."""
    low, high = max(limits[0], 1e-300), max(limits[1], 1e-300)
    return _array(_narrow(low, high) or _wide(low, high))


def duration_ticks(limits: tuple[float, float], log: bool = False) -> dict[str, Any]:
    """Ticks of an axis of seconds at whole minutes, hours and days: “90 s”, “5 min”, “1 h 30 min”."""
    low, high = limits
    if log:
        values = [float(value) for value in (1, 10, 60, 600, 3600, 36_000, 86_400, 864_000)]
    else:
        rough = max((high - low) / (LEAST + 2), 1e-9)
        step = next((size for size in _SPANS if size >= rough), 0.0) or _step(low / DAY, high / DAY)[0] * DAY
        if rough < 1:
            step = _step(low, high)[0]
        values = [place * step for place in range(math.ceil(low / step) - MOST, math.floor(high / step) + MOST + 1)]
    ticks = _array(values)
    return ticks | {"ticktext": [_duration(value) for value in values]}


def _duration(seconds: float) -> str:
    sign, size = "−" if seconds < 0 else "", abs(seconds)
    if size < 60 or size % 60:
        return f"{sign}{tick_text(float(f'{size:.6g}'))} s" if size else "0"
    days, rest = divmod(round(size), 86_400)
    parts = ((days, "d"), (rest // 3600, "h"), (rest % 3600 // 60, "min"))
    return sign + " ".join(f"{count:,} {unit}" for count, unit in parts if count)


def _array(values: list[float]) -> dict[str, Any]:
    return {"tickmode": "array", "tickvals": values, "ticktext": [tick_text(value) for value in values]}


def _step(low: float, high: float) -> tuple[float, int]:
    """An even step of which a few fit between two numbers, and how many decimals it takes."""
    rough = (high - low) / (LEAST + 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((size * power for size in (1, 2, 5) if size * power >= rough), 10 * power)
    return step, max(0, -math.floor(math.log10(step) + 1e-9))


def _wide(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each decade while few are seen, then 1 alone, then every second one and so on."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = range(max(first - BEYOND, -300), min(last + BEYOND, 300) + 1)
    for digits in _DIGITS:
        values = [float(f"{digit}e{decade}") for decade in decades for digit in digits]
        if sum(low <= value <= high for value in values) <= MOST:
            return values
    stride = math.ceil((last - first) / MOST)
    return [float(f"1e{decade}") for decade in decades if (decade - first) % stride == 0]


def _narrow(low: float, high: float) -> list[float]:
    """Even steps where the axis is zoomed so far in that too few of 1 … 9 are seen; none where it is not."""
    first = math.floor(math.log10(low))
    seen = [digit * 10.0**decade for decade in (first, first + 1) for digit in range(1, 10)]
    if high >= 10 * low or not low < high or sum(low <= value <= high for value in seen) >= LEAST:
        return []
    step, digits = _step(low, high)
    return [round(place * step, digits) for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
