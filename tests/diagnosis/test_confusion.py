"""Facts about scores per class."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.confusion import class_scores, confusion_matrix

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(LABELS)
def test_the_matrix_counts_like_scikit_learn(pairs):
    from sklearn.metrics import confusion_matrix as reference_matrix

    true, predicted = zip(*pairs, strict=True)
    expected = reference_matrix(true, predicted, labels=range(5))
    np.testing.assert_array_equal(confusion_matrix(true, predicted, 5), expected)


@given(LABELS)
def test_the_scores_equal_those_of_scikit_learn(pairs):
    from sklearn.metrics import precision_recall_fscore_support

    true, predicted = zip(*pairs, strict=True)
    scores = class_scores(confusion_matrix(true, predicted, 5))
    expected = precision_recall_fscore_support(true, predicted, labels=range(5), zero_division=np.nan)
    for ours, theirs in zip((scores.precision, scores.recall, scores.f1, scores.support), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_rows_are_the_true_classes():
    assert confusion_matrix([0], [1], 2).tolist() == [[0, 1], [0, 0]]


def test_zero_over_zero_is_nan_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = class_scores([[2, 0, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(scores.precision, [2 / 3, np.nan, np.nan])
    np.testing.assert_array_equal(scores.recall, [1, 0, np.nan])
    np.testing.assert_array_equal(scores.f1, [0.8, 0, np.nan])


def test_macro_f1_leaves_out_a_class_that_is_neither_there_nor_predicted():
    assert class_scores([[2, 0, 0], [1, 0, 0], [0, 0, 0]]).macro_f1 == pytest.approx(0.4)


def test_an_empty_matrix_has_no_accuracy():
    assert np.isnan(class_scores(np.zeros((3, 3), dtype=int)).accuracy)


@pytest.mark.parametrize("matrix", [[[1, 2]], [1, 2], [[-1, 0], [0, 1]]])
def test_what_is_no_confusion_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="confusion matrix"):
        class_scores(matrix)


@pytest.mark.parametrize(("true", "predicted"), [([0, 1], [0]), ([0, 3], [0, 0]), ([0], [-1])])
def test_labels_that_do_not_fit_are_refused(true, predicted):
    with pytest.raises(ValueError, match=r"fit|Labels"):
        confusion_matrix(true, predicted, 3)
