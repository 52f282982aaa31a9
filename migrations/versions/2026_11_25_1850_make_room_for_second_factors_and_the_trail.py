"""make room for second factors, a person's preferences, the chain of the log and the state of the machine

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _columns() -> dict[str, tuple[tuple[str, sa.types.TypeEngine], ...]]:
    return {
        "users": (
            ("display_name", sa.String(100)),
            ("time_zone", sa.String(64)),
            ("theme", sa.String(10)),
            ("density", sa.String(12)),
            ("totp_pending_secret", sa.String(255)),
            ("totp_last_step", sa.BigInteger()),
            ("deleted_at", _MOMENT),
        ),
        "session_logs": (
            ("authenticated_at", _MOMENT),
            ("factors", sa.String(50)),
            ("challenge", sa.String(200)),
            ("challenge_expires_at", _MOMENT),
        ),
        "one_time_tokens": (("payload", sa.String(320)),),
        "system_logs": (
            ("ip_address", sa.String(45)),
            ("request_id", sa.String(64)),
            ("previous_hash", sa.String(64)),
            ("row_hash", sa.String(64)),
        ),
    }


_SWITCHES = (("users", "password_reset_required"), ("session_logs", "second_factor_pending"))


def upgrade() -> None:
    is_postgresql = op.get_context().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    for table, columns in _columns().items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    for table, name in _SWITCHES:
        op.add_column(table, sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column(
            "transports", sa.JSON().with_variant(postgresql.ARRAY(sa.String(length=100)), "postgresql"), nullable=False
        ),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_passkeys_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_user_id"), "passkeys", ["user_id"])
    op.create_table(
        "house_settings",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["users.id"], name=op.f("fk_house_settings_updated_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_house_settings")),
    )
    op.create_index(op.f("ix_house_settings_updated_by"), "house_settings", ["updated_by"])
    op.create_table(
        "health_samples",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.Column("cpu_percent", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("memory_used", "memory_total", "disk_used", "disk_total")
        ),
        sa.Column("jobs_waiting", sa.Integer(), nullable=False),
        sa.Column("jobs_running", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_samples")),
    )
    op.create_index(op.f("ix_health_samples_taken_at"), "health_samples", ["taken_at"])


def downgrade() -> None:
    for table in ("health_samples", "house_settings", "passkeys"):
        op.drop_table(table)
    for table, name in _SWITCHES:
        op.drop_column(table, name)
    for table, columns in _columns().items():
        for name, _ in reversed(columns):
            op.drop_column(table, name)
