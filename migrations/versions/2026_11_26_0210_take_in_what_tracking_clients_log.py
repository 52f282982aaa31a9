"""take in what tracking clients log

Revision: 0008, after 0007.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _is_postgresql() -> bool:
    return bool(op.get_context().dialect.name == "postgresql")


def upgrade() -> None:
    if _is_postgresql():
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    op.create_table(
        "experiment_groups",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
            name=op.f("fk_experiment_groups_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_experiment_groups_name")),
    )
    op.create_index(op.f("ix_experiment_groups_created_by"), "experiment_groups", ["created_by"])
    op.create_table(
        "logged_models",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("model_id", sa.String(length=34), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("model_type", sa.String(length=500), nullable=True),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["experiment_groups.id"],
            name=op.f("fk_logged_models_group_id_experiment_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_logged_models_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_logged_models_created_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logged_models")),
        sa.UniqueConstraint("model_id", name=op.f("uq_logged_models_model_id")),
    )
    for column in ("created_by", "experiment_id", "group_id"):
        op.create_index(op.f(f"ix_logged_models_{column}"), "logged_models", [column])
    op.create_table(
        "run_tags",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_run_tags_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "name", name=op.f("pk_run_tags")),
    )
    op.create_table(
        "run_inputs",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=36), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_run_inputs_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "kind", "name", "digest", name=op.f("pk_run_inputs")),
    )
    _name_the_groups_that_are_there()
    _note_the_tags_that_came_with_imports()


def _note_the_tags_that_came_with_imports() -> None:
    if _is_postgresql():
        whole = "json_each_text(CASE json_typeof(config->'tags') WHEN 'object' THEN config->'tags' ELSE '{}' END)"
        kept = "tag.value IS NOT NULL"
    else:
        whole = "json_each(CASE json_type(config, '$.tags') WHEN 'object' THEN config->'$.tags' ELSE '{}' END)"
        kept = "tag.type = 'text'"
    op.execute(
        "INSERT INTO run_tags (experiment_id, name, value) SELECT experiments.id, tag.key, tag.value"
        f" FROM experiments, {whole} AS tag WHERE source IS NOT NULL AND length(tag.key) BETWEEN 1 AND 250 AND {kept}"
    )


def _name_the_groups_that_are_there() -> None:
    connection = op.get_bind()
    found = connection.execute(
        sa.text(
            "SELECT group_name, min(created_at) FROM experiments"
            " WHERE group_name IS NOT NULL AND group_name NOT IN ('', 'Default') GROUP BY group_name ORDER BY min(id)"
        )
    ).all()
    groups = sa.table(
        "experiment_groups",
        sa.column("name", sa.String()),
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("updated_at", sa.DateTime(timezone=True)),
    )
    moment = datetime.now(UTC)
    if found:
        connection.execute(
            sa.insert(groups),
            [{"name": name, "created_at": _moment(made, moment), "updated_at": moment} for name, made in found],
        )


def _moment(made: object, otherwise: datetime) -> datetime:
    if isinstance(made, str):  # as SQLite keeps it
        return datetime.fromisoformat(made).replace(tzinfo=UTC)
    return made if isinstance(made, datetime) else otherwise


def downgrade() -> None:
    for table in ("run_inputs", "run_tags", "logged_models", "experiment_groups"):
        op.drop_table(table)
