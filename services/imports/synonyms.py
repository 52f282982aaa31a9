"""Which of the columns of training_runs a metric key means, whatever tool has written it."""

import re
from collections.abc import Mapping
from itertools import product
from typing import Literal, NamedTuple

Column = Literal["train_loss", "val_loss", "train_accuracy", "val_accuracy", "learning_rate", "duration_seconds"]
TRAINING_COLUMNS: tuple[Column, ...] = ("train_loss", "train_accuracy", "duration_seconds", "learning_rate")
EVALUATION_COLUMNS: tuple[Column, ...] = ("val_loss", "val_accuracy")


class Meaning(NamedTuple):
    """What a key means; among several keys of one column the lowest rank is taken."""

    column: Column
    rank: int


# Words that change nothing about which column is meant.
_NOISE = frozenset({"epoch", "epochs", "avg", "average", "mean", "metrics", "metric", "score", "per", "the"})
_LOSS = ({"loss"},)
_ACCURACY = (
    {"acc"},
    {"accuracy"},
    {"binary", "accuracy"},
    {"categorical", "accuracy"},
    {"sparse", "categorical", "accuracy"},
    {"multiclass", "accuracy"},
    {"top1"},
    {"top1", "acc"},
    {"top1", "accuracy"},
)
_TRAINING = ({"train"}, {"training"})
_VALIDATION = ({"val"}, {"valid"}, {"validation"}, {"dev"}, {"eval"}, {"evaluation"})
# A test set that is scored at every epoch serves as validation, but gives way to a real one.
_TEST = ({"test"}, {"testing"})
_RATE = ({"lr"}, {"learning", "rate"})
_OPTIMISERS = ({"adam"}, {"adamw"}, {"sgd"}, {"rmsprop"}, {"optimizer"}, {"optimiser"})
_SECONDS_PER_UNIT = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("ms", "millis", "milliseconds"), 0.001),
}


def _table() -> dict[frozenset[str], Meaning]:
    meanings: dict[frozenset[str], Meaning] = {}
    loss: tuple[Column, Column] = ("train_loss", "val_loss")
    accuracy: tuple[Column, Column] = ("train_accuracy", "val_accuracy")
    for (of_training, of_validation), measures in ((loss, _LOSS), (accuracy, _ACCURACY)):
        for measure in measures:
            meanings[frozenset(measure)] = Meaning(of_training, 1)  # Keras writes the training's own without a word
        for role, measure in product(_TRAINING, measures):
            meanings[frozenset(role | measure)] = Meaning(of_training, 0)
        for role, measure in product(_VALIDATION, measures):
            meanings[frozenset(role | measure)] = Meaning(of_validation, 0)
        for role, measure in product(_TEST, measures):
            meanings[frozenset(role | measure)] = Meaning(of_validation, 1)
    for rate in _RATE:
        meanings[frozenset(rate)] = Meaning("learning_rate", 0)
        for extra in (*_TRAINING, *_OPTIMISERS):
            meanings[frozenset(rate | extra)] = Meaning("learning_rate", 1)
    return meanings


MEANINGS: Mapping[frozenset[str], Meaning] = _table()


def words_of(key: str) -> list[str]:
    """Split a key into lower-case words: “Test loss (avg on test)”, “valAcc” and “loss/train” alike."""
    return _split(re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", key))


def meaning_of(key: str, *, evaluation: bool = False, extra: Mapping[str, Column] | None = None) -> Meaning | None:
    """Tell which column a key means, or None.

    `extra` maps exact keys of a team's own to columns and goes first. With `evaluation` the run itself is the
    evaluation side of a training (Keras writes a folder `validation`), so that a bare “loss” is a validation loss.
    """
    if extra is not None and key in extra:
        return Meaning(extra[key], -1)
    words = words_of(key)
    if _is_duration(words):
        return Meaning("duration_seconds", 0 if "epoch" in words else 1)
    found = MEANINGS.get(frozenset(words) - _NOISE)
    if found is not None and evaluation and found.column in ("train_loss", "train_accuracy"):
        return Meaning("val_loss" if found.column == "train_loss" else "val_accuracy", found.rank)
    return found


def seconds_per_unit(key: str) -> float | None:
    """Read the unit of a duration off its key, also from “(min)”; None when the key does not say."""
    return next((_SECONDS_PER_UNIT[word] for word in reversed(_split(key)) if word in _SECONDS_PER_UNIT), None)


def names_epochs(key: str) -> bool:
    """Tell whether a key itself says that it is written once per epoch."""
    return "epoch" in words_of(key)


def is_epoch_number(key: str) -> bool:
    """Tell whether a series holds the number of the epoch at each step, as Lightning and Hugging Face log it."""
    words = words_of(key)
    return words in (["epoch"], ["train", "epoch"], ["trainer", "epoch"], ["current", "epoch"])


def _split(key: str) -> list[str]:
    whole = re.sub(r"m?IoU|mAP", lambda found: f" {found[0].lower()} ", key)  # one word each, in spite of its capitals
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", whole)
    words = re.findall(r"[a-z0-9]+", spaced.lower())
    return " ".join(words).replace("top 1", "top1").split()


def _is_duration(words: list[str]) -> bool:
    rest = set(words) - {"per", "avg", "average", "mean", "train", "training"} - set(_SECONDS_PER_UNIT)
    named = rest in ({"epoch", "time"}, {"epoch", "duration"}, {"duration"})
    return named or (rest == {"epoch"} and len(words) > 1 and words[-1] in _SECONDS_PER_UNIT)
