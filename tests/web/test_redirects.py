"""Where signing in leads: to paths of our own only, however the link is written."""

import re
from typing import Any

from sqlalchemy import Engine

from tests.support.people import client

FOREIGN = [
    "https://evil.example", "http://evil.example/x", "//evil.example", "///evil.example", "////evil.example",
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "https:evil.example",
    "https:/evil.example", "http:///evil.example", "HTTPS://EVIL.EXAMPLE", " https://evil.example", "\thttps://evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/ /evil.example", "\x00//evil.example",
    "/\x00/evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "file:///etc/passwd", "ftp://evil.example", "blob:https://evil.example/x", "about:blank",
    "evil.example", "@evil.example", ".evil.example", "?next=//evil.example", "#//evil.example", "", "//", "/\\",
    "/" + "a" * 2001, "/x\r\nSet-Cookie: a=b",
]  # fmt: skip
OWN = [
    "/experiments",
    "/compare?ids=1,2",
    "/experiments/7?x=%2F#top",
    "/x?next=https://evil.example",
    "/%2F/evil.example",
]


def test_there_are_forty_foreign_forms() -> None:
    assert len(set(FOREIGN)) == 40


def test_who_is_signed_in_goes_home_instead(dash_app: Any, sqlite: Engine) -> None:
    member = client(dash_app.server, "viewer")
    for target in FOREIGN:
        answer = member.get("/login", query_string={"next": target})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/"), target


def test_the_form_carries_no_foreign_target_on(dash_app: Any, sqlite: Engine) -> None:
    stranger = dash_app.server.test_client()
    for target in FOREIGN:
        page = stranger.get("/login", query_string={"next": target}).text
        assert re.findall(r'name="next"[^>]*value="([^"]*)"', page) == ["/"], target


def test_a_path_of_our_own_is_kept(dash_app: Any, sqlite: Engine) -> None:
    member = client(dash_app.server, "viewer")
    for target in OWN:
        assert member.get("/login", query_string={"next": target}).headers["Location"] == target
