"""find requests and watch over them

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LOG = "api_request_logs"
_LONGER = {
    "endpoint": ("endpoint", "status_code", "request_time"),
    "status": ("status_code", "request_time"),
    "key": ("api_key_id", "request_time"),
    "address": ("ip_address", "request_time"),
}
_SHORTER = ("endpoint", "status_code", "api_key_id")  # each is the beginning of a longer one


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    for name, columns in _LONGER.items():
        op.create_index(f"ix_{_LOG}_{name}_time", _LOG, list(columns))
    for column in _SHORTER:
        op.drop_index(f"ix_{_LOG}_{column}", table_name=_LOG)
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_type", sa.String(length=50), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_event_type"), "events", ["event_type"])
    op.create_index(op.f("ix_events_happened_at"), "events", ["happened_at"])
    op.create_table(
        "api_alert_rules",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column(
            "measure",
            sa.Enum("error_rate", "p95", name="alert_measure", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("window_minutes", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.String(length=270), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=True)
            for name in ("raised_at", "changed_at", "looked_at")
        ),
        sa.Column("last_value", sa.Double(), nullable=True),
        sa.Column("last_requests", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("threshold > 0", name=op.f("ck_api_alert_rules_threshold_positive")),
        sa.CheckConstraint("window_minutes BETWEEN 1 AND 60", name=op.f("ck_api_alert_rules_window_within_an_hour")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_api_alert_rules_created_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_alert_rules")),
    )
    op.create_index(op.f("ix_api_alert_rules_created_by"), "api_alert_rules", ["created_by"])


def downgrade() -> None:
    op.drop_table("api_alert_rules")
    op.drop_table("events")
    for column in _SHORTER:
        op.create_index(f"ix_{_LOG}_{column}", _LOG, [column])
    for name in _LONGER:
        op.drop_index(f"ix_{_LOG}_{name}_time", table_name=_LOG)
