"""How much of something a test does: little in the suite, and what SECURITY asks for where a make target says so."""

import os


def of(what: str, in_suite: int) -> int:
    """The number that `PFD_TEST_<what>` sets, or the one of the suite."""
    return int(os.environ.get(f"PFD_TEST_{what}", str(in_suite)))
