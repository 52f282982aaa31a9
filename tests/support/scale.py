"""How much of something a test does: little in the suite, and what SECURITY asks for where a make target says so."""

import os

# Read as the tests are collected: while they run, no setting of whoever started them is left.
_GIVEN = {name: value for name, value in os.environ.items() if name.startswith("PFD_TEST_")}


def of(what: str, in_suite: int) -> int:
    """The number that `PFD_TEST_<what>` sets, or the one of the suite."""
    return int(_GIVEN.get(f"PFD_TEST_{what}", str(in_suite)))
