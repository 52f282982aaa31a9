"""The life of experiments and what people change about them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models import Experiment, ExperimentStatus, ExperimentTag, MetricSeries, Tag, TrainingRun
from models.one_time_token import OneTimeToken
from models.permissions import PermissionDenied, Role
from services import accounts
from services.actor import SYSTEM, Actor
from services.errors import Conflict, Invalid, NotFound
from services.experiments import details, editing, epochs, lifecycle, reporting
from services.experiments.epochs import Epoch
from tests.support.people import PASSWORD, person
from tests.support.waiting import is_waited_for, wait_until


def make(name: str = "run", actor: Actor = SYSTEM, **columns: object) -> int:
    with transaction() as session:
        return lifecycle.create(session, actor, name=name, **columns).id


def row(number: int) -> Experiment:
    with snapshot() as session:
        found = session.get(Experiment, number)
        assert found is not None
        return found


class TestNames:
    def test_the_second_of_a_name_gets_a_number_and_keeps_the_name_that_was_given(self, database: Engine) -> None:
        first, second, third = (row(make("trial")) for _ in range(3))
        assert [one.name for one in (first, second, third)] == ["trial", "trial (2)", "trial (3)"]
        assert [one.shown_name for one in (first, second, third)] == ["trial"] * 3

    def test_wildcards_in_a_name_are_only_letters(self, database: Engine) -> None:
        make("100%_done")
        assert row(make("100x done")).name == "100x done"

    def test_of_many_at_once_each_gets_one(self, database: Engine) -> None:
        author = person(Role.OPERATOR)

        def begin(_place: int) -> int:
            with transaction() as session:
                return reporting.begin(session, author, name="run").id

        with ThreadPoolExecutor(12) as pool:
            found = {row(number).name for number in pool.map(begin, range(24))}
        assert found == {"run", *(f"run ({number})" for number in range(2, 25))}

    @pytest.mark.parametrize("there", [1, 2, 3, 4, 5, 63, 64, 65, 700])
    def test_the_next_is_found_however_many_there_are(self, sqlite: Engine, there: int, count_queries: Any) -> None:
        names = ["run", *(f"run ({number})" for number in range(2, there + 1))]
        with transaction() as session:
            session.execute(insert(Experiment), [{"name": name, "status": "completed"} for name in names])

        def look() -> None:
            with snapshot() as session:
                assert lifecycle.unique_name(session, "run") == f"run ({there + 1})"

        assert count_queries(sqlite, look) <= 4


class TestEpochs:
    def test_are_written_whole_with_their_metrics(self, database: Engine) -> None:
        number = make(total_epochs=2)
        with transaction() as session:
            assert lifecycle.start(session, number)
            epochs.record_epoch(
                session, number, Epoch(1, 0.9, 1.0, 0.5, 0.4, 0.01, 3.0), metrics={"f1/Imbalance": 0.3},
                confusion=(["a", "b"], [[3, 1], [0, 4]]),
            )  # fmt: skip
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(TrainingRun)) == 1
            assert session.scalar(select(func.count()).select_from(MetricSeries)) == 6
            matrix = details.matrix(session, SYSTEM, number, 1)
        assert matrix is not None
        assert matrix.recall == (0.75, 1.0)
        assert row(number).epochs_completed == 1

    def test_the_same_epoch_again_changes_nothing(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            lifecycle.start(session, number)
        for loss in (0.5, 0.1):
            with transaction() as session:
                assert epochs.record_epoch(session, number, Epoch(1, val_loss=loss))
        with snapshot() as session:
            assert session.scalars(select(TrainingRun.val_loss)).all() == [0.5]

    def test_are_refused_once_it_has_ended(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            lifecycle.start(session, number)
            lifecycle.cancel(session, SYSTEM, number)
        with transaction() as session:
            assert not epochs.record_epoch(session, number, Epoch(1, val_loss=1.0))

    def test_the_best_is_the_first_with_the_highest_validation_accuracy(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            lifecycle.start(session, number)
            for epoch, accuracy in enumerate([0.1, 0.8, 0.3, 0.8], 1):
                epochs.record_epoch(session, number, Epoch(epoch, val_accuracy=accuracy, val_loss=1 / epoch))
            lifecycle.complete(session, number)
        assert row(number).best_epoch == 2
        assert row(number).metrics["val_accuracy"] == 0.8

    def test_without_accuracy_the_lowest_loss_decides(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            lifecycle.start(session, number)
            for epoch, loss in enumerate([0.9, 0.2, 0.4], 1):
                epochs.record_epoch(session, number, Epoch(epoch, val_loss=loss))
            lifecycle.complete(session, number)
        assert row(number).best_epoch == 2


class TestEnds:
    def test_come_once(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            lifecycle.start(session, number)
            assert lifecycle.complete(session, number)
            assert not lifecycle.fail(session, number, "too late")
        assert row(number).status == ExperimentStatus.COMPLETED

    def test_an_ended_one_cannot_be_cancelled(self, database: Engine) -> None:
        number = make(status=ExperimentStatus.COMPLETED)
        with pytest.raises(Conflict), transaction() as session:
            lifecycle.cancel(session, SYSTEM, number)

    def test_of_many_racing_to_end_it_exactly_one_wins(self, database: Engine) -> None:
        number = make(status=ExperimentStatus.RUNNING)
        won: list[bool] = []

        def end(place: int) -> None:
            with transaction() as session:
                won.append(lifecycle.fail(session, number, f"reason {place}"))

        threads = [threading.Thread(target=end, args=(place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 7 + [True]


class TestTags:
    def test_count_what_they_are_on(self, database: Engine) -> None:
        numbers = [make(f"e{place}") for place in range(3)]
        with transaction() as session:
            assert editing.add_tag(session, SYSTEM, numbers, " Warm  Start ") == 3
            assert editing.add_tag(session, SYSTEM, numbers, "warm-start") == 0
            assert editing.remove_tag(session, SYSTEM, numbers[:1], "warm-start") == 1
        with snapshot() as session:
            tag = session.scalars(select(Tag)).one()
            rows = session.scalar(select(func.count()).select_from(ExperimentTag))
        assert (tag.name, tag.usage_count, rows) == ("warm-start", 2, 2)

    @pytest.mark.parametrize("name", ["", "   ", "all", "NONE", "x" * 51, "a,b", "a\x00b"])
    def test_odd_names_are_refused(self, database: Engine, name: str) -> None:
        number = make()
        with pytest.raises(Invalid), transaction() as session:
            editing.add_tag(session, SYSTEM, [number], name)

    def test_an_experiment_carries_ten_at_most(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            for place in range(10):
                editing.add_tag(session, SYSTEM, [number], f"t{place}")
        with pytest.raises(Conflict), transaction() as session:
            editing.add_tag(session, SYSTEM, [number], "t10")

    def test_a_new_one_that_eight_people_add_at_once_is_made_once(self, database: Engine) -> None:
        numbers = [make(f"e{place}") for place in range(8)]
        failed: list[Exception] = []

        def add(number: int) -> None:
            try:
                with transaction() as session:
                    editing.add_tag(session, SYSTEM, [number], "brand-new")
            except Exception as error:  # the test is about there being none
                failed.append(error)

        threads = [threading.Thread(target=add, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        with snapshot() as session:
            assert session.scalars(select(Tag.usage_count)).all() == [8]

    def test_two_names_with_one_slug_both_stand(self, database: Engine) -> None:
        number = make()
        with transaction() as session:
            editing.add_tag(session, SYSTEM, [number], "a.b")
            editing.add_tag(session, SYSTEM, [number], "a_b")
        with snapshot() as session:
            assert session.scalar(select(func.count()).select_from(Tag)) == 2


class TestDeletion:
    def test_is_told_before_and_can_be_undone(self, database: Engine) -> None:
        number = make("doomed")
        with transaction() as session:
            lifecycle.start(session, number)
            epochs.record_epoch(session, number, Epoch(1, 0.5, 0.5))
        with snapshot() as session:
            preview = editing.preview_deletion(session, SYSTEM, [number])
        assert (preview.names, preview.active, preview.epochs, preview.points) == (("doomed",), 1, 1, 2)
        with transaction() as session:
            assert editing.delete_experiments(session, SYSTEM, [number]) == [number]
        assert row(number).status == ExperimentStatus.CANCELLED
        with transaction() as session:
            assert editing.restore_experiments(session, SYSTEM, [number]) == [number]
        assert row(number).deleted_at is None

    def test_an_operator_deletes_only_their_own(self, database: Engine) -> None:
        olaf, vera = person(Role.OPERATOR, "olaf"), person(Role.OPERATOR, "vera")
        mine, theirs = make("mine", olaf), make("theirs", vera)
        with pytest.raises(PermissionDenied), transaction() as session:
            editing.delete_experiments(session, olaf, [mine, theirs])
        assert row(mine).deleted_at is None
        with transaction() as session:
            assert editing.delete_experiments(session, olaf, [mine]) == [mine]

    def test_an_operator_restores_only_their_own(self, database: Engine) -> None:
        olaf = person(Role.OPERATOR, "olaf")
        theirs = make("theirs")
        with transaction() as session:
            editing.delete_experiments(session, SYSTEM, [theirs])
            assert editing.restore_experiments(session, olaf, [theirs]) == []

    def test_a_viewer_changes_nothing(self, database: Engine) -> None:
        vera, number = person(Role.VIEWER), make()
        for act in (
            lambda session: editing.delete_experiments(session, vera, [number]),
            lambda session: editing.add_tag(session, vera, [number], "x"),
            lambda session: editing.set_notes(session, vera, number, "x"),
            lambda session: lifecycle.cancel(session, vera, number),
        ):
            with pytest.raises(PermissionDenied), transaction() as session:
                act(session)

    def test_what_is_not_there_is_not_found(self, database: Engine) -> None:
        with pytest.raises(NotFound), snapshot() as session:
            editing.preview_deletion(session, SYSTEM, [4711])

    def test_is_final_after_thirty_days_and_takes_everything_along(self, database: Engine) -> None:
        number, kept = make("old"), make("new")
        with transaction() as session:
            lifecycle.start(session, number)
            epochs.record_epoch(session, number, Epoch(1, 0.5, 0.5), confusion=(["a"], [[1]]))
            editing.add_tag(session, SYSTEM, [number, kept], "t")
            editing.delete_experiments(session, SYSTEM, [number, kept])
            long_ago = now() - settings().deleted_kept - timedelta(hours=1)
            session.execute(update(Experiment).where(Experiment.id == number).values(deleted_at=long_ago))
        with transaction() as session:
            assert editing.purge(session) == 1
        with snapshot() as session:
            assert session.scalars(select(Experiment.name)).all() == ["new"]
            for model in (TrainingRun, MetricSeries):
                assert session.scalar(select(func.count()).select_from(model)) == 0
            assert session.scalar(select(Tag.usage_count)) == 1

    def test_does_not_take_what_is_restored_at_the_same_moment(self, database: Engine) -> None:
        number = make("old")
        with transaction() as session:
            long_ago = now() - settings().deleted_kept - timedelta(hours=1)
            session.execute(update(Experiment).where(Experiment.id == number).values(deleted_at=long_ago))

        def purge() -> int:
            with transaction() as session:
                return editing.purge(session)

        with ThreadPoolExecutor(1) as pool:
            with transaction() as session:
                editing.restore_experiments(session, SYSTEM, [number])
                purged = pool.submit(purge)
                wait_until(lambda: is_waited_for(database))
            assert purged.result() == 0
        assert row(number).deleted_at is None


class TestAccounts:
    def test_names_are_unique_whatever_their_case(self, database: Engine) -> None:
        with transaction() as session:
            accounts.create(
                session, SYSTEM, username="Ada", email="Ada@Example.org", role=Role.VIEWER, password=PASSWORD
            )
        with pytest.raises(Conflict), transaction() as session:
            accounts.create(
                session, SYSTEM, username="ADA", email="other@example.org", role=Role.VIEWER, password=PASSWORD
            )

    def test_an_admin_makes_no_super_admin(self, database: Engine) -> None:
        admin = person(Role.ADMIN)
        with pytest.raises(PermissionDenied), transaction() as session:
            accounts.create(
                session, admin, username="eve", email="eve@example.org", role=Role.SUPER_ADMIN, password=PASSWORD
            )

    def test_the_last_super_admin_stays_one(self, database: Engine) -> None:
        person(Role.SUPER_ADMIN, "ada")
        with pytest.raises(Conflict, match="last super admin"), transaction() as session:
            accounts.set_role(session, SYSTEM, "ada", Role.VIEWER)

    def test_of_two_super_admins_demoted_at_once_one_remains(self, database: Engine) -> None:
        for name in ("ada", "bob"):
            person(Role.SUPER_ADMIN, name)

        def demote(name: str) -> None:
            try:
                with transaction() as session:
                    accounts.set_role(session, SYSTEM, name, Role.VIEWER)
            except Conflict:
                pass

        threads = [threading.Thread(target=demote, args=(name,)) for name in ("ada", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with snapshot() as session:
            assert accounts.count_by_role(session)["super_admin"] == 1

    def test_several_open_setup_links_make_one_owner_too(self, database: Engine) -> None:
        tokens = []
        for _ in range(6):
            with transaction() as session:
                tokens.append(accounts.new_setup_token(session))
        with transaction() as session:
            session.execute(update(OneTimeToken).values(used_at=None))  # as starts at the same moment leave them

        def complete(token: str) -> bool:
            name = f"u{tokens.index(token)}"
            try:
                with transaction() as session:
                    accounts.complete_setup(
                        session, token, username=name, email=f"{name}@example.org", password_hash="x"
                    )
            except NotFound:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(complete, tokens)) == 1

    def test_one_setup_link_makes_one_owner_out_of_ten_at_once(self, database: Engine) -> None:
        with transaction() as session:
            token = accounts.new_setup_token(session)
        made: list[str] = []

        def complete(place: int) -> None:
            try:
                with transaction() as session:
                    user = accounts.complete_setup(
                        session, token, username=f"u{place}", email=f"u{place}@example.org", password_hash="x"
                    )
                made.append(user.username)
            except (NotFound, Conflict):
                pass

        threads = [threading.Thread(target=complete, args=(place,)) for place in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 1
