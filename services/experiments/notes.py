"""Notes are Markdown from people and from imported runs; before they are shown, whatever could load or run is words."""

import html
import re

_DESTINATION = re.compile(r"\](\(|:)(\s*<?\s*)([^\s)>]{0,2000})")
_ALLOWED = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!https?://|mailto:)", re.IGNORECASE)
_IMAGE = re.compile(r"!(?=\[)")
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")


def safe_markdown(text: str | None) -> str:
    """Markdown without images, raw HTML, and links that lead anywhere but to http, https or mailto.

    A character reference never begins a construct of Markdown, whatever stands before it; a backslash could be escaped.
    """
    cleaned = (text or "").replace("\x00", "")
    cleaned = _IMAGE.sub("&#33;", cleaned)
    cleaned = _TAG.sub("&lt;", cleaned)
    return _DESTINATION.sub(_link, cleaned)


def _link(found: re.Match[str]) -> str:
    kind, gap, destination = found.groups()
    if _ALLOWED.match(_plain(destination)):
        return found.group(0)
    return f"&#93;{'&#40;' if kind == '(' else '&#58;'}{gap}{destination}"


def _plain(destination: str) -> str:
    """The address as a reader of Markdown sees it: character references and backslashes resolved."""
    return _IGNORED.sub("", html.unescape(html.unescape(destination.replace("\\", ""))))
