"""API keys of an account that may have been in other hands, or that lacks its second factor."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import APIKey, EmailLog, SystemLog, User
from models.permissions import Role
from services import forgotten, one_time_tokens, passwords, people, refusals
from services.actor import SYSTEM, Actor
from services.api_keys import keys, speaking
from services.second_factor import policy
from services.sessions import Visitor
from tests.support import mail
from tests.support.people import person

HERE = Visitor("192.0.2.7", "test")


def a_key(owner: Actor, name: str = "CI") -> str:
    with transaction() as session:
        return keys.create(session, owner, name=name, scopes=["view_experiments"])


def works(key: str) -> bool:
    with snapshot() as session:
        return speaking.speaker(session, key) is not None


def reset_by_link(owner: Actor) -> None:
    with transaction() as session:
        token = one_time_tokens.issue(session, "reset", timedelta(hours=1), owner.user_id)
    with transaction() as session:
        forgotten.complete(session, token, passwords.hash_password("another fine passphrase"), HERE)


def require_new_password(owner: Actor) -> None:
    with transaction() as session:
        people.require_new_password(session, SYSTEM, owner.user_id or 0)


def told(event: str) -> str:
    """What the one mail about it says of keys."""
    with snapshot() as session:
        data = session.scalars(select(EmailLog.event_data).where(EmailLog.event_type == f"security.{event}")).one()
    return str(data["facts"]["keys"])


class TestByLink:
    def test_keys_go_on_and_their_owner_is_told_which(self, database: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        key, ended = a_key(vera), a_key(vera, "ended")
        with transaction() as session:
            past = now() - timedelta(seconds=1)
            session.execute(update(APIKey).where(APIKey.name == "ended").values(expires_at=past))
        reset_by_link(vera)
        assert works(key)
        assert f"“CI” ({key.rsplit('_', 2)[0]})" in told("password_reset")
        assert "ended" not in told("password_reset") and ended not in told("password_reset")

    def test_who_has_none_is_told_so(self, sqlite: Engine) -> None:
        reset_by_link(person(Role.VIEWER, "vera"))
        assert told("password_reset") == "You have no API key that works."

    def test_of_many_a_few_are_named(self, sqlite: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        for number in range(8):
            a_key(vera, "x" * 90 + str(number))
        reset_by_link(vera)
        assert "and 3 more. Revoke" in told("password_reset")


class TestByAdmin:
    def test_every_key_ends_with_a_row_and_one_mail(self, database: Engine) -> None:
        vera, olaf = person(Role.VIEWER, "vera"), person(Role.VIEWER, "olaf")
        given, other = [a_key(vera), a_key(vera, "nightly")], a_key(olaf)
        require_new_password(vera)
        assert [works(key) for key in (*given, other)] == [False, False, True]
        assert "“CI”" in told("password_required") and "“nightly”" in told("password_required")
        with snapshot() as session:
            revoked = session.scalars(select(SystemLog).where(SystemLog.action == "api_key.revoke")).all()
            reasons = session.scalars(select(APIKey.revoked_reason).where(APIKey.user_id == vera.user_id)).all()
        assert [(row.details or {})["key"] for row in revoked] == [key.rsplit("_", 2)[0] for key in given]
        assert set(reasons) == {"a new password was required"}

    def test_the_mail_can_be_read(self, sqlite: Engine, server: mail.Receiver) -> None:
        vera = person(Role.VIEWER, "vera")
        a_key(vera)
        require_new_password(vera)
        mail.run_waiting()
        letter = next(one for one in server.messages if one["Subject"].endswith("Choose a new password"))
        assert "These API keys were revoked: “CI”" in " ".join(mail.text_of(letter).split())


class TestSecondFactor:
    @pytest.fixture
    def needed(self, database: Engine) -> None:
        with transaction() as session:
            policy.require_for(session, SYSTEM, [Role.VIEWER.value])

    def test_a_key_of_somebody_who_lacks_it_is_refused_until_they_have_one(self, needed: None) -> None:
        vera, olaf = person(Role.VIEWER, "vera"), person(Role.OPERATOR, "olaf")
        key, other = a_key(vera), a_key(olaf)
        with pytest.raises(speaking.SecondFactorMissing):
            works(key)
        assert works(other)
        with transaction() as session:
            session.execute(update(User).where(User.username == "vera").values(totp_enabled=True))
        assert works(key)

    def test_is_not_asked_for_a_key_that_does_not_work_anyway(self, needed: None) -> None:
        key = a_key(person(Role.VIEWER, "vera"))
        with transaction() as session:
            session.execute(update(APIKey).values(is_active=False))
        assert not works(key)

    def test_the_answer_says_what_to_do_and_is_a_row_of_the_log(
        self, dash_app: Any, needed: None, client_of: Any
    ) -> None:
        refusals.forget()
        key = a_key(person(Role.VIEWER, "vera"))
        answer = client_of(None).get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
        assert answer.json["code"] == "second_factor_required"
        assert "Set one up under Security" in answer.json["detail"]
        with snapshot() as session:
            row = session.scalars(select(SystemLog).where(SystemLog.status == "refused")).one()
        assert (row.action, (row.details or {})["key"]) == ("refused.key", key.rsplit("_", 2)[0])
        assert "second factor" in (row.error_message or "")
