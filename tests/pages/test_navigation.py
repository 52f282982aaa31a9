"""The side bar and the account menu offer what a person may open, and nothing else."""

import re
from collections.abc import Callable
from typing import Any

import dash
import pytest
from sqlalchemy import Engine

from models.permissions import Role, permissions_of
from pages._frame import ACCOUNT, GROUPS

OFFERED = {path for _, entries in GROUPS for path, _, _ in entries} | {path for path, _, _ in ACCOUNT}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_offered_the_pages_that_it_may_open(
    client_of: Callable[[str | None], Any], sqlite: Engine, role: Role
) -> None:
    layout = client_of(role).get("/_dash-layout").text.replace(r"\u002f", "/")
    may = {page["path"] for page in dash.page_registry.values() if page["permission"] in permissions_of(role)}
    assert OFFERED & set(re.findall('"href":"([^"]+)"', layout)) == OFFERED & may
    assert ("/admin/users" in may) == (role in {Role.ADMIN, Role.SUPER_ADMIN})
