"""Facts about limits: never more than the quota and what comes back, nearly all of it usable, one count for all."""

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from database import engine as engines
from services.limits import quotas
from services.limits.gcra import SECOND, Decision, Policy
from services.limits.memory import Memory
from services.limits.rows import Rows
from services.limits.side_file import SideFile
from tests.support import scale

Take = Callable[..., Decision]
START = 1_790_000_000 * SECOND
MOMENTS = st.lists(st.integers(0, 40 * SECOND // 10), min_size=1, max_size=300)
POLICIES = st.builds(Policy, st.integers(1, 40), st.sampled_from([1, 7, 60]))


def accepted(take: Take, policy: Policy, gaps: list[int]) -> list[int]:
    """When requests that come after these gaps were let through."""
    moment, through = START, []
    for gap in gaps:
        moment += gap
        if take("bucket", policy, moment).allowed:
            through.append(moment)
    return through


class TestAlgebra:
    @given(POLICIES, MOMENTS)
    @settings(max_examples=300)
    def test_no_window_of_any_length_takes_more_than_the_quota_and_what_came_back(
        self, policy: Policy, gaps: list[int]
    ) -> None:
        through = accepted(Memory().take, policy, gaps)
        for place, first in enumerate(through):
            for count, last in enumerate(through[place:], start=1):
                assert count <= policy.quota + (last - first) * policy.quota / (policy.window * SECOND) + 1e-9

    @given(st.integers(1, 5000))
    @settings(max_examples=60)
    def test_who_asks_all_the_time_gets_all_of_it(self, quota: int) -> None:
        policy, memory = Policy(quota), Memory()
        windows = max(1, 2000 // quota)
        gap = policy.interval // 2
        moment = START
        through = 0
        while moment < START + windows * policy.window * SECOND:
            through += memory.take("b", policy, moment).allowed
            moment += gap if through >= quota else 0
        assert through - quota + 1 >= 0.98 * quota * windows

    @given(POLICIES, MOMENTS)
    @settings(max_examples=200)
    def test_who_waits_as_told_gets_through_and_who_spends_what_is_told_too(
        self, policy: Policy, gaps: list[int]
    ) -> None:
        memory, moment = Memory(), START
        for gap in gaps:
            moment += gap
            decision = memory.take("b", policy, moment)
            if not decision.allowed:
                moment += decision.reset * SECOND
                decision = memory.take("b", policy, moment)
            assert decision.allowed
        assert all(memory.take("b", policy, moment).allowed for _ in range(decision.remaining))
        assert not memory.take("b", policy, moment).allowed

    def test_a_clock_that_was_set_back_locks_nobody_out(self) -> None:
        memory, policy = Memory(), Policy(5)
        for _ in range(5):
            memory.take("b", policy, START)
        assert memory.take("b", policy, START - 86_400 * SECOND).allowed


@pytest.fixture(params=["file", "rows"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Where buckets are kept; called again it is opened again, as after a restart."""
    if request.param == "file":
        made: list[SideFile] = []

        def opened() -> SideFile:
            made.append(SideFile(tmp_path / "limits.sqlite3"))
            return made[-1]

        yield opened
        for one in made:
            one.close()
        return
    engine = engines.build_engine(request.getfixturevalue("postgresql_url"))
    yield lambda: Rows(engine)
    engine.dispose()


class TestPlaces:
    @given(st.data())
    @settings(max_examples=15)
    def test_decide_as_the_algebra_does(self, place: Callable[[], Any], data: Any) -> None:
        kept, memory = place(), Memory()
        policy = data.draw(POLICIES)
        bucket, moment = secrets.token_hex(8), START
        for gap in data.draw(st.lists(st.integers(-9 * SECOND, 4 * SECOND), max_size=25)):
            moment += gap if gap >= 0 else gap * 60
            assert kept.take(bucket, policy, moment) == memory.take(bucket, policy, moment)

    def test_keep_the_count_over_a_restart(self, place: Callable[[], Any]) -> None:
        assert [place().take("b", Policy(3)).allowed for _ in range(5)] == [True, True, True, False, False]

    def test_keep_buckets_apart(self, place: Callable[[], Any]) -> None:
        assert [place().take(name, Policy(1)).allowed for name in ("a", "b", "a")] == [True, True, False]

    def test_forget_only_what_says_nothing_any_more(self, place: Callable[[], Any]) -> None:
        kept = place()
        kept.take("rested", Policy(3), START)
        kept.take("used", Policy(1))
        assert kept.forget_rested() == 1
        assert not kept.take("used", Policy(1)).allowed


HAMMER = """
import sys, threading, time
from database import engine as engines
from services.limits.gcra import Policy
from services.limits.rows import Rows
from services.limits.side_file import SideFile
from pathlib import Path
where, clients, tries, quota, seconds = sys.argv[1], 2, *map(int, sys.argv[2:5])
kept = Rows(engines.build_engine(where)) if "://" in where else SideFile(Path(where))
through, tried = [], []
def client():
    asked = 0
    while asked < tries or time.monotonic() < ends:
        if kept.take("b", Policy(quota)).allowed:
            through.append(1)
        asked += 1
    tried.append(asked)
threads = [threading.Thread(target=client) for _ in range(clients)]
print("ready", flush=True)
sys.stdin.readline()
ends = time.monotonic() + seconds
[t.start() for t in threads]; [t.join() for t in threads]
print(len(through), sum(tried))
"""


@pytest.mark.parametrize("kind", ["file", "rows"])
def test_four_processes_of_two_clients_share_one_count(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    quota, tries, seconds = 200, 125, scale.of("SECONDS", 0)  # in the suite 1,000 tries in all, else for so long
    where = str(tmp_path / "limits.sqlite3") if kind == "file" else request.getfixturevalue("postgresql_url")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, where, str(tries), str(quota), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    before = time.time_ns()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    told = [process.communicate(timeout=300 + seconds)[0].split() for process in processes]
    came_back = -(-(time.time_ns() - before) // Policy(quota).interval)
    through, tried = (sum(int(one[place]) for one in told) for place in (0, 1))
    assert quota <= through <= quota + came_back
    assert tried >= 5 * quota
    if seconds:
        assert through >= 0.98 * (quota + quota * seconds / Policy(quota).window)


def test_where_the_file_cannot_be_written_each_process_counts_for_itself(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "limits.sqlite3").mkdir()
    monkeypatch.setattr(quotas, "_place", lambda: SideFile(tmp_path / "limits.sqlite3"))
    monkeypatch.setattr(quotas, "_alone", Memory())
    assert [quotas.of_key("pfd_pk_x", 2).allowed for _ in range(3)] == [True, True, False]
