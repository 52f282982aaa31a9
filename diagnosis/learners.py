"""scikit-learn models behind one face: train one epoch, give probabilities for all classes.

scikit-learn is imported inside the functions: it costs a second and 100 MB, and the web process never trains.
"""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diagnosis.trainer_config import TrainerConfig

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


class Learner(Protocol):
    """A model that is trained an epoch at a time."""

    def train_epoch(self, x: Floats, y: Labels, learning_rate: float | None) -> None:
        """One pass over the training part, or the growth of a few more trees on it."""

    def predict_proba(self, x: Floats) -> Floats:
        """Probabilities of shape (n_records, n_classes), one column for each class whether it was seen or not."""


class NetworkLearner:
    """Multi-layer perceptron in shuffled mini-batches; without hidden layers it is multinomial logistic regression."""

    def __init__(self, config: TrainerConfig, n_classes: int) -> None:
        from sklearn.neural_network import MLPClassifier

        self._batch_size = config.batch_size
        self._classes = np.arange(n_classes)
        self._order = np.random.default_rng(config.seed)
        self._model: Any = MLPClassifier(
            hidden_layer_sizes=config.hidden_layers if config.model == "mlp" else (),
            solver=config.optimiser,
            alpha=config.weight_decay,
            learning_rate_init=config.learning_rate_at(1),
            random_state=config.seed,
            shuffle=False,  # each batch is shuffled here already
            n_iter_no_change=2**31,  # it would count batches and take a plateau for the end
        )

    def train_epoch(self, x: Floats, y: Labels, learning_rate: float | None) -> None:
        """One pass in a new order."""
        from sklearn import config_context

        self._set_learning_rate(learning_rate)
        order = self._order.permutation(x.shape[0])
        # The data and the configuration were looked at before; again for each batch would take a sixth of the time.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            for start in range(0, order.size, self._batch_size):
                self._train_batch(x, y, order[start : start + self._batch_size])

    def _train_batch(self, x: Floats, y: Labels, rows: Labels) -> None:
        if self._model.batch_size != rows.size:
            self._model.batch_size = rows.size
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # overflow ends in the error below, said once
            self._model.partial_fit(x[rows], y[rows], classes=self._classes)

    def _set_learning_rate(self, learning_rate: float | None) -> None:
        # partial_fit takes no learning rate, so the schedule goes to the optimiser itself: Adam derives the rate of
        # each step from `learning_rate_init`, SGD uses `learning_rate` as it stands.
        optimiser = getattr(self._model, "_optimizer", None)
        if optimiser is not None and learning_rate is not None:
            optimiser.learning_rate_init = learning_rate
            optimiser.learning_rate = learning_rate

    def predict_proba(self, x: Floats) -> Floats:
        """Softmax of the network's outputs."""
        with np.errstate(all="ignore"):
            probabilities: Floats = self._model.predict_proba(x)
        # With two classes scikit-learn uses one logistic output and returns both columns all the same.
        return probabilities


class TreeLearner:
    """Random forest or gradient boosting that keeps its trees and adds a few in every epoch."""

    def __init__(self, config: TrainerConfig, n_classes: int) -> None:
        from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

        self._trees_per_epoch = config.trees_per_epoch
        self._n_classes = n_classes
        self._trees = 0
        shared = {"n_estimators": config.trees_per_epoch, "warm_start": True, "random_state": config.seed}
        self._model: Any
        if config.model == "random_forest":
            self._model = RandomForestClassifier(max_depth=config.max_depth, **shared)
        else:
            self._model = GradientBoostingClassifier(
                learning_rate=config.base_learning_rate,
                max_depth=config.max_depth or 3,
                subsample=0.7,  # below 1 the seed matters and stages differ: stochastic gradient boosting
                max_features="sqrt",
                **shared,
            )

    def train_epoch(self, x: Floats, y: Labels, learning_rate: float | None) -> None:
        """Add trees; the shrinkage of boosting is fixed when the model is made."""
        self._trees += self._trees_per_epoch
        self._model.set_params(n_estimators=self._trees)
        self._model.fit(x, y)

    def predict_proba(self, x: Floats) -> Floats:
        """Probabilities with a column of zeros for a class that training never saw."""
        probabilities = np.zeros((x.shape[0], self._n_classes))
        probabilities[:, self._model.classes_] = self._model.predict_proba(x)
        return probabilities


def make_learner(config: TrainerConfig, n_classes: int) -> Learner:
    """Untrained model of a configuration."""
    if config.model in ("mlp", "logistic"):
        return NetworkLearner(config, n_classes)
    return TreeLearner(config, n_classes)
