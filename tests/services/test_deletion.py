"""Deleting an account, whole or not at all, and asking for a new password: what goes, what stays, who is named how."""

import hashlib
import re
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from database.engine import snapshot, transaction
from database.types import now
from models import (
    APIKey,
    BackupCode,
    Base,
    Dataset,
    EmailLog,
    Experiment,
    LinkedIdentity,
    LoginHistory,
    NotificationPreference,
    OneTimeToken,
    Passkey,
    SavedSearch,
    SessionLog,
    SystemLog,
    User,
)
from models.permissions import Role
from services import accounts, audit, deletion, lock_outs, one_time_tokens, passwords, people, sessions, trail
from services.actor import SYSTEM, Actor
from services.api_keys import keys
from services.errors import Conflict, Invalid, NotFound
from services.experiments import details, listing
from services.experiments.conditions import Filter
from services.experiments.listing import ListQuery
from services.sessions import Visitor
from tests.support.people import PASSWORD, person, token_of

WHO = Visitor("127.0.0.1", "test")


def furnished(name: str = "vera") -> Actor:
    """Somebody who has one of everything."""
    actor = person(Role.OPERATOR, name)
    token_of(actor)
    number = actor.user_id or 0
    with transaction() as session:
        keys.create(session, actor, name="k", scopes=["view_experiments"])
        one_time_tokens.issue(session, "invitation", people.INVITATION_LASTS, number)
        session.add_all(
            [
                Passkey(user_id=number, name="p", credential_id=name, public_key=b"x"),
                BackupCode(user_id=number, code_hash=name),
                LinkedIdentity(user_id=number, issuer="https://i.example", subject=name, email="vera@example.org"),
                NotificationPreference(user_id=number, event_type="training.complete"),
                SavedSearch(user_id=number, name="s", query="q"),
                LoginHistory(user_id=number, success=True),
                EmailLog(user_id=number, recipient_email="vera@example.org", event_type="e", subject="s"),
                Experiment(name=f"of {name}", created_by=number),
                Dataset(name=f"of {name}", created_by=number),
            ]
        )
    return actor


def delete(target: Actor, actor: Actor = SYSTEM) -> str:
    with transaction() as session:
        return deletion.delete(session, actor, target.user_id or 0)


def counted(*tables: Any) -> list[int]:
    with snapshot() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


PERSONAL = (APIKey, SessionLog, Passkey, BackupCode, OneTimeToken, NotificationPreference, SavedSearch)


def subjects() -> list[str]:
    with snapshot() as session:
        return list(session.scalars(select(LinkedIdentity.subject).order_by(LinkedIdentity.id)))


