"""The schema: one head, up and down, models equal DDL; what the source documents fix is there."""

from pathlib import Path
from typing import Any

import pytest
from pytest_alembic import MigrationContext, create_alembic_fixture, tests
from sqlalchemy import Engine, create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import models
from config.errors import ConfigurationError
from database import engine as engines
from database import migrations, revisions
from database.engine import snapshot, transaction
from models import Dataset, Experiment, HPOCampaign, HPOMethod, NASCampaign, NASTrial, TrainingRun, User

CATALOGUE = [
    "users",
    "datasets",
    "signals",
    "experiments",
    "training_runs",
    "api_keys",
    "api_usage",
    "api_request_logs",
    "api_metrics_summary",
    "notification_preferences",
    "email_logs",
    "email_digest_queue",
    "webhook_configurations",
    "webhook_logs",
    "tags",
    "experiment_tags",
    "saved_searches",
    "hpo_campaigns",
    "explanations",
    "system_logs",
    "dataset_generations",
    "dataset_imports",
    "session_logs",
    "login_history",
    "backup_codes",
    "nas_campaigns",
    "nas_trials",
]

ON_DELETE = {
    ("api_keys", "user_id"): "CASCADE",
    ("api_usage", "api_key_id"): "CASCADE",
    ("notification_preferences", "user_id"): "CASCADE",
    ("email_logs", "user_id"): "SET NULL",
    ("email_digest_queue", "user_id"): "CASCADE",
    ("webhook_configurations", "user_id"): "CASCADE",
    ("webhook_logs", "webhook_config_id"): "CASCADE",
    ("webhook_logs", "user_id"): "SET NULL",
    ("tags", "created_by"): "SET NULL",
    ("experiment_tags", "experiment_id"): "CASCADE",
    ("experiment_tags", "tag_id"): "CASCADE",
    ("experiment_tags", "added_by"): "SET NULL",
    ("saved_searches", "user_id"): "CASCADE",
    ("backup_codes", "user_id"): "CASCADE",
    ("nas_campaigns", "dataset_id"): "CASCADE",
    ("nas_trials", "campaign_id"): "CASCADE",
    ("datasets", "created_by"): None,
    ("signals", "dataset_id"): None,
    ("experiments", "dataset_id"): None,
    ("experiments", "created_by"): None,
    ("experiments", "hpo_campaign_id"): None,
    ("training_runs", "experiment_id"): None,
    ("hpo_campaigns", "dataset_id"): None,
    ("hpo_campaigns", "best_experiment_id"): None,
    ("hpo_campaigns", "created_by"): None,
    ("explanations", "experiment_id"): None,
    ("system_logs", "user_id"): None,
    ("session_logs", "user_id"): None,
    ("login_history", "user_id"): None,
    ("nas_campaigns", "best_trial_id"): None,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def alembic_engine(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    """An empty, unmigrated database."""
    if request.param == "sqlite":
        path = tmp_path / "empty.sqlite3"
        path.touch()  # as `upgrade()` does; pytest-alembic goes past it
        engine = engines.build_engine(f"sqlite:///{path}")
    else:
        from tests.conftest import _admin

        server = request.getfixturevalue("postgresql_server")
        _admin(server, "DROP DATABASE IF EXISTS pfd_empty WITH (FORCE)")
        _admin(server, "CREATE DATABASE pfd_empty")
        engine = engines.build_engine(f"{server}/pfd_empty")
    yield engine
    engine.dispose()


@pytest.fixture
def alembic_config() -> dict[str, Any]:
    return {"script_location": migrations.alembic_config().get_main_option("script_location")}


alembic_runner = create_alembic_fixture({"script_location": "migrations"})


def test_there_is_one_head(alembic_runner: MigrationContext) -> None:
    tests.test_single_head_revision(alembic_runner)
    assert len(alembic_runner.heads) == 1


def test_what_is_read_without_alembic_is_what_alembic_says(database: Engine) -> None:
    assert revisions.head() == migrations.head()
    with snapshot() as session:
        assert revisions.current(session) == migrations.current() == migrations.head()


def test_an_empty_database_is_at_no_revision(tmp_path: Path) -> None:
    with Session(create_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")) as session:
        assert revisions.current(session) is None


def test_an_empty_database_migrates_to_head(alembic_runner: MigrationContext) -> None:
    tests.test_upgrade(alembic_runner)
    assert alembic_runner.current == migrations.head()


def test_models_equal_the_migrated_schema(alembic_runner: MigrationContext) -> None:
    tests.test_model_definitions_match_ddl(alembic_runner)
    assert alembic_runner.current is not None


def test_every_migration_goes_down_and_up_again(alembic_runner: MigrationContext) -> None:
    tests.test_up_down_consistency(alembic_runner)
    assert alembic_runner.current is not None


def test_a_downgrade_leaves_no_table(alembic_runner: MigrationContext, alembic_engine: Engine) -> None:
    alembic_runner.migrate_up_to("heads")
    alembic_runner.migrate_down_to("base")
    assert set(inspect(alembic_engine).get_table_names()) <= {"alembic_version"}


def test_all_tables_of_the_catalogue_are_there(database: Engine) -> None:
    assert set(CATALOGUE) <= set(inspect(database).get_table_names())
    assert len(CATALOGUE) == 27


@pytest.mark.parametrize(("table", "column"), ON_DELETE)
def test_foreign_keys_delete_as_the_source_says(sqlite: Engine, table: str, column: str) -> None:
    keys = [key for key in inspect(sqlite).get_foreign_keys(table) if key["constrained_columns"] == [column]]
    assert [key["options"].get("ondelete") for key in keys] == [ON_DELETE[table, column]]


def test_every_foreign_key_has_an_index(database: Engine) -> None:
    inspector = inspect(database)
    bare = []
    for table in inspector.get_table_names():
        if table.startswith("experiments_fts"):
            continue
        leading = {tuple(index["column_names"][:1]) for index in inspector.get_indexes(table)}
        leading |= {tuple(unique["column_names"][:1]) for unique in inspector.get_unique_constraints(table)}
        leading |= {tuple(inspector.get_pk_constraint(table)["constrained_columns"][:1])}
        bare += [
            (table, key["constrained_columns"])
            for key in inspector.get_foreign_keys(table)
            if tuple(key["constrained_columns"][:1]) not in leading
        ]
    assert bare == []


def test_an_epoch_is_written_once(database: Engine) -> None:
    with transaction() as session:
        experiment = Experiment(name="e")
        session.add(experiment)
        session.flush()
        session.add(TrainingRun(experiment_id=experiment.id, epoch=1))
        number = experiment.id
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(TrainingRun(experiment_id=number, epoch=1))


def test_a_status_outside_the_list_is_refused_by_the_database(database: Engine) -> None:
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO experiments (name, status, epochs_completed, is_demo, created_at, updated_at) "
            "VALUES ('x', 'sleeping', 0, false, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)"
        )


def test_a_fresh_user_is_a_viewer(database: Engine) -> None:
    with transaction() as session:
        session.add(User(username="u", email="u@example.org", password_hash="x"))
    with snapshot() as session:
        assert session.scalar(select(User.role)) == "viewer"


def test_a_campaign_and_its_best_experiment_can_point_at_each_other_and_go(database: Engine) -> None:
    with transaction() as session:
        campaign = HPOCampaign(name="c", method=HPOMethod.BAYESIAN)
        session.add(campaign)
        session.flush()
        experiment = Experiment(name="best", hpo_campaign_id=campaign.id)
        session.add(experiment)
        session.flush()
        campaign.best_experiment_id = experiment.id
    with transaction() as session:
        campaign = session.scalars(select(HPOCampaign)).one()
        campaign.best_experiment_id = None
        session.flush()
        session.delete(session.scalars(select(Experiment)).one())
        session.delete(campaign)
    with snapshot() as session:
        assert session.scalar(select(Experiment.id)) is None


def test_a_dataset_takes_its_architecture_searches_along(database: Engine) -> None:
    with transaction() as session:
        dataset = Dataset(name="d")
        session.add(dataset)
        session.flush()
        campaign = NASCampaign(
            name="n", dataset_id=dataset.id, search_algorithm="random", num_trials=1, max_epochs_per_trial=1
        )
        session.add(campaign)
        session.flush()
        trial = NASTrial(campaign_id=campaign.id, trial_number=1)
        session.add(trial)
        session.flush()
        campaign.best_trial_id = trial.id
        session.flush()
        campaign.best_trial_id = None
        session.flush()
        session.delete(dataset)
    with snapshot() as session:
        assert session.scalar(select(NASTrial.id)) is None


def test_to_dict_gives_out_no_secret(sqlite: Engine) -> None:
    user = User(username="u", email="u@example.org", password_hash="hash", totp_secret="seed")
    given = user.to_dict()
    assert given["username"] == "u"
    assert not {"password_hash", "totp_secret"} & given.keys()


def test_times_come_back_aware(database: Engine) -> None:
    with transaction() as session:
        session.add(Dataset(name="d"))
    with snapshot() as session:
        moment = session.scalar(select(Dataset.created_at))
    assert moment is not None
    assert moment.utcoffset() is not None


def test_a_time_without_a_zone_is_refused(sqlite: Engine) -> None:
    from datetime import datetime

    with pytest.raises(Exception, match="without a zone"), transaction() as session:
        session.add(Dataset(name="d", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the point


def test_a_database_of_a_newer_version_is_refused(database: Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    with pytest.raises(ConfigurationError, match="newer"):
        migrations.upgrade()


def test_sqlite_runs_with_wal_full_sync_and_foreign_keys(sqlite_url: str) -> None:
    with engines.build_engine(sqlite_url).connect() as connection:
        read = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert read == ["wal", 2, 1]


def test_every_model_is_reexported() -> None:
    mapped = {mapper.class_.__name__ for mapper in models.Base.registry.mappers}
    assert mapped <= set(models.__all__)


def test_groups_and_tags_that_were_there_are_taken_over(
    alembic_runner: MigrationContext, alembic_engine: Engine
) -> None:
    alembic_runner.migrate_up_before("0008")
    columns = "name, status, epochs_completed, is_demo, created_at, updated_at, group_name, source, source_id, config"
    rows = [
        ("a", "first", "'mlflow', 'a'", '{"tags": {"team": "x", "": "y", "n": "1"}}'),
        ("b", "second", "'mlflow', 'b'", '{"tags": ["no", "object"]}'),
        ("c", "first", "'mlflow', 'c'", "null"),
        ("d", "Default", "NULL, NULL", '{"tags": {"own": "configuration"}}'),
    ]
    with alembic_engine.begin() as connection:
        for name, group, source, config in rows:
            connection.execute(
                text(
                    f"INSERT INTO experiments ({columns}) VALUES (:name, 'completed', 0, false,"
                    f" '2026-01-01 00:00:00', '2026-01-01 00:00:00', :given, {source}, :config)"
                ),
                {"name": name, "given": group, "config": config},
            )
    alembic_runner.migrate_up_to("0008")
    with alembic_engine.connect() as connection:
        groups = connection.execute(text("SELECT id, name FROM experiment_groups ORDER BY id")).all()
        tags = connection.execute(text("SELECT experiment_id, name, value FROM run_tags ORDER BY name")).all()
    assert groups == [(1, "first"), (2, "second")]
    assert tags == [(1, "n", "1"), (1, "team", "x")]
