"""Who may call what: every route and every callback, for every kind of visitor."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import dash
import pytest
from flask import Blueprint
from sqlalchemy import Engine, select, update

from database.engine import snapshot, transaction
from database.types import now
from models import APIKey, Base, Dataset, Experiment, SessionLog, Tag, User, WebhookConfiguration
from models.permissions import Permission, Role, has_permission, permissions_of
from services import audit, saved_searches, sessions
from services.actor import SYSTEM, Actor
from services.api_keys import keys
from services.sessions import Visitor
from tests.support.people import client, dispatch, person, token_of
from web import guard, seal
from web.guard import PUBLIC
from web.identity import cookie_name

CANARY, PRIVATE = "canary-7f3a9c", "nightingale-5d20e1"
MANAGERS = ("admin", "super_admin")  # who see whose keys and sessions there are
SIGNED_IN = ("viewer", "operator", "admin", "super_admin")
KEYS = ("key", "expired key", "revoked key")  # a key opens the API alone, and only as long as it works
OUTSIDE = ("nobody", "disabled", "ended", "idle", "expired", "forged", "second step", *KEYS)
PRINCIPALS = (*SIGNED_IN, *OUTSIDE)


def principal(server: Any, name: str) -> Any:
    """A client that is what its name says."""
    if name == "nobody":
        return client(server, None)
    if name == "forged":
        made = client(server, None)
        made.set_cookie(cookie_name(), "A" * 43)
        return made
    if name in SIGNED_IN:
        return client(server, name)
    actor = person(Role.SUPER_ADMIN, f"{name.replace(' ', '-')}-person")
    made = client(server, None)
    if name in KEYS:
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key_of(actor, name)}"
        return made
    made.set_cookie(cookie_name(), token_of(actor))
    with transaction() as session:
        mine = SessionLog.user_id == actor.user_id
        match name:
            case "disabled":
                session.execute(update(User).where(User.id == actor.user_id).values(is_active=False))
            case "ended":
                sessions.end_all(session, actor.user_id or 0, "test")
            case "idle":
                session.execute(update(SessionLog).where(mine).values(last_active=now() - timedelta(hours=2)))
            case "second step":
                session.execute(update(SessionLog).where(mine).values(second_factor_pending=True))
            case "expired":
                session.execute(update(SessionLog).where(mine).values(expires_at=now() - timedelta(seconds=1)))
    return made


def key_of(actor: Actor, name: str) -> str:
    """A key with every scope that a key can have."""
    with transaction() as session:
        text = keys.create(session, actor, name="k", scopes=[scope.value for scope in keys.scopes_for(actor)])
    with transaction() as session:
        if name == "expired key":
            session.execute(update(APIKey).values(expires_at=now() - timedelta(seconds=1)))
        if name == "revoked key":
            keys.revoke(session, actor, keys.keys_of(session, actor)[0].id)
    return text


def plant_canaries() -> None:
    """A word in what teams share, and another one in what somebody else's account holds."""
    other = person(Role.VIEWER, f"other-{PRIVATE}")
    with transaction() as session:
        session.add(Dataset(name=f"dataset {CANARY}"))
        session.add(Experiment(name=f"experiment {CANARY}", notes=CANARY, config={"x": CANARY}))
        session.add(Tag(name=CANARY, slug=CANARY))
        audit.record(session, SYSTEM, "canary.sing", word=PRIVATE)
        keys.create(session, other, name=f"key {PRIVATE}", scopes=["view_experiments"])
        saved_searches.create(session, other, name=f"search {PRIVATE}", query=PRIVATE)
        hook = f"https://{PRIVATE}.example.org/"
        session.add(
            WebhookConfiguration(user_id=other.user_id, name=PRIVATE, provider_type="webhook", webhook_url=hook)
        )
        user = session.get_one(User, other.user_id)
        here = Visitor("192.0.2.77", f"Mozilla {PRIVATE}")
        sessions.open_session(session, user, here)
        sessions.note(session, user.id, here, f"reason {PRIVATE}")


