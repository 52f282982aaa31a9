"""Facts about dividing and scaling a data set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.splits import Standardiser, standardise, stratified_split

LABELS = np.repeat(np.arange(11), 40)


@given(st.lists(st.integers(0, 5), max_size=80), st.integers(0, 2**32 - 1))
def test_every_record_is_in_exactly_one_part(labels, seed):
    split = stratified_split(labels, seed)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(labels)))


def test_each_class_has_its_share_in_each_part():
    counts = [np.bincount(LABELS[part]).tolist() for part in stratified_split(LABELS, 1)]
    assert counts == [[28] * 11, [6] * 11, [6] * 11]


def test_the_same_seed_gives_the_same_parts():
    first, second = (stratified_split(LABELS, 3) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_another_seed_gives_other_parts():
    assert not np.array_equal(stratified_split(LABELS, 1).val, stratified_split(LABELS, 2).val)


def test_a_single_record_of_a_class_is_trained_on():
    assert stratified_split([7], 1).train.tolist() == [0]


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5), (float("nan"), 0.5, 0.5)])
def test_impossible_shares_are_refused(fractions):
    with pytest.raises(ValueError, match="add up to 1"):
        stratified_split(LABELS, 1, fractions)


def test_the_training_part_has_mean_zero_and_deviation_one():
    x = np.random.default_rng(0).normal(50, 7, (200, 3))
    scaled = standardise(x)[0]
    np.testing.assert_allclose([scaled.mean(axis=0), scaled.std(axis=0)], [[0] * 3, [1] * 3], atol=1e-12)


def test_other_parts_do_not_change_the_scaling():
    train, val = np.array([[0.0], [2.0]]), np.array([[1000.0]])
    assert standardise(train, val)[0].tolist() == [[-1.0], [1.0]]
    assert standardise(train, val)[1].tolist() == [[999.0]]


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9, 1e-200])
def test_a_constant_column_becomes_zero(constant):
    x = np.full((7, 1), constant)
    np.testing.assert_allclose(Standardiser.fit(x).transform(x), 0.0, atol=1e-6)
