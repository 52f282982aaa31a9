"""keep limits and the record of requests

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WIDENED = ("request_size_bytes", "response_size_bytes")


def _is_postgresql() -> bool:
    return bool(op.get_context().dialect.name == "postgresql")


def upgrade() -> None:
    if _is_postgresql():
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    op.create_table(
        "api_rate_limits",
        sa.Column("bucket", sa.String(length=100), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_api_rate_limits")),
    )
    op.create_table(
        "api_journals",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_journals")),
    )
    op.add_column("api_request_logs", sa.Column("request_id", sa.String(length=32), nullable=True))
    op.create_index(op.f("ix_api_request_logs_request_id"), "api_request_logs", ["request_id"])
    # A row per request outgrows 31 bits; the table was never written before this version.
    if _is_postgresql():
        for column in ("id", *_WIDENED):
            op.alter_column("api_request_logs", column, type_=sa.BigInteger())
        op.execute("ALTER SEQUENCE api_request_logs_id_seq AS bigint")
    else:
        with op.batch_alter_table("api_request_logs") as table:
            for column in _WIDENED:
                table.alter_column(column, type_=sa.BigInteger(), existing_type=sa.Integer())


def downgrade() -> None:
    if _is_postgresql():
        for column in ("id", *_WIDENED):
            op.alter_column("api_request_logs", column, type_=sa.Integer())
        op.execute("ALTER SEQUENCE api_request_logs_id_seq AS integer")
    else:
        with op.batch_alter_table("api_request_logs") as table:
            for column in _WIDENED:
                table.alter_column(column, type_=sa.Integer(), existing_type=sa.BigInteger())
    op.drop_index(op.f("ix_api_request_logs_request_id"), table_name="api_request_logs")
    op.drop_column("api_request_logs", "request_id")
    op.drop_table("api_journals")
    op.drop_table("api_rate_limits")
