"""A point by itself leaves to the byte what the same point leaves among many."""

import copy
import struct
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from database.engine import transaction
from models.experiment import Experiment
from models.metric_series import MetricSeries
from services.curves import one_point, writing
from services.curves.packing import Points
from services.curves.series_rows import Chunk, Series
from tests.support.waiting import wait_until

Point = tuple[int, float, float]
NEGATIVE_NAN = struct.unpack("<d", b"\x00\x00\x00\x00\x00\x00\xf8\xff")[0]

steps = st.one_of(
    st.integers(-5, 5), st.integers(2**31 - 3, 2**31 + 3), st.integers(-(2**53), 2**53), st.sampled_from([0, 2, 4, 6])
)
values = st.one_of(
    st.floats(width=32), st.floats(), st.sampled_from([np.nan, NEGATIVE_NAN, np.inf, -np.inf, -0.0, 1e300, 0.1, 3.5e38])
)
times = st.one_of(st.just(np.nan), st.floats(0, 4e9), st.integers(0, 2**42).map(lambda number: number / 1000))
points = st.lists(st.tuples(steps, values, times), min_size=1, max_size=12)
timed = st.lists(st.tuples(steps, values, st.floats(0, 4e9)), min_size=1, max_size=12)
regular = st.tuples(steps.filter(lambda one: abs(one) < 2**40), st.integers(0, 9), st.lists(values, min_size=1)).map(
    lambda given: [(given[0] + place * given[1], value, 1e9 + place) for place, value in enumerate(given[2])]
)


def arrays(given: Sequence[Point]) -> Points:
    return Points.of(*(list(column) for column in zip(*given, strict=True)))


def empty() -> Series:
    return Series(1, 1, 1, 0, 0, *[None] * 9, True)


def seen(row: Series) -> list[str]:
    return [repr(getattr(row, name)) for name in Series.__slots__]


def packed(row: Series, given: Points) -> tuple[Chunk, Series]:
    after = copy.copy(row)
    writing._summarise(after, given)
    return Chunk(series_id=1, start=0, **writing._packed(given)), after


@settings(deadline=None, max_examples=400)
@given(before=st.one_of(points, timed, regular), further=st.tuples(steps, values, times))
def test_the_chunk_and_the_summary_are_those_of_many(before: list[Point], further: Point) -> None:
    chunk, row = packed(empty(), arrays(before))
    one = arrays([further])
    step, value, time = int(one.steps[0]), float(one.values[0]), float(one.times[0])
    made = one_point.extended(chunk, row, step, value, time, writing.TAIL)
    among_many, after = copy.copy(row), copy.copy(row)
    writing._summarise(among_many, one)
    one_point.summarise(after, step, value, time)
    assert seen(after) == seen(among_many)
    if made is not None:
        assert Chunk(**made) == packed(empty(), arrays([*before, further]))[0]


@settings(deadline=None, max_examples=100)
@given(given_values=st.lists(st.floats(width=32), min_size=2, max_size=99), stride=st.integers(1, 9))
def test_evenly_spaced_points_whose_times_are_known_are_never_packed_anew(
    given_values: list[float], stride: int
) -> None:
    assert_is_never_packed_anew(
        [(place * stride, value, 1e9 + place * 0.037) for place, value in enumerate(given_values)]
    )


@pytest.mark.parametrize("number", [2, 255, 256])
def test_so_it_is_until_the_chunk_is_sealed(number: int) -> None:
    assert_is_never_packed_anew([(place, place / 2, 1e9 + place * 0.037) for place in range(number)])


def assert_is_never_packed_anew(its: list[Point]) -> None:
    chunk, row = packed(empty(), arrays(its[:-1]))
    step, value, time = its[-1]
    made = one_point.extended(chunk, row, step, value, time, writing.TAIL)
    assert made is not None
    assert Chunk(**made) == packed(empty(), arrays(its))[0]


@pytest.mark.parametrize("number", [1, 2, 255, 256, 257, 600])
def test_logged_one_by_one_points_are_those_logged_at_once(database: Engine, number: int) -> None:
    its = [(place, np.sin(place), 1.7e9 + place * 0.037) for place in range(number)]
    with transaction() as session:
        session.add_all([Experiment(name="one by one", status="running"), Experiment(name="at once", status="running")])
        session.flush()
        for point in its:
            writing.append(session, 1, {"loss": arrays([point])})
        writing.append(session, 2, {"loss": arrays(its)})
        one_by_one, at_once = (
            repr(tuple(row)[3:])
            for row in session.execute(select(MetricSeries.__table__).order_by(MetricSeries.experiment_id))
        )
        assert one_by_one == at_once
        stored = [
            writing.read_all(session, [series_id])[series_id]
            for series_id in session.scalars(select(MetricSeries.id).order_by(MetricSeries.experiment_id))
        ]
    for column in ("steps", "values", "times"):
        np.testing.assert_array_equal(getattr(stored[0], column), getattr(stored[1], column))
        np.testing.assert_array_equal(getattr(stored[0], column), getattr(arrays(its), column))


def test_a_writer_that_waited_for_another_continues_the_chunk_that_it_left(database: Engine) -> None:
    """PostgreSQL reads the row of a series anew that was waited for, and not what is joined to it."""
    with transaction() as session:
        session.add(Experiment(name="of two", status="running"))
        session.flush()
        writing.append(session, 1, {"loss": arrays([(0, 1.0, 1e9)])})
    is_in = threading.Event()

    def follow() -> None:
        is_in.wait()
        with transaction() as session:
            writing.append(session, 1, {"loss": arrays([(2, 3.0, 1e9 + 2)])})

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        with transaction() as session:
            writing.append(session, 1, {"loss": arrays([(1, 2.0, 1e9 + 1)])})
            is_in.set()
            if database.dialect.name == "postgresql":
                wait_until(lambda: waits_for_a_lock(database))
        following.result(60)
    with transaction() as session:
        stored = writing.read_all(session, [1])[1]
    assert stored.steps.tolist() == [0, 1, 2]
    assert stored.values.tolist() == [1.0, 2.0, 3.0]


def waits_for_a_lock(database: Engine) -> bool:
    with database.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
