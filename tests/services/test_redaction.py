"""Facts about redaction: names however written, looks of secrets, and only then the cut."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import redaction
from tests.support import secret_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "PASSWORD",
            "ｐａｓｓｗｏｒｄ",
            "api_key",
            "API-Key",
            "x-api-key",
            "apiKey",
            "client_secret",
            "DSN",
        ),
        *("set-cookie", "database_url", "otp", "backup-code", "webhookSecret", "smtp_password", "cvv", "refreshToken"),
    ],
)
def test_a_name_is_known_however_it_is_written(name: str) -> None:
    assert redaction.plain({name: "x"})[redaction.text(name)] == redaction.MASK


@pytest.mark.parametrize("name", ["loss", "epoch", "decoder", "sides", "learning_rate", "pinned", "cardinality"])
def test_what_only_sounds_like_one_is_kept(name: str) -> None:
    assert redaction.plain({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "text",
    [
        "epoch 12 of 100",
        "4111 1111 1111 1112",
        "2026-11-25T22:35:31Z",
        "GET /api/v1/me?page=2",
        "50 % of it",
        "a+b%20c",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert redaction.text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Cookie: sid=abcdef; other=ghijkl",
        "next=%2Fx%3Ftoken%3Dabcdef",
        "https://user:abcdef@example.org/x",
        "https://user:abc/def@ghi@example.org/x",
        'it said {"password": "abcdef ghi"}',
        "password = abcdef",
        "Authorization: Digest abcdef",
        "bearer abcdefghi",
        "x-eyJabcdef.eyJghijkl.mno eyJnothing",
        "-----BEGIN RSA PRIVATE KEY-----\nabcdef",
    ],
)
def test_secrets_in_text_are_found(text: str) -> None:
    masked = redaction.text(text)
    assert redaction.MASK in masked
    assert not {"abcdef", "ghijkl", "def", "ghi"} & set(masked.replace("@", " ").replace(";", " ").split())
    assert "abcdef" not in masked


def test_a_secret_on_the_edge_of_the_cut_is_gone_before_it_is_cut() -> None:
    for kind, _, secret, tells_itself in secret_values.seeded():
        if not tells_itself:
            continue
        core = secret_values.core(kind, secret)
        for filler in (1900, 1990, 2020, 2030):
            kept = orjson.dumps(redaction.fitted({"body": redaction.plain({"a": "x " * (filler // 2) + secret})}))
            assert len(kept) <= redaction.LONGEST
            assert core[:8].encode() not in kept.replace(b"postgres", b"").replace(b"-----BEG", b"")


@given(JSON)
@settings(max_examples=300)
def test_any_json_gives_a_sample_of_at_most_two_kilobytes(value: Any) -> None:
    sample = redaction.fitted({"body": redaction.of_json(orjson.dumps(value))})
    assert len(orjson.dumps(sample)) <= redaction.LONGEST


def test_redacting_twice_is_redacting_once() -> None:
    for _, name, secret, _ in secret_values.seeded():
        once = redaction.text(f"{name}={secret}")
        assert redaction.text(once) == once


@pytest.mark.timeout(120, func_only=True)  # a pattern that looks back at each letter would take many minutes
@pytest.mark.parametrize("part", ["a", "a.", "1 ", "://", "password", "-----BEGIN A-----", "eyJ", '"', "=", "%", "a:"])
def test_hostile_text_ends(part: str) -> None:
    assert redaction.text(part * (redaction.MOST_LETTERS // len(part))) != ""


@pytest.mark.timeout(120, func_only=True)  # taking its square it would take hours
def test_what_only_begins_like_a_token_is_read_once() -> None:
    text = "eyJ" * 300_000
    assert redaction.text(text) == text


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b'{"a":NaN}', b"x" * 70_000])
def test_what_cannot_be_read_is_left_out(body: bytes) -> None:
    assert redaction.of_json(body).startswith(f"[{len(body):,} bytes")


def test_a_deep_secret_is_found_and_what_is_deeper_is_left_out() -> None:
    value: Any = {"password": "abcdef"}
    for _ in range(60):
        value = [value]
    assert "abcdef" not in str(redaction.plain(value))
