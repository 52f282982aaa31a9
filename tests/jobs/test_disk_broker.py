"""Facts about messages as files: whole or not there, taken once, and no damage goes further than the one file."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu.exceptions import ChannelError

from jobs import announcing, celery_app
from tests.support.full_disk import no_room

MESSAGES = 300


@pytest.fixture
def channel(own_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """A channel of its own for each that asks, as each process has."""
    app = celery_app.build(tasks=())
    monkeypatch.setattr(celery_app, "celery", app)
    opened = []

    def open_one() -> Any:
        connection = app.connection_for_write()
        opened.append(connection)
        return connection.channel()

    yield open_one
    for connection in opened:
        connection.release()


def a_message(number: int) -> dict[str, Any]:
    return {"body": "x" * 600, "properties": {"delivery_tag": str(number)}, "headers": {"number": number}}


def names(folder: Path) -> list[str]:
    return [path.name for path in (folder / "broker").iterdir()]


def take_all(own: Any, senders: list[Any]) -> list[int]:
    """The numbers of the messages that this channel gets, until nobody sends any more."""
    taken = []
    while True:
        ending = not any(process.is_alive() for process in senders)
        try:
            taken.append(own._get("celery")["headers"]["number"])
        except Empty:
            if ending:
                return taken


class TestRace:
    def test_of_senders_and_takers_at_once_each_message_comes_to_one_and_whole(
        self, channel: Callable[[], Any], own_data_dir: Path
    ) -> None:
        def send(first: int) -> None:
            own = channel()
            for number in range(first, first + MESSAGES):
                own._put("celery", a_message(number))
                while own._size("celery"):
                    pass  # the next one goes to takers that wait for it

        # Processes, as threads of one take turns and so hardly ever meet.
        senders = [get_context("fork").Process(target=send, args=(first,)) for first in (0, MESSAGES)]
        for process in senders:
            process.start()
        with ThreadPoolExecutor(2) as takers:
            own = [channel(), channel()]
            taken = [number for numbers in takers.map(lambda one: take_all(one, senders), own) for number in numbers]
        assert sorted(taken) == list(range(2 * MESSAGES))
        assert names(own_data_dir) == []


class TestFullDisk:
    def test_a_message_without_room_leaves_nothing_behind(self, channel: Callable[[], Any], own_data_dir: Path) -> None:
        with no_room(), pytest.raises(ChannelError, match="could not be written"):
            channel()._put("celery", a_message(1))
        assert names(own_data_dir) == []

    def test_announcing_without_room_costs_the_person_nothing(
        self, channel: Callable[[], Any], own_data_dir: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with no_room():
            announcing.announce([1])
        assert "jobs [1] could not be announced" in caplog.text
        assert names(own_data_dir) == []


class TestTake:
    def test_the_oldest_comes_first(self, channel: Callable[[], Any]) -> None:
        own = channel()
        for number in (1, 2):
            own._put("celery", a_message(number))
        assert [own._get("celery")["headers"]["number"] for _ in (1, 2)] == [1, 2]

    def test_a_damaged_file_goes_and_the_next_message_comes(
        self, channel: Callable[[], Any], own_data_dir: Path
    ) -> None:
        (own_data_dir / "broker" / "0_damaged.celery.msg").write_bytes(b"\xff{")
        own = channel()
        own._put("celery", a_message(7))
        assert own._get("celery")["headers"]["number"] == 7
        assert names(own_data_dir) == []

    def test_a_file_that_is_still_being_written_is_left_alone(
        self, channel: Callable[[], Any], own_data_dir: Path
    ) -> None:
        (own_data_dir / "broker" / "0_new.celery.msg.partial").write_text('{"bo')
        with pytest.raises(Empty):
            channel()._get("celery")
        assert names(own_data_dir) == ["0_new.celery.msg.partial"]

    def test_a_queue_whose_folder_is_gone_is_empty_and_made_again(
        self, channel: Callable[[], Any], own_data_dir: Path
    ) -> None:
        own = channel()
        (own_data_dir / "broker").rmdir()
        with pytest.raises(Empty):
            own._get("celery")
        own._put("celery", a_message(1))
        assert own._get("celery") == a_message(1)
