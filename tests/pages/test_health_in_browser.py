"""The state of the installation in Chromium: curves, queue, a failed job that is tried again."""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from database.engine import transaction
from database.types import now
from models import HealthSample, JobStatus
from services import job_queue
from tests.support.axe import serious_faults_in_each_look
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


def fill() -> None:
    moment = now()
    with transaction() as session:
        for place in range(50):
            session.add(
                HealthSample(
                    taken_at=moment - timedelta(hours=place),
                    cpu_percent=place,
                    memory_used=4,
                    memory_total=8,
                    disk_used=3,
                    disk_total=10,
                    jobs_waiting=0,
                    jobs_running=1,
                )
            )
        job = job_queue.enqueue(session, "demo.load")
        job.status, job.error_message, job.attempts = JobStatus.FAILED, "The disk is full.", 3
        session.info.pop("queued_jobs")


def asks_unseen(body: str) -> bool:
    return "health-queue" in body and '"id":"page-visible","property":"data","value":false' in body


def points(page: Page) -> int:
    read = "document.querySelector('#health-cpu .js-plotly-plot')?.calcdata?.[0].length"
    return int(page.evaluate(read) or 0)


def test_curves_are_drawn_over_a_day_and_a_week(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/health")
    page.wait_for_selector("#health-cpu .js-plotly-plot .scatterlayer path")
    wait_until(lambda: points(page) == 24)
    page.get_by_label("Time", exact=True).select_option("7 d")
    wait_until(lambda: points(page) == 50)


def test_a_failed_job_is_tried_again(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/health")
    expect(page.locator("#health-failed tbody tr")).to_contain_text("The disk is full.")
    page.get_by_title("Try job 1 again").click()
    expect(page.locator("#toast-region")).to_contain_text("Job 1 waits for a worker again.")
    expect(page.locator("#health-failed")).to_contain_text("No job has failed.")


def test_what_moves_is_asked_for_again_only_while_somebody_looks(
    visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["pages.admin_health"], "POLL_MILLISECONDS", 1500)
    fill()
    page = visit("/admin/health")
    expect(page.locator("#health-queue")).to_contain_text("none for later")
    page.evaluate("window.dash_clientside.set_props('page-visible', {data: false})")
    with page.expect_response(lambda it: asks_unseen(it.request.post_data or "")) as unseen:
        pass
    assert unseen.value.json()["response"] == {}
    with transaction() as session:
        job_queue.enqueue(session, "x").not_before = now() + timedelta(hours=1)
    page.evaluate("window.dash_clientside.set_props('page-visible', {data: true})")
    expect(page.locator("#health-queue")).to_contain_text("1 more for later")


def test_axe_finds_nothing_serious(visit: Callable[..., Page]) -> None:
    fill()
    page = visit("/admin/health", width=390, scheme="dark")
    page.wait_for_selector("#health-cpu .js-plotly-plot .scatterlayer path")
    assert serious_faults_in_each_look(page) == {}
