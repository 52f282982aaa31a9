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
_BRACKETS = re.compile(r"\[([^\[\]]{0,1000})\](?=(\(|\[([^\[\]]{0,200})\])?)")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_CODE = re.compile(r"(`[^`]{0,1000}`)")
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")


def safe_markdown(text: str | None) -> str:
    """Markdown without images, raw HTML, and links that lead anywhere but to http, https or mailto.

    A character reference never begins a construct of Markdown, whatever stands before it; a backslash could be escaped.
    """
    cleaned = (text or "").replace("\x00", "")
    cleaned = _IMAGE.sub("&#33;", cleaned)
    cleaned = _TAG.sub("&lt;", cleaned)
    return _without_empty_links(_DESTINATION.sub(_link, cleaned))


def _without_empty_links(text: str) -> str:
    """Brackets that lead nowhere as plain characters, outside of code.

    The reader of Markdown in the browser makes a link of every “[word]”, also where nothing says where it leads.
    """
    defined = {_label(found) for found in _DEFINED.findall(text)}

    def literal(found: re.Match[str]) -> str:
        word, follows, reference = found.groups()
        leads = _label(reference or word) in defined if follows != "(" else True
        return found.group(0) if leads or _label(word) in defined else f"&#91;{found.group(0)[1:]}"

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
