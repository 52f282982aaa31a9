"""Text from outside, made fit for both databases or refused."""

import re
import unicodedata

from services.errors import Invalid

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# What a terminal obeys instead of showing it, what turns the direction of all that follows, and what has no encoding.
_OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


MOST_ACCENTS = 30  # upon one letter: Unicode's own bound for text that is worked on as it streams in (UAX 15)


def is_heaped(text: str) -> bool:
    """Whether more accents stand on one letter than any language writes; to put them in order takes their square."""
    heap = 0
    for letter in () if text.isascii() else text:
        heap = heap + 1 if unicodedata.combining(letter) else 0
        if heap > MOST_ACCENTS:
            return True
    return False


def harmless(text: str) -> str:
    """The text with U+FFFD in place of each character that would do something other than be read."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


def clean(value: object, *, field: str, longest: int, shortest: int = 0, lines: bool = False) -> str:
    """The text without blanks at its ends; NUL, lone surrogates and over-long text are refused, never stored."""
    if not isinstance(value, str):
        raise Invalid("This must be text.", field=field)
    if is_heaped(value):
        raise Invalid("This holds more accents on one letter than can be read.", field=field)
    text = unicodedata.normalize("NFC", value.strip())
    if _CONTROL.search(text) or (not lines and ("\n" in text or "\r" in text)):
        raise Invalid("This contains a control character.", field=field)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid("This contains a character that is not valid Unicode.", field=field) from error
    if len(text) < shortest:
        raise Invalid(
            "This must not be empty." if shortest == 1 else f"Use at least {shortest} characters.", field=field
        )
    if len(text) > longest:
        raise Invalid(f"Use at most {longest} characters.", field=field)
    return text
