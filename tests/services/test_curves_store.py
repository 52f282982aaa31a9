"""The store of metric series."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from database.engine import snapshot, transaction
from models.experiment import Experiment
from models.metric_series import MetricChunk, MetricSeries
from services.curves import packing, reading, writing
from services.curves.packing import Points

# Steps near the limits are the likelier ones, as arithmetic on them is what could overflow.
FAR = st.one_of(st.integers(-(2**53), 2**53), st.sampled_from([-(2**53), 1 - 2**53, -1, 0, 1, 2**53 - 1, 2**53]))


def an_experiment() -> int:
    with transaction() as session:
        experiment = Experiment(name=f"e-{np.random.default_rng().integers(2**62)}")
        session.add(experiment)
        session.flush()
        return experiment.id


def add(experiment_id: int, steps: object, values: object, times: object = None, key: str = "loss") -> int:
    with transaction() as session:
        return writing.append(session, experiment_id, {key: Points.of(steps, values, times)})


def stored(experiment_id: int) -> tuple[MetricSeries, Points]:
    with snapshot() as session:
        row = session.scalars(select(MetricSeries).where(MetricSeries.experiment_id == experiment_id)).one()
        return row, reading.read_all(session, [row.id])[row.id]


class TestPacking:
    @given(st.lists(FAR, min_size=1, max_size=50))
    def test_steps_survive(self, steps: list[int]) -> None:
        array = np.array(steps, dtype=np.int64)
        codec, data = packing.pack_steps(array)
        back = packing.unpack_steps(codec, data, steps[0], steps[-1], len(steps))
        assert back.tolist() == steps

    @given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=50))
    def test_values_survive_bit_by_bit_in_meaning(self, values: list[float]) -> None:
        array = np.array(values)
        assert np.array_equal(packing.unpack_values(packing.pack_values(array), len(values)), array, equal_nan=True)

    @given(st.lists(st.one_of(st.just(float("nan")), st.floats(0, 4e9)), min_size=1, max_size=50))
    def test_times_survive_to_the_millisecond(self, times: list[float]) -> None:
        rounded = Points.of(range(len(times)), times, times).times
        back = packing.unpack_times(packing.pack_times(rounded), len(times))
        assert np.allclose(back, rounded, atol=1e-6, equal_nan=True)

    def test_values_that_are_single_precision_take_four_bytes(self) -> None:
        values = np.linspace(0, 1, 100).astype(np.float32).astype(np.float64)
        assert len(packing.pack_values(values)) == 400


class TestAppend:
    def test_points_come_back_in_order(self, database: Engine) -> None:
        number = an_experiment()
        add(number, range(1000), np.sin(np.arange(1000)))
        _, points = stored(number)
        assert points.steps.tolist() == list(range(1000))
        assert np.array_equal(points.values, np.sin(np.arange(1000)))

    def test_one_point_at_a_time_gives_the_same_series(self, database: Engine) -> None:
        number = an_experiment()
        for step in range(300):
            add(number, [step], [step / 7], [1e9 + step])
        row, points = stored(number)
        assert points.values.tolist() == [step / 7 for step in range(300)]
        assert (row.points, row.last_step, row.in_order) == (300, 299, True)

    @settings(max_examples=40)
    @given(st.lists(FAR, min_size=1, max_size=8), st.data())
    def test_steps_however_far_apart_come_back_and_are_kept_once(
        self, database: Engine, steps: list[int], data: st.DataObject
    ) -> None:
        number, values = an_experiment(), [float(place) for place in range(len(steps))]
        split = data.draw(st.integers(0, len(steps)))
        for part in (slice(split), slice(split, None)):
            add(number, steps[part], values[part])
        assert add(number, steps, values) == 0
        row, points = stored(number)
        assert points.steps.tolist() == steps
        assert row.in_order == all(one < next_one for one, next_one in pairwise(steps))

    @pytest.mark.parametrize("step", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
    def test_a_step_beyond_the_limits_is_no_point(self, step: int) -> None:
        with pytest.raises(ValueError, match="beyond"):
            Points.of([0, step], [0, 0])

    def test_the_same_batch_twice_is_stored_once(self, database: Engine) -> None:
        number = an_experiment()
        assert add(number, [1, 2, 3], [0.1, 0.2, 0.3], [10, 11, 12]) == 3
        assert add(number, [1, 2, 3], [0.1, 0.2, 0.3], [10, 11, 12]) == 0
        assert len(stored(number)[1]) == 3

    def test_a_grown_batch_adds_only_what_is_new(self, database: Engine) -> None:
        number = an_experiment()
        add(number, [1, 2], [0.1, 0.2])
        assert add(number, [1, 2, 3], [0.1, 0.2, 0.3]) == 1

    def test_another_value_at_the_same_step_is_kept(self, database: Engine) -> None:
        number = an_experiment()
        add(number, [1, 2], [0.1, 0.2])
        assert add(number, [1], [0.9]) == 1
        row, points = stored(number)
        assert points.values.tolist() == [0.1, 0.2, 0.9]
        assert row.in_order is False

    def test_a_point_given_twice_in_a_batch_is_kept_once(self, database: Engine) -> None:
        number = an_experiment()
        assert add(number, [1, 1], [0.5, 0.5]) == 1

    def test_nan_and_infinity_are_kept_and_counted(self, database: Engine) -> None:
        number = an_experiment()
        add(number, [1, 2, 3], [1.0, float("nan"), float("inf")])
        row, points = stored(number)
        assert np.isnan(points.values[1])
        assert np.isposinf(points.values[2])
        assert (row.nonfinite, row.last_value, row.last_special, row.max_value) == (2, None, "inf", 1.0)

    def test_summary_names_the_first_step_of_the_best_value(self, database: Engine) -> None:
        number = an_experiment()
        add(number, [1, 2, 3, 4], [5.0, 1.0, 1.0, 9.0])
        row, _ = stored(number)
        assert (row.min_value, row.min_step, row.max_value, row.max_step) == (1.0, 2, 9.0, 4)

    def test_a_window_reads_only_chunks_that_overlap_it(self, database: Engine) -> None:
        number = an_experiment()
        add(number, range(100_000), np.arange(100_000) * 0.1)
        row, _ = stored(number)
        with snapshot() as session:
            part = reading.read_all(session, [row.id], low=50_000, high=50_010, with_times=False)[row.id]
        assert len(part) <= 2 * writing.FULL
        assert 50_005 in part.steps

    @pytest.mark.parametrize(
        ("batches", "even"),
        [
            ([range(100_000)], True),
            ([range(5, 5000, 5), range(5000, 20_000, 5)], True),
            ([[7]], True),
            ([range(100), range(101, 200)], False),
            ([range(100), range(100, 300, 2)], False),
            ([range(100, 0, -1)], False),
            ([[3, 3, 3]], False),
        ],
    )
    def test_that_steps_rise_evenly_is_known(self, sqlite: Engine, batches: list[Sequence[int]], even: bool) -> None:
        number = an_experiment()
        for batch in batches:
            add(number, batch, np.arange(len(batch)) * 0.1 + batch[0])
        row, _ = stored(number)
        with snapshot() as session:
            points = reading.read_all(session, [row.id], with_times=False)[row.id]
        assert points.steps.tolist() == [step for batch in batches for step in batch]
        assert points.even is even

    def test_points_after_an_ordinal_are_the_new_ones(self, database: Engine) -> None:
        number = an_experiment()
        add(number, range(10), range(10))
        row, _ = stored(number)
        with snapshot() as session:
            part = reading.read_all(session, [row.id], after=7)[row.id]
        assert part.steps.tolist() == [7, 8, 9]

    def test_forty_series_cost_as_many_queries_as_two(self, database: Engine, count_queries: Callable) -> None:
        costs = []
        for series in (2, 40):
            number = an_experiment()
            with transaction() as session:
                writing.append(session, number, {f"m{place}": Points.of([1], [0.5]) for place in range(series)})

            def work(number: int = number, series: int = series) -> None:
                with transaction() as session:
                    writing.append(session, number, {f"m{place}": Points.of([2], [0.5]) for place in range(series)})

            costs.append(count_queries(database, work))
        assert costs[0] == costs[1] <= 6

    def test_small_chunks_are_merged(self, sqlite: Engine) -> None:
        number = an_experiment()
        for start in range(0, 66 * writing.TAIL, writing.TAIL):
            add(number, range(start, start + writing.TAIL), np.arange(writing.TAIL) / 3)
        row, points = stored(number)
        with snapshot() as session:
            chunks = session.scalar(select(func.count()).where(MetricChunk.series_id == row.id))
        assert chunks is not None
        assert chunks < 5
        assert len(points) == 66 * writing.TAIL
        assert points.steps.tolist() == list(range(66 * writing.TAIL))

    @settings(max_examples=40)
    @given(
        st.lists(
            st.lists(
                st.tuples(st.integers(0, 20), st.sampled_from([0.0, 0.5, 1.0, float("nan")]), st.integers(0, 3)),
                min_size=1,
                max_size=8,
            ),
            min_size=1,
            max_size=6,
        )
    )
    def test_any_batches_in_any_order_keep_each_point_once(self, sqlite: Engine, batches: list) -> None:
        number = an_experiment()
        seen: list[str] = []
        for batch in batches:
            add(number, *zip(*batch, strict=True))
            for point in batch:
                if repr(point) not in seen:
                    seen.append(repr(point))
        _, points = stored(number)
        rows = zip(points.steps.tolist(), points.values.tolist(), points.times.tolist(), strict=True)
        assert [repr((step, value, int(time))) for step, value, time in rows] == seen


@pytest.mark.parametrize("length", [0, 251])
def test_a_name_of_wrong_length_is_refused(sqlite: Engine, length: int) -> None:
    number = an_experiment()
    with pytest.raises(Exception, match="1 to 250"):
        add(number, [1], [1.0], key="k" * length)
