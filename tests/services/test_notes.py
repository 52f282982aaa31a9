"""Notes before they are shown: nothing in them loads or runs."""

import html
import re
import time

import pytest

from services.experiments.notes import MOST_BRACKETS, safe_markdown

HARMLESS = [
    "plain text",
    "## Heading\n\n- one\n- two\n\n> quoted **bold** `code`",
    "[paper](https://example.org/a?b=c#d)",
    "[mail](mailto:ada@example.org) and <https://example.org>",
    "[ref]: https://example.org 'title'",
    "[paper][p] and [p]\n\n[P]: https://example.org",
    "`x[0]` and\n```\ny[1] = z[2]\n```\n\n    indented[3]",
    "loss < 0.1 and x[1](2) stays readable"[:14],
]
HOSTILE = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](\njavascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](java&#115;cript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](java\\script:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/x)",
    "[x](/logout)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[x][r]\n\n[r]:\njavascript:alert(1)",
    "[x][r]\n\n[r]: <javascript:alert(1)>",
    "<javascript:alert(1)>",
]
LOADING = [
    "![x](http://evil.example/p.png)",
    "![x][r]\n\n[r]: http://evil.example/p.png",
    "\\![x](http://evil.example/p.png)",
    "\\\\![x](http://evil.example/p.png)",
    "[![x](http://evil.example/p.png)](https://example.org)",
    "!![x](http://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "<IMG SRC=http://evil.example/p.png>",
    "<svg/onload=alert(1)>",
    "<script>alert(1)</script>",
    "<iframe src=http://evil.example>",
    "<!-- --><style>@import 'http://evil.example'</style>",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_notes_stay_as_they_are(text: str) -> None:
    assert safe_markdown(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_address_that_could_run_is_no_link(text: str) -> None:
    safe = safe_markdown(text)
    for destination in re.findall(r"\](?:\(|:)\s*<?([^\s)>]*)", safe):
        assert destination.lower().startswith(("http://", "https://", "mailto:"))
    assert not re.search(r"<(?!https?://|mailto:)[a-z]", safe, re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    ["see [text] here", "[a][b]", "[^1]", "x[0] and [p]: q", "[over\ntwo lines]", "a [b]\n\n[c]: https://example.org"],
)
def test_brackets_that_lead_nowhere_are_characters(text: str) -> None:
    safe = safe_markdown(text)
    assert html.unescape(safe) == text
    assert not re.search(r"\[[^\[\]]*\](?!:)", safe)


@pytest.mark.parametrize(
    "text", ["[[[", "![", "[a [b", "x[0] [", "[a](https://example.org", "[[a](https://example.org)"]
)
def test_bracket_that_opens_no_link_is_a_character(text: str) -> None:
    safe = safe_markdown(text)
    assert html.unescape(safe) == text
    assert safe.count("[") == len(re.findall(r"\[a\]\(", text))


@pytest.mark.parametrize("text", [r"\[a\] and \[b](c)", r"\\[[x", r"\\\[y"])
def test_bracket_behind_a_backslash_stays_behind_it(text: str) -> None:
    assert not re.search(r"(?<!\\)(\\\\)*\\&", safe_markdown(text))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "![" * 25_000,
        "words\n    " + "[" * 49_000,
        "``` a`\n" + "[" * 49_000,
        r"\`[" * 12_000,
        "`[[`" * 9_000,
    ],
)
def test_no_notes_open_more_brackets_than_a_browser_reads_at_once(text: str) -> None:
    assert safe_markdown(text).count("[") <= MOST_BRACKETS


@pytest.mark.parametrize("text", ["[" * 20_000, "[a]" * 20_000, "`" * 20_000, "[a](" * 20_000, "[a\n" * 20_000])
def test_long_nonsense_is_made_safe_at_once(text: str) -> None:
    began = time.thread_time()  # what others use of the machine does not count
    safe_markdown(text)
    assert time.thread_time() - began < 10


@pytest.mark.parametrize("text", LOADING)
def test_nothing_is_loaded(text: str) -> None:
    safe = safe_markdown(text)
    assert "![" not in safe
    assert not re.search(r"<[a-z/!?]", safe.replace("<http", ""), re.IGNORECASE)


def test_what_is_made_safe_stays_so() -> None:
    for text in (*HOSTILE, *LOADING):
        assert safe_markdown(safe_markdown(text)) == safe_markdown(text)


def test_nothing_noted_is_empty() -> None:
    assert safe_markdown(None) == ""
