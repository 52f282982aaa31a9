"""Passwords that everybody tries first, and advice on better ones; the lists come with the library, not by network."""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

READ = 72  # characters: the library reads no more
ADVISED = 40  # characters that advice looks at: with 72, made for it, one question costs seconds
EASY = 11.0  # powers of ten of guesses; what common words, repeats, rows of keys and their variants stay below
LEAST = 6  # letters of one's own, besides names that everybody can look up
PRODUCT = ("pfd", "dashboard", "bearing", "bearings", "fault", "diagnosis")
_NOT_A_LETTER = re.compile(r"[\W\d_]+")

_advising = threading.BoundedSemaphore(1)


@dataclass(frozen=True, slots=True)
class Advice:
    """From 0, guessed at once, to 4, and what would make it better."""

    score: int
    words: str


def why_common(password: str, own: Iterable[str]) -> str | None:
    """Why the password is among the first that somebody would try; None where it is not."""
    names = _words(own)
    rest = password.casefold()
    for word in sorted({*names, *PRODUCT}, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(set(_NOT_A_LETTER.sub("", rest))) < LEAST and len(rest) < len(password):
        return "It is made of your name, your address or the name of the product."
    # Only now: the lists take a moment and 13 MB that most processes never need.
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]

    told = zxcvbn(password[:READ], user_inputs=[*names, *PRODUCT])
    if float(told["guesses_log10"]) >= EASY:
        return None
    return told["feedback"]["warning"] or "It is among the passwords that are tried first."


def advise(password: str) -> Advice | None:
    """How good a password is; None while somebody else is being advised."""
    from zxcvbn import zxcvbn

    if not password or not _advising.acquire(blocking=False):
        return None
    try:
        told = zxcvbn(password[:ADVISED], user_inputs=list(PRODUCT))
    finally:
        _advising.release()
    feedback = told["feedback"]
    said = [feedback["warning"], *feedback["suggestions"]]
    return Advice(int(told["score"]), " ".join(sentence.rstrip(".") + "." for sentence in said if sentence))


def _words(own: Iterable[str]) -> set[str]:
    """Names and addresses, whole and in their parts."""
    whole = {text.strip().casefold() for text in own}
    parts = {part for text in whole for part in re.split(r"[^\w]+|_", text)}
    return {word for word in whole | parts if len(word) >= 3}
