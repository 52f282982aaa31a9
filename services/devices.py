"""What a user agent says of itself, in words; a hint for people, never a fact to decide by."""

from dataclasses import dataclass
from functools import lru_cache

UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Device:
    """Kind of device, browser and system, as far as they are told."""

    kind: str
    browser: str
    system: str

    @property
    def words(self) -> str:
        """Such as “Chrome 126 on Linux”."""
        if self.browser == UNKNOWN:
            return "Unknown device" if self.system == UNKNOWN else self.system
        return self.browser if self.system == UNKNOWN else f"{self.browser} on {self.system}"


@lru_cache(maxsize=512)
def describe(agent: str | None) -> Device:
    """The device behind a user agent; what cannot be told is “Unknown”."""
    from ua_parser import parse  # only now: its tables take a moment and memory that other processes need not spend

    told = parse((agent or "")[:500])
    browser, system = told.user_agent, told.os
    name = UNKNOWN if browser is None else " ".join(filter(None, (browser.family, browser.major)))
    family = UNKNOWN if system is None or system.family == "Other" else system.family
    phone = told.device is not None and family in {"iOS", "Android"}
    return Device("mobile" if phone or "Mobi" in (agent or "") else "desktop", name, family)
