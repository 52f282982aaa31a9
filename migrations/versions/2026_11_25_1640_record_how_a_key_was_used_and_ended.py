"""record how a key was used and ended

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")  # give up rather than queue behind, and block, live traffic
    op.add_column("api_keys", sa.Column("last_used_ip", sa.String(length=45), nullable=True))
    op.add_column("api_keys", sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("revoked_reason", sa.String(length=255), nullable=True))


def downgrade() -> None:
    for name in ("revoked_reason", "replaced_at", "last_used_ip"):
        op.drop_column("api_keys", name)
