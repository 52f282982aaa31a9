"""The place of an address: from a file of the operator, never more than a hint."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from config import settings as configuration
from config.errors import ConfigurationError
from database.engine import snapshot, transaction
from models import EmailLog, LoginHistory, User
from models.permissions import Role
from services import places, session_list, sessions, sign_ins
from services.known_devices import remember
from services.sessions import Visitor
from tests.support.people import person
from tests.support.places import write

Named = Callable[[Path], None]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Name a file in the settings for one test."""

    def name(path: Path) -> None:
        monkeypatch.setenv("PFD_GEOIP", str(path))
        configuration.settings.cache_clear()

    places._opened.cache_clear()
    yield name
    monkeypatch.undo()
    configuration.settings.cache_clear()
    places._opened.cache_clear()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "Berlin, Germany"),
        ("198.51.100.7", "France"),
        ("2001:db8:1::7", "Berlin, Germany"),
        ("203.0.113.7", None),
        ("2001:db8:2::7", None),
        ("127.0.0.1", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_city_and_country_as_far_as_the_file_knows_them(
    tmp_path: Path, named: Named, address: str, place: str | None
) -> None:
    named(write(tmp_path / "places.mmdb"))
    assert places.place_of(address) == place


def test_without_a_file_no_place_is_known_and_no_reader_is_loaded() -> None:
    asked = "from services import places; assert places.place_of('192.0.2.7') is None; import sys; "
    asked += "assert 'maxminddb' not in sys.modules"
    subprocess.run([sys.executable, "-c", asked], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    "record",
    [
        {"city": "Berlin"},
        {"city": {"names": {"en": 7}}},
        {"city": {"names": []}},
        {"country": {"names": {"en": "  "}}},
        {},
        "Berlin",
    ],
)
def test_a_record_of_another_form_is_no_place(tmp_path: Path, named: Named, record: Any) -> None:
    named(write(tmp_path / "places.mmdb", more={"203.0.113.0/24": record}))
    assert places.place_of("203.0.113.7") is None


def test_a_name_is_kept_short_and_obeyed_by_nothing(tmp_path: Path, named: Named) -> None:
    wild = {"city": {"names": {"en": "\x1b[2J\u202e" + "x" * 500}}, "country": {"names": {"en": "y" * 500}}}
    named(write(tmp_path / "places.mmdb", more={"203.0.113.0/24": wild}))
    place = places.place_of("203.0.113.7") or ""
    assert len(place) == 2 * places.LONGEST + len(", ")
    assert not {"\x1b", "\u202e"} & set(place)


class TestShown:
    def test_with_the_session_the_attempt_its_csv_and_the_mail(
        self, database: Engine, tmp_path: Path, named: Named
    ) -> None:
        named(write(tmp_path / "places.mmdb"))
        actor, visitor = person(Role.VIEWER), Visitor("192.0.2.7", "curl/8.1")
        with transaction() as session:
            user = session.get_one(User, actor.user_id)
            token = sessions.let_in(session, user, visitor).token
            remember(session, user.id, visitor)
        with snapshot() as session:
            this = sessions.resolve(session, token)
            assert this is not None
            assert session_list.open_sessions(session, actor, this.session_id)[0].place == "Berlin, Germany"
            assert sign_ins.page(session, actor)[0][0].place == "Berlin, Germany"
            assert '192.0.2.7,"Berlin, Germany",curl 8' in sign_ins.as_csv(session, actor)
            told = session.scalars(select(EmailLog.event_data)).one()
            assert told["place"] == "Berlin, Germany"

    def test_an_attempt_of_before_stays_unknown(self, sqlite: Engine, tmp_path: Path, named: Named) -> None:
        actor = person(Role.VIEWER)
        with transaction() as session:
            sessions.note(session, actor.user_id, Visitor("192.0.2.7", "curl/8.1"), "wrong password")
        named(write(tmp_path / "places.mmdb"))
        with snapshot() as session:
            assert sign_ins.page(session, actor)[0][0].place == "unknown"


class TestDamage:
    @pytest.mark.parametrize("kept", [0, 100, 0.5, 0.9])
    def test_a_file_that_is_cut_short_in_use_keeps_nobody_out(
        self, sqlite: Engine, tmp_path: Path, named: Named, kept: float
    ) -> None:
        path = write(tmp_path / "places.mmdb")
        named(path)
        assert places.place_of("192.0.2.7") == "Berlin, Germany"
        with path.open("r+b") as file:
            file.truncate(int(kept * path.stat().st_size) if kept < 1 else int(kept))
        actor = person(Role.VIEWER)
        with transaction() as session:
            sessions.note(session, actor.user_id, Visitor("192.0.2.7", "curl/8.1"), None)
        with snapshot() as session:
            assert session.scalar(select(LoginHistory.success)) is True

    def test_no_byte_that_is_changed_makes_an_error(self, tmp_path: Path, named: Named) -> None:
        path = write(tmp_path / "places.mmdb")
        whole = path.read_bytes()
        for place in range(0, len(whole), 7):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
            named(path)
            places._opened.cache_clear()
            found = places.place_of("192.0.2.7")
            assert found is None or isinstance(found, str)

    def test_what_is_no_file_of_places_is_refused_in_one_sentence(self, tmp_path: Path, named: Named) -> None:
        letter, folder = tmp_path / "letter.mmdb", tmp_path / "folder"
        letter.write_text("a letter " * 1000)
        folder.mkdir()
        networks = write(tmp_path / "networks.mmdb", kind="Test-ASN")
        for path, word in (
            (tmp_path / "none.mmdb", "No such file"),
            (letter, "damaged"),
            (folder, "PFD_GEOIP"),
            (networks, "holds no places"),
        ):
            named(path)
            places._opened.cache_clear()
            with pytest.raises(ConfigurationError, match=word) as refused:
                places.refuse_unusable()
            assert str(path) in str(refused.value) and "\n" not in str(refused.value)

    def test_one_that_can_be_read_is_not_refused(self, tmp_path: Path, named: Named) -> None:
        named(write(tmp_path / "places.mmdb"))
        places.refuse_unusable()
