"""Who needs a second factor and has none is led to its set-up, and nothing else opens."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from config.settings import settings
from database.engine import snapshot, transaction
from models import Passkey, SystemLog, User
from models.permissions import PermissionDenied
from services.errors import Conflict, Invalid
from services.second_factor import enrolment, policy
from services.sessions import Visitor
from tests.support.people import client, dispatch, person
from tests.support.second_factor import code_of, give_app, give_passkey, signed_in
from tests.web.test_permissions import CANARY, plant_canaries, state_of_tables
from web import guard, seal
from web.guard import PUBLIC

HERE = Visitor("127.0.0.1", "test")
BROWSER = {"Accept": "text/html"}


def require_for(*roles: str) -> None:
    with transaction() as session:
        policy.require_for(session, person("super_admin", "olga"), list(roles))


class TestPolicy:
    @pytest.mark.parametrize(
        ("address", "roles"),
        [
            (None, set()),
            ("http://localhost:8050", set()),
            ("http://127.0.0.9", set()),
            ("http://[::1]:8050", set()),
            ("https://pfd.example.org", {"admin", "super_admin"}),
            ("http://10.0.0.7:8050", {"admin", "super_admin"}),
            ("https://localhost.example.org", {"admin", "super_admin"}),
        ],
    )
    def test_without_a_decision_depends_on_who_reaches_the_address(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch, address: str | None, roles: set[str]
    ) -> None:
        monkeypatch.setattr(settings(), "public_url", address)
        with snapshot() as session:
            assert policy.required_roles(session) == roles

    def test_a_decision_counts_wherever_and_is_recorded(
        self, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings(), "public_url", "https://pfd.example.org")
        require_for("viewer")
        require_for()
        with snapshot() as session:
            assert policy.required_roles(session) == set()
            records = session.scalars(select(SystemLog).order_by(SystemLog.id)).all()
        assert records[-1].details["before"] == ["viewer"] and records[-1].details["after"] == []

    def test_only_a_super_admin_decides(self, sqlite: Engine) -> None:
        with pytest.raises(PermissionDenied), transaction() as session:
            policy.require_for(session, person("admin"), ["viewer"])

    def test_a_word_that_is_no_role_is_refused(self, sqlite: Engine) -> None:
        with pytest.raises(Invalid):
            require_for("owner")


class TestWhoHasNone:
    @pytest.fixture
    def visitor(self, dash_app: Any, sqlite: Engine) -> Any:
        plant_canaries()
        require_for("super_admin")
        return client(dash_app.server, "super_admin", "olga")

    @pytest.mark.parametrize("path", ["/", "/experiments", "/experiments/1", "/admin/users", "/nowhere"])
    def test_is_led_to_the_set_up_from_every_page(self, visitor: Any, path: str) -> None:
        answer = visitor.get(path, headers=BROWSER)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/account/security")

    def test_opens_the_page_of_the_set_up(self, visitor: Any, dash_app: Any) -> None:
        assert visitor.get("/account/security", headers=BROWSER).status_code == 200
        router = next(output for output, need in seal.callback_needs(dash_app).items() if need is None)
        answer = dispatch(visitor, dash_app, router, **{"_pages_location.pathname": "/account/security"})
        assert "Your role needs a second factor" in answer.text

    @pytest.mark.parametrize("path", ["/", "/experiments", "/experiments/1", "/admin/users", "//experiments"])
    def test_gets_no_other_layout(self, visitor: Any, dash_app: Any, path: str) -> None:
        router = next(output for output, need in seal.callback_needs(dash_app).items() if need is None)
        answer = dispatch(visitor, dash_app, router, **{"_pages_location.pathname": path})
        assert CANARY not in answer.text
        assert "Set up a second factor first" in answer.text

    def test_calls_no_route_and_no_callback_of_another_page(self, visitor: Any, dash_app: Any, sqlite: Engine) -> None:
        server, before = dash_app.server, state_of_tables(sqlite)
        open_ones = {
            *guard.ENROLMENT_ENDPOINTS,
            "sudo.ways", "sudo.ask_for_passkey", "sudo.confirm", "passkeys.offer", "passkeys.register",
        }  # fmt: skip
        for rule in server.url_map.iter_rules():
            if guard.declared(server)[rule.endpoint] == PUBLIC or rule.endpoint in open_ones:
                continue
            if guard.declared(server)[rule.endpoint] in {guard.API_KEY, guard.SCRAPER}:  # no session opens these
                continue
            path = re.sub("<[^>]+>", "1", rule.rule.replace("<path:path>", "experiments/1"))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                answer = visitor.open(path, method=method, json={} if method == "POST" else None)
                assert answer.status_code in {302, 403}, (method, path, answer.status_code)
        for output, need in seal.callback_needs(dash_app).items():
            answer = dispatch(visitor, dash_app, output)
            module = dash_app.callback_map[output]["callback"].__module__
            if need is not None and module not in {"pages.account_security", "pages._second_factor",
                                                   "pages._app_dialog", "pages._passkey_dialogs"}:  # fmt: skip
                assert answer.status_code == 403, output
        assert state_of_tables(sqlite) == before

    def test_goes_on_once_there_is_one(self, visitor: Any, dash_app: Any) -> None:
        give_app(person("super_admin", "olga"))
        assert visitor.get("/experiments", headers=BROWSER).status_code == 200

    def test_signs_out(self, visitor: Any) -> None:
        assert visitor.post("/logout").status_code == 400  # asks for its token, and for no second factor

    def test_of_another_role_is_not_asked(self, visitor: Any, client_of: Any) -> None:
        assert client_of("viewer").get("/experiments", headers=BROWSER).status_code == 200


class TestOwnFactors:
    def begun(self, who: Any) -> str:
        with transaction() as session:
            return enrolment.offer_app(session, who.actor)

    def test_an_app_counts_once_it_has_shown_a_code(self, database: Engine) -> None:
        vera = signed_in()
        seed = self.begun(vera)
        with snapshot() as session:
            assert not enrolment.holdings(session, vera.actor).any
        with pytest.raises(Invalid), transaction() as session:
            enrolment.confirm_app(session, vera, "000000" if code_of(seed) != "000000" else "111111", None, HERE)
        with transaction() as session:
            enrolment.confirm_app(session, vera, code_of(seed), None, HERE)
        with snapshot() as session:
            assert enrolment.holdings(session, vera.actor).app

    def test_the_code_of_the_set_up_does_not_sign_in(self, sqlite: Engine) -> None:
        from tests.services.test_second_factor_codes import give

        vera = signed_in()
        seed = self.begun(vera)
        code = code_of(seed)
        with transaction() as session:
            enrolment.confirm_app(session, vera, code, None, HERE)
        assert not give(vera.actor, code).right

    def test_the_one_in_use_stays_until_the_new_one_has_shown_a_code(self, sqlite: Engine) -> None:
        from tests.services.test_second_factor_codes import give

        vera = signed_in()
        seed = give_app(vera.actor)
        self.begun(vera)
        assert give(vera.actor, code_of(seed)).right

    def test_only_the_newest_offer_is_confirmed(self, sqlite: Engine) -> None:
        vera = signed_in()
        older = self.begun(vera)
        self.begun(vera)
        with pytest.raises(Invalid), transaction() as session:
            enrolment.confirm_app(session, vera, code_of(older), None, HERE)

    def test_the_last_one_of_a_role_that_needs_one_stays(self, database: Engine) -> None:
        vera = signed_in()
        give_app(vera.actor)
        require_for("viewer")
        with pytest.raises(Conflict), transaction() as session:
            enrolment.remove_app(session, vera, HERE)
        with snapshot() as session:
            assert session.scalar(select(User.totp_enabled).where(User.username == "vera"))

    def test_the_last_passkey_of_such_a_role_stays(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "public_url", "http://localhost:8050")
        vera = signed_in()
        give_passkey(vera)
        require_for("viewer")
        with pytest.raises(Conflict), transaction() as session:
            enrolment.remove_passkey(session, vera, 1, HERE)
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(Passkey)) == 1

    def test_nobody_without_one_makes_backup_codes(self, sqlite: Engine) -> None:
        from services.second_factor.backup_codes import FreshCodes

        vera = signed_in()
        with pytest.raises(Conflict), transaction() as session:
            enrolment.renew_codes(session, vera, FreshCodes((), ()), HERE)
