"""Rotation of the root key, on both databases: nothing is lost, nobody is signed out, an interruption harms nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import EmailLog, User
from services import known_devices, secrets, sessions, vault
from services.mail import orders
from tests.support import people

WORD = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def key_file(tmp_path, monkeypatch):
    """A data folder of this test, whose keys may be changed."""
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    settings().prepare_data_dir()
    yield tmp_path / "secret_key"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def stored(database):
    """Five people with a second factor, one who is setting it up, and a mail that waits with its link."""
    with transaction() as session:
        for place in range(6):
            sealed = vault.encrypt("totp", f"{WORD}{place}")
            column = {"totp_pending_secret" if place == 5 else "totp_secret": sealed}
            name = f"person-{place}"
            session.add(User(username=name, email=f"{name}@example.org", password_hash="!", **column))
        orders.order(
            session, user_id=None, to="a@example.org", event="x", subject="x", template="reset", told={},
            link="/reset/abc", link_ends=now() + timedelta(hours=1),
        )  # fmt: skip


def opened():
    """What is stored, in clear."""
    with snapshot() as session:
        users = session.execute(select(User.totp_secret, User.totp_pending_secret).order_by(User.id)).all()
        data = session.scalars(select(EmailLog.event_data)).one()
    return [vault.decrypt("totp", one or two) for one, two in users] + [vault.decrypt("mail", data[orders.LINK])]


EVERYTHING = [*(f"{WORD}{place}" for place in range(6)), "/reset/abc"]


def test_everything_is_read_after_a_rotation_and_after_the_old_key_is_gone(pfd, stored, key_file):
    before = settings().secret_key()
    status, out, err = pfd("secrets", "rotate")
    assert (status, err) == (0, "") and "7 stored secrets were encrypted anew" in out
    assert settings().root_keys()[1] == before and settings().root_keys()[0] not in out
    assert opened() == EVERYTHING
    assert pfd("secrets", "rotate", "--finish")[0] == 0
    assert len(settings().root_keys()) == 1 and before not in key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert opened() == EVERYTHING


def test_nobody_is_signed_out_and_devices_stay_known_until_it_is_finished(pfd, key_file):
    actor = people.person("viewer")
    token = people.token_of(actor)
    with transaction() as session:
        device = known_devices.mark(session, actor.user_id)
        hashed = session.scalar(select(User.password_hash))

    def known():
        return known_devices.device_of(device, actor.user_id, hashed) is not None

    pfd("secrets", "rotate")
    with snapshot() as session:
        assert sessions.resolve(session, token) is not None
    assert known()
    pfd("secrets", "rotate", "--finish")
    with snapshot() as session:
        assert sessions.resolve(session, token) is not None
    assert not known()


def test_one_that_was_interrupted_goes_on_under_the_same_key(pfd, stored, monkeypatch):
    monkeypatch.setattr(secrets, "BATCH", 2)
    renew, done = secrets.renew, []

    def twice_and_no_more(session, place, last):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(last)
        return renew(session, place, last)

    with monkeypatch.context() as killed:
        killed.setattr(secrets, "renew", twice_and_no_more)
        assert pfd("secrets", "rotate")[0] != 0
    keys = settings().root_keys()
    assert len(keys) == 2 and opened() == EVERYTHING
    status, out, _ = pfd("secrets", "rotate")
    assert status == 0 and "3 stored secrets" in out
    assert settings().root_keys() == keys and opened() == EVERYTHING


def test_what_is_changed_meanwhile_is_not_overwritten(database, stored, key_file):
    from config import root_keys

    root_keys.add(key_file)
    with transaction() as session:
        place = secrets.PLACES[0]
        (row_id, old), *_ = place.after(session, 0)
        session.execute(update(User).where(User.id == row_id).values(totp_secret="newer"))
        place.replace(session, row_id, old, "older")
        assert session.scalar(select(User.totp_secret).where(User.id == row_id)) == "newer"


def test_no_key_is_forgotten_while_a_secret_cannot_be_read(pfd, stored):
    pfd("secrets", "rotate")
    with transaction() as session:
        session.execute(update(User).where(User.username == "person-0").values(totp_secret="damaged"))
    status, _, err = pfd("secrets", "rotate", "--finish")
    assert status == 1 and "users.totp_secret of row" in err and len(err.strip().splitlines()) == 1
    assert len(settings().root_keys()) == 2


def test_with_a_key_from_the_environment_it_says_what_to_set(pfd, stored, key_file, monkeypatch):
    old, new = settings().secret_key(), "0123456789abcdefghijklmnopqrstuvwxyzABCD"
    monkeypatch.setenv("PFD_SECRET_KEY", old)
    settings.cache_clear()
    status, _, err = pfd("secrets", "rotate")
    assert status == 1 and "PFD_SECRET_KEYS_BEFORE" in err and old not in err
    monkeypatch.setenv("PFD_SECRET_KEY", new)
    monkeypatch.setenv("PFD_SECRET_KEYS_BEFORE", old)
    settings.cache_clear()
    status, out, _ = pfd("secrets", "rotate")
    assert status == 0 and "Remove it" in out and new not in out and old not in out
    monkeypatch.delenv("PFD_SECRET_KEYS_BEFORE")
    settings.cache_clear()
    assert opened() == EVERYTHING
