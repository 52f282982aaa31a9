"""Facts about percentiles of the API: at most 1 % from the exact ones, however the parts are put together (H1)."""

import random
from datetime import UTC, datetime

import numpy as np
import pytest

from services.api_metrics import sums
from services.api_metrics.facts import Facts, of_rows, summed
from services.api_metrics.sketches import Sketch, merged

SHARES = (0.0, 0.25, 0.5, 0.95, 0.99, 1.0)
KINDS = ("bimodal", "heavy tail", "one bad hour", "equal", "narrow")


def hours(kind: str, seed: int) -> list[np.ndarray]:
    """The times of one day, hour by hour, some of them empty."""
    made = np.random.default_rng(seed)
    sizes = made.integers(0, 400, 24)
    sizes[seed % 24] = 0

    def hour(place: int, size: int) -> np.ndarray:
        if kind == "bimodal":
            return np.where(made.random(size) < 0.7, made.normal(12, 2, size), made.normal(900, 80, size)).clip(0.01)
        if kind == "heavy tail":
            return made.pareto(1.1, size) * 3 + 0.2
        if kind == "one bad hour":
            return made.lognormal(8 if place == 13 else 2, 0.6, size)
        return np.full(size, 4.2) if kind == "equal" else made.uniform(0.9, 1.1, size)

    return [hour(place, int(size)) for place, size in enumerate(sizes)]


def sketch_of(values: np.ndarray) -> Sketch:
    made = Sketch()
    for value in values:
        made.add(float(value), 1)
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
class TestADayOfSketches:
    def test_is_at_most_1_percent_from_the_exact_percentiles(self, kind: str, seed: int) -> None:
        parts = hours(kind, seed)
        day = merged(sketch_of(part) for part in parts)
        every = np.sort(np.concatenate(parts))
        assert day.count == every.size
        for share in SHARES:
            exact = np.quantile(every, share, method="lower")
            assert day.quantile(share) == pytest.approx(exact, rel=0.01 + 1e-9)

    def test_is_the_same_in_whatever_order_they_come(self, kind: str, seed: int) -> None:
        sketches = [sketch_of(part) for part in hours(kind, seed)]
        shuffled = random.Random(seed).sample(sketches, len(sketches))
        in_pairs = [merged(shuffled[place : place + 5]) for place in range(0, 24, 5)]
        assert merged(sketches).packed() == merged(shuffled).packed() == merged(in_pairs).packed()


class TestASketch:
    def test_of_one_value_and_of_none(self) -> None:
        assert [sketch_of(np.array([7.0])).quantile(share) for share in (0.5, 0.99)] == pytest.approx([7, 7], rel=0.01)
        assert Sketch().quantile(0.5) is None

    def test_counts_what_took_no_time(self) -> None:
        made = sketch_of(np.array([0.0, 0.0, 0.0, 5.0]))
        assert (made.quantile(0.5), made.count) == (0.0, 4)
        assert made.bins()[0] == (0.0, 3)

    def test_is_unpacked_as_it_was(self) -> None:
        made = sketch_of(np.array([0.0, 0.2, 3.0, 3.0, 8e6]))
        again = Sketch.unpacked(made.packed())
        assert (again.packed(), again.count, again.quantile(0.99)) == (made.packed(), 5, made.quantile(0.99))


class TestFacts:
    def test_are_the_same_bytes_after_packing_and_in_any_order(self) -> None:
        made = random.Random(5)
        rows = [
            (
                number,
                made.choice(["/a", "/b"]),
                "GET",
                made.choice([200, 404, 500]),
                datetime(2026, 3, 1, 7, 0, made.randrange(60), tzinfo=UTC),
                made.lognormvariate(2, 1),
                made.randrange(1000),
                None,
                made.choice([None, 1, 2]),
            )
            for number in range(500)
        ]
        facts = of_rows(rows)
        assert Facts.unpacked(facts.packed()).packed() == facts.packed()
        backwards = Facts()
        for place in reversed(range(0, 500, 100)):
            backwards.merge(of_rows(rows[place : place + 100]))
        assert backwards.packed() == facts.packed()
        whole = facts.whole()
        assert whole.nanoseconds == sum(round(row[5] * 1e6) for row in rows)
        assert [told[1] for told in whole.slowest] == [row[0] for row in sorted(rows, key=lambda row: -row[5])[:5]]

    def test_summed_from_rows_are_those_that_were_merged(self) -> None:
        made, moment = random.Random(6), datetime(2026, 3, 1, tzinfo=UTC)
        days = [
            of_rows(
                (
                    n,
                    f"/r{made.randrange(9)}",
                    "GET",
                    made.choice([200, 500]),
                    moment,
                    made.lognormvariate(2, 1),
                    1,
                    2,
                    day,
                )
                for n in range(day * 100, day * 100 + 80)
            )
            for day in range(4)
        ]
        merged_one_by_one = Facts()
        for day in days:
            merged_one_by_one.merge(Facts.unpacked(day.packed()))
        total, counted = summed([day.packed() for day in days])
        assert total.packed() == merged_one_by_one.packed()
        assert counted == [{label: part.requests for label, part in day.endpoints.items()} for day in days]
        assert summed([])[0].packed() == Facts().packed()

    def test_that_are_remembered_are_not_changed_by_who_uses_them(self) -> None:
        packed = of_rows([(1, "/a", "GET", 200, datetime(2026, 3, 1, tzinfo=UTC), 5.0, 0, 0, None)]).packed()
        before = sums.of([packed])[0].packed()
        total = Facts()
        for _ in range(3):
            total.merge(sums.of([packed])[0])
        assert sums.of([packed])[0].packed() == before
        assert total.whole().requests == 3

    def test_name_no_more_than_two_hundred_routes(self) -> None:
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        rows = [(n, f"/r{n % 300}", "GET", 200, moment, 1.0, 0, 0, None) for n in range(900)]
        facts = of_rows(rows)
        assert (len(facts.endpoints), facts.whole().requests) == (200, 900)
