"""Signing in through a provider: the honest way works, each fault is refused, and nothing is linked by e-mail."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from config import settings as configuration
from database.engine import snapshot, transaction
from database.types import now
from models import EmailLog, LinkedIdentity, LoginHistory, SessionLog, SystemLog, User
from models.permissions import Role
from services import accounts, deletion, identities
from services import people as services_of_people
from services.actor import SYSTEM
from tests.support import oidc_provider, people
from tests.support.oidc_provider import CLIENT, SECRET, Provider
from web import oidc
from web.identity import cookie_name

FIRST = "first-person"


@pytest.fixture(scope="module")
def server_of_provider() -> Iterator[Provider]:
    with oidc_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(server_of_provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    server_of_provider.begin()
    for name, value in {
        "PFD_OIDC_ISSUER": server_of_provider.issuer,
        "PFD_OIDC_CLIENT_ID": CLIENT,
        "PFD_OIDC_CLIENT_SECRET": SECRET,
        "PFD_OIDC_NAME": "Example Works",
        "PFD_OIDC_ROLES": "engineers=operator, leads=admin, owners=super_admin",
    }.items():
        monkeypatch.setenv(name, value)
    configuration.settings.cache_clear()
    oidc._client.cache_clear()
    yield server_of_provider
    monkeypatch.undo()
    configuration.settings.cache_clear()
    oidc._client.cache_clear()


@pytest.fixture
def browser(dash_app: Any, database: Engine, provider: Provider) -> Any:
    people.person(Role.VIEWER, FIRST)  # before there is anybody nobody comes in this way
    return dash_app.server.test_client()


def journey(browser: Any, provider: Provider, start: str = "/login/oidc", **brought: Any) -> Any:
    """Off to the provider and back, with what the browser brings changed if a test says so."""
    went = browser.get(start)
    assert went.status_code == 302, went.text
    answer = {**provider.authorize(went.location), **brought}
    return browser.get("/login/oidc/callback", query_string={k: v for k, v in answer.items() if v is not None})


def is_in(browser: Any) -> bool:
    return browser.get("/experiments", headers={"Accept": "text/html"}).status_code == 200


def users() -> list[tuple[str, str, str]]:
    with snapshot() as session:
        found = session.execute(select(User.username, User.email, User.role).order_by(User.id)).all()
    return [tuple(row) for row in found if row.username != FIRST]


def delete_grace() -> list[tuple[str, str, str]]:
    """Let an admin delete the account that the provider has made; returns who is there then."""
    with transaction() as session:
        grace = session.scalars(select(User.id).where(User.username == "grace.hopper")).one()
        deletion.delete(session, SYSTEM, grace)
    return users()


def attempts() -> list[tuple[str, bool]]:
    with snapshot() as session:
        return [tuple(row) for row in session.execute(select(LoginHistory.login_method, LoginHistory.success))]


class TestHonest:
    def test_the_first_visit_makes_an_account_with_the_role_of_the_group(
        self, browser: Any, provider: Provider
    ) -> None:
        answer = journey(browser, provider, "/login/oidc?next=/compare")
        assert (answer.status_code, answer.location) == (302, "/compare")
        assert is_in(browser)
        assert users() == [("grace.hopper", "grace@example.org", "operator")]
        assert attempts() == [("oidc", True)]

    def test_the_second_visit_finds_it_also_under_another_name_and_address(
        self, browser: Any, provider: Provider, dash_app: Any
    ) -> None:
        journey(browser, provider)
        provider.person |= {"email": "other@example.org", "preferred_username": "other"}
        assert journey(dash_app.server.test_client(), provider).status_code == 302
        assert [name for name, _, _ in users()] == ["grace.hopper"]

    def test_nobody_can_sign_in_to_it_with_a_password(self, browser: Any, provider: Provider) -> None:
        journey(browser, provider)
        with snapshot() as session:
            assert (
                session.scalars(select(User.password_hash).where(User.username != FIRST)).one()
                == identities.NO_PASSWORD
            )

    def test_another_group_is_another_role_and_ends_what_was_open(
        self, browser: Any, provider: Provider, dash_app: Any
    ) -> None:
        journey(browser, provider)
        provider.person["groups"] = ["leads", "engineers"]
        journey(dash_app.server.test_client(), provider)
        assert users()[0][2] == "admin"
        assert not is_in(browser)
        with snapshot() as session:
            assert "user.set_role" in session.scalars(select(SystemLog.action)).all()

    def test_the_last_super_admin_stays_one_whatever_the_groups_say(
        self, browser: Any, provider: Provider, dash_app: Any
    ) -> None:
        provider.person["groups"] = ["owners"]
        journey(browser, provider)
        provider.person["groups"] = ["engineers"]
        journey(dash_app.server.test_client(), provider)
        assert users()[0][2] == "super_admin"

    def test_the_sign_in_page_offers_it_by_its_name(self, browser: Any, provider: Provider) -> None:
        assert "Sign in with Example Works" in browser.get("/login").text

    def test_pkce_and_a_fresh_state_and_nonce_are_sent(self, browser: Any, provider: Provider) -> None:
        first, second = browser.get("/login/oidc").location, browser.get("/login/oidc").location
        assert "code_challenge_method=S256" in first
        for name in ("state", "nonce", "code_challenge"):
            values = {part for url in (first, second) for part in url.split("&") if part.startswith(f"{name}=")}
            assert len(values) == 2


FAULTS: dict[str, Callable[[Provider, dict[str, Any]], None]] = {
    "another issuer": lambda provider, claims: claims.update(iss="https://elsewhere.example.org"),
    "another audience": lambda provider, claims: claims.update(aud="another-client"),
    "a second audience": lambda provider, claims: claims.update(aud=[CLIENT, "another-client"], azp=CLIENT),
    "no audience": lambda provider, claims: claims.pop("aud"),
    "expired": lambda provider, claims: claims.update(exp=int(time.time()) - 600, iat=int(time.time()) - 900),
    "no end": lambda provider, claims: claims.pop("exp"),
    "issued in the future": lambda provider, claims: claims.update(iat=int(time.time()) + 3600),
    "another nonce": lambda provider, claims: claims.update(nonce="another"),
    "no nonce": lambda provider, claims: claims.pop("nonce"),
    "no subject": lambda provider, claims: claims.pop("sub"),
    "a subject that is no text": lambda provider, claims: claims.update(sub={"id": 1}),
}


class TestFaults:
    """Each is refused, makes no account and opens nothing."""

    def refused(self, browser: Any, answer: Any) -> None:
        assert answer.status_code in {400, 401, 403}, answer.text
        assert not is_in(browser)
        assert users() == []

    @pytest.mark.parametrize("fault", FAULTS)
    def test_wrong_claims(self, browser: Any, provider: Provider, fault: str) -> None:
        provider.change = lambda claims: FAULTS[fault](provider, claims)
        self.refused(browser, journey(browser, provider))
        assert attempts() == [("oidc", False)]

    @pytest.mark.parametrize("state", [None, "another", ""])
    def test_wrong_state(self, browser: Any, provider: Provider, state: str | None) -> None:
        self.refused(browser, journey(browser, provider, state=state))
        assert provider.asked_for_tokens == 0

    def test_the_state_of_another_browser(self, browser: Any, provider: Provider, dash_app: Any) -> None:
        stolen = provider.authorize(dash_app.server.test_client().get("/login/oidc").location)
        browser.get("/login/oidc")
        self.refused(browser, browser.get("/login/oidc/callback", query_string=stolen))

    def test_an_answer_that_was_used_before(self, browser: Any, provider: Provider) -> None:
        answer = provider.authorize(browser.get("/login/oidc").location)
        assert browser.get("/login/oidc/callback", query_string=answer).status_code == 302
        again = browser.get("/login/oidc/callback", query_string=answer)
        assert again.status_code == 400
        assert provider.asked_for_tokens == 1

    @pytest.mark.parametrize("forged", ["unsigned", "with_shared_secret"])
    def test_an_algorithm_that_proves_nothing(self, browser: Any, provider: Provider, forged: str) -> None:
        provider.sign = getattr(provider, forged)
        self.refused(browser, journey(browser, provider))

    def test_a_signature_of_another_key(self, browser: Any, provider: Provider) -> None:
        provider.sign = Provider().signed
        self.refused(browser, journey(browser, provider))

    def test_no_id_token(self, browser: Any, provider: Provider) -> None:
        provider.sign = lambda claims: ""
        self.refused(browser, journey(browser, provider))

    def test_a_flood_of_them_is_one_row(self, browser: Any, provider: Provider) -> None:
        for _ in range(5):
            self.refused(browser, journey(browser, provider, state="another"))
        assert attempts() == [("oidc", False)]

    def test_a_refusal_of_the_provider(self, browser: Any, provider: Provider) -> None:
        self.refused(browser, journey(browser, provider, code=None, error="access_denied"))

    def test_an_answer_that_names_another_issuer(self, browser: Any, provider: Provider) -> None:
        self.refused(browser, journey(browser, provider, iss="https://elsewhere.example.org"))

    def test_a_description_of_another_issuer(self, browser: Any, provider: Provider) -> None:
        provider.described = lambda told: told.update(issuer="https://elsewhere.example.org")
        assert browser.get("/login/oidc").status_code == 503

    def test_a_code_without_its_verifier(self, browser: Any, provider: Provider) -> None:
        went = browser.get("/login/oidc")
        answer = provider.authorize(went.location)
        provider.codes[answer["code"]]["code_challenge"] = "another"
        self.refused(browser, browser.get("/login/oidc/callback", query_string=answer))

    def test_a_provider_that_is_away(self, browser: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PFD_OIDC_ISSUER", "http://127.0.0.1:9")
        configuration.settings.cache_clear()
        assert browser.get("/login/oidc").status_code == 503


class TestAccounts:
    def test_before_the_set_up_nobody_comes_in_and_its_link_stays_open(
        self, dash_app: Any, database: Engine, provider: Provider
    ) -> None:
        with transaction() as session:
            link = accounts.new_setup_token(session)
        browser = dash_app.server.test_client()
        provider.person["groups"] = ["owners"]
        answer = journey(browser, provider)
        assert answer.status_code == 403
        assert "PFD is not set up yet" in answer.text
        assert users() == [] and not is_in(browser)
        with snapshot() as session:
            assert accounts.setup_is_open(session, link)

    def test_who_was_deleted_does_not_come_back_by_themselves(
        self, browser: Any, provider: Provider, dash_app: Any
    ) -> None:
        journey(browser, provider)
        before = delete_grace()
        answer = journey(dash_app.server.test_client(), provider)
        assert answer.status_code == 403
        assert "Your account here was deleted." in answer.text
        assert users() == before
        provider.person |= {"email": "other@example.org", "preferred_username": "other"}
        assert journey(dash_app.server.test_client(), provider).status_code == 403
        assert users() == before

    def test_who_was_deleted_and_is_invited_again_links_and_signs_in(
        self, browser: Any, provider: Provider, dash_app: Any
    ) -> None:
        journey(browser, provider)
        delete_grace()
        mine = people.client(dash_app.server, Role.VIEWER, "grace.hopper")
        went = mine.post("/login/oidc/link", data={"csrf_token": people.csrf_token(mine)})
        answer = mine.get("/login/oidc/callback", query_string=provider.authorize(went.location))
        assert answer.status_code == 302
        assert is_in(mine)
        again = dash_app.server.test_client()
        assert journey(again, provider).status_code == 302
        assert is_in(again)

    def test_an_address_that_is_taken_links_nothing(self, browser: Any, provider: Provider) -> None:
        people.person(Role.ADMIN, "grace")
        with transaction() as session:
            session.execute(update(User).where(User.username == "grace").values(email="grace@example.org"))
        answer = journey(browser, provider)
        assert answer.status_code == 403
        assert "already an account" in answer.text
        assert not is_in(browser)
        with snapshot() as session:
            assert session.scalars(select(LinkedIdentity)).all() == []

    def test_an_address_that_nobody_vouches_for_makes_no_account(self, browser: Any, provider: Provider) -> None:
        provider.person["email_verified"] = False
        assert journey(browser, provider).status_code == 403
        assert users() == []

    def test_without_a_group_that_has_a_role_nobody_comes_in(self, browser: Any, provider: Provider) -> None:
        provider.person["groups"] = ["sales"]
        assert "None of your groups" in journey(browser, provider).text
        assert users() == []

    @pytest.mark.parametrize("groups", ["engineers", {"engineers": 1}, None, [["engineers"]], 7])
    def test_groups_of_another_shape_are_none(self, browser: Any, provider: Provider, groups: Any) -> None:
        provider.person["groups"] = groups
        assert journey(browser, provider).status_code == 403

    def test_a_disabled_account_stays_shut(self, browser: Any, provider: Provider, dash_app: Any) -> None:
        journey(browser, provider)
        with transaction() as session:
            session.execute(update(User).values(is_active=False))
        other = dash_app.server.test_client()
        assert journey(other, provider).status_code == 403
        assert not is_in(other)

    def test_a_name_that_is_taken_gets_a_number(self, browser: Any, provider: Provider) -> None:
        people.person(Role.VIEWER, "grace.hopper")
        journey(browser, provider)
        assert "grace.hopper-2" in [name for name, _, _ in users()]

    def test_somebody_signed_in_links_an_account_and_takes_it_off_again(
        self, provider: Provider, dash_app: Any, database: Engine
    ) -> None:
        mine = people.client(dash_app.server, Role.VIEWER)
        token = people.csrf_token(mine)
        went = mine.post("/login/oidc/link", data={"csrf_token": token})
        answer = mine.get("/login/oidc/callback", query_string=provider.authorize(went.location))
        assert (answer.status_code, answer.location) == (302, "/account/security")
        other = dash_app.server.test_client()
        assert journey(other, provider).status_code == 302
        assert len(users()) == 1
        assert users()[0][2] == "operator"

    @pytest.mark.parametrize("grown_old", ["before it set out", "on the way"])
    def test_nothing_is_linked_without_a_fresh_factor(
        self, provider: Provider, dash_app: Any, sqlite: Engine, grown_old: str
    ) -> None:
        mine = people.client(dash_app.server, Role.VIEWER)
        token = people.csrf_token(mine)

        def grow_old() -> None:
            with transaction() as session:
                session.execute(update(SessionLog).values(authenticated_at=now() - timedelta(hours=1)))

        if grown_old == "before it set out":
            grow_old()
            answer = mine.post("/login/oidc/link", data={"csrf_token": token})
        else:
            went = mine.post("/login/oidc/link", data={"csrf_token": token})
            grow_old()
            answer = mine.get("/login/oidc/callback", query_string=provider.authorize(went.location))
        assert answer.status_code == 403
        with snapshot() as session:
            assert session.scalars(select(LinkedIdentity)).all() == []

    def test_who_has_signed_out_on_the_way_is_asked_to_sign_in(
        self, provider: Provider, dash_app: Any, sqlite: Engine
    ) -> None:
        mine = people.client(dash_app.server, Role.VIEWER)
        went = mine.post("/login/oidc/link", data={"csrf_token": people.csrf_token(mine)})
        answer = provider.authorize(went.location)
        mine.delete_cookie(cookie_name())
        headers = {"Accept": "application/json"}
        assert mine.get("/login/oidc/callback", query_string=answer, headers=headers).status_code == 401

    def test_a_link_without_the_token_of_a_form_is_refused(
        self, provider: Provider, dash_app: Any, database: Engine
    ) -> None:
        assert people.client(dash_app.server, Role.VIEWER).post("/login/oidc/link").status_code == 400

    def test_an_account_of_somebody_else_cannot_be_linked(
        self, browser: Any, provider: Provider, dash_app: Any
    ) -> None:
        journey(browser, provider)
        mine = people.client(dash_app.server, Role.VIEWER)
        went = mine.post("/login/oidc/link", data={"csrf_token": people.csrf_token(mine)})
        answer = mine.get("/login/oidc/callback", query_string=provider.authorize(went.location))
        assert answer.status_code == 403

    @pytest.mark.parametrize("left", ["signed out", "somebody else"])
    def test_a_link_that_somebody_else_set_out_for_is_not_made(
        self, provider: Provider, dash_app: Any, database: Engine, left: str
    ) -> None:
        """On a browser that two people share, the first would else sign in as the second from then on."""
        shared = people.client(dash_app.server, Role.VIEWER, "mallory")
        went = shared.post("/login/oidc/link", data={"csrf_token": people.csrf_token(shared)})
        answer = provider.authorize(went.location)
        shared.delete_cookie(cookie_name())
        if left == "somebody else":
            shared.set_cookie(cookie_name(), people.token_of(people.person(Role.ADMIN, "ada")))
        assert shared.get("/login/oidc/callback", query_string=answer).status_code in {302, 400, 401}
        with snapshot() as session:
            assert session.scalars(select(LinkedIdentity)).all() == []

    def test_owners_are_told_of_what_opens_their_account_and_of_another_role(
        self, provider: Provider, dash_app: Any, database: Engine
    ) -> None:
        vera = people.person(Role.VIEWER, "vera")
        mine = identities.Identity("https://i.example", "s", "v@example.net", "v", ("leads",))
        with transaction() as session:
            identities.link(session, vera, mine)
        with transaction() as session:
            identities.user_of(session, mine)
        with transaction() as session:
            identities.unlink(session, vera, session.scalars(select(LinkedIdentity.id)).one())
        with snapshot() as session:
            told = session.scalars(select(EmailLog.event_type).order_by(EmailLog.id)).all()
        assert told == ["security.identity_linked", "security.role_changed", "security.identity_unlinked"]

    def test_an_identity_whose_group_changes_while_people_are_changed_waits_and_does_not_fail(
        self, provider: Provider, database: Engine
    ) -> None:
        first, second = (people.person(Role.SUPER_ADMIN, name) for name in ("first", "second"))
        mine = identities.Identity("https://i.example", "s", "v@example.net", "v", ("owners",))
        with transaction() as session:
            identities.link(session, second, mine)

        def come_in() -> None:
            with transaction() as session:
                identities.user_of(session, replace(mine, groups=(random.choice(["owners", "leads"]),)))

        def end_sessions() -> None:
            with transaction() as session:
                services_of_people.end_sessions(session, first, second.user_id or 0)

        for _ in range(20):
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(come_in), pool.submit(end_sessions)]:
                    done.result()


def test_where_nothing_is_configured_there_is_no_such_way(dash_app: Any, sqlite: Engine) -> None:
    browser = dash_app.server.test_client()
    assert browser.get("/login/oidc").status_code == 404
    assert browser.get("/login/oidc/callback?code=1&state=2").status_code == 400
    assert "Sign in with" not in browser.get("/login").text


@pytest.mark.parametrize("text", ["engineers", "engineers=chief", "=viewer", "a=viewer,b"])
def test_a_wrong_mapping_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(identities.ConfigurationError, match="PFD_OIDC_ROLES"):
        identities.roles_by_group(text)


def test_the_highest_role_counts_and_everybody_else_gets_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PFD_OIDC_ROLES", "a=viewer, b=admin, *=viewer")
    configuration.settings.cache_clear()
    try:
        assert identities.role_for(["a", "b"]) is Role.ADMIN
        assert identities.role_for(["z"]) is Role.VIEWER
        assert identities.role_for(["*"]) is Role.VIEWER
    finally:
        monkeypatch.undo()
        configuration.settings.cache_clear()
