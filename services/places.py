"""Where an address is, as a file of the operator says; a hint for people, never a fact to decide by."""

import ipaddress
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

from config.errors import ConfigurationError
from config.settings import settings
from services.text import harmless

logger = logging.getLogger(__name__)

LONGEST = 100
KINDS = ("city", "country", "enterprise")  # files that hold places say one of these of themselves


def refuse_unusable() -> None:
    """Raise unless the file that the settings name can be read and holds places."""
    path = settings().geoip
    if path is None:
        return
    try:
        kind = str(_opened(path).metadata().database_type)
    except Exception as error:  # a file that is none of the kind makes the reader raise whatever it stumbles over
        raise ConfigurationError(
            f"PFD_GEOIP names {path}, which cannot be read as a file of places ({_reason(error)}); "
            "name a .mmdb file, or unset it."
        ) from error
    if not any(word in kind.casefold() for word in KINDS):
        raise ConfigurationError(
            f"PFD_GEOIP names {path}, which holds no places ({harmless(kind)[:60]}); name one of cities or countries."
        )


def place_of(address: str) -> str | None:
    """City and country of an address, as far as the file knows them; None without a file, or for what it lacks."""
    path = settings().geoip
    if path is None:
        return None
    try:
        place = _words(_opened(path).get(ipaddress.ip_address(address)))
    except ValueError:  # no address, or an IPv6 one that the file does not cover
        return None
    except Exception as error:  # a damaged file must keep nobody from signing in
        logger.warning("the place of an address cannot be read: %s", _reason(error))
        return None
    return place or None


@lru_cache(maxsize=1)
def _opened(path: Path) -> Any:
    # Only where a file is named. It is read and not mapped: one that is cut short while it is in use would else end
    # the process, and what is read of it needs no memory afterwards.
    import maxminddb

    return maxminddb.open_database(path, maxminddb.MODE_FILE)


def _words(record: Any) -> str:
    names = (_name(record, "city"), _name(record, "country"))
    return ", ".join(filter(None, names))


def _name(record: Any, part: str) -> str:
    found = record
    for step in (part, "names", "en"):
        found = found.get(step) if isinstance(found, dict) else None
    return harmless(found).strip()[:LONGEST] if isinstance(found, str) else ""


def _reason(error: Exception) -> str:
    return error.strerror or "it cannot be opened" if isinstance(error, OSError) else "it is damaged or of another kind"
