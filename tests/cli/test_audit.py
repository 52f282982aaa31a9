"""An audit that has not seen every package is no success."""

import pytest

from cli import audit

SKIPPED = "ERROR:pip_audit._cli:absl-py: Dependency not found on PyPI and could not be audited: absl-py (2.5.1)"


@pytest.mark.parametrize("status", [0, 1])
def test_a_package_that_was_skipped_is_no_success(status: int) -> None:
    told, sentence = audit.verdict(status, SKIPPED)
    assert told == 2 and "not whole" in sentence


def test_nor_is_one_without_the_network() -> None:
    told, sentence = audit.verdict(1, "requests.exceptions.ConnectionError: Max retries exceeded")
    assert told == 2 and "cannot be reached" in sentence


def test_a_hole_is_told_and_none_is_a_success() -> None:
    assert audit.verdict(1, "Found 1 known vulnerability in 1 package")[0] == 1
    assert audit.verdict(0, "No known vulnerabilities found")[0] == 0


def test_it_is_strict_and_by_hashes() -> None:
    assert {"--strict", "--require-hashes"} <= set(audit.OPTIONS)
