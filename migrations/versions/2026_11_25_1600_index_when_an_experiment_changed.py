"""index when an experiment changed

Revision: 0002, after 0001.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    op.create_index("ix_experiments_updated", "experiments", ["updated_at"])


def downgrade() -> None:
    op.drop_index("ix_experiments_updated", "experiments")
