"""MLflow's language of filters and orders, read into plain clauses: comparisons joined by AND, nothing more."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.tracking.errors import InvalidParameter

LONGEST, MOST_CLAUSES, MOST_ORDERS = 10_000, 50, 10
_KINDS = {
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("attribute", "attributes", "attr", "run"), "attribute"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
}
_ALIASES = {
    "created": "start_time",
    "Created": "start_time",
    "run name": "run_name",
    "Run name": "run_name",
    "Run Name": "run_name",
}
NUMERIC = frozenset({"=", "!=", "<", "<=", ">", ">="})
TEXTUAL = frozenset({"=", "!=", "LIKE", "ILIKE"})
LISTED = TEXTUAL | {"IN", "NOT IN"}
NULLABLE = TEXTUAL | {"IS NULL", "IS NOT NULL"}
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<name>(?:[A-Za-z_]+\.)?(?:`[^`]*`|"[^"]*"|[A-Za-z_][\w./:\-]*))
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?)
    | (?P<text>'(?:[^']|'')*')
    | (?P<sign><=|>=|!=|<>|==|=|<|>)
    | (?P<mark>[(),])
    )""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared or sorted by."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison."""

    field: Field
    comparator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a filter."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """As a keyword."""
        return self.text.upper() if self.kind == "name" else ""


def _tokens(text: Any, what: str) -> list[Token]:
    if not isinstance(text, str):
        raise InvalidParameter(f"Invalid value for parameter '{what}' supplied: Value must be a string.")
    if len(text) > LONGEST or "\x00" in text:
        raise InvalidParameter(f"'{what}' exceeds the maximum length of {LONGEST} characters, or holds a NUL.")
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise InvalidParameter(f"Invalid clause(s) in {what} string: '{text[place : place + 60].strip()}'")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def filters(text: Any, attributes: Mapping[str, frozenset[str]], kinds: Iterable[str]) -> list[Clause]:
    """The comparisons of a filter; `attributes` says which there are and how each is compared."""
    if text is None or text == "":
        return []
    tokens = _tokens(text, "filter")
    clauses: list[Clause] = []
    place = 0
    while place < len(tokens):
        if clauses:
            if tokens[place].word != "AND":
                raise InvalidParameter(f"Invalid clause(s) in filter string: '{tokens[place].text[:60]}'")
            place += 1
        clause, place = _clause(tokens, place, attributes, kinds)
        clauses.append(clause)
        if len(clauses) > MOST_CLAUSES:
            raise InvalidParameter(f"A filter has at most {MOST_CLAUSES} comparisons.")
    return clauses


def _clause(
    tokens: list[Token], place: int, attributes: Mapping[str, frozenset[str]], kinds: Iterable[str]
) -> tuple[Clause, int]:
    if place >= len(tokens) or tokens[place].kind != "name":
        raise InvalidParameter("Invalid comparison clause. Expected an identifier.")
    field = field_of(tokens[place].text, attributes, kinds)
    comparator, place = _comparator(tokens, place + 1)
    allowed = _comparators(field, attributes)
    if comparator not in allowed:
        raise InvalidParameter(f"Invalid comparator '{comparator}' not one of {sorted(allowed)}")
    if comparator in ("IS NULL", "IS NOT NULL"):
        return Clause(field, comparator, None), place
    if comparator in ("IN", "NOT IN"):
        listed, place = _list(tokens, place)
        return Clause(field, comparator, listed), place
    if place >= len(tokens):
        raise InvalidParameter("Invalid comparison clause. Expected a value.")
    return Clause(field, comparator, _value(tokens[place], field, allowed)), place + 1


def _comparators(field: Field, attributes: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if field.kind == "attribute":
        return attributes[field.key]
    return {"metric": NUMERIC, "dataset": LISTED}.get(field.kind, NULLABLE)


def _comparator(tokens: list[Token], place: int) -> tuple[str, int]:
    words = [token.word or token.text for token in tokens[place : place + 3]]
    for length in (3, 2, 1):
        said = " ".join(words[:length])
        if len(words) >= length and said in {"IS NOT NULL", "IS NULL", "NOT IN", "IN", "LIKE", "ILIKE"}:
            return said, place + length
    if not words or tokens[place].kind != "sign":
        raise InvalidParameter(f"Invalid comparison clause. Expected a comparison, found '{' '.join(words)[:60]}'")
    return {"==": "=", "<>": "!="}.get(words[0], words[0]), place + 1


def _value(token: Token, field: Field, allowed: frozenset[str]) -> Any:
    if allowed is NUMERIC:
        if token.kind != "number":
            raise InvalidParameter(f"Expected numeric value type for {field.kind} {field.key}. Found {token.text[:60]}")
        return float(token.text)
    return _quoted(token)


def _quoted(token: Token) -> str:
    if token.kind == "text":
        return token.text[1:-1].replace("''", "'")
    if token.kind == "name" and token.text.startswith('"'):
        return token.text[1:-1]
    raise InvalidParameter(f"Expected a quoted string value (e.g. 'my-value'). Got value {token.text[:60]}")


def _list(tokens: list[Token], place: int) -> tuple[tuple[str, ...], int]:
    listed: list[str] = []
    expected = "("
    while place < len(tokens):
        token = tokens[place]
        if token.kind != "mark" or token.text != expected:
            break
        place += 1
        if place >= len(tokens):
            break
        listed.append(_quoted(tokens[place]))
        place += 1
        expected = ","
        if place < len(tokens) and tokens[place].text == ")":
            return tuple(listed), place + 1
    raise InvalidParameter("Invalid comparison clause. Expected a list of quoted values, such as ('a', 'b').")


def field_of(text: str, attributes: Iterable[str], kinds: Iterable[str]) -> Field:
    """Which field a name means: “metrics.`val acc`”, “params.lr”, “start_time”."""
    kind, dot, key = text.partition(".")
    if not dot or kind[:1] in '`"':
        kind, key = "attribute", text
    if kind not in _KINDS or _KINDS[kind] not in kinds:
        raise InvalidParameter(f"Invalid entity type '{kind[:60]}'. Valid values are {sorted(kinds)}")
    if key[:1] in ("`", '"'):
        key = key[1:-1]
    found = Field(_KINDS[kind], key)
    if found.kind == "attribute":
        found = Field("attribute", _ALIASES.get(key, key))
        if found.key not in attributes:
            raise InvalidParameter(f"Invalid attribute key '{key[:60]}' specified. Valid keys are {sorted(attributes)}")
    if found.kind == "dataset" and key not in ("name", "digest", "context"):
        raise InvalidParameter("Invalid dataset key specified. Valid keys are ['context', 'digest', 'name']")
    return found


def orders(given: Any, attributes: Iterable[str], kinds: Iterable[str]) -> list[tuple[Field, bool]]:
    """The fields to sort by, and whether each ascends."""
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST_ORDERS:
        raise InvalidParameter(f"Invalid value for parameter 'order_by' supplied: a list of at most {MOST_ORDERS}.")
    found: list[tuple[Field, bool]] = []
    for text in given:
        tokens = _tokens(text, "order_by")
        if not 1 <= len(tokens) <= 2 or tokens[0].kind != "name":
            raise InvalidParameter(f"Invalid order_by clause '{str(text)[:100]}'. Could not be parsed.")
        if len(tokens) == 2 and tokens[1].word not in ("ASC", "DESC"):
            raise InvalidParameter(f"Invalid ordering key in order_by clause '{str(text)[:100]}'.")
        field = field_of(tokens[0].text, attributes, kinds)
        if any(field == known for known, _ in found):
            raise InvalidParameter(f"`order_by` contains duplicate fields: {str(given)[:300]}")
        found.append((field, len(tokens) == 1 or tokens[1].word == "ASC"))
    return found
