"""What must survive down-sampling, and hostile curves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diagnosis.downsampling import downsample, nonfinite_indices, window

EVEN = pytest.mark.parametrize("even", [False, True], ids=["any", "even"])
ANY = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def curves(draw):
    size = draw(st.integers(0, 400))
    return draw(arrays(float, size, elements=ANY)), draw(arrays(float, size, elements=ANY))


class TestDownsample:
    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize("points", [200, 1000])
    @EVEN
    def test_one_spike_among_100000_points_survives_in_every_trial(self, sign, points, even):
        x = np.arange(100_000.0)
        survived = 0
        for trial in range(100):
            rng = np.random.default_rng(trial)
            # A falling loss with noise: the spike is no global extreme, which would be too easy.
            y = 100 * np.exp(-x / 20_000) + 0.1 * rng.standard_normal(x.size)
            at = int(rng.integers(2000, x.size))
            y[at] += 2 * sign
            survived += at in downsample(x, y, points, even=even)
        assert survived == 100

    @EVEN
    def test_two_spikes_in_opposite_directions_side_by_side_both_survive(self, even):
        x, y = np.arange(100_000.0), 0.1 * np.random.default_rng(0).standard_normal(100_000)
        y[50_000], y[50_003], y[70_000] = 5.0, -4.0, 9.0
        assert {50_000, 50_003, 70_000} <= set(downsample(x, y, 400, even=even).tolist())

    @EVEN
    def test_lowest_and_highest_of_every_stretch_survive(self, even):
        x, y = np.arange(100_000.0), np.random.default_rng(3).standard_normal(100_000)
        kept = downsample(x, y, 400, even=even)
        for part in np.array_split(np.arange(100_000), 25):  # 25 stretches of 2 buckets each
            inside = kept[(kept >= part[0]) & (kept <= part[-1])]
            assert y[inside].min() == y[part].min()
            assert y[inside].max() == y[part].max()

    @settings(max_examples=300)
    @given(curves(), st.integers(4, 60), st.booleans())
    def test_indices_rise_are_few_enough_and_point_at_drawable_values(self, curve, points, log_x):
        x, y = curve
        kept = downsample(x, y, points, log_x=log_x)
        assert kept.size <= points
        assert (np.diff(kept) > 0).all()
        assert np.isfinite(x[kept]).all() and np.isfinite(y[kept]).all()
        assert not log_x or (x[kept] > 0).all()

    @settings(max_examples=300)
    @given(curves(), st.integers(4, 60), st.booleans())
    def test_first_last_lowest_and_highest_are_kept(self, curve, points, log_x):
        x, y = curve
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not log_x)))
        kept = downsample(x, y, points, log_x=log_x)
        if known.size:
            assert {x[known].min(), x[known].max()} <= set(x[kept])
            assert {y[known].min(), y[known].max()} <= set(y[kept])
        else:
            assert kept.size == 0

    @settings(max_examples=300)
    @given(arrays(float, st.integers(0, 400), elements=ANY), st.integers(4, 60))
    def test_of_an_even_curve_as_much_is_kept_as_of_any(self, y, points):
        x = np.arange(y.size, dtype=float)
        kept, known = downsample(x, y, points, even=True), np.flatnonzero(np.isfinite(y))
        assert kept.size <= points
        assert (np.diff(kept) > 0).all()
        assert np.isfinite(y[kept]).all()
        if known.size:
            assert {known[0], known[-1]} <= set(kept)
            assert {y[known].min(), y[known].max()} <= set(y[kept])

    def test_an_even_curve_gets_as_many_points_as_any(self):
        x, y = np.arange(100_000.0), np.random.default_rng(0).standard_normal(100_000)
        assert downsample(x, y, 1000, even=True).size > 700

    @given(st.integers(0, 50))
    def test_all_points_are_kept_when_they_are_few_enough(self, size):
        assert downsample(np.arange(size), np.zeros(size), 50).tolist() == list(range(size))

    def test_it_uses_most_of_the_points_it_may(self):
        x, y = np.arange(100_000.0), np.random.default_rng(0).standard_normal(100_000)
        assert downsample(x, y, 1000).size > 700

    def test_a_logarithmic_axis_gets_as_much_of_the_early_steps_as_of_the_late(self):
        x, y = np.arange(1.0, 100_001.0), np.random.default_rng(0).standard_normal(100_000)
        early = [np.count_nonzero(x[downsample(x, y, 1000, log_x=log_x)] < 1000) for log_x in (False, True)]
        assert early[0] < 20
        assert early[1] > 250

    def test_step_zero_has_no_place_on_a_logarithmic_axis(self):
        assert downsample([0, 1, 2], [5.0, 6.0, 7.0], 10, log_x=True).tolist() == [1, 2]

    def test_a_curve_that_steps_back_is_drawn_like_the_sorted_one(self):
        rng = np.random.default_rng(0)
        x, y = rng.permutation(5000).astype(float), rng.standard_normal(5000)
        order = np.argsort(x)
        unsorted, in_order = downsample(x, y, 200), downsample(x[order], y[order], 200)
        assert sorted(x[unsorted]) == sorted(x[order][in_order])

    def test_a_thousand_points_at_one_step_keep_their_extremes(self):
        y = np.random.default_rng(0).standard_normal(1000)
        kept = downsample(np.zeros(1000), y, 20)
        assert {int(y.argmin()), int(y.argmax())} <= set(kept.tolist())

    def test_whole_numbers_and_lists_are_curves_too(self):
        assert downsample(list(range(100)), [0] * 100, 10).size <= 10

    @pytest.mark.parametrize("arguments", [([1], [1, 2], 10), ([1], [1], 3), ([1], [1], -5)])
    def test_impossible_arguments_are_refused(self, arguments):
        with pytest.raises(ValueError, match=r"fit|max_points"):
            downsample(*arguments)


class TestNonfinite:
    def test_every_nan_and_infinity_is_found(self):
        assert nonfinite_indices([1, np.nan, 2, np.inf, -np.inf], 10).tolist() == [1, 3, 4]

    def test_too_many_are_thinned_evenly_with_first_and_last(self):
        found = nonfinite_indices(np.full(1000, np.nan), 5)
        assert found.tolist() == [0, 249, 499, 749, 999]

    @given(arrays(float, st.integers(0, 100), elements=ANY), st.integers(1, 20))
    def test_there_are_never_more_than_asked_and_none_twice(self, y, points):
        found = nonfinite_indices(y, points)
        assert found.size == min(points, np.count_nonzero(~np.isfinite(y)))
        assert np.unique(found).size == found.size
        assert not np.isfinite(y[found]).any()

    def test_none_at_all_is_refused(self):
        with pytest.raises(ValueError, match="max_points"):
            nonfinite_indices([np.nan], 0)


class TestWindow:
    X = np.arange(0.0, 100.0, 10.0)

    @pytest.mark.parametrize(
        ("low", "high", "seen"),
        [
            (25, 55, [20, 30, 40, 50, 60]),
            (30, 50, [20, 30, 40, 50, 60]),
            (55, 25, [20, 30, 40, 50, 60]),
            (41, 42, [40, 50]),
            (-np.inf, np.inf, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]),
            (-50, -40, [0]),
            (200, 300, [90]),
        ],
    )
    def test_it_holds_what_is_between_and_one_neighbour_at_each_side(self, low, high, seen):
        assert self.X[window(self.X, low, high)].tolist() == seen

    def test_nothing_is_in_an_empty_curve(self):
        assert window([], 0, 1) == slice(0, 0)

    def test_equal_steps_are_all_in(self):
        assert window([1, 2, 2, 2, 3, 4], 2, 2) == slice(0, 5)

    def test_nan_limits_are_refused(self):
        with pytest.raises(ValueError, match="limits"):
            window([1.0], np.nan, 1)
