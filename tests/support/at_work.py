"""What the live server has yet to answer: where a test is over, the answer would be made of the next one's database."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_under_way: set[object] = set()
_changed = threading.Condition()


def counted(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterator[bytes]]:
    """The app, each of whose requests is under way until its answer is sent, or nobody waits for it any more."""

    def ask(environ: Any, start: Any) -> Iterator[bytes]:
        request = object()
        with _changed:
            _under_way.add(request)
        answer: Any = ()
        try:
            answer = app(environ, start)
            yield from answer  # over also where werkzeug, left by its client, does not come to close it
        finally:
            if hasattr(answer, "close"):
                answer.close()
            with _changed:
                _under_way.discard(request)
                _changed.notify_all()

    return ask


def wait() -> None:
    """Until nothing is under way."""
    with _changed:
        is_over = _changed.wait_for(lambda: not _under_way, timeout=60)
        _under_way.clear()
    assert is_over, "a request was not answered within a minute"