class TestDeletion:
    def test_what_is_personal_goes_and_what_was_made_stays(self, database: Engine) -> None:
        vera = furnished()
        assert counted(*PERSONAL) == [1] * len(PERSONAL)
        assert delete(vera) == "vera"
        assert counted(*PERSONAL) == [0] * len(PERSONAL)
        with snapshot() as session:
            left = session.scalars(select(LinkedIdentity)).one()
        assert re.fullmatch("deleted [0-9a-f]{64}", left.subject)
        assert (left.email, left.last_used_at) == (None, None)
        assert counted(Experiment, Dataset, LoginHistory, User) == [1, 1, 1, 1]

    def test_of_the_row_nothing_personal_is_left(self, database: Engine) -> None:
        vera = furnished()
        with transaction() as session:
            session.get_one(User, vera.user_id).totp_secret = "encrypted"
        delete(vera)
        with snapshot() as session:
            user = session.scalars(select(User)).one()
            mails = session.scalars(select(EmailLog)).all()
        number = vera.user_id
        assert (user.username, user.email) == (f"deleted-{number}", f"deleted-{number}@invalid")
        assert (user.is_active, user.password_hash, user.totp_secret) == (False, people.NO_PASSWORD, None)
        assert user.deleted_at is not None
        assert len(mails) > 1
        assert {(mail.recipient_email, mail.event_data, mail.status) for mail in mails} == {
            (user.email, None, "failed")
        }

    def test_what_a_job_has_to_tell_them_is_told_nobody(self, database: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        delete(vera)
        with transaction() as session:
            lock_outs.tell(session, vera.user_id, {"address": "192.0.2.7"})
        assert counted(EmailLog) == [0]

    def test_nobody_elses_things_go(self, database: Engine) -> None:
        vera = furnished()
        furnished("olaf")
        delete(vera)
        assert counted(*PERSONAL) == [1] * len(PERSONAL)
        assert subjects()[1:] == ["olaf"]

    def test_somebody_who_is_deleted_twice_leaves_one_mark(self, database: Engine) -> None:
        for _ in range(2):
            vera = person(Role.OPERATOR, "vera")
            with transaction() as session:
                session.add(LinkedIdentity(user_id=vera.user_id, issuer="https://i.example", subject="vera"))
            delete(vera)
        assert len(subjects()) == 1

    def test_the_name_and_the_address_are_free_again(self, database: Engine) -> None:
        delete(furnished())
        with transaction() as session:
            people.invite(session, SYSTEM, username="vera", email="vera@example.org", role="viewer")

    def test_the_name_of_a_tombstone_is_taken_by_nobody(self, database: Engine) -> None:
        with pytest.raises(Invalid):
            accounts.check_names("deleted-7", "a@example.org")

    def test_who_was_deleted_is_not_there_for_any_act(self, database: Engine) -> None:
        vera = furnished()
        delete(vera)
        with snapshot() as session:
            assert people.page(session, SYSTEM)[0] == []
        for again in (deletion.delete, people.end_sessions, people.require_new_password, people.get):
            with pytest.raises(NotFound), transaction() as session:
                again(session, SYSTEM, vera.user_id)
        with pytest.raises(NotFound), transaction() as session:
            accounts.find(session, f"deleted-{vera.user_id}")

    def test_they_are_refused_at_the_next_request(self, database: Engine) -> None:
        vera = furnished()
        token = token_of(vera)
        delete(vera)
        with snapshot() as session:
            assert sessions.resolve(session, token) is None

    def test_the_last_super_admin_stays(self, database: Engine) -> None:
        owner = person(Role.SUPER_ADMIN)
        with pytest.raises(Conflict, match="last super admin"):
            delete(owner)

    def test_the_preview_counts_what_then_goes(self, database: Engine, count_queries: Any) -> None:
        vera = furnished()
        with snapshot() as session:
            found = deletion.preview(session, SYSTEM, vera.user_id or 0)
        assert found.stays == {"experiments": 1, "datasets": 1, "rows of the system log": 1, "sign-ins": 1}
        assert found.goes == {
            "API keys": 1,
            "sessions": 1,
            "passkeys": 1,
            "backup codes": 1,
            "linked accounts": 1,
            "one-time links": 1,
            "notification settings": 1,
            "saved searches": 1,
        }
        delete(vera)
        with snapshot() as session:
            row = session.scalars(select(SystemLog).where(SystemLog.action == "user.delete")).one()
        assert (row.details or {})["removed"] == found.goes

    def test_the_preview_counts_no_session_that_has_ended(self, database: Engine) -> None:
        vera = person(Role.OPERATOR, "vera")
        token_of(vera)
        with transaction() as session:
            people.end_sessions(session, SYSTEM, vera.user_id or 0)
            assert "sessions" not in deletion.preview(session, SYSTEM, vera.user_id or 0).goes

    def test_it_is_whole_or_nothing_at_whichever_statement_it_is_cut(self, database: Engine) -> None:
        vera = furnished()

        def state() -> str:
            with database.connect() as connection:
                rows = [connection.execute(select(table)).all() for table in Base.metadata.sorted_tables]
            return hashlib.sha256(repr(rows).encode()).hexdigest()

        class Killed(Exception):
            pass

        before, cut = state(), 0
        while True:
            cut += 1
            seen = 0

            def count(*_: Any, at: int = cut, **__: Any) -> None:
                nonlocal seen
                seen += 1
                if seen == at:
                    raise Killed

            event.listen(database, "before_cursor_execute", count)
            try:
                delete(vera)
                break
            except Killed:
                pass
            finally:
                event.remove(database, "before_cursor_execute", count)
            assert state() == before, cut
        assert cut > 12 and state() != before
        with snapshot() as session:
            assert trail.verify(session, SYSTEM).broken is None


class TestNames:
    def test_an_owner_who_was_deleted_is_named_so_wherever_they_are_shown(self, database: Engine) -> None:
        vera = furnished()
        delete(vera)
        with snapshot() as session:
            (row,) = listing.list_rows(session, SYSTEM, ListQuery()).rows
            assert row["owner"] == details.detail(session, SYSTEM, int(row["id"])).owner == "Deleted user"
            wanted = {
                "Deleted user": 1,
                "vera": 0,
                f"deleted-{vera.user_id}": 0,
            }
            for name, count in wanted.items():
                query = ListQuery(filters=(Filter("owner", "equals", name),))
                assert len(listing.list_rows(session, SYSTEM, query).rows) == count

    def test_the_trail_names_them_so_and_stays_unbroken(self, database: Engine) -> None:
        vera = furnished()
        with transaction() as session:
            audit.record(session, vera, "thing.do")
        delete(vera)
        with snapshot() as session:
            entries, _ = trail.page(session, SYSTEM, trail.wanted(action="thing.do"))
            assert [entry.user for entry in entries] == ["Deleted user"]
            assert trail.verify(session, SYSTEM).broken is None


class TestNewPassword:
    def sign_in(self, password: str = PASSWORD) -> tuple[sessions.Attempt, bool]:
        with transaction() as session:
            attempt = sessions.begin_sign_in(session, "vera", WHO)
        verified = passwords.verify(attempt.password_hash, password)
        with transaction() as session:
            return attempt, sessions.complete_sign_in(session, attempt, verified, None, WHO) is not None

    def test_the_old_one_opens_nothing_and_sessions_end(self, database: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        token = token_of(vera)
        assert self.sign_in()[1]
        with transaction() as session:
            assert people.require_new_password(session, SYSTEM, vera.user_id or 0) == 2
        attempt, is_in = self.sign_in()
        assert attempt.must_choose_anew and not is_in
        with snapshot() as session:
            assert sessions.resolve(session, token) is None
            assert session.scalars(select(LoginHistory.failure_reason).order_by(LoginHistory.id.desc())).first() == (
                "new password required"
            )

    def test_a_new_one_that_was_set_by_command_opens_again(self, database: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        with transaction() as session:
            people.require_new_password(session, SYSTEM, vera.user_id or 0)
            accounts.reset_password(session, SYSTEM, "vera", "quite another passphrase")
        assert self.sign_in("quite another passphrase")[1]

    def test_who_has_none_yet_is_invited_instead(self, database: Engine) -> None:
        with transaction() as session:
            people.invite(session, SYSTEM, username="ada", email="ada@example.org", role="viewer")
            number = session.scalars(select(User.id)).one()
        with pytest.raises(Conflict), transaction() as session:
            people.require_new_password(session, SYSTEM, number)

    def test_the_form_says_what_to_do_only_to_who_knows_the_password(
        self, dash_app: Any, sqlite: Engine, client_of: Any
    ) -> None:
        vera = person(Role.VIEWER, "vera")
        with transaction() as session:
            people.require_new_password(session, SYSTEM, vera.user_id or 0)
        visitor = client_of(None)
        csrf = visitor.get("/login").text.split('name="csrf_token" value="')[1].split('"')[0]
        answers = {
            given: visitor.post("/login", data={"csrf_token": csrf, "username": "vera", "password": given})
            for given in (PASSWORD, "wrong")
        }
        assert answers[PASSWORD].status_code == 403 and "has to be chosen anew" in answers[PASSWORD].text
        assert answers["wrong"].status_code == 401 and "has to be chosen anew" not in answers["wrong"].text
        assert not any(name.startswith("pfd_sid") for name in answers[PASSWORD].headers.getlist("Set-Cookie"))


def test_a_passkey_counts_as_a_second_factor_in_the_list(database: Engine) -> None:
    vera = person(Role.VIEWER, "vera")
    with transaction() as session:
        session.add(Passkey(user_id=vera.user_id, name="p", credential_id="c", public_key=b"x", last_used_at=now()))
    with snapshot() as session:
        assert [item.two_factor for item in people.page(session, SYSTEM)[0]] == [True]
