"""Secrets that are kept encrypted: read back, of no use without the key, renewed without being lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import root_keys
from config.settings import settings
from services import vault


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("PFD_SECRET_KEY", raising=False)
    settings.cache_clear()
    yield tmp_path / "secret_key"
    settings.cache_clear()


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=300))
def test_what_is_encrypted_is_read_back(secret: str) -> None:
    assert vault.decrypt("test", vault.encrypt("test", secret)) == secret


def test_the_stored_form_shows_nothing_and_differs_each_time() -> None:
    one, two = vault.encrypt("totp", "JBSWY3DPEHPK3PXP"), vault.encrypt("totp", "JBSWY3DPEHPK3PXP")
    assert one != two
    assert "JBSWY3DPEHPK3PXP" not in one


def test_another_purpose_does_not_open_it() -> None:
    with pytest.raises(vault.Unreadable):
        vault.decrypt("webhook", vault.encrypt("totp", "secret"))


def test_after_a_rotation_the_old_is_read_and_the_renewed_needs_only_the_new_key(key_file: Path) -> None:
    stored = vault.encrypt("totp", "secret")
    root_keys.add(key_file)
    assert vault.decrypt("totp", stored) == "secret"
    renewed = vault.renew("totp", stored)
    root_keys.keep_newest(key_file)
    assert vault.decrypt("totp", renewed) == "secret"
    with pytest.raises(vault.Unreadable):
        vault.decrypt("totp", stored)


def test_a_damaged_one_is_told_in_a_sentence() -> None:
    with pytest.raises(vault.Unreadable, match="cannot be read"):
        vault.decrypt("totp", "not encrypted at all")
