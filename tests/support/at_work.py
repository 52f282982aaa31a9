"""What the live server has yet to answer: where a test is over, the answer would be made of the next one's database."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wsgi import ClosingIterator

_under_way: set[object] = set()
_changed = threading.Condition()


def counted(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The app, each of whose requests is under way until its answer is sent."""

    def ask(environ: Any, start: Any) -> Iterable[bytes]:
        request = object()
        with _changed:
            _under_way.add(request)

        def answered() -> None:
            with _changed:
                _under_way.discard(request)
                _changed.notify_all()

        try:
            return ClosingIterator(app(environ, start), answered)
        except BaseException:
            answered()
            raise

    return ask


def wait() -> None:
    """Until nothing is under way."""
    with _changed:
        assert _changed.wait_for(lambda: not _under_way, timeout=60), "a request is not answered"
