"""Facts about writing notes: nobody's words are replaced by somebody who has not seen them, and the record says who."""

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models.permissions import PermissionDenied, Role
from models.system_log import SystemLog
from services.actor import SYSTEM
from services.errors import Conflict
from services.experiments import details, editing, lifecycle
from tests.support.people import person


@pytest.fixture
def number(database: Engine) -> int:
    """An experiment with notes."""
    with transaction() as session:
        made = lifecycle.create(session, SYSTEM, name="run").id
        editing.set_notes(session, SYSTEM, made, "first")
    return made


def seen(number: int) -> str:
    """What an editor that opens now has seen."""
    with snapshot() as session:
        return editing.notes_to_edit(session, SYSTEM, number)[1]


def write(number: int, text: str, expected: str | None) -> None:
    with transaction() as session:
        editing.set_notes(session, SYSTEM, number, text, expected=expected)


def notes(number: int) -> str | None:
    with snapshot() as session:
        return details.detail(session, SYSTEM, number).notes


def records() -> list[dict[str, object]]:
    with snapshot() as session:
        return list(session.scalars(select(SystemLog.details).where(SystemLog.action == "experiment.notes")))


def test_the_later_of_two_writers_is_told_and_the_first_text_stays(number: int) -> None:
    early, late = seen(number), seen(number)
    write(number, "theirs", late)
    with pytest.raises(Conflict, match="Copy your text, close the editor and open it again"):
        write(number, "mine", early)
    assert notes(number) == "theirs"


def test_who_has_seen_the_notes_as_they_are_replaces_them(number: int) -> None:
    write(number, "second", seen(number))
    write(number, "", seen(number))
    assert notes(number) is None


def test_the_same_text_again_is_no_conflict(number: int) -> None:
    early = seen(number)
    write(number, "both", early)
    write(number, "both", early)
    assert notes(number) == "both"


@pytest.mark.parametrize("expected", ["", "None", "x" * 64])
def test_a_digest_that_fits_nothing_is_a_conflict(number: int, expected: str) -> None:
    with pytest.raises(Conflict):
        write(number, "mine", expected)


def test_each_change_is_on_record_with_who_made_it(number: int) -> None:
    write(number, "second", seen(number))
    write(number, "second", seen(number))
    assert records() == [{"by": SYSTEM.username, "experiments": [number]}] * 2


def test_who_may_not_write_cannot_open_the_editor(number: int) -> None:
    with pytest.raises(PermissionDenied), snapshot() as session:
        editing.notes_to_edit(session, person(Role.VIEWER), number)
