"""The eleven fault classes of a fluid-film bearing and the severities of a fault (DOMAIN A1.4).

Three spellings of each class are in use: the French code name of the signal files, the name in the dashboard's tables
and the name shown to people. `fault_of` reads all of them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault class; `index` is its label in every data set and confusion matrix."""

    index: int
    code: str
    name: str
    shown: str
    parts: tuple[str, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether two single faults act at once."""
        return bool(self.parts)


HEALTHY: Final = Fault(0, "sain", "normal", "Healthy")

FAULTS: Final[tuple[Fault, ...]] = (
    HEALTHY,
    Fault(1, "desalignement", "misalignment", "Misalignment"),
    Fault(2, "desequilibre", "imbalance", "Imbalance"),
    Fault(3, "jeu", "looseness", "Bearing Clearance"),
    Fault(4, "lubrification", "lubrication", "Lubrication Issue"),
    Fault(5, "cavitation", "cavitation", "Cavitation"),
    Fault(6, "usure", "wear", "Wear"),
    Fault(7, "oilwhirl", "oil_whirl", "Oil Whirl"),
    Fault(
        8,
        "mixed_misalign_imbalance",
        "combined_misalign_imbalance",
        "Misalignment + Imbalance",
        ("misalignment", "imbalance"),
    ),
    Fault(9, "mixed_wear_lube", "combined_wear_lube", "Wear + Lubrication", ("wear", "lubrication")),
    Fault(10, "mixed_cavit_jeu", "combined_cavit_jeu", "Cavitation + Clearance", ("cavitation", "looseness")),
)
FAULT_COUNT: Final = len(FAULTS)
FAULT_NAMES: Final[tuple[str, ...]] = tuple(fault.name for fault in FAULTS)
SHOWN_NAMES: Final[tuple[str, ...]] = tuple(fault.shown for fault in FAULTS)


def _key(text: str) -> str:
    """Letters and digits only, in lower case and without accents, so that `Désalignement` equals `desalignement`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]", "", plain.casefold())


_BY_KEY: Final = MappingProxyType(
    {_key(spelling): fault for fault in FAULTS for spelling in (fault.code, fault.name, fault.shown)}
)


def fault_of(spelling: str | int | Fault) -> Fault:
    """Fault class behind any of its spellings, or behind its index.

    Parameters
    ----------
    spelling : str, int or Fault
        Code name, dashboard name or shown name; case, accents, blanks, ``-``, ``_`` and ``+`` do not matter.

    Returns
    -------
    Fault

    Raises
    ------
    ValueError
        If no class has this name or index.

    Examples
    --------
    >>> fault_of("Oil-Whirl").index
    7
    """
    if isinstance(spelling, Fault):
        return spelling
    if isinstance(spelling, str):
        found = _BY_KEY.get(_key(spelling))
        if found is not None:
            return found
    elif 0 <= spelling < FAULT_COUNT:
        return FAULTS[spelling]
    raise ValueError(f"No fault class is called {spelling!r}; known are {', '.join(FAULT_NAMES)}.")


class Severity(StrEnum):
    """How far a fault has grown; a healthy bearing is `nominal`."""

    NOMINAL = "nominal"
    INCIPIENT = "incipient"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


# A healthy record has no signature for the factor to scale, hence zero.
SEVERITY_RANGES: Final = MappingProxyType(
    {
        Severity.NOMINAL: (0.0, 0.0),
        Severity.INCIPIENT: (0.20, 0.45),
        Severity.MILD: (0.45, 0.70),
        Severity.MODERATE: (0.70, 0.90),
        Severity.SEVERE: (0.90, 1.00),
    }
)


def severity_of(factor: float) -> Severity:
    """Severity whose range holds a factor; a factor on a border belongs to the higher one.

    Parameters
    ----------
    factor : float
        Severity factor without unit, 0 to 1. Below 0.2 no fault is called one, so it is nominal.

    Raises
    ------
    ValueError
        If the factor is not within 0 and 1.
    """
    if not 0.0 <= factor <= 1.0:
        raise ValueError(f"A severity factor lies between 0 and 1, not at {factor!r}.")
    reached = [severity for severity, (lower, _) in SEVERITY_RANGES.items() if factor >= lower]
    return reached[-1]
