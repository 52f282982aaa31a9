"""The moving average is checked against the plain loop that its docstring states."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from diagnosis.smoothing import BLOCK, scale_for, smooth

MODERATE = st.floats(-1e6, 1e6)
ANY = st.floats(allow_nan=True, allow_infinity=True)


def plain_loop(x, y, smoothing, scale=1000.0):
    """The recurrence as the docstring has it, point by point."""
    known = [i for i in range(len(x)) if np.isfinite(x[i]) and np.isfinite(y[i])]
    smoothed = np.array(y, dtype=float)
    if smoothing == 0 or len({float(y[i]) for i in known}) < 2:
        return smoothed
    span = max(x[i] for i in known) - min(x[i] for i in known)
    total = weight = 0.0
    before = None
    for i in known:
        distance = abs(x[i] - x[before]) * scale / span if before is not None and span else 0.0
        kept = min(smoothing, 0.999) ** distance
        total, weight, before = kept * total + y[i], kept * weight + 1.0, i
        smoothed[i] = total / weight
    return smoothed


@st.composite
def curves(draw, values=MODERATE, most=300):
    size = draw(st.integers(0, most))
    return draw(arrays(float, size, elements=values)), draw(arrays(float, size, elements=values))


@given(curves(), st.floats(0, 1), st.floats(0.01, 1e5))
def test_it_equals_the_plain_loop(curve, smoothing, scale):
    x, y = curve
    tolerance = 1e-9 * max(1.0, np.abs(y).max(initial=0.0))
    np.testing.assert_allclose(smooth(x, y, smoothing, scale=scale), plain_loop(x, y, smoothing, scale), atol=tolerance)


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, BLOCK**2 - 1, BLOCK**2, BLOCK**2 + 1, BLOCK**3 + 7])
@pytest.mark.parametrize("scale", [1.0, 1000.0, 1e6])
def test_it_equals_the_plain_loop_at_the_borders_of_blocks(size, scale):
    rng = np.random.default_rng(size)
    x, y = np.cumsum(rng.exponential(1.0, size)), rng.standard_normal(size)
    np.testing.assert_allclose(smooth(x, y, 0.95, scale=scale), plain_loop(x, y, 0.95, scale), atol=1e-9)


@given(curves(ANY), st.floats(0, 1))
def test_what_is_not_finite_stays_and_nothing_else_becomes_it(curve, smoothing):
    x, y = curve
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        smoothed = smooth(x, y, smoothing)
    np.testing.assert_array_equal(np.isnan(smoothed), np.isnan(y))
    np.testing.assert_array_equal(np.isposinf(smoothed), np.isposinf(y))
    np.testing.assert_array_equal(np.isneginf(smoothed), np.isneginf(y))


@given(curves(), st.floats(0, 1))
def test_it_never_leaves_the_range_of_the_curve(curve, smoothing):
    x, y = curve
    smoothed = smooth(x, y, smoothing)
    slack = 1e-9 * np.abs(y).max(initial=0.0)
    assert (smoothed >= y.min(initial=np.inf) - slack).all()
    assert (smoothed <= y.max(initial=-np.inf) + slack).all()


@given(curves(ANY))
def test_smoothing_zero_changes_nothing(curve):
    x, y = curve
    np.testing.assert_array_equal(smooth(x, y, 0.0), y)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 50), st.floats(0, 1))
def test_a_constant_stays_exactly_what_it_is(value, size, smoothing):
    assert set(smooth(np.arange(size), np.full(size, value), smoothing)) == {value}


def test_the_neighbours_of_a_gap_are_as_if_the_gap_were_not_there():
    x, y = np.arange(50.0), np.sin(np.arange(50.0))
    gap = np.isin(np.arange(50), [0, 10, 11, 49])
    broken = np.where(gap, np.nan, y)
    # The range is given because the gap takes the ends of x away.
    alone = smooth(x[~gap], y[~gap], 0.9, scale=50, x_range=49.0)
    np.testing.assert_array_equal(smooth(x, broken, 0.9, scale=50, x_range=49.0)[~gap], alone)


def test_two_densities_of_one_line_are_smoothed_alike():
    dense, sparse = np.linspace(0, 1, 100_001), np.linspace(0, 1, 10_001)
    step = [(grid > 0.5).astype(float) for grid in (dense, sparse)]
    fine, coarse = smooth(dense, step[0], 0.99), smooth(sparse, step[1], 0.99)
    assert np.abs(fine[::10] - coarse).max() < 0.01


def test_an_even_curve_at_its_own_scale_is_the_ordinary_debiased_average():
    y = np.random.default_rng(0).standard_normal(101)
    state, expected = 0.0, []
    for count, value in enumerate(y, start=1):
        state = 0.6 * state + 0.4 * value
        expected.append(state / (1 - 0.6**count))
    np.testing.assert_allclose(smooth(np.arange(101), y, 0.6, scale=100), expected, atol=1e-12)


def test_a_part_of_a_curve_with_the_range_of_the_whole_keeps_the_same_weights():
    x, y = np.arange(10_000.0), np.random.default_rng(0).standard_normal(10_000)
    whole = smooth(x, y, 0.9)
    part = smooth(x[2000:], y[2000:], 0.9, x_range=9999.0)
    np.testing.assert_allclose(part[5000:], whole[7000:], atol=1e-9)


def test_the_first_point_is_not_drawn_towards_zero():
    assert smooth([0, 1, 2], [5.0, 6.0, 7.0], 0.9)[0] == 5.0


def test_the_largest_numbers_do_not_overflow():
    assert np.isfinite(smooth([-1.7e308, 0.0, 1.7e308], [1.7e308, -1.7e308, 1.7e308], 0.99, scale=1)).all()


def test_the_input_is_never_written_to_or_handed_out():
    x, y = np.arange(5.0), np.array([1.0, np.nan, 2.0, 3.0, 4.0])
    for smoothing in (0.0, 0.5):
        smooth(x, y, smoothing)[:] = 99
    np.testing.assert_array_equal(y, [1.0, np.nan, 2.0, 3.0, 4.0])


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (([1], [1, 2], 0.5), {}),
        (([1], [1], -0.1), {}),
        (([1], [1], 1.1), {}),
        (([1], [1], np.nan), {}),
        (([1], [1], 0.5), {"scale": 0}),
        (([1], [1], 0.5), {"scale": np.inf}),
        (([1], [1], 0.5), {"x_range": -1.0}),
    ],
)
def test_impossible_arguments_are_refused(arguments, options):
    with pytest.raises(ValueError, match=r"fit|smoothing|scale"):
        smooth(*arguments, **options)


@pytest.mark.parametrize(("lengths", "scale"), [([], 1), ([0], 1), ([40, 60], 60), ([50, 100_000], 1000)])
def test_the_scale_of_a_chart_is_its_longest_curve_up_to_1000(lengths, scale):
    assert scale_for(lengths) == scale
