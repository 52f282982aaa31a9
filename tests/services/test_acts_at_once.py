"""Acts upon the same people at once wait for each other and end; none is a deadlock that somebody is told of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sqlalchemy import Engine, func, select, update

from database.engine import snapshot, transaction
from models import APIKey, ExperimentTag, SystemLog, User
from models.permissions import Role
from services import deletion, identities, people, refusals, session_list, sessions
from services.actor import Actor
from services.api_keys import keys
from services.errors import AppError
from services.experiments import changing, editing, reporting
from services.identities import Identity
from services.refusals import Refusal
from services.second_factor import reset
from tests.support import scale
from tests.support.imported_runs import a_run, put
from tests.support.people import person, token_of

TIMES = scale.of("TIMES", 6)  # `make races`: 200


def act(change: Callable[..., Any], *given: Any, **named: Any) -> Any:
    with transaction() as session:
        return change(session, *given, **named)


def at_once(*acts: Callable[[], Any]) -> None:
    """Run them side by side; a refusal is an answer, anything else is a failure."""

    def tried(one: Callable[[], Any]) -> None:
        try:
            one()
        except AppError:
            return

    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(tried, acts))


def key_of(owner: Actor) -> int:
    act(keys.create, owner, name="script", scopes=["view_experiments"])
    with snapshot() as session:
        return (
            session.scalars(select(APIKey.id).where(APIKey.user_id == owner.user_id).order_by(-APIKey.id)).first() or 0
        )


def test_a_key_is_revoked_while_its_owner_is_shut_out(database: Engine) -> None:
    first, second = person(Role.SUPER_ADMIN), person(Role.ADMIN)
    for turn in range(TIMES):
        owner = person(Role.VIEWER, f"owner-{turn}")  # of one a few keys are made in an hour
        number = key_of(owner)
        at_once(
            partial(act, keys.revoke, first, number),
            partial(act, people.require_new_password, second, owner.user_id),
            partial(act, people.end_sessions, second, owner.user_id),
        )


def test_two_of_somebodys_sessions_end_all_others(database: Engine) -> None:
    vera = person(Role.VIEWER)
    for _ in range(TIMES):
        tokens = [token_of(vera) for _ in range(6)]
        with snapshot() as session:
            numbers = [found.session_id for token in tokens if (found := sessions.resolve(session, token))]
        at_once(*(partial(act, session_list.end_others, vera, number) for number in (numbers[0], numbers[-1])))


def test_who_is_refused_something_is_deleted_meanwhile(database: Engine) -> None:
    owner = person(Role.SUPER_ADMIN)
    for place in range(TIMES):
        guest = person(Role.VIEWER, f"guest-{place}")
        refusals.forget()
        refused = [Refusal(guest, "192.0.2.1", "page", f"/admin/{number}", "not allowed") for number in range(3)]
        at_once(
            partial(act, deletion.delete, owner, guest.user_id),
            *(partial(act, refusals.record, one) for one in refused),
        )


def test_super_admins_come_and_go_while_others_are_changed(database: Engine) -> None:
    owner = person(Role.SUPER_ADMIN)
    pair = [person(Role.ADMIN, name) for name in ("one", "two")]
    for turn in range(TIMES):
        with transaction() as session:
            session.execute(update(User).where(User.username == "one").values(role="super_admin"))
        at_once(
            lambda: act(people.set_role, owner, pair[0].user_id, "admin"),
            lambda: act(people.set_role, owner, pair[1].user_id, "super_admin"),
            lambda: act(reset.reset, pair[0], pair[1].user_id),
            lambda: act(people.end_sessions, pair[1], pair[0].user_id),
            partial(act, identities.link, pair[1], Identity("i", f"s{turn}", None, "x", ())),
        )


def test_experiments_are_tagged_with_the_same_words_in_another_order(database: Engine) -> None:
    author = person(Role.ADMIN)
    for turn in range(TIMES):
        old, new = [f"old-{turn}", f"older-{turn}"], [f"new-{turn}", f"newer-{turn}"]
        with transaction() as session:
            first = reporting.begin(session, author, name="run", tags=old).id
            second = reporting.begin(session, author, name="run", tags=new).id
        at_once(
            partial(act, reporting.begin, author, name="run", tags=[*old, *new]),
            partial(act, reporting.begin, author, name="run", tags=[*new, *old]),
            partial(act, changing.change, author, first, tags=new),
            partial(act, changing.change, author, second, tags=old),
        )


def test_a_run_is_imported_while_another_carries_its_tags_in_another_order(database: Engine) -> None:
    author = person(Role.ADMIN)
    for turn in range(TIMES):
        words = {f"{letter}-{turn}": "1" for letter in "abcdefgh"}
        put(a_run(f"known-{turn}", tags=words))
        backwards = dict(reversed(words.items()))
        at_once(
            lambda turn=turn, tags=backwards: put(a_run(f"new-{turn}", tags=tags)),
            lambda turn=turn, tags=words: put(a_run(f"newer-{turn}", tags=tags)),
            partial(act, reporting.begin, author, name="run", tags=[f"{key}:1" for key in words]),
        )
    with snapshot() as session:
        assert session.scalar(select(func.count()).select_from(ExperimentTag)) == 4 * 8 * TIMES


def test_many_experiments_are_changed_in_another_order(database: Engine) -> None:
    author = person(Role.ADMIN)
    with transaction() as session:
        numbers = [reporting.begin(session, author, name="run").id for _ in range(8)]
    for _ in range(TIMES):
        at_once(
            partial(act, editing.add_tag, author, numbers, "a"),
            partial(act, editing.remove_tag, author, numbers[::-1], "a"),
            partial(act, editing.delete_experiments, author, numbers[::-1]),
            partial(act, editing.restore_experiments, author, numbers),
        )


def test_the_log_is_one_chain_afterwards(database: Engine) -> None:
    test_a_key_is_revoked_while_its_owner_is_shut_out(database)
    with snapshot() as session:
        rows = session.execute(select(SystemLog.previous_hash, SystemLog.row_hash).order_by(SystemLog.id)).all()
    assert [row[0] for row in rows[1:]] == [row[1] for row in rows[:-1]]
