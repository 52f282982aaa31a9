"""Which way a metric is better: downwards for losses and errors, upwards for accuracy and scores."""

from typing import Literal

from services.imports.synonyms import words_of

Direction = Literal["min", "max"]

_DOWN = frozenset(
    {"loss", "error", "err", "mse", "rmse", "mae", "mape", "nll", "perplexity", "ece", "brier", "logloss"}
)
_UP = frozenset(
    {"accuracy", "acc", "f1", "precision", "recall", "auc", "auroc", "map", "iou", "miou", "dice", "kappa", "mcc"}
    | {"r2", "top1"}
)


def direction_of(key: str) -> Direction | None:
    """The better direction of a metric by its name, or None where the name does not say."""
    words = set(words_of(key))
    if words & _DOWN:
        return "min"
    return "max" if words & _UP else None
