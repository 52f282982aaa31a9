"""`/metrics` for Prometheus: what all processes have counted together, as it stands in the database."""

import functools
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response as AnyResponse

from config.settings import settings
from database.engine import snapshot
from services.api_metrics import counts
from services.api_metrics.counts import BUCKETS, Kind
from web.errors import problem, refusal
from web.guard import SCRAPER

P = ParamSpec("P")
R = TypeVar("R")

blueprint = Blueprint("metrics", __name__)


def requires_metrics_token(function: Callable[P, AnyResponse]) -> Callable[P, AnyResponse]:
    """Let a route run for who knows the token of the settings; without one there is nothing at this address."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> AnyResponse:
        token = settings().metrics_token
        if token is None:
            return refusal(404)
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode()):
            answer = problem(401, "This needs the token of PFD_METRICS_TOKEN, as “Authorization: Bearer …”.")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return function(*args, **kwargs)

    marked: Any = guarded
    marked.needs = SCRAPER
    return guarded


@blueprint.get("/metrics")
@requires_metrics_token
def metrics() -> AnyResponse:
    """Counts since the installation began, and how long requests took."""
    with snapshot() as session:
        found = counts.read(session)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counted(found))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Counted(Collector):
    """What was read, as families: every route by its counts, and buckets for each method only, which bounds them."""

    def __init__(self, found: Mapping[Kind, Mapping[int, tuple[int, int]]]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """The families, each with its samples."""
        requests = CounterMetricFamily(
            "pfd_api_requests", "Requests to the API.", labels=("route", "method", "status_class")
        )
        taken = SummaryMetricFamily(
            "pfd_api_route_duration_seconds", "How long requests to a route took.", labels=("route", "method")
        )
        spread = HistogramMetricFamily(
            "pfd_api_request_duration_seconds", "How long requests to the API took.", labels=("method",)
        )
        routes: dict[tuple[str, str], list[int]] = {}
        methods: dict[str, list[int]] = {}
        spent: dict[str, int] = {}
        for (route, method, status), buckets in self._found.items():
            count, nanoseconds = (sum(pair[place] for pair in buckets.values()) for place in (0, 1))
            requests.add_metric((route, method, f"{status}xx"), count)
            sums = routes.setdefault((route, method), [0, 0])
            sums[0], sums[1] = sums[0] + count, sums[1] + nanoseconds
            spent[method] = spent.get(method, 0) + nanoseconds
            for place, (its, _) in buckets.items():
                methods.setdefault(method, [0] * (len(BUCKETS) + 1))[place] += its
        for labels, (count, nanoseconds) in routes.items():
            taken.add_metric(labels, count, nanoseconds / 1e9)
        ends = [*map(str, BUCKETS), "+Inf"]
        for method, many in sorted(methods.items()):
            upto = [sum(many[: place + 1]) for place in range(len(many))]
            spread.add_metric((method,), list(zip(ends, upto, strict=True)), spent[method] / 1e9)
        yield from (requests, taken, spread)
