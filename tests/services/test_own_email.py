"""A new e-mail address, asked for with the password and confirmed from there; and the rest of the profile."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from database.engine import snapshot, transaction
from database.types import now
from models import OneTimeToken, SystemLog, User
from models.permissions import PermissionDenied, Role
from services import accounts, forgotten, one_time_tokens, own_email, own_password, people, profile, sessions
from services.actor import SYSTEM, Actor
from services.errors import Conflict, Invalid, NotFound, TooManyAttempts
from services.sessions import Visitor
from tests.support import mail
from tests.support.people import PASSWORD, client, dispatch, person, token_of
from tests.web.test_sign_in import token_in

HERE = Visitor("192.0.2.7", "curl/8.1")


def ask(actor: Actor, new: str = "vera@example.net", password: str = PASSWORD) -> None:
    address = own_email.check_new(f"{actor.username}@example.org", new)
    with transaction() as session:
        change = own_password.begin(session, actor, HERE)
    own_email.verify(change, password)
    with transaction() as session:
        own_email.ask(session, actor, HERE, change, address)


def link(taken: mail.Receiver) -> str:
    mail.run_waiting()
    found = re.search(r"(/confirm-email/[\w-]{43})", mail.text_of(taken.messages[-1]))
    assert found is not None
    return found[1]


def confirm(token: str, this: int | None = None) -> User:
    with transaction() as session:
        return own_email.confirm(session, token.rsplit("/", 1)[1], HERE, this=this)


def email_of(actor: Actor) -> str:
    with snapshot() as session:
        return session.scalars(select(User.email).where(User.id == actor.user_id)).one()


def change_password(session: Session, actor: Actor, _reset: str) -> None:
    change = own_password.Change(session.scalars(select(User.password_hash)).one())
    own_password.complete(session, actor, 0, HERE, change, "another hash")


def disable_for_a_while(session: Session, actor: Actor, _reset: str) -> None:
    for active in (False, True):
        people.set_active(session, SYSTEM, actor.user_id or 0, active)


SHUT_OUT: dict[str, Callable[[Session, Actor, str], Any]] = {
    "another password": change_password,
    "a password by a link": lambda session, _actor, reset: forgotten.complete(session, reset, "another hash", HERE),
    "a password by command": lambda session, actor, _: accounts.reset_password(
        session, SYSTEM, actor.username, "quite another passphrase"
    ),
    "a new password required": lambda session, actor, _: people.require_new_password(
        session, SYSTEM, actor.user_id or 0
    ),
    "disabled for a while": disable_for_a_while,
}


def other_sessions_end(actor: Actor) -> None:
    with transaction() as session:
        sessions.end_all(session, actor.user_id or 0, "ended by its owner")


class TestEndedMeanwhile:
    def test_a_session_that_ends_while_its_password_is_compared_has_no_link_sent(
        self, dash_app: Any, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vera = person(Role.VIEWER, "vera")
        visitor, compare = client(dash_app.server, Role.VIEWER, "vera"), own_email.verify

        def slowly(change: own_password.Change, password: str) -> None:
            compare(change, password)
            other_sessions_end(vera)

        monkeypatch.setattr(own_email, "verify", slowly)
        output = next(name for name in dash_app.callback_map if name.startswith("..profile-email-error.children"))
        given = {
            "profile-send.n_clicks": 1,
            "profile-email.value": "thief@example.net",
            "profile-current.value": PASSWORD,
        }
        told = dispatch(visitor, dash_app, output, **given)
        assert "no such open session" in told.text
        with snapshot() as session:
            assert session.scalars(select(OneTimeToken.payload)).all() == []


class TestAsking:
    def test_the_address_stays_until_the_link_is_opened_there(self, database: Engine, server: mail.Receiver) -> None:
        vera = person(Role.VIEWER, "vera")
        ask(vera)
        mail.run_waiting()
        assert [envelope.rcpt_tos for envelope in server.taken] == [["vera@example.net"]]
        assert email_of(vera) == "vera@example.org"
        with snapshot() as session:
            assert own_email.waiting(session, vera) == "vera@example.net"

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("email", {"new": "nonsense"}),
            ("email", {"new": "vera@example.org"}),
            ("email", {"new": "a@b.org\r\nBcc: c@d.org"}),
            ("current", {"password": "not the password at all"}),
        ],
    )
    def test_what_is_wrong_is_told_at_its_field(self, sqlite: Engine, field: str, given: dict[str, str]) -> None:
        with pytest.raises(Invalid) as refused:
            ask(person(Role.VIEWER, "vera"), **given)
        assert refused.value.field == field
        with snapshot() as session:
            assert session.scalars(select(OneTimeToken)).all() == []

    def test_the_address_that_waits_is_seen_by_its_owner_alone(self, sqlite: Engine) -> None:
        vera, nora = person(Role.VIEWER, "vera"), person(Role.VIEWER, "nora")
        with transaction() as session:
            one_time_tokens.issue(session, "email", own_email.LINK_LASTS, vera.user_id, "new@example.org")
        with snapshot() as session:
            assert [own_email.waiting(session, actor) for actor in (vera, nora)] == ["new@example.org", None]

    def test_guesses_at_the_password_are_slowed_down(self, sqlite: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        for _ in range(6):
            with pytest.raises(Invalid):
                ask(vera, password="a wrong passphrase")
        with pytest.raises(TooManyAttempts):
            ask(vera)

    def test_a_few_mails_a_day(self, sqlite: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        for place in range(own_email.MOST_A_DAY):
            ask(vera, f"vera{place}@example.net")
        with pytest.raises(Invalid, match="in a day"):
            ask(vera)

    def test_an_address_that_somebody_has_is_answered_like_any_other(self, sqlite: Engine) -> None:
        person(Role.VIEWER, "nora")
        ask(person(Role.VIEWER, "vera"), "nora@example.org")


class TestConfirming:
    def test_both_addresses_are_told_once_and_it_is_recorded(self, database: Engine, server: mail.Receiver) -> None:
        vera = person(Role.VIEWER, "vera")
        ask(vera)
        found = link(server)
        server.taken.clear()
        confirm(found)
        mail.run_waiting()
        assert email_of(vera) == "vera@example.net"
        assert sorted(envelope.rcpt_tos[0] for envelope in server.taken) == ["vera@example.net", "vera@example.org"]
        assert server.subjects() == ["Your e-mail address was changed"] * 2
        with snapshot() as session:
            actions = session.scalars(select(SystemLog.action).order_by(SystemLog.id)).all()
        assert actions == ["user.ask_for_email", "user.change_email"]

    def test_other_sessions_and_links_to_the_old_address_end(self, database: Engine, server: mail.Receiver) -> None:
        vera = person(Role.VIEWER, "vera")
        mine, other = token_of(vera), token_of(vera)
        with snapshot() as session:
            this = sessions.resolve(session, mine)
        with transaction() as session:
            reset = one_time_tokens.issue(session, "reset", timedelta(hours=1), vera.user_id)
        ask(vera)
        assert this is not None
        confirm(link(server), this.session_id)
        with snapshot() as session:
            assert sessions.resolve(session, mine) is not None
            assert sessions.resolve(session, other) is None
            assert forgotten.resetting(session, reset) is None

    @pytest.mark.parametrize("how", SHUT_OUT)
    def test_who_is_shut_out_does_not_come_back_by_an_address_that_waits(self, database: Engine, how: str) -> None:
        """Whoever held the account for a while has asked for their own address, and waits until it is given back."""
        vera = person(Role.VIEWER, "vera")
        with transaction() as session:
            token = one_time_tokens.issue(session, "email", own_email.LINK_LASTS, vera.user_id, "thief@example.net")
            reset = one_time_tokens.issue(session, "reset", forgotten.LINK_LASTS, vera.user_id)
        with transaction() as session:
            SHUT_OUT[how](session, vera, reset)
        with pytest.raises(NotFound):
            confirm(f"/confirm-email/{token}")
        with snapshot() as session:
            assert forgotten.resetting(session, reset) is None
        assert email_of(vera) == "vera@example.org"

    def test_a_link_works_once_and_for_a_day(self, sqlite: Engine, server: mail.Receiver) -> None:
        vera = person(Role.VIEWER, "vera")
        ask(vera)
        first = link(server)
        with snapshot() as session:
            lasts = session.scalars(select(OneTimeToken.expires_at)).one() - now()
        assert timedelta(hours=23) < lasts <= timedelta(hours=24)
        confirm(first)
        with pytest.raises(NotFound):
            confirm(first)
        with transaction() as session:
            session.execute(update(OneTimeToken).values(used_at=None, expires_at=now()))
        with pytest.raises(NotFound):
            confirm(first)

    def test_of_two_who_want_one_address_one_gets_it(self, database: Engine, server: mail.Receiver) -> None:
        people = [person(Role.VIEWER, name) for name in ("vera", "nora")]
        links = []
        for actor in people:
            ask(actor, "shared@example.net")
            links.append(link(server))

        def finish(found: str) -> bool:
            try:
                confirm(found)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(finish, links)) == [False, True]
        assert sorted(email_of(actor) == "shared@example.net" for actor in people) == [False, True]

    def test_opening_the_link_changes_nothing_and_the_owner_stays_signed_in(
        self, dash_app: Any, sqlite: Engine, server: mail.Receiver
    ) -> None:
        vera = person(Role.VIEWER, "vera")
        ask(vera)
        found = link(server)
        mine, other = (client(dash_app.server, Role.VIEWER, "vera") for _ in range(2))
        page = mine.get(found)
        assert page.status_code == 200 and email_of(vera) == "vera@example.org"
        assert mine.post(found).status_code == 400  # without the token of the form
        assert mine.post(found, data={"csrf_token": token_in(page)}).status_code == 200
        assert email_of(vera) == "vera@example.net"
        assert mine.get("/", headers={"Accept": "text/html"}).status_code == 200
        assert other.get("/", headers={"Accept": "text/html"}).status_code == 302
        assert mine.get(found).status_code == 404

    def test_somebody_else_who_is_signed_in_keeps_no_session_of_the_owner(
        self, dash_app: Any, sqlite: Engine, server: mail.Receiver
    ) -> None:
        ask(person(Role.VIEWER, "vera"))
        found = link(server)
        mine, stranger = client(dash_app.server, Role.VIEWER, "vera"), client(dash_app.server, Role.VIEWER, "nora")
        stranger.post(found, data={"csrf_token": token_in(stranger.get(found))})
        assert mine.get("/", headers={"Accept": "text/html"}).status_code == 302
        assert stranger.get("/", headers={"Accept": "text/html"}).status_code == 200


class TestProfile:
    def test_what_is_saved_is_read(self, database: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        with transaction() as session:
            profile.save(session, vera, display_name=" Vera N. ", time_zone="America/Argentina/Buenos_Aires")
            profile.choose_appearance(session, vera, theme="dark")
            profile.choose_appearance(session, vera, density="compact")
        with snapshot() as session:
            known = profile.read(session, vera)
        assert (known.name, known.time_zone) == ("Vera N.", "America/Argentina/Buenos_Aires")
        assert (known.theme, known.density) == ("dark", "compact")

    def test_what_is_left_empty_is_the_browsers_and_the_user_name(self, sqlite: Engine) -> None:
        vera = person(Role.VIEWER, "vera")
        with transaction() as session:
            profile.save(session, vera, display_name="", time_zone="")
            assert profile.read(session, vera) == profile.Profile("vera", "vera@example.org", None, None, None, None)
            assert profile.read(session, vera).name == "vera"

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("display_name", {"display_name": "x" * 101, "time_zone": ""}),
            ("display_name", {"display_name": "a\x00b", "time_zone": ""}),
            ("time_zone", {"display_name": "", "time_zone": "Mars/Olympus"}),
            ("time_zone", {"display_name": "", "time_zone": "../../etc/passwd"}),
        ],
    )
    def test_what_is_wrong_is_told_at_its_field(self, sqlite: Engine, field: str, given: dict[str, str]) -> None:
        vera = person(Role.VIEWER, "vera")
        with pytest.raises(Invalid) as refused, transaction() as session:
            profile.save(session, vera, **given)
        assert refused.value.field == field

    @pytest.mark.parametrize("given", [{"theme": "pink"}, {"density": 3}, {"theme": ["dark"]}])
    def test_an_appearance_that_does_not_exist_is_refused(self, sqlite: Engine, given: dict[str, Any]) -> None:
        vera = person(Role.VIEWER, "vera")
        with pytest.raises(Invalid), transaction() as session:
            profile.choose_appearance(session, vera, **given)

    def test_every_zone_of_iana_can_be_chosen(self) -> None:
        zones = profile.time_zones()
        assert {"UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham"} <= set(zones)
        assert len(zones) > 400 and not any(zone.startswith(("posix/", "right/")) for zone in zones)

    def test_without_the_permission_nothing_is_read_or_written(self, sqlite: Engine) -> None:
        nobody = Actor(person(Role.VIEWER, "vera").user_id, "x", "none", frozenset())
        with pytest.raises(PermissionDenied), snapshot() as session:
            profile.read(session, nobody)
        with pytest.raises(PermissionDenied), transaction() as session:
            profile.save(session, nobody, display_name="x", time_zone="")
