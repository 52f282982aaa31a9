"""Which experiments are compared: ids in an address or in a store, so they are looked at."""

from typing import Any

MOST_READ = 500


def ids_from(value: Any) -> list[int]:
    """The ids in “1,2,3” or in a list, each once and in order; what is no id is left out."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    found: list[int] = []
    for part in parts[:MOST_READ]:
        text = str(part).strip() if isinstance(part, int | str) and not isinstance(part, bool) else ""
        if text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) < 2**31:
            found.append(int(text))
    return list(dict.fromkeys(found))
