"""`/api/v1/api-metrics`: how the API is used, over the same times as on the page."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from api.v1._api_range import Range, Since, Until, window_of
from models.permissions import Permission
from services import cursors
from services.actor import Actor
from services.api_metrics import ranking, reading, windows
from services.api_metrics.facts import Part
from services.api_metrics.reading import Metrics, Slot, Totals
from services.api_metrics.sketches import Sketch
from web.rest.answers import Answer, Listed, Reply, listed
from web.rest.asked import Query
from web.rest.kinds import CURSOR_WORDS, Cursor, Limit, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_api_metrics", __name__, url_prefix=PREFIX)
METRICS = "/api-metrics"
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Figures(Answer):
    """Requests, those that failed (400 or more), and percentiles of how many milliseconds they took."""

    requests: int
    failed: int
    error_rate: float | None
    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, counted: Totals | Slot | Part, sketch: Sketch, **more: Any) -> Any:
        """From what was counted, with what the model says besides."""
        share = counted.failed / counted.requests if counted.requests else None
        p50, p95, p99 = (sketch.quantile(place) for place in (0.5, 0.95, 0.99))
        known = {"requests": counted.requests, "failed": counted.failed, "error_rate": share}
        return cls(**known, p50=p50, p95=p95, p99=p99, **more)


class PeriodFigures(Figures):
    """A whole period; `rate` is requests a second."""

    begin: datetime
    end: datetime
    rate: float


class Restart(Answer):
    """A start of the product, and of which version if it is another than before."""

    moment: datetime
    version: str | None


class Overview(Answer):
    """A period in a few figures, beside the one of the same length before it where that is asked for."""

    period: PeriodFigures
    before: PeriodFigures | None
    statuses: dict[str, int]
    received: int
    sent: int
    restarts: list[Restart]


class Bin(Answer):
    """How many requests took about this long."""

    milliseconds: float
    requests: int


class Step(Figures):
    """One minute, hour or day; `seconds` is how long it has lasted."""

    begin: datetime
    seconds: float
    rate: float
    spread: list[Bin] | None


class EndpointUse(Figures):
    """One route, and its requests in equal stretches of the period."""

    endpoint: str
    received: int
    sent: int
    trend: list[int]


class KeyUse(Figures):
    """One key; without a number all requests without a key, or with one that is gone."""

    id: int | None
    name: str | None
    owner: str | None
    received: int
    sent: int


class SingleRequest(Answer):
    """One request; `id` is its number in the request log, as long as it is kept there."""

    id: int
    endpoint: str
    status: int
    milliseconds: float
    moment: datetime


class PeriodQuery(Query):
    """Which period."""

    range: Range = Field("24h", description="The last while, up to the step that is not over.")
    since: Since = None
    until: Until = None


class RouteQuery(PeriodQuery):
    """Which period, and of which route."""

    endpoint: Annotated[str, line(270)] = Field(
        "", description="A method and a path, such as `GET /api/v1/me`; else all requests."
    )


class OverviewQuery(RouteQuery):
    """Which period, and whether with the one before."""

    compare: Literal["true", "false"] = Field("false", description="Tell of the period before as well.")


class StepQuery(RouteQuery):
    """Which period, and whether with the spread of times."""

    spread: Literal["true", "false"] = Field("false", description="Tell of each step how many took about how long.")


class KeyUseQuery(PeriodQuery):
    """Which period, and which page."""

    limit: Limit = 50
    cursor: Cursor | None = Field(None, description=CURSOR_WORDS)


class EndpointQuery(KeyUseQuery):
    """Which period, which routes, in which order."""

    sort: ranking.Sort = Field("requests", description="The highest come first.")
    text: Annotated[str, line(100)] = Field("", description="Part of method or path.")


@operation(blueprint, "GET", METRICS, permission=Permission.VIEW_API_METRICS, query=OverviewQuery, answer=Overview)
def get_api_metrics(session: Session, actor: Actor, query: OverviewQuery) -> Overview:
    """The use of the API over a period in a few figures"""
    found = _read(session, actor, query, query.endpoint, compare=query.compare == "true")
    before = None if found.before is None else _period(found.window.before, found.before)
    return Overview(
        period=_period(found.window, found.totals),
        before=before,
        statuses=dict(zip(CLASSES, found.whole.classes, strict=True)),
        received=found.whole.received,
        sent=found.whole.sent,
        restarts=[Restart.from_row(one) for one in found.restarts],
    )


def _read(session: Session, actor: Actor, query: PeriodQuery, endpoint: str = "", *, compare: bool = False) -> Metrics:
    window = window_of(query.range, query.since, query.until)
    return reading.read(session, actor, window, endpoint or None, compare=compare)


def _period(window: windows.Window, totals: Totals) -> PeriodFigures:
    made: PeriodFigures = PeriodFigures.of(totals, totals.sketch, begin=window.begin, end=window.end, rate=totals.rate)
    return made


@operation(
    blueprint,
    "GET",
    f"{METRICS}/series",
    permission=Permission.VIEW_API_METRICS,
    query=StepQuery,
    answer=Listed[Step],
    table=Step,
    description="Minutes of the last hour, hours up to eight days, days beyond; at most 366.",
)
def list_api_metrics_steps(session: Session, actor: Actor, query: StepQuery) -> Reply:
    """The use of the API over time"""
    found = _read(session, actor, query, query.endpoint)
    return listed(Listed[Step](items=[_step(slot, spread=query.spread == "true") for slot in found.slots]))


def _step(slot: Slot, *, spread: bool) -> Step:
    bins = [Bin(milliseconds=value, requests=count) for value, count in slot.sketch.bins()] if spread else None
    rate = slot.requests / slot.seconds
    made: Step = Step.of(slot, slot.sketch, begin=slot.begin, seconds=slot.seconds, rate=rate, spread=bins)
    return made


@operation(
    blueprint,
    "GET",
    f"{METRICS}/endpoints",
    permission=Permission.VIEW_API_METRICS,
    query=EndpointQuery,
    answer=Listed[EndpointUse],
    table=EndpointUse,
    description="Beyond 200 routes in an hour the least used are `(others)`.",
)
def list_api_metrics_endpoints(session: Session, actor: Actor, query: EndpointQuery) -> Reply:
    """The use of each route"""
    about = ["api-metrics-endpoints", *_asked(query)]
    ranked = ranking.ranked(_read(session, actor, query), query.sort, query.text)
    keyed = [((-value, route.label), route) for value, route in ranked]
    here, following = _page(keyed, query, about)
    items = [
        EndpointUse.of(
            route.part,
            route.part.sketch,
            endpoint=route.label,
            received=route.part.received,
            sent=route.part.sent,
            trend=list(route.trend),
        )
        for route in here
    ]
    return listed(Listed[EndpointUse](items=items, next=following))


def _asked(query: KeyUseQuery) -> list[Any]:
    return list(query.model_dump(mode="json", exclude={"limit", "cursor"}).values())


def _page(keyed: list[tuple[Any, Any]], query: KeyUseQuery, about: list[Any]) -> tuple[list[Any], str | None]:
    """Those behind the place where the page before ended, which is a value and not a number of rows."""
    after = tuple(cursors.read(query.cursor, about)) if query.cursor else None
    rest = [its for its in keyed if after is None or its[0] > after]
    here = rest[: query.limit]
    following = cursors.write(about, list(here[-1][0])) if len(rest) > query.limit else None
    return [one for _, one in here], following


@operation(
    blueprint,
    "GET",
    f"{METRICS}/keys",
    permission=Permission.VIEW_API_METRICS,
    query=KeyUseQuery,
    answer=Listed[KeyUse],
    table=KeyUse,
)
def list_api_metrics_keys(session: Session, actor: Actor, query: KeyUseQuery) -> Reply:
    """The use of each key, of all routes"""
    about = ["api-metrics-keys", *_asked(query)]
    keyed = [((-use.part.requests, use.id or 0), use) for use in _read(session, actor, query).keys]
    here, following = _page(keyed, query, about)
    items = [
        KeyUse.of(
            use.part,
            use.part.sketch,
            id=use.id,
            name=use.name,
            owner=use.owner,
            received=use.part.received,
            sent=use.part.sent,
        )
        for use in here
    ]
    return listed(Listed[KeyUse](items=items, next=following))


@operation(
    blueprint,
    "GET",
    f"{METRICS}/slowest",
    permission=Permission.VIEW_API_METRICS,
    query=RouteQuery,
    answer=Listed[SingleRequest],
    table=SingleRequest,
)
def list_slowest_requests(session: Session, actor: Actor, query: RouteQuery) -> Reply:
    """The five slowest requests of a period"""
    return _singles(_read(session, actor, query, query.endpoint), "slowest")


@operation(
    blueprint,
    "GET",
    f"{METRICS}/failing",
    permission=Permission.VIEW_API_METRICS,
    query=RouteQuery,
    answer=Listed[SingleRequest],
    table=SingleRequest,
)
def list_failing_requests(session: Session, actor: Actor, query: RouteQuery) -> Reply:
    """The five requests of a period that failed last"""
    return _singles(_read(session, actor, query, query.endpoint), "failed_last")


def _singles(found: Metrics, which: Literal["slowest", "failed_last"]) -> Reply:
    items = [
        SingleRequest(endpoint=label, milliseconds=told[0], id=told[1], moment=reading.at(told[2]), status=told[3])
        for told, label in ranking.singles(found, which)
    ]
    return listed(Listed[SingleRequest](items=items))
