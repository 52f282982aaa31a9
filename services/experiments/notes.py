"""Notes are Markdown from people and from imported runs; before they are shown, whatever could load or run is words."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter

_DESTINATION = re.compile(r"\](\(|:)(\s*<?\s*)([^\s)>]{0,2000})")
_ALLOWED = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!https?://|mailto:)", re.IGNORECASE)
_IMAGE = re.compile(r"!(?=\[)")
_DEFINED = re.compile(r"^ {0,3}\[([^\[\]\n]{1,200})\]:", re.MULTILINE)
_BRACKETS = re.compile(r"\\.|\[(?:([^\[\]]{0,1000})\](?=(\(|\[([^\[\]]{0,200})\])?))?", re.DOTALL)
_FENCE = re.compile(r" {0,3}(```|~~~)")
_CODE = re.compile(r"(`[^`]{0,1000}`)")
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")


MOST_BRACKETS = 2000  # that may open a link; the browser's reader needs time that grows with their square


def safe_markdown(text: str | None) -> str:
    """Markdown without images, raw HTML, and links that lead anywhere but to http, https or mailto.

    A character reference never begins a construct of Markdown, whatever stands before it; a backslash could be escaped.
    """
    cleaned = (text or "").replace("\x00", "")
    cleaned = _IMAGE.sub("&#33;", cleaned)
    cleaned = _TAG.sub("&lt;", cleaned)
    cleaned = _without_empty_links(_DESTINATION.sub(_link, cleaned))
    # What is code here need not be code to the browser's reader, so nothing else bounds the brackets in it.
    return cleaned if cleaned.count("[") <= MOST_BRACKETS else cleaned.replace("[", "&#91;")


def _without_empty_links(text: str) -> str:
    """Brackets that lead nowhere as plain characters, outside of code.

    The reader of Markdown in the browser makes a link of every “[word]”, also where nothing says where it leads.
    """
    defined = {_label(found) for found in _DEFINED.findall(text)}

    def literal(found: re.Match[str]) -> str:
        whole, (word, follows, reference) = found.group(0), found.groups()
        if whole.startswith("\\"):  # a character that stands for itself
            return whole
        if word is not None and (follows == "(" or _label(reference or word) in defined or _label(word) in defined):
            return whole
        return f"&#91;{whole[1:]}"

    return "\n".join(part if is_code else _outside_code(part, literal) for part, is_code in _blocks(text))


def _outside_code(text: str, literal: Callable[[re.Match[str]], str]) -> str:
    parts = _CODE.split(text)  # words and code in turn
    parts[::2] = [_BRACKETS.sub(literal, part) for part in parts[::2]]
    return "".join(parts)


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Lines that belong together, and whether they are code: fenced or indented."""
    for is_code, lines in groupby(_marked(text.split("\n")), key=itemgetter(1)):
        yield "\n".join(line for line, _ in lines), is_code


def _marked(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if mark is not None and fence in {"", mark.group(1)}:
            fence = "" if fence else mark.group(1)
            yield line, True
        else:
            yield line, bool(fence) or line.startswith(("    ", "\t"))


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()


def _link(found: re.Match[str]) -> str:
    kind, gap, destination = found.groups()
    if _ALLOWED.match(_plain(destination)):
        return found.group(0)
    return f"&#93;{'&#40;' if kind == '(' else '&#58;'}{gap}{destination}"


def _plain(destination: str) -> str:
    """The address as a reader of Markdown sees it: character references and backslashes resolved."""
    return _IGNORED.sub("", html.unescape(html.unescape(destination.replace("\\", ""))))
