"""What somebody has decided about an event is theirs: another person neither reads nor changes it."""

from sqlalchemy import Engine

from database.engine import snapshot, transaction
from models import EventType
from models.permissions import Role
from services import notification_preferences as preferences
from tests.support.people import person


def test_each_person_decides_for_themselves(database: Engine) -> None:
    vera, nora = person(Role.VIEWER, "vera"), person(Role.VIEWER, "nora")
    event = EventType.ALL[0]
    with transaction() as session:
        preferences.decide(session, vera, event, email_enabled=True)
    with transaction() as session:
        preferences.decide(session, nora, event, slack_enabled=True)
    with snapshot() as session:
        hers, other = (preferences.of(session, actor)[0] for actor in (vera, nora))
    assert (hers.email_enabled, hers.slack_enabled) == (True, False)
    assert (other.email_enabled, other.slack_enabled) == (False, True)
