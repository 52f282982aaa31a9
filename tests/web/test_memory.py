"""Memory that a burst of work has left is given back, and an idle process is left alone."""

import threading

import pytest

from web import memory


@pytest.mark.parametrize(("grown", "trims"), [(-(10**12), True), (10**12, False)])
def test_the_heap_is_trimmed_only_once_it_has_grown(monkeypatch: pytest.MonkeyPatch, grown: int, trims: bool) -> None:
    monkeypatch.setattr(memory, "EVERY", 0.0)
    monkeypatch.setattr(memory, "GROWN", grown)
    given, turns = [], iter([False, False, True])

    class Pause(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return next(turns)

    memory._run(given.append, Pause())  # type: ignore[arg-type]
    assert bool(given) is trims
