"""Far outliers: spikes are left out of the range, the beginning of a healthy curve never is."""

import numpy as np
import pytest

from diagnosis.outliers import core_range


def noise(count, size=0.02, seed=0):
    return np.random.default_rng(seed).normal(0, size, count)


def falling(rate, count=400, start=2.0, seed=0):
    return 0.1 + start * np.exp(-rate * np.arange(count)) + noise(count, seed=seed)


class TestCurvesWithoutOutliers:
    @pytest.mark.parametrize("rate", [0.005, 0.02, 0.1, 0.5, 1.0, 2.0])
    @pytest.mark.parametrize("count", [12, 100, 5000])
    def test_falling_loss_keeps_its_beginning(self, rate, count):
        assert core_range(falling(rate, count)) is None

    @pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
    def test_rising_accuracy_keeps_its_beginning(self, rate):
        assert core_range(1 - falling(rate) / 3) is None

    def test_loss_over_several_decades_keeps_its_beginning(self):
        assert core_range([5000, 800, 150, 40, *np.linspace(20, 10, 96)]) is None

    def test_steps_of_a_learning_rate_are_no_outliers(self):
        assert core_range([0.1] * 30 + [0.01] * 200 + [0.001] * 20) is None

    def test_what_lasts_is_a_part_of_the_course(self):
        assert core_range(np.concatenate((noise(100), 9 + noise(20), noise(100)))) is None

    def test_noise_is_no_outlier(self):
        found = [core_range(np.random.default_rng(seed).uniform(size=1000)) for seed in range(50)]
        assert found == [None] * 50

    @pytest.mark.parametrize("values", [[], [np.nan] * 9, [3.0] * 50, [1.0] * 50 + [9.0], [1, 2, 3, 99]])
    def test_where_nothing_tells_what_is_far_nothing_is(self, values):
        assert core_range(values) is None


class TestOutliers:
    @pytest.mark.parametrize("place", [1, 3, 40, 200, 398, 399])
    @pytest.mark.parametrize("spike", [-1e3, 1e3, 1e30])
    def test_spike_is_left_out_wherever_it_is(self, place, spike):
        y = falling(0.05)
        without = np.delete(y, place)
        y[place] = spike
        assert core_range(y) == (without.min(), without.max())

    def test_first_value_far_from_all_others_is_left_out(self):
        assert core_range([1e6, *np.linspace(1, 0, 100)]) == (0.0, 1.0)

    def test_end_that_blows_up_is_left_out(self):
        y = np.linspace(1, 0.1, 100)
        assert core_range([*y, 10, 1e3, 1e6]) == (y.min(), y.max())

    def test_nan_and_infinity_do_not_count(self):
        y = np.linspace(0, 1, 50)
        assert core_range([*y[:25], np.nan, np.inf, 1e9, -np.inf, *y[25:]]) == (0.0, 1.0)

    def test_numbers_near_the_largest_do_not_overflow(self):
        y = np.linspace(0, 1, 50)
        assert core_range([*y[:25], 1.7e308, -1.7e308, *y[25:]]) == (0.0, 1.0)
