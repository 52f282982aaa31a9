"""What experiments were made of, as rows of a comparison: each parameter once, however each of them writes it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.imports.synonyms import words_of

Part = Literal["facts", "params", "config"]
Parts = Mapping[Part, Mapping[str, Any]]

_PARTS: tuple[tuple[Part, str], ...] = (("facts", ""), ("params", ""), ("config", "config."))
_DEEPEST = 8
_LONGEST = 300
_SECONDS = frozenset({"duration"})  # facts that are a time
# Sections that say who keeps a parameter, not which one it is.
_WRAPPERS = frozenset({"config", "trainer", "train", "training", "hparams", "hyperparameters", "params", "args", "cfg"})
_WORDS = {"learningrate": "lr", "optimiser": "optimizer"}
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?((0|[1-9]\d{0,17})(\.\d{0,17})?|\.\d{1,17})(e[+-]?\d{1,3})?", re.IGNORECASE)


@dataclass(slots=True)
class ParamRow:
    """A parameter in all experiments, in their order; None where an experiment has none. `seconds` are a duration."""

    name: str
    values: tuple[str | None, ...]
    seconds: bool = False
    is_fact: bool = False

    @property
    def differs(self) -> bool:
        """Whether two experiments say different things; to say nothing is different too."""
        return len(set(self.values)) > 1


def rows_of(experiments: Sequence[Parts]) -> list[ParamRow]:
    """Facts, hyper-parameters, then the configuration, each by name.

    A parameter that stands in two places, or under two spellings, is one row as long as no experiment contradicts.
    """
    rows: list[ParamRow] = []
    by_leaf: dict[str, list[_Known]] = {}
    for part, prefix in _PARTS:
        found = [item.get(part, {}) for item in experiments]
        names = list(dict.fromkeys(name for one in found for name in one))
        for name in names if part == "facts" else sorted(names):
            values = tuple(None if (value := one.get(name)) is None else text_of(value) for one in found)
            if not any(value is not None for value in values):
                continue
            row = ParamRow(f"{prefix}{name}", values, part == "facts" and name in _SECONDS, part == "facts")
            one = _Known(identity(name), part, row)
            others = by_leaf.setdefault(one.path[-1], [])
            if not any(_absorbs(other, one, experiments) for other in others):
                for earlier in rows:
                    if earlier.name == row.name:  # what happened beside what was asked for
                        earlier.name += " of the run"
                others.append(one)
                rows.append(row)
    return rows


@dataclass(frozen=True, slots=True)
class _Known:
    path: tuple[str, ...]
    part: Part
    row: ParamRow


def _absorbs(other: _Known, one: _Known, experiments: Sequence[Parts]) -> bool:
    """Whether a row is another one in other words; then its values fill the gaps of that one.

    Under one path that is so unless an experiment contradicts. A name that also stands in some section may be another
    parameter there, unless an experiment has both and they agree.
    """
    pairs = list(zip(other.row.values, one.row.values, strict=True))
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    copied = bool(both) and (len(other.path) == 1 or len(one.path) == 1)
    if other.row.seconds or not (other.path == one.path or copied) or any(a != b for a, b in both):
        return False
    # What an experiment with hyper-parameters leaves out of them does not act on it, whatever its configuration holds.
    is_copy = other.part == "params" and one.part == "config"
    gaps = [not (is_copy and item.get("params")) for item in experiments]
    other.row.values = tuple(b if a is None and gap else a for (a, b), gap in zip(pairs, gaps, strict=True))
    return True


def identity(name: str) -> tuple[str, ...]:
    """Which parameter a name means: “trainer.learning_rate” and “lr” mean one, “dataset.name” means the dataset."""
    parts = [_spelling(part) for part in re.split(r"[./]", name) if part]
    if len(parts) > 1 and parts[-1] in {"name", "type"}:
        parts.pop()
    sections = [part for part in parts[:-1] if part not in _WRAPPERS]
    return (*sections, parts[-1] if parts else "")


def _spelling(word: str) -> str:
    joined = "".join(words_of(word)) or word.casefold()
    return _WORDS.get(joined, joined)


def text_of(value: Any) -> str:
    """A value as it is shown: “1e-3” that a tool kept as text is the number 0.001."""
    if isinstance(value, str):
        plain = value.strip()
        if _WHOLE.fullmatch(plain):
            return plain
        if _DECIMAL.fullmatch(plain):
            return text_of(float(plain))
        return plain.lower() if plain.lower() in {"true", "false"} else value[:_LONGEST]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(value) if isinstance(value, int) else json.dumps(value, default=str, ensure_ascii=False)[:_LONGEST]


def flat(nested: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """A nested mapping as dotted names; lists stay values."""
    found: dict[str, Any] = {}
    for key, value in nested.items():
        name = f"{prefix}{key}"[:250]
        if isinstance(value, Mapping) and value and depth < _DEEPEST:
            found |= flat(value, f"{name}.", depth + 1)
        else:
            found[name] = value
    return found
