"""Each act of a service asks for its permission before it does anything, and refuses whoever has all others."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from database.engine import snapshot, transaction
from database.types import now
from models.experiment_group import ExperimentGroup
from models.logged_model import LoggedModel
from models.permissions import Permission, PermissionDenied, Role
from services import explanations
from services.actor import Actor
from services.errors import Forbidden
from services.sessions import SignedIn
from services.tracking import groups, history, models, runs
from tests.support.people import person

ROOT = Path(__file__).resolve().parents[2]
ACTS = {
    Permission.CONFIGURE_NOTIFICATIONS: """
        api_alerts.rules.create api_alerts.rules.held
        webhooks.visible_to
    """,
    Permission.VIEW_XAI_EXPLANATIONS: """
        explanations.visible_to
    """,
    Permission.USE_XAI_DASHBOARD: """
        explanations.create explanations.remove
    """,
    Permission.RUN_HPO_CAMPAIGNS: """
        hpo_campaigns.create hpo_campaigns.cancel nas_campaigns.create nas_campaigns.cancel
    """,
    Permission.VIEW_HPO_RESULTS: """
        hpo_campaigns.visible_to nas_campaigns.visible_to
    """,
    Permission.VIEW_DATASETS: """
        datasets.visible_to datasets.signal
    """,
    Permission.CREATE_EXPERIMENTS: """
        experiments.editing.add_tag experiments.editing.remove_tag experiments.editing.notes_to_edit
        experiments.changing.change experiments.reporting.begin experiments.editing.set_notes
        experiments.lifecycle.create imports.store.store tracking.groups.create
        tracking.groups._writable tracking.models.create tracking.runs.create
    """,
    Permission.DATABASE_ADMIN: """
        accounts.reset_password
    """,
    Permission.DELETE_OWN_EXPERIMENTS: """
        tracking.models.delete
    """,
    Permission.EXPORT_RESULTS: """
        experiments.exporting.list_as_csv
    """,
    Permission.MANAGE_API_KEYS: """
        key_list.visible_to key_list.revoke
    """,
    Permission.MANAGE_DEMO: """
        demo.remove
    """,
    Permission.MANAGE_OWN_ACCOUNT: """
        notification_preferences.of own_data.collect
        api_keys.keys.create identities.link identities.of identities.unlink own_password.begin profile.read
        profile._own second_factor.enrolment.holdings second_factor.enrolment.confirm_app
        second_factor.enrolment._own second_factor.passkeys.offer_registration second_factor.passkeys.register
        sudo.begin_password second_factor.enrolment.offer_app
        second_factor.enrolment.check_app second_factor.passkeys.of second_factor.passkeys.rename
        session_list.visible_to session_list.end_others sign_ins.visible_to
    """,
    Permission.MANAGE_USERS: """
        accounts.create accounts.set_role people.visible_to people.add_invited
    """,
    Permission.RUN_EXPERIMENTS: """
        experiments.reporting.target tracking.models.writable tracking.runs.target training.create
    """,
    Permission.SECURITY_SETTINGS: """
        second_factor.policy.require_for
    """,
    Permission.STOP_EXPERIMENTS: """
        experiments.lifecycle.cancel experiments.lifecycle.cancel_many
    """,
    Permission.VIEW_API_METRICS: """
        api_alerts.events.visible_to api_alerts.rules.visible_to api_alerts.rules.routes api_metrics.restarts.within
        api_requests.log.visible_to api_requests.log.page api_requests.log.routes api_requests.log.statuses
        api_requests.log.keys
        api_metrics.reading.cursor
    """,
    Permission.VIEW_AUDIT_LOGS: """
        trail.visible_to trail.actions trail.verify
    """,
    Permission.VIEW_EXPERIMENTS: """
        saved_searches.visible_to tag_list.page
        experiments.editing.tags_like tracking.group_search.find tracking.groups.get tracking.groups.by_name
        tracking.model_search.find tracking.models.get tracking.runs.number_of tracking.search.search
    """,
    Permission.VIEW_SYSTEM_HEALTH: """
        database_size.size failed_jobs.page health.queue health.about machine_courses.courses
    """,
}
TABLE = {f"services.{name}": permission for permission, names in ACTS.items() for name in names.split()}


def found_in_the_code() -> dict[str, Permission]:
    """Functions of the services that begin by asking for a permission."""
    found = {}
    for path in sorted((ROOT / "services").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for function in ast.parse(path.read_text()).body:
            if not isinstance(function, ast.FunctionDef):
                continue
            begins = function.body[1 if ast.get_docstring(function) else 0 :]
            said = [ast.unparse(one) for one in begins[:2] if ast.unparse(one) != "actor = signed_in.actor"]
            asked = re.fullmatch(r"actor\.require\(Permission\.(\w+)\)", said[0]) if said else None
            if asked:
                found[f"{module}.{function.name}"] = Permission[asked[1]]
    return found


def test_the_table_names_them_all() -> None:
    assert found_in_the_code() == TABLE


@pytest.mark.parametrize("name", TABLE)
def test_without_the_permission_it_is_refused_before_anything_is_read(name: str) -> None:
    module, _, function_name = name.rpartition(".")
    function = getattr(importlib.import_module(module), function_name)
    has_all_others = Actor(1, "somebody", "viewer", frozenset(Permission) - {TABLE[name]})
    named = [one for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD]
    somebody = {"actor": has_all_others, "signed_in": SignedIn(has_all_others, "", 1, now())}
    given: dict[str, Any] = {one.name: somebody.get(one.name) for one in named}
    with pytest.raises(PermissionDenied) as refused:
        function(**given)
    assert refused.value.needed == TABLE[name].value


def without(needed: Permission) -> Actor:
    return Actor(1, "somebody", "viewer", frozenset(Permission) - {needed, Permission.DELETE_ANY_EXPERIMENT})


def test_to_delete_a_group_of_ones_own_needs_the_permission_to_delete() -> None:
    with pytest.raises(PermissionDenied):
        groups._require_deleting(without(Permission.DELETE_OWN_EXPERIMENTS), ExperimentGroup(created_by=1))


def test_the_histories_of_several_runs_are_asked_for_with_the_permission_to_see_them(sqlite: Engine) -> None:
    with snapshot() as session, pytest.raises(PermissionDenied):
        history._several(session, without(Permission.VIEW_EXPERIMENTS), ["0" * 32], "loss")


def test_points_of_a_run_are_taken_with_the_permission_to_run_only() -> None:
    with pytest.raises(PermissionDenied):
        runs.logged_target(cast(Session, None), without(Permission.RUN_EXPERIMENTS), "f" * 32, {})


def test_an_explanation_is_kept_by_those_who_may_see_it_as_well() -> None:
    with pytest.raises(PermissionDenied):
        explanations.create(
            cast(Session, None),
            without(Permission.VIEW_XAI_EXPLANATIONS),
            experiment_id=1,
            signal_id="x",
            method="x",
            explanation_data={},
        )


def test_a_model_is_deleted_by_whose_it_is_and_by_admins(database: Engine) -> None:
    author, other, admin = person(Role.OPERATOR, "author"), person(Role.OPERATOR, "other"), person(Role.ADMIN)
    with transaction() as session:
        group = ExperimentGroup(name="g", created_by=author.user_id)
        session.add(group)
        session.flush()
        for name in ("m-1", "m-2"):
            session.add(
                LoggedModel(
                    model_id=name, group_id=group.id, name=name, status="READY", params={}, tags={},
                    created_by=author.user_id,
                )
            )  # fmt: skip
    with pytest.raises(Forbidden), transaction() as session:
        models.delete(session, other, "m-1")
    for actor, name in ((author, "m-1"), (admin, "m-2")):
        with transaction() as session:
            models.delete(session, actor, name)
    with snapshot() as session:
        assert session.scalars(select(LoggedModel.id).where(LoggedModel.deleted_at.is_(None))).all() == []
