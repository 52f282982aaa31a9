"""`/api/v1/request-log`: requests to the API one by one, for those who may see its metrics."""

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy.orm import Session

from api.v1._api_range import Range, Since, Until, window_of
from models.permissions import Permission
from services import cursors
from services.actor import Actor
from services.api_requests import exporting, log
from services.api_requests.wanted import LONGEST_WAIT, Wanted, place_of, wanted, words_of
from services.errors import Invalid
from web.rest.answers import Answer, Listed, Reply, file_form, listed
from web.rest.kinds import LARGEST_BIG_ID, LARGEST_ID, Json, Paged, line
from web.rest.operations import PREFIX, operation

blueprint = Blueprint("v1_request_log", __name__, url_prefix=PREFIX)
LOG = "/request-log"


class LoggedRequest(Answer):
    """One request, how it was answered and how long that took; of bodies only whether a sample was kept."""

    id: int
    moment: datetime
    method: str
    endpoint: str
    status: int
    milliseconds: float
    received: int | None
    sent: int | None
    key_id: int | None
    key: str | None
    owner: str | None
    address: str | None
    agent: str | None
    error: str | None
    request_id: str | None
    has_sample: bool


class LoggedDetails(LoggedRequest):
    """One request with what was kept of its two bodies, which was redacted before it was written."""

    asked: Json | None
    answered: Json | None


def _of_a_key(said: str) -> str:
    if said.isdigit() and int(said) > LARGEST_ID:
        raise ValueError("There is no such key.")
    return said


class LoggingKey(Answer):
    """A key by which the log can be filtered."""

    id: int
    name: str
    owner: str


class LogChoices(Answer):
    """What filters find something: routes, statuses, and the 200 keys that were used last."""

    endpoints: list[str]
    statuses: list[int]
    keys: list[LoggingKey]


class LogQuery(Paged):
    """Which requests; all that are kept, unless a range or moments are given."""

    range: Range | None = Field(None, description="The last while; else `since` and `until`, one of them or both.")
    since: Since = None
    until: Until = None
    endpoint: Annotated[str, line(255)] = Field("", description="A route as it is declared, such as `/api/v1/me`.")
    method: Annotated[str, line(10)] = ""
    status: Annotated[str, StringConstraints(pattern=r"^(failed|[1-5]xx|[0-9]{3})?$")] = Field(
        "", description="A number such as `404`, a class such as `4xx`, or `failed`."
    )
    key_id: Annotated[str, StringConstraints(pattern=r"^(none|[1-9][0-9]{0,9})?$"), AfterValidator(_of_a_key)] = Field(
        "", description="The number of a key, or `none` for requests without one."
    )
    address: Annotated[str, line(60)] = Field("", description="`192.0.2.7`, `2001:db8::1` or `192.0.2.0/24`.")
    slower: Annotated[float, Field(ge=0, le=LONGEST_WAIT, description="Milliseconds at the least.")] | None = None


@operation(
    blueprint,
    "GET",
    LOG,
    permission=Permission.VIEW_API_METRICS,
    query=LogQuery,
    answer=Listed[LoggedRequest],
    table=LoggedRequest,
    export=True,
    description="As a file each page is noted in the system log, as the export of the page is.",
)
def list_requests(session: Session, actor: Actor, query: LogQuery) -> Reply:
    """The requests to the API, the newest first"""
    about = ["request-log", *query.model_dump(mode="json", exclude={"limit", "cursor"}).values()]
    after = place_of(*cursors.read(query.cursor, about)) if query.cursor else None
    asked = _wanted(query)
    found, following = log.page(session, actor, asked, after=after, limit=query.limit)
    if file_form():
        exporting.note(session, actor, asked, len(found))
    cursor = None if following is None else cursors.write(about, words_of(following) or [])
    return listed(Listed[LoggedRequest](items=[LoggedRequest.from_row(one) for one in found], next=cursor))


def _wanted(query: LogQuery) -> Wanted:
    since, until = query.since, query.until
    if query.range is not None:
        if since is not None or until is not None:
            raise Invalid("Give a range, or since and until.", field="range")
        window = window_of(query.range, None, None)
        since, until = window.begin, window.end
    if since is not None and until is not None and since > until:
        raise Invalid("The first moment comes after the last.", field="until")
    words = query.model_dump(include={"endpoint", "method", "status", "address"})
    slower = "" if query.slower is None else str(query.slower)
    return wanted(since=since, until=until, key=query.key_id, slower=slower, **words)


@operation(blueprint, "GET", f"{LOG}/choices", permission=Permission.VIEW_API_METRICS, answer=LogChoices)
def list_request_choices(session: Session, actor: Actor, **_: Any) -> LogChoices:
    """The routes, statuses and keys of the requests that are kept"""
    return LogChoices(
        endpoints=log.routes(session, actor),
        statuses=log.statuses(session, actor),
        keys=[LoggingKey(id=number, name=name, owner=owner) for number, name, owner in log.keys(session, actor)],
    )


@operation(
    blueprint,
    "GET",
    f"{LOG}/<int:number>",
    permission=Permission.VIEW_API_METRICS,
    answer=LoggedDetails,
    largest=LARGEST_BIG_ID,
)
def get_request(session: Session, actor: Actor, number: int, **_: Any) -> LoggedDetails:
    """One request with the redacted samples of its bodies, where they were kept"""
    found = log.one(session, actor, number)
    samples = {"asked": found.asked, "answered": found.answered}
    return LoggedDetails.from_row(found.entry, **samples)