def state_of_tables(engine: Engine) -> dict[str, str]:
    """A digest of each table, without those that only record what was tried."""
    skipped = {"session_logs", "login_history", "throttles", "system_logs"}
    digests = {}
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in skipped:
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
                digests[table.name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return digests


def allowed(name: str, permission: Permission | None) -> bool:
    if name not in SIGNED_IN:
        return False
    return permission is None or permission in permissions_of(name)


class TestRoutes:
    def test_each_says_who_may_call_it(self, dash_app: Any) -> None:
        table = guard.declared(dash_app.server)
        assert set(table) == {rule.endpoint for rule in dash_app.server.url_map.iter_rules()}

    def test_an_undeclared_one_keeps_the_app_from_starting(self, data_dir: Any) -> None:
        from web.server import create_server

        server = create_server()
        blueprint = Blueprint("careless", __name__)
        blueprint.get("/careless")(lambda: "hello")
        server.register_blueprint(blueprint)
        with pytest.raises(guard.Undeclared, match="careless"):
            guard.declared(server)

    def test_a_page_without_a_permission_keeps_it_from_starting(
        self, dash_app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seal.refuse_undeclared(dash_app)
        monkeypatch.setitem(dash.page_registry, "careless", {"path": "/careless"})
        with pytest.raises(guard.Undeclared, match="/careless"):
            seal.refuse_undeclared(dash_app)

    def test_a_callback_that_is_a_route_of_its_own_keeps_it_from_starting(
        self, dash_app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(dash_app.callback_api_paths, "/api/careless", lambda: None)
        with pytest.raises(guard.Undeclared, match="api_endpoint"):
            seal.refuse_undeclared(dash_app)

    @pytest.mark.parametrize("name", OUTSIDE)
    def test_outsiders_get_public_ones_only_and_no_canary(self, dash_app: Any, sqlite: Engine, name: str) -> None:
        plant_canaries()
        server = dash_app.server
        visitor = principal(server, name)
        before = state_of_tables(sqlite)
        for rule in server.url_map.iter_rules():
            needs = guard.declared(server)[rule.endpoint]
            if needs == PUBLIC or (needs in {guard.API_KEY, guard.KEY_OR_SESSION} and name == "key"):
                continue
            path = re.sub("<[^>]+>", "1", rule.rule.replace("<path:path>", "experiments/1"))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                answer = visitor.open(path, method=method, json={} if method == "POST" else None)
                refused = {404} if needs == guard.SCRAPER else {302, 401}  # no token is set: nothing is there
                assert answer.status_code in refused, (method, path, answer.status_code)
                assert CANARY not in answer.text and PRIVATE not in answer.text
        assert state_of_tables(sqlite) == before

    def test_dash_offers_no_further_doors(self, dash_app: Any) -> None:
        rules = {rule.rule for rule in dash_app.server.url_map.iter_rules()}
        assert not [rule for rule in rules if "mcp" in rule or "alive" in rule]

    @pytest.mark.parametrize("name", OUTSIDE)
    @pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies", "/_reload-hash"])
    def test_dash_tells_outsiders_nothing(self, dash_app: Any, sqlite: Engine, name: str, path: str) -> None:
        answer = principal(dash_app.server, name).get(path)
        assert answer.status_code == 401
        assert b"experiments" not in answer.data


class TestCallbacks:
    def test_each_has_a_permission(self, dash_app: Any) -> None:
        needs = seal.callback_needs(dash_app)
        server_side = {output for output, spec in dash_app.callback_map.items() if spec.get("callback")}
        assert set(needs) == server_side
        unguarded = [output for output, need in needs.items() if need is None]
        assert unguarded == [".._pages_content.children..._pages_store.data.."]

    @pytest.mark.parametrize("name", PRINCIPALS)
    def test_answers_only_those_who_may(self, dash_app: Any, sqlite: Engine, name: str) -> None:
        plant_canaries()
        visitor = principal(dash_app.server, name)
        before, seen = state_of_tables(sqlite), False
        for output, permission in seal.callback_needs(dash_app).items():
            answer = dispatch(visitor, dash_app, output, **{"_pages_location.pathname": "/experiments"})
            seen |= PRIVATE in answer.text
            if allowed(name, permission):
                assert answer.status_code < 500 and answer.status_code not in {401, 403}, (output, answer.text)
                continue
            assert answer.status_code == (403 if name in SIGNED_IN else 401), output
            assert CANARY not in answer.text
        assert seen == (name in MANAGERS)
        if name not in SIGNED_IN:
            assert state_of_tables(sqlite) == before

    @pytest.mark.parametrize(
        "path", ["/", "/experiments", "/experiments/1", "/compare", "//experiments", "/experiments/"]
    )
    def test_outsiders_get_no_layout_by_any_spelling_of_a_path(self, dash_app: Any, sqlite: Engine, path: str) -> None:
        plant_canaries()
        router = next(output for output, need in seal.callback_needs(dash_app).items() if need is None)
        for name in OUTSIDE:
            answer = dispatch(principal(dash_app.server, name), dash_app, router, **{"_pages_location.pathname": path})
            assert answer.status_code == 401
            assert CANARY not in answer.text

    @pytest.mark.parametrize("name", PRINCIPALS)
    def test_every_page_in_every_spelling_is_for_those_who_may(self, dash_app: Any, sqlite: Engine, name: str) -> None:
        plant_canaries()
        router = next(output for output, need in seal.callback_needs(dash_app).items() if need is None)
        visitor = principal(dash_app.server, name)
        for page in dash.page_registry.values():
            path = page["path"] if page.get("path_template") is None else re.sub("<[^>]+>", "1", page["path_template"])
            may = allowed(name, page["permission"])
            for spelling in (path, f"{path}/", f"/{path}", path.upper(), f"{path}?x=1", path.replace("/", "/./", 1)):
                answer = dispatch(visitor, dash_app, router, **{"_pages_location.pathname": spelling})
                assert name in MANAGERS or PRIVATE not in answer.text, spelling
                if name in SIGNED_IN:
                    assert answer.status_code == 200, (spelling, answer.text)
                    assert may or CANARY not in answer.text, spelling
                    if spelling == path:
                        assert may == ("Not allowed" not in answer.text), spelling
                else:
                    assert answer.status_code == 401, spelling
                    assert CANARY not in answer.text

    def test_a_role_without_permission_gets_a_page_that_says_so(
        self, dash_app: Any, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plant_canaries()
        monkeypatch.setitem(
            __import__("models.permissions", fromlist=["ROLE_PERMISSIONS"]).ROLE_PERMISSIONS, Role.VIEWER, frozenset()
        )
        router = next(output for output, need in seal.callback_needs(dash_app).items() if need is None)
        visitor = principal(dash_app.server, "viewer")
        for path in ("/", "/experiments", "/experiments/1"):
            answer = dispatch(visitor, dash_app, router, **{"_pages_location.pathname": path})
            assert "Not allowed" in answer.text
            assert CANARY not in answer.text
        assert visitor.get("/experiments", headers={"Accept": "text/html"}).status_code == 403


class TestRoles:
    def test_an_unknown_role_may_do_nothing(self) -> None:
        assert permissions_of("owner") == frozenset()

    def test_nobody_may_do_nothing(self) -> None:
        assert not has_permission(None, Permission.VIEW_EXPERIMENTS)

    @pytest.mark.parametrize(("lower", "higher"), list(zip(Role, list(Role)[1:], strict=False)))
    def test_each_role_may_do_what_the_one_below_may(self, lower: Role, higher: Role) -> None:
        assert permissions_of(lower) < permissions_of(higher)

    def test_a_changed_role_counts_from_the_next_request_on(self, dash_app: Any, sqlite: Engine) -> None:
        visitor = principal(dash_app.server, "admin")
        output = next(
            output for output, need in seal.callback_needs(dash_app).items() if need == Permission.MANAGE_DEMO
        )
        assert dispatch(visitor, dash_app, output).status_code != 403
        with transaction() as session:
            session.execute(update(User).values(role="viewer"))
        assert dispatch(visitor, dash_app, output).status_code == 403


def test_the_session_cookie_alone_never_stands_in_the_database(sqlite: Engine) -> None:
    token = token_of(person("viewer"))
    with snapshot() as session:
        stored = session.scalars(select(SessionLog.session_token)).all()
    assert token not in stored
    assert stored == [hashlib.sha256(token.encode()).hexdigest()]
