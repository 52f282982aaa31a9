"""sum up requests to the API

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BINARY = ("sketch", "parts")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    # Nothing has ever written the summaries before this version.
    for column in _BINARY:
        op.add_column("api_metrics_summary", sa.Column(column, sa.LargeBinary(), nullable=True))
    op.create_index(
        "uq_api_metrics_summary_type_period", "api_metrics_summary", ["aggregation_type", "period_start"], unique=True
    )
    op.create_table(
        "api_request_counts",
        sa.Column("endpoint", sa.String(length=255), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("status_class", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("nanoseconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "method", "status_class", "bucket", name=op.f("pk_api_request_counts")),
    )


def downgrade() -> None:
    op.drop_table("api_request_counts")
    op.drop_index("uq_api_metrics_summary_type_period", table_name="api_metrics_summary")
    for column in _BINARY:
        op.drop_column("api_metrics_summary", column)
