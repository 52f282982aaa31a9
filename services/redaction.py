"""Take secrets out of what is kept of a request: by the names of values, and by what secrets look like.

Always the whole text, and only then is it cut: half a secret looks like none.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

import orjson

from services.text import harmless

MASK = "[redacted]"
LONGEST = 2048  # bytes of a sample
LARGEST = 65_536  # bytes of a body that is looked at
DEEPEST, MOST_ITEMS, MOST_LETTERS = 32, 1000, 20_000

_WITHIN = (
    "password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "authorization", "cookie", "privatekey",
    "credential", "signature", "databaseurl", "backupcode", "recovery", "csrf", "totp", "sessionid",
)  # fmt: skip
_WHOLE = frozenset({"session", "sid", "otp", "code", "dsn", "card", "cardnumber", "cvv", "cvc", "ssn", "pin"})

_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[-_ ]?key|private[-_ ]?key|credentials?|signature|database[-_]?url"
    r"|backup[-_ ]?code|recovery|csrf|totp|otp|session|sid|dsn|card|cvv|cvc|ssn|code"
)
Replacement = str | Callable[[re.Match[str]], str]


def _card(found: re.Match[str]) -> str:
    """Mask a number that has the check digit of a card."""
    digits = [int(letter) for letter in found[0] if letter.isdecimal()]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return MASK if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else found[0]


_PATTERNS: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    (re.compile(r"-----BEGIN [^-\n]{1,60}-----.*?(?:-----END [^-\n]{1,60}-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"pfd_[a-z]{2}_[0-9A-Za-z]{4,}(?:_[0-9A-Za-z]+)*"), MASK),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), MASK),
    # What begins like a token and is none is taken whole as well: its end would be looked for from each “eyJ” in it.
    (
        re.compile(r"eyJ[A-Za-z0-9_-]{5,}+(\.[A-Za-z0-9_-]{5,}+(?:\.[A-Za-z0-9_-]*+)?)?"),
        lambda found: MASK if found[1] else found[0],
    ),
    (re.compile(r"://[^\s/@:]{0,300}:\S{0,500}@"), f"://{MASK}@"),
    (re.compile(r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)(\W{0,3}[:=])[^\r\n]+"), rf"\1\2 {MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (
        re.compile(
            rf"""(?i)(?<![\w.-])([\w.-]{{0,40}}?(?:{_WORDS})[\w.-]{{0,40}}["'\]]{{0,2}}\s{{0,3}}[:=]\s{{0,3}})"""
            r"""("[^"]*"?|'[^']*'?|[^\s,;&"']+)"""
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", re.ASCII), _card),
)


def is_secret(name: str) -> bool:
    """Whether what goes by this name is a secret, however the name is written."""
    folded = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", name[:200]).casefold())
    return folded in _WHOLE or any(word in folded for word in _WITHIN)


def text(value: str) -> str:
    """The text without secrets and without characters that do something other than be read."""
    plain = unquote_plus(value) if "%" in value else value
    masked = _masked(plain)
    if masked == plain and plain is not value:
        masked = _masked(value)  # nothing was hidden by the escapes, so they stay
    return harmless(masked)


def _masked(value: str) -> str:
    for pattern, replacement in _PATTERNS:
        value = pattern.sub(replacement, value)
    return value


def plain(value: Any, depth: int = 0) -> Any:
    """A value of JSON without secrets, at any depth; what is deeper or longer than anybody reads is left out."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, str):
        return text(value) if len(value) <= MOST_LETTERS else f"[{len(value):,} characters]"
    if isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {text(str(name)[:200]): MASK if is_secret(str(name)) else plain(item, depth + 1) for name, item in items}
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value[:MOST_ITEMS]]
    if isinstance(value, int) and not isinstance(value, bool):
        written = str(value)
        return value if _masked(written) == written else MASK
    return value


def pairs(given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Fields of an address or a form without secrets; of a name that comes twice the last counts."""
    return dict(plain(dict(given)))


def of_json(body: bytes) -> Any:
    """What a JSON body says without secrets; one that cannot be read is left out."""
    if len(body) > LARGEST:
        return f"[{len(body):,} bytes]"
    try:
        return plain(orjson.loads(body))
    except (ValueError, RecursionError):
        return f"[{len(body):,} bytes that are no JSON]"


def fitted(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample, or the beginning of its text, in as many bytes as may be kept."""
    written = orjson.dumps(sample)
    if len(written) <= LONGEST:
        return sample
    letters, room = written.decode(), LONGEST
    while True:
        cut = {"cut": letters[:room]}
        if len(orjson.dumps(cut)) <= LONGEST:
            return cut
        room -= max(1, (len(orjson.dumps(cut)) - LONGEST) // 4)
