"""Who may do what: the words of permissions, the four roles, and the one table that joins them."""

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Role(StrEnum):
    """What a person is on this installation."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


class Permission(StrEnum):
    """One thing that somebody may do; the scopes of an API key are the same words."""

    MANAGE_OWN_ACCOUNT = "manage_own_account"

    VIEW_EXPERIMENTS = "view_experiments"
    VIEW_DATASETS = "view_datasets"
    VIEW_RESULTS = "view_results"
    VIEW_MODELS = "view_models"
    VIEW_XAI_EXPLANATIONS = "view_xai_explanations"

    CREATE_EXPERIMENTS = "create_experiments"
    RUN_EXPERIMENTS = "run_experiments"
    STOP_EXPERIMENTS = "stop_experiments"
    DELETE_OWN_EXPERIMENTS = "delete_own_experiments"
    UPLOAD_DATASETS = "upload_datasets"
    DELETE_OWN_DATASETS = "delete_own_datasets"
    EXPORT_RESULTS = "export_results"
    USE_XAI_DASHBOARD = "use_xai_dashboard"
    RUN_HPO_CAMPAIGNS = "run_hpo_campaigns"
    VIEW_HPO_RESULTS = "view_hpo_results"
    CREATE_MODEL_VERSIONS = "create_model_versions"

    MANAGE_USERS = "manage_users"
    MANAGE_API_KEYS = "manage_api_keys"
    VIEW_SYSTEM_HEALTH = "view_system_health"
    CONFIGURE_NOTIFICATIONS = "configure_notifications"
    DELETE_ANY_DATASET = "delete_any_dataset"
    DELETE_ANY_EXPERIMENT = "delete_any_experiment"
    VIEW_AUDIT_LOGS = "view_audit_logs"
    VIEW_API_METRICS = "view_api_metrics"
    MANAGE_MODEL_DEPLOYMENTS = "manage_model_deployments"
    MANAGE_DEMO = "manage_demo"

    SYSTEM_CONFIG = "system_config"
    DATABASE_ADMIN = "database_admin"
    SECURITY_SETTINGS = "security_settings"
    BACKUP_RESTORE = "backup_restore"
    DELETE_ALL = "delete_all"


_VIEWER = frozenset(
    {
        Permission.MANAGE_OWN_ACCOUNT,
        Permission.VIEW_EXPERIMENTS,
        Permission.VIEW_DATASETS,
        Permission.VIEW_RESULTS,
        Permission.VIEW_MODELS,
        Permission.VIEW_XAI_EXPLANATIONS,
    }
)
_OPERATOR = _VIEWER | {
    Permission.CREATE_EXPERIMENTS,
    Permission.RUN_EXPERIMENTS,
    Permission.STOP_EXPERIMENTS,
    Permission.DELETE_OWN_EXPERIMENTS,
    Permission.UPLOAD_DATASETS,
    Permission.DELETE_OWN_DATASETS,
    Permission.EXPORT_RESULTS,
    Permission.USE_XAI_DASHBOARD,
    Permission.RUN_HPO_CAMPAIGNS,
    Permission.VIEW_HPO_RESULTS,
    Permission.CREATE_MODEL_VERSIONS,
}
SUPER_ADMIN_ONLY = frozenset(
    {
        Permission.SYSTEM_CONFIG,
        Permission.DATABASE_ADMIN,
        Permission.SECURITY_SETTINGS,
        Permission.BACKUP_RESTORE,
        Permission.DELETE_ALL,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: frozenset(_OPERATOR),
    Role.ADMIN: frozenset(Permission) - SUPER_ADMIN_ONLY,
    Role.SUPER_ADMIN: frozenset(Permission),
}


class HasRole(Protocol):
    """Anything that carries a role: a user's row, or the current user."""

    @property
    def role(self) -> str: ...


class AuthenticationRequired(Exception):
    """Nobody is signed in: 401."""


class PermissionDenied(Exception):
    """Somebody is signed in, but may not do this: 403."""

    def __init__(self, needed: str) -> None:
        super().__init__(f"This needs the permission “{needed.replace('_', ' ')}”.")
        self.needed = needed


def permissions_of(role: str) -> frozenset[Permission]:
    """The permissions of a role; a word that is no role has none."""
    try:
        return ROLE_PERMISSIONS[Role(role)]
    except ValueError:
        return frozenset()


def has_permission(user: HasRole | None, permission: Permission) -> bool:
    """Whether this person may do this; nobody may do nothing."""
    return user is not None and permission in permissions_of(user.role)


_who: Callable[[], HasRole | None] = lambda: None  # noqa: E731 - replaced by the web part, which knows the request


def ask_for_the_user_with(source: Callable[[], HasRole | None]) -> None:
    """Name the function that tells who is asking; the decorators below use it."""
    global _who
    _who = source


def _guard(allowed: Callable[[HasRole], bool], needed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            user = _who()
            if user is None:
                raise AuthenticationRequired("Please sign in.")
            if not allowed(user):
                raise PermissionDenied(needed)
            return function(*args, **kwargs)

        marked: Any = guarded
        marked.needs = needed  # read by the start-up check that no route is undeclared
        return guarded

    return decorate


def require_permission(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function run only for somebody with this permission."""
    return _guard(lambda user: has_permission(user, permission), permission.value)


def require_role(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function run only for somebody with one of these roles."""
    return _guard(lambda user: user.role in roles, " or ".join(role.value for role in roles))


def require_sign_in(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run for anybody who is signed in."""
    return _guard(lambda _user: True, "signed in")(function)


admin_required = require_role(Role.ADMIN, Role.SUPER_ADMIN)
super_admin_required = require_role(Role.SUPER_ADMIN)
operator_required = require_role(Role.OPERATOR, Role.ADMIN, Role.SUPER_ADMIN)
