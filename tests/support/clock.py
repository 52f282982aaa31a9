"""A clock that stands still, where two looks at it have to see the same minute, hour or day."""

from datetime import datetime
from types import ModuleType

import pytest

from database.types import now


def hold(patch: pytest.MonkeyPatch, *modules: ModuleType) -> datetime:
    """Each of these modules sees the same moment from now on, which is told."""
    moment = now()
    for module in modules:
        patch.setattr(module, "now", lambda: moment)
    return moment
