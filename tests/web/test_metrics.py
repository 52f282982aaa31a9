"""Facts about /metrics: for who knows its token, exact over all processes, and never more than two thousand series."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, delete

from config import settings as configuration
from config.errors import ConfigurationError
from database.engine import transaction
from models import APIRequestLog
from services.api_metrics import counts
from services.api_requests.draining import Drain
from services.api_requests.journal import Journal
from tests.support import records, scale
from web import api_record

TOKEN = "prometheus-reads-this-one"


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PFD_METRICS_TOKEN", TOKEN)
    configuration.settings.cache_clear()
    records.forget()
    yield
    records.forget()
    monkeypatch.undo()
    configuration.settings.cache_clear()


def scraped(server: Flask) -> dict[tuple[str, ...], float]:
    """Each series and its value."""
    answer = server.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def record(endpoint: str, method: str, status: int, milliseconds: float = 3.0) -> dict[str, Any]:
    return {
        **dict.fromkeys(("ip_address", "user_agent", "error_message", "request_id", "key")),
        **dict.fromkeys(("request_payload_sample", "response_payload_sample")),
        **dict.fromkeys(("request_size_bytes", "response_size_bytes"), 1),
        "time": 1_770_000_000_000_000,
        "endpoint": endpoint,
        "method": method,
        "status_code": status,
        "response_time_ms": milliseconds,
    }


class TestWhoMayRead:
    def test_nobody_while_no_token_is_set(self, dash_app: Any, client_of: Any, sqlite: Engine) -> None:
        for role in (None, "super_admin"):
            answer = client_of(role).get("/metrics", headers={"Authorization": "Bearer "})
            assert answer.status_code == 404

    def test_who_knows_the_token(self, dash_app: Any, sqlite: Engine, client_of: Any, token: None) -> None:
        for given in (None, "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer ü"):
            headers = {} if given is None else {"Authorization": given}
            answer = client_of("super_admin").get("/metrics", headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), given
            assert "pfd_api" not in answer.text
        scraped(dash_app.server)

    def test_a_scraper_with_a_wrong_token_is_not_led_to_the_sign_in_form(
        self, dash_app: Any, sqlite: Engine, token: None
    ) -> None:
        headers = {"Authorization": "Bearer no", "Accept": "application/openmetrics-text;q=0.5,*/*;q=0.1"}
        assert dash_app.server.test_client().get("/metrics", headers=headers).status_code == 401

    def test_a_token_that_can_be_guessed_stops_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PFD_METRICS_TOKEN", "short")
        with pytest.raises(ConfigurationError, match="at least 24"):
            configuration.load()


class TestCounts:
    def test_are_those_of_the_traffic_of_all_processes(
        self, dash_app: Any, database: Engine, token: None, tmp_path: Path
    ) -> None:
        made = random.Random(3)
        routes = [f"/api/v1/things/{place}" for place in range(20)]
        kinds = [(route, method, status) for route in routes for method in ("GET", "POST") for status in (200, 404)]
        sent = [made.choice(kinds) for _ in range(scale.of("REQUESTS", 4000))]

        def work(part: list[tuple[str, str, int]]) -> None:
            journal = Journal(tmp_path)
            for place, kind in enumerate(part):
                journal.append(record(*kind))
                if place % 300 == 0:
                    Drain(tmp_path).run()
            journal.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, [sent[place::4] for place in range(4)]))
        Drain(tmp_path).run()
        found = scraped(dash_app.server)
        for route, method, status in kinds:
            expected = sum(kind == (route, method, status) for kind in sent)
            assert found["pfd_api_requests_total", method, route, f"{status // 100}xx"] == expected
        for method in ("GET", "POST"):
            expected = sum(kind[1] == method for kind in sent)
            assert found["pfd_api_request_duration_seconds_bucket", "+Inf", method] == expected
            assert found["pfd_api_request_duration_seconds_bucket", "0.005", method] == expected
            assert found["pfd_api_request_duration_seconds_sum", method] == pytest.approx(0.003 * expected)

    def test_never_fall_when_raw_rows_go(self, dash_app: Any, sqlite: Engine, token: None) -> None:
        dash_app.server.test_client().get("/api/v1/me")
        assert len(records.drained()) == 1
        before = scraped(dash_app.server)
        with transaction() as session:
            session.execute(delete(APIRequestLog))
        assert scraped(dash_app.server) == before
        assert before["pfd_api_requests_total", "GET", "/api/v1/me", "4xx"] == 1

    def test_are_of_routes_and_not_of_what_somebody_types(self, dash_app: Any, sqlite: Engine, token: None) -> None:
        client, made = dash_app.server.test_client(), random.Random(4)
        for _ in range(60):
            client.open(f"/api/{made.getrandbits(60):x}", method=made.choice(["GET", "PUT", "FROB", "BREW"]))
            client.open("/api/v1/me", method=made.choice(["PUT", "PATCH", "DELETE", "FROB"]))
        assert len(records.drained()) == 120
        names = [key for key in scraped(dash_app.server) if key[0] == "pfd_api_requests_total"]
        assert set(names) <= {
            ("pfd_api_requests_total", method, route, "4xx")
            for method in ("GET", "PUT", "_OTHER")
            for route in ("(unknown address)", "/api/v1/me")
        }

    def test_of_ever_more_routes_are_not_more_than_two_thousand_series(
        self, dash_app: Any, database: Engine, token: None
    ) -> None:
        methods = sorted(api_record.METHODS)
        rows = [record(f"/api/r{place}", methods[place % 9], 200 + 100 * (place % 4)) for place in range(3000)]
        for place in range(0, 3000, 500):
            with transaction() as session:
                counts.add(session, rows[place : place + 500])
        found = scraped(dash_app.server)
        assert len(found) <= 2000
        assert sum(value for key, value in found.items() if key[0] == "pfd_api_requests_total") == 3000


def test_the_bucket_is_the_first_whose_end_is_not_exceeded() -> None:
    assert [counts.bucket_of(time) for time in (0, 5, 5.01, 10_000, 10_001)] == [0, 0, 1, 13, 14]
