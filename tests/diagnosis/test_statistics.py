"""Facts about mean and spread over seeds."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diagnosis.statistics import mean_and_spread

EPOCHS = [1, 2, 3]


def test_runs_on_one_grid_have_the_statistics_of_their_columns():
    spread = mean_and_spread([(EPOCHS, [1, 2, 3]), (EPOCHS, [3, 2, 7]), (EPOCHS, [5, 2, 5])])
    assert spread.x.tolist() == [1, 2, 3]
    assert spread.mean.tolist() == [3, 2, 5]
    assert spread.std.tolist() == [2, 0, 2]
    assert spread.minimum.tolist() == [1, 2, 3]
    assert spread.maximum.tolist() == [5, 2, 7]
    assert spread.n.tolist() == [3, 3, 3]


def test_one_run_has_a_mean_and_no_deviation():
    spread = mean_and_spread([(EPOCHS, [1, 2, 3])])
    assert spread.mean.tolist() == [1, 2, 3]
    assert np.isnan(spread.std).all()


def test_a_run_that_ended_early_does_not_count_after_its_end():
    spread = mean_and_spread([(EPOCHS, [1, 1, 1]), ([1], [3])])
    assert spread.n.tolist() == [2, 1, 1]
    assert spread.mean.tolist() == [2, 1, 1]


def test_between_its_points_a_run_counts_with_its_line():
    spread = mean_and_spread([([0, 2], [0, 4]), ([0, 1, 2], [0, 0, 0])])
    assert spread.mean.tolist() == [0, 1, 2]


def test_a_nan_lowers_n_at_its_place_and_spoils_no_neighbour():
    spread = mean_and_spread([(EPOCHS, [1, np.nan, 3]), (EPOCHS, [1, 2, 3]), ([1, 2], [1, 2])])
    assert spread.n.tolist() == [3, 2, 2]
    assert spread.mean.tolist() == [1, 2, 3]


def test_a_nan_breaks_the_line_but_not_the_points_beside_it():
    spread = mean_and_spread([([0, 2, 4], [5, np.nan, 7]), ([0, 1, 2, 3, 4], [1, 1, 1, 1, 1])])
    assert spread.n.tolist() == [2, 1, 1, 1, 2]


def test_infinity_does_not_count():
    assert mean_and_spread([(EPOCHS, [1, np.inf, 3])]).n.tolist() == [1, 0, 1]


def test_of_several_values_at_one_step_the_last_counts():
    assert mean_and_spread([([1, 2, 1], [10, 20, 30])]).mean.tolist() == [30, 20]


def test_a_run_in_any_order_is_the_same_run():
    forward, backward = mean_and_spread([(EPOCHS, [1, 2, 3])]), mean_and_spread([([3, 1, 2], [3, 1, 2])])
    np.testing.assert_array_equal(forward.mean, backward.mean)


@pytest.mark.parametrize("runs", [[], [([], [])], [([np.nan], [1.0])]])
def test_nothing_has_no_statistics(runs):
    assert mean_and_spread(runs).x.size == 0


def test_x_and_y_of_different_length_are_refused():
    with pytest.raises(ValueError, match="fit"):
        mean_and_spread([([1, 2], [1])])


@given(st.lists(arrays(float, 8, elements=st.floats(-1e6, 1e6)), min_size=2, max_size=6))
def test_it_agrees_with_numpy(values):
    spread = mean_and_spread([(np.arange(8), y) for y in values])
    np.testing.assert_allclose(spread.mean, np.mean(values, axis=0), atol=1e-6)
    np.testing.assert_allclose(spread.std, np.std(values, axis=0, ddof=1), atol=1e-6)


@given(
    st.lists(
        st.tuples(arrays(float, 5, elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan])), arrays(float, 5)),
        max_size=4,
    )
)
def test_hostile_runs_raise_no_warning_and_keep_their_order(runs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spread = mean_and_spread(runs)
    counted = spread.n > 0
    assert (np.diff(spread.x) > 0).all()
    assert (spread.minimum[counted] <= spread.maximum[counted]).all()
