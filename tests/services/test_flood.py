"""A flood of sign-ins is held back: few passwords are hashed at once, and memory grows little more than they take."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.installation import environment_of_children
from services import passwords


def test_of_two_hundred_at_once_two_are_hashed_and_memory_grows_by_three() -> None:
    command = [sys.executable, "-m", "tests.support.flood"]
    ran = subprocess.run(
        command, check=True, capture_output=True, cwd=Path(__file__).parents[2], env=environment_of_children()
    )
    told = json.loads(ran.stdout)
    assert (told["right"], told["done"], told["most"]) == (0, 200, 2)
    threads = 200 * 64 * 1024  # what two hundred threads touch of their stacks and objects
    # What the two take, and once more what the allocator keeps of one; from threads of everybody it was five times.
    assert told["grown"] <= 3 * told["one"] + threads, f"{told['grown'] / told['one']:.1f} times what one takes"


def test_a_process_that_was_forked_hashes_as_well() -> None:
    stored = passwords.hash_password("a long enough passphrase")
    child = os.fork()
    if child == 0:
        os._exit(0 if passwords.verify(stored, "a long enough passphrase") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("stored", ["$argon2id$nonsense", "!provider", None])
def test_what_is_no_hash_fits_nothing(stored: str | None) -> None:
    assert not passwords.verify(stored, "a long enough passphrase")
