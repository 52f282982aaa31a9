"""Every read of experiments gives nothing to whom may not see them, and nothing of those that were deleted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from database.engine import transaction
from database.types import now
from models.dataset import Dataset
from models.experiment import Experiment
from models.permissions import Permission, PermissionDenied, Role
from services import compare, home, search
from services.actor import SYSTEM, Actor
from services.errors import NotFound
from services.experiments import access, details, editing, lifecycle, listing, options
from services.experiments.listing import ListQuery
from tests.support.experiments import completed, running
from tests.support.people import person

BLIND = Actor(1, "somebody", Role.VIEWER, frozenset(Permission) - {Permission.VIEW_EXPERIMENTS})
Read = Callable[[Session, Actor, list[int]], Any]
LONG_AGO = timedelta(days=999)
READS: dict[str, Read] = {
    "the team's": lambda session, actor, ids: list(session.scalars(access.visible_to(actor))),
    "a list": lambda session, actor, ids: listing.list_rows(session, actor, ListQuery()).rows,
    "its length": lambda session, actor, ids: listing.count(session, actor, ListQuery()),
    "its numbers": lambda session, actor, ids: listing.ids_of(session, actor, ListQuery(), 10),
    "a search": lambda session, actor, ids: search.find(session, actor, "canary"),
    "those that run": lambda session, actor, ids: home.active(session, actor),
    "how many run": lambda session, actor, ids: home.count_active(session, actor),
    "those that ended": lambda session, actor, ids: home.finished(session, actor),
    "failures": lambda session, actor, ids: home.failures_since(session, actor, now() - LONG_AGO),
    "the best": lambda session, actor, ids: home.best_per_dataset(session, actor),
    "whether there are any": lambda session, actor, ids: home.is_empty(session, actor),
    "how many of the demo": lambda session, actor, ids: home.demo_count(session, actor),
    "the pulse of a comparison": lambda session, actor, ids: compare.pulse(session, actor, ids),
    "a comparison": lambda session, actor, ids: compare.chosen(session, actor, ids),
    "columns": lambda session, actor, ids: options.default_columns(session, actor),
}


def canaries() -> list[int]:
    """A run that runs and is its own demo, with a child that has ended well and one that has failed."""
    with transaction() as session:
        dataset = Dataset(name="recordings")
        session.add(dataset)
        session.flush()
        recordings = dataset.id
    parent = running("canary parent", epochs=1, is_demo=True)
    numbers = [parent, completed("canary child", epochs=1, parent_id=parent, dataset_id=recordings)]
    failed = running("canary failure", parent_id=parent)
    with transaction() as session:
        lifecycle.fail(session, failed, "x")
    return [*numbers, failed]


@pytest.mark.parametrize("name", READS)
def test_whom_it_is_not_for_sees_as_much_as_of_an_empty_house(sqlite: Engine, name: str) -> None:
    def seen(actor: Actor, ids: list[int]) -> Any:
        with transaction() as session:
            return READS[name](session, actor, ids)

    nothing = seen(SYSTEM, [1, 2, 3])
    ids = canaries()
    assert seen(SYSTEM, ids) != nothing
    assert seen(BLIND, ids) == nothing
    with transaction() as session:
        editing.delete_experiments(session, SYSTEM, ids)
    assert seen(SYSTEM, ids) == nothing


def test_a_deleted_relative_is_not_named(sqlite: Engine) -> None:
    parent, child, _ = canaries()
    with transaction() as session:
        assert details.detail(session, SYSTEM, child).parent is not None
        assert len(details.detail(session, SYSTEM, parent).children) == 2
        editing.delete_experiments(session, SYSTEM, [child])
        assert len(details.detail(session, SYSTEM, parent).children) == 1
        editing.delete_experiments(session, SYSTEM, [parent])
        assert details.detail(session, SYSTEM, child).parent is None


class TestChanges:
    def test_none_is_stopped_by_whom_does_not_see_it(self, database: Engine) -> None:
        number = running()
        with transaction() as session:
            assert lifecycle.cancel_many(session, BLIND, [number]) == 0
        with transaction() as session, pytest.raises(NotFound):
            lifecycle.cancel(session, BLIND, number)

    def test_none_is_stopped_once_it_was_deleted(self, database: Engine) -> None:
        number = running()
        with transaction() as session:
            session.get_one(Experiment, number).deleted_at = now()
        with transaction() as session:
            assert lifecycle.cancel_many(session, SYSTEM, [number]) == 0

    @pytest.mark.parametrize("act", [editing.delete_experiments, editing.restore_experiments])
    def test_what_others_made_is_not_deleted_nor_brought_back_with_the_right_to_ones_own(
        self, database: Engine, act: Callable[..., Any]
    ) -> None:
        mine, theirs = completed("mine"), completed("theirs")
        me, other = person(Role.OPERATOR, "me"), person(Role.OPERATOR, "other")
        with transaction() as session:
            session.get_one(Experiment, mine).created_by = me.user_id
            session.get_one(Experiment, theirs).created_by = other.user_id
        if act is editing.restore_experiments:
            with transaction() as session:
                editing.delete_experiments(session, SYSTEM, [mine, theirs])
            with transaction() as session:
                assert act(session, me, [mine, theirs]) == [mine]
        else:
            with transaction() as session, pytest.raises(PermissionDenied):
                act(session, me, [mine, theirs])

    @pytest.mark.parametrize("act", [editing.delete_experiments, editing.restore_experiments])
    def test_without_either_right_nothing_is_deleted_nor_brought_back(
        self, sqlite: Engine, act: Callable[..., Any]
    ) -> None:
        number = completed()
        if act is editing.restore_experiments:
            with transaction() as session:
                editing.delete_experiments(session, SYSTEM, [number])
        viewer = Actor(None, "somebody", Role.VIEWER, frozenset({Permission.VIEW_EXPERIMENTS}))
        with transaction() as session, pytest.raises(PermissionDenied):
            act(session, viewer, [number])
