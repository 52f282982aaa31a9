"""An admin takes a lost second factor off somebody's account."""

import pytest
from sqlalchemy import Engine, func, select

from database.engine import snapshot, transaction
from models import BackupCode, EmailLog, Passkey, SessionLog, SystemLog, User
from models.permissions import PermissionDenied
from services import sessions
from services.errors import Conflict, Forbidden, NotFound
from services.second_factor import enrolment
from services.second_factor.backup_codes import FreshCodes
from services.second_factor.reset import reset
from services.sessions import SignedIn, Visitor
from tests.support.people import person, token_of
from tests.support.second_factor import give_app, signed_in

HERE = Visitor("127.0.0.1", "test")


def protected(role: str = "viewer", name: str = "vera") -> int:
    """Somebody with an app, a passkey, a backup code and an open session."""
    actor = person(role, name)
    token_of(actor)
    assert actor.user_id is not None
    with transaction() as session:
        user = session.get_one(User, actor.user_id)
        user.totp_secret, user.totp_enabled, user.totp_last_step = "stored", True, 7
        session.add(Passkey(user_id=user.id, name="laptop", credential_id="abc", public_key=b"x"))
        session.add(BackupCode(user_id=user.id, code_hash="h"))
    return actor.user_id


def test_nothing_of_it_is_left_and_the_sessions_end(database: Engine) -> None:
    number = protected()
    with transaction() as session:
        reset(session, person("admin"), number)
    with snapshot() as session:
        user = session.get_one(User, number)
        assert (user.totp_enabled, user.totp_secret, user.totp_last_step) == (False, None, None)
        assert session.scalar(select(func.count()).select_from(Passkey)) == 0
        assert session.scalar(select(func.count()).select_from(BackupCode)) == 0
        assert session.scalars(select(SessionLog.is_active).where(SessionLog.user_id == number)).all() == [False]


def test_its_owner_is_told_and_the_act_is_recorded(sqlite: Engine) -> None:
    number = protected()
    with transaction() as session:
        reset(session, person("admin"), number)
    with snapshot() as session:
        assert session.scalars(select(EmailLog.event_type)).all() == ["security.second_factor_reset"]
        record = session.scalars(select(SystemLog).where(SystemLog.action == "user.reset_second_factor")).one()
        assert record.details["user"] == "vera"


def test_an_admin_does_not_touch_a_super_admin(sqlite: Engine) -> None:
    number = protected("super_admin")
    with pytest.raises(Forbidden), transaction() as session:
        reset(session, person("admin"), number)
    with snapshot() as session:
        assert session.get_one(User, number).totp_enabled


def test_a_super_admin_resets_a_super_admin(sqlite: Engine) -> None:
    number = protected("super_admin")
    with transaction() as session:
        reset(session, person("super_admin", "olga"), number)
    with snapshot() as session:
        assert not session.get_one(User, number).totp_enabled


def test_nobody_resets_their_own(sqlite: Engine) -> None:
    admin = person("admin")
    with pytest.raises(Conflict), transaction() as session:
        reset(session, admin, admin.user_id or 0)


def test_others_may_not_and_an_unknown_account_is_not_found(sqlite: Engine) -> None:
    number = protected()
    with pytest.raises(PermissionDenied), transaction() as session:
        reset(session, person("operator"), number)
    with pytest.raises(NotFound), transaction() as session:
        reset(session, person("admin"), 4711)


class TestEndedMeanwhile:
    """Codes take seconds to hash; whose session has ended by then changes nothing any more."""

    def begun(self) -> SignedIn:
        vera = signed_in()
        give_app(vera.actor)
        with transaction() as session:
            sessions.end_all(session, vera.actor.user_id or 0, "ended by its owner")
        return vera

    def test_a_session_gets_no_new_backup_codes(self, database: Engine) -> None:
        vera = self.begun()
        with pytest.raises(NotFound), transaction() as session:
            enrolment.renew_codes(session, vera, FreshCodes((), ()), HERE)

    def test_a_session_takes_no_app_off(self, database: Engine) -> None:
        vera = self.begun()
        with pytest.raises(NotFound), transaction() as session:
            enrolment.remove_app(session, vera, HERE)
        with snapshot() as session:
            assert session.scalars(select(User.totp_enabled).where(User.id == vera.actor.user_id)).one()
