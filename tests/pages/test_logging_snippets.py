"""The section of an experiment's page that says how to log to it: who gets a key, which one, and what is said."""

import shlex
import urllib.request
from collections.abc import Callable
from string import Template
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models import APIKey
from models.permissions import Permission, Role
from pages import _experiment_logging as logging
from services.api_keys import for_logging
from services.errors import Forbidden
from services.experiments import details, editing, lifecycle
from tests.support import experiments, tracking
from tests.support.axe import serious_faults_in_each_look
from tests.support.people import person
from tests.support.tracking import Tracking
from tests.support.waiting import wait_until


def words(number: int, role: Role = Role.OPERATOR) -> str:
    who = person(role)
    with snapshot() as session:
        return logging.words(details.detail(session, who, number), who)


def begun(**columns: Any) -> int:
    owner = person()
    with transaction() as session:
        return lifecycle.create(session, owner, **{"name": "run", "status": "running", "source": "api"} | columns).id


def test_the_key_may_what_logging_needs_and_an_admins_for_anothers_that_as_well(sqlite: Engine) -> None:
    number, people = begun(), [person(role) for role in (Role.OPERATOR, Role.ADMIN)]
    with transaction() as session:
        for who in people:
            for_logging.create(session, who, number)
    with snapshot() as session:
        first, second = session.scalars(select(APIKey.scopes).order_by(APIKey.id))
    assert first == ["view_experiments", "run_experiments"]
    assert second == [*first, "delete_any_experiment"]


def test_who_may_not_write_to_it_gets_none(sqlite: Engine) -> None:
    number, other = begun(), person(Role.OPERATOR, "somebody-else")
    assert for_logging.scopes(other, is_own=False) == ()
    with pytest.raises(Forbidden), transaction() as session:
        for_logging.create(session, other, number)


def test_a_viewer_is_offered_none(sqlite: Engine) -> None:
    assert for_logging.scopes(person(Role.VIEWER), is_own=True) == ()
    assert Permission.RUN_EXPERIMENTS not in person(Role.VIEWER).permissions


def test_the_section_says_what_logging_does_as_things_are(sqlite: Engine) -> None:
    number = begun()
    assert words(number).startswith("It runs")
    assert words(number, Role.VIEWER).startswith("operator-person and admins log to this")
    with transaction() as session:
        lifecycle.complete(session, number)
    assert words(number).startswith("It has ended: points are added")
    owner = person()
    with transaction() as session:
        editing.delete_experiments(session, owner, [number])
    assert words(number).startswith("It is deleted")
    assert words(experiments.running(), Role.ADMIN).startswith("No program reports this one")


def copied(page: Page) -> str:
    """The line on the clipboard, once it is there."""
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text if "curl" in text else ""


@pytest.mark.browser
def test_a_key_is_made_on_the_page_and_the_copied_line_draws_its_point(
    visit: Callable[..., Page], dash_app: Any
) -> None:
    api = Tracking(dash_app.server, tracking.key())
    api.run(api.group("bearings"), run_name="cnn")
    page = visit("/experiments/1", role=Role.OPERATOR, width=390, scheme="dark")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy for curl").click()
    line = wait_until(lambda: copied(page))
    page.get_by_role("button", name="Make a key…").click()
    expect(page.locator("#experiment-logging-dialog-body")).to_contain_text("view experiments and run experiments")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#experiment-logging-key .one-time-link").first.inner_text()
    expect(page.locator("#experiment-logging-key .one-time-link").last).to_have_text(f"export PFD_KEY={key}")
    _, address, *options = shlex.split(Template(line.replace("\\\n", "")).substitute(PFD_KEY=key))
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(text.split(": ", 1) for flag, text in given if flag == "-H")
    asked = urllib.request.Request(address, dict(given)["-d"].encode(), headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert orjson.loads(answer.read()) == {"received": 1, "stored": 1}
    page.evaluate("scrollTo(0, 0)")  # a chart out of sight is not drawn
    expect(page.locator('[data-panel-key="loss"] [data-chart-points]')).to_have_text("1 point")
    assert serious_faults_in_each_look(page) == {}
