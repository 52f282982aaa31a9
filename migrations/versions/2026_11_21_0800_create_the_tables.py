"""create the tables

Revision: 0001, after .
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEARCHED = "name", "given_name", "group_name", "model_type", "notes"

# The two circles of foreign keys: SQLite takes them with the table, PostgreSQL once both tables stand.
_CIRCLES = (
    ("fk_experiments_hpo_campaign_id_hpo_campaigns", "experiments", "hpo_campaigns", "hpo_campaign_id"),
    ("fk_hpo_campaigns_best_experiment_id_experiments", "hpo_campaigns", "experiments", "best_experiment_id"),
    ("fk_nas_campaigns_best_trial_id_nas_trials", "nas_campaigns", "nas_trials", "best_trial_id"),
)


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _search_document() -> str:
    joined = " || ' ' || ".join(f"coalesce({column}, '')" for column in _SEARCHED)
    return f"to_tsvector('simple', translate({joined}, '_-/.=:', '      '))" if _is_postgresql() else joined


def _create_full_text_search() -> None:
    if _is_postgresql():
        op.create_index("ix_experiments_search_vector", "experiments", ["search_vector"], postgresql_using="gin")
        return
    columns = ", ".join(_SEARCHED)
    new, old = (", ".join(f"{row}.{column}" for column in _SEARCHED) for row in ("new", "old"))
    op.execute(
        f"CREATE VIRTUAL TABLE experiments_fts USING fts5({columns}, content='experiments', content_rowid='id', "
        "tokenize='unicode61')"
    )
    insert = f"INSERT INTO experiments_fts(rowid, {columns}) VALUES (new.id, {new});"
    delete = f"INSERT INTO experiments_fts(experiments_fts, rowid, {columns}) VALUES ('delete', old.id, {old});"
    op.execute(f"CREATE TRIGGER experiments_fts_insert AFTER INSERT ON experiments BEGIN {insert} END")
    op.execute(f"CREATE TRIGGER experiments_fts_delete AFTER DELETE ON experiments BEGIN {delete} END")
    op.execute(
        f"CREATE TRIGGER experiments_fts_update AFTER UPDATE OF {columns} ON experiments BEGIN {delete} {insert} END"
    )


def upgrade() -> None:
    op.create_table(
        "api_metrics_summary",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("aggregation_type", sa.String(length=20), nullable=False),
        sa.Column("total_requests", sa.Integer(), nullable=False),
        sa.Column("successful_requests", sa.Integer(), nullable=False),
        sa.Column("failed_requests", sa.Integer(), nullable=False),
        sa.Column("avg_response_time_ms", sa.Double(), nullable=True),
        sa.Column("p50_response_time_ms", sa.Double(), nullable=True),
        sa.Column("p95_response_time_ms", sa.Double(), nullable=True),
        sa.Column("p99_response_time_ms", sa.Double(), nullable=True),
        sa.Column("requests_per_second", sa.Double(), nullable=True),
        sa.Column("error_rate", sa.Double(), nullable=True),
        sa.Column("endpoint_metrics", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_metrics_summary")),
    )
    with op.batch_alter_table("api_metrics_summary", schema=None) as batch_op:
        batch_op.create_index("ix_api_metrics_summary_period_type", ["period_start", "aggregation_type"], unique=False)

    op.create_table(
        "metric_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_metric_keys_name")),
    )
    op.create_table(
        "throttles",
        sa.Column("bucket", sa.String(length=100), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_throttles")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.String(length=255), nullable=True),
        sa.Column("totp_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin', 'super_admin')", name=op.f("ck_users_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column(
            "scopes", sa.JSON().with_variant(postgresql.ARRAY(sa.String(length=100)), "postgresql"), nullable=False
        ),
        sa.Column("rate_limit", sa.Integer(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate_limit > 0", name=op.f("ck_api_keys_rate_limit_positive")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_keys_prefix"), ["prefix"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_keys_user_id"), ["user_id"], unique=False)

    op.create_table(
        "backup_codes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=255), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_backup_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_backup_codes_code_hash")),
    )
    with op.batch_alter_table("backup_codes", schema=None) as batch_op:
        batch_op.create_index("ix_backup_codes_user_unused", ["user_id", "is_used"], unique=False)

    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=1000), nullable=True),
        sa.Column("num_signals", sa.Integer(), nullable=False),
        sa.Column("fault_types", sa.JSON(), nullable=True),
        sa.Column("severity_levels", sa.JSON(), nullable=True),
        sa.Column("file_path", sa.String(length=500), nullable=True),
        sa.Column("meta_data", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("num_signals >= 0", name=op.f("ck_datasets_num_signals_not_negative")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_datasets_created_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("name", name=op.f("uq_datasets_name")),
    )
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_datasets_created_by"), ["created_by"], unique=False)

    op.create_table(
        "email_digest_queue",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.String(length=50), nullable=False),
        sa.Column("event_data", sa.JSON(), nullable=True),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=False),
        sa.Column("included_in_digest", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_digest_queue_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_digest_queue")),
    )
    with op.batch_alter_table("email_digest_queue", schema=None) as batch_op:
        batch_op.create_index("idx_digest_queue_event_scheduled", ["event_type", "scheduled_for"], unique=False)
        batch_op.create_index("idx_digest_queue_included", ["included_in_digest", "scheduled_for"], unique=False)
        batch_op.create_index("idx_digest_queue_user_scheduled", ["user_id", "scheduled_for"], unique=False)

    op.create_table(
        "email_logs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("recipient_email", sa.String(length=255), nullable=False),
        sa.Column("event_type", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("template_name", sa.String(length=100), nullable=True),
        sa.Column("event_data", sa.JSON(), nullable=True),
        sa.Column("provider", sa.String(length=50), nullable=True),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clicked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_email_logs_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_logs")),
    )
    with op.batch_alter_table("email_logs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_email_logs_event_type"), ["event_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_email_logs_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_email_logs_recipient_email"), ["recipient_email"], unique=False)
        batch_op.create_index(batch_op.f("ix_email_logs_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_email_logs_user_id"), ["user_id"], unique=False)

    op.create_table(
        "login_history",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=500), nullable=True),
        sa.Column("location", sa.String(length=255), nullable=True),
        sa.Column("login_method", sa.String(length=20), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("failure_reason", sa.String(length=255), nullable=True),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_history_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_history")),
    )
    with op.batch_alter_table("login_history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_history_ip_address"), ["ip_address"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_history_timestamp"), ["timestamp"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_history_user_id"), ["user_id"], unique=False)
        batch_op.create_index("ix_login_history_user_time", ["user_id", "timestamp"], unique=False)

    op.create_table(
        "notification_preferences",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.String(length=50), nullable=False),
        sa.Column("email_enabled", sa.Boolean(), nullable=False),
        sa.Column("in_app_enabled", sa.Boolean(), nullable=False),
        sa.Column("slack_enabled", sa.Boolean(), nullable=False),
        sa.Column("webhook_enabled", sa.Boolean(), nullable=False),
        sa.Column("email_frequency", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "email_frequency IN ('immediate', 'digest_daily', 'digest_weekly')",
            name=op.f("ck_notification_preferences_frequency_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notification_preferences_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_preferences")),
        sa.UniqueConstraint("user_id", "event_type", name="uq_user_event_type"),
    )
    with op.batch_alter_table("notification_preferences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_preferences_user_id"), ["user_id"], unique=False)

    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_tokens_token_hash")),
    )
    with op.batch_alter_table("one_time_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_tokens_purpose"), ["purpose"], unique=False)
        batch_op.create_index(batch_op.f("ix_one_time_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_searches_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("user_id", "name", name="uq_user_saved_search_name"),
    )
    with op.batch_alter_table("saved_searches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_searches_user_id"), ["user_id"], unique=False)

    op.create_table(
        "session_logs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("session_token", sa.String(length=255), nullable=False),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=500), nullable=True),
        sa.Column("device_type", sa.String(length=50), nullable=True),
        sa.Column("browser", sa.String(length=100), nullable=True),
        sa.Column("location", sa.String(length=255), nullable=True),
        sa.Column("last_active", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("logged_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_reason", sa.String(length=50), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_session_logs_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_logs")),
        sa.UniqueConstraint("session_token", name=op.f("uq_session_logs_session_token")),
    )
    with op.batch_alter_table("session_logs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_logs_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_logs_last_active"), ["last_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_logs_user_id"), ["user_id"], unique=False)

    op.create_table(
        "system_logs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("error_message", sa.String(length=1000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_system_logs_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_logs")),
    )
    with op.batch_alter_table("system_logs", schema=None) as batch_op:
        batch_op.create_index("idx_system_log_time_status", ["created_at", "status"], unique=False)
        batch_op.create_index("idx_system_log_user_time", ["user_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_system_logs_action"), ["action"], unique=False)

    op.create_table(
        "tags",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("slug", sa.String(length=50), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("usage_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("usage_count >= 0", name=op.f("ck_tags_usage_count_not_negative")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_tags_created_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("name", name=op.f("uq_tags_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_tags_slug")),
    )
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tags_created_by"), ["created_by"], unique=False)

    op.create_table(
        "webhook_configurations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("provider_type", sa.String(length=50), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column(
            "enabled_events",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "settings", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("consecutive_failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "provider_type IN ('slack', 'teams', 'webhook')", name=op.f("ck_webhook_configurations_provider_known")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_webhook_configurations_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_configurations")),
        sa.UniqueConstraint("user_id", "webhook_url", name="uq_user_webhook_url"),
    )
    with op.batch_alter_table("webhook_configurations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_configurations_is_active"), ["is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_configurations_provider_type"), ["provider_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_configurations_user_id"), ["user_id"], unique=False)

    op.create_table(
        "api_request_logs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("endpoint", sa.String(length=255), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("request_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response_time_ms", sa.Double(), nullable=False),
        sa.Column("request_size_bytes", sa.Integer(), nullable=True),
        sa.Column("response_size_bytes", sa.Integer(), nullable=True),
        sa.Column("ip_address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("api_key_id", sa.Integer(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("request_payload_sample", sa.JSON(), nullable=True),
        sa.Column("response_payload_sample", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_api_request_logs_api_key_id_api_keys"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_request_logs")),
    )
    with op.batch_alter_table("api_request_logs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_request_logs_api_key_id"), ["api_key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_request_logs_endpoint"), ["endpoint"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_request_logs_request_time"), ["request_time"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_request_logs_status_code"), ["status_code"], unique=False)

    op.create_table(
        "api_usage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.String(length=255), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("response_time_ms", sa.Integer(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_api_usage_api_key_id_api_keys"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_usage")),
    )
    with op.batch_alter_table("api_usage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_usage_api_key_id"), ["api_key_id"], unique=False)
        batch_op.create_index("ix_api_usage_key_time", ["api_key_id", "timestamp"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_usage_timestamp"), ["timestamp"], unique=False)

    op.create_table(
        "dataset_generations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("config", sa.JSON(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("num_signals", sa.Integer(), nullable=True),
        sa.Column("num_faults", sa.Integer(), nullable=True),
        sa.Column("output_path", sa.String(length=500), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("celery_task_id", sa.String(length=255), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_dataset_generations_progress_percent")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_dataset_generations_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_dataset_generations_dataset_id_datasets"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_generations")),
    )
    with op.batch_alter_table("dataset_generations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_generations_celery_task_id"), ["celery_task_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_generations_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_generations_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_generations_status"), ["status"], unique=False)

    op.create_table(
        "dataset_imports",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("config", sa.JSON(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("num_files", sa.Integer(), nullable=True),
        sa.Column("num_signals", sa.Integer(), nullable=True),
        sa.Column("output_path", sa.String(length=500), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("celery_task_id", sa.String(length=255), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_dataset_imports_progress_percent")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_dataset_imports_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_dataset_imports_dataset_id_datasets"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_imports")),
    )
    with op.batch_alter_table("dataset_imports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_imports_celery_task_id"), ["celery_task_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_imports_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_imports_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_imports_status"), ["status"], unique=False)

    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("model_type", sa.String(length=50), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("config", sa.JSON(), nullable=True),
        sa.Column("hyperparameters", sa.JSON(), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.Column("best_epoch", sa.Integer(), nullable=True),
        sa.Column("total_epochs", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("model_path", sa.String(length=500), nullable=True),
        sa.Column("onnx_path", sa.String(length=500), nullable=True),
        sa.Column("results_dir", sa.String(length=500), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column(
            "search_vector",
            postgresql.TSVECTOR().with_variant(sa.Text(), "sqlite"),
            sa.Computed(_search_document(), persisted=_is_postgresql() or None),
            nullable=True,
        ),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("hpo_campaign_id", sa.Integer(), nullable=True),
        sa.Column("given_name", sa.String(length=255), nullable=True),
        sa.Column("group_name", sa.String(length=255), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=True),
        sa.Column("source_id", sa.String(length=500), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("epochs_completed", sa.Integer(), nullable=False),
        sa.Column("artifact_paths", sa.JSON(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("epochs_completed >= 0", name=op.f("ck_experiments_epochs_completed_not_negative")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_experiments_created_by_users")),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_experiments_dataset_id_datasets")),
        sa.ForeignKeyConstraint(
            ["hpo_campaign_id"],
            ["hpo_campaigns.id"],
            name="fk_experiments_hpo_campaign_id_hpo_campaigns",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["experiments.id"], name=op.f("fk_experiments_parent_id_experiments"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint("name", name=op.f("uq_experiments_name")),
        sa.UniqueConstraint("source", "source_id", name="uq_experiments_source"),
    )
    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.create_index("ix_experiments_created", ["created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_deleted_at"), ["deleted_at"], unique=False)
        batch_op.create_index("ix_experiments_duration", ["duration_seconds", "id"], unique=False)
        batch_op.create_index("ix_experiments_ended", ["ended_at", "id"], unique=False)
        batch_op.create_index("ix_experiments_epochs", ["epochs_completed", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_group_name"), ["group_name"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_hpo_campaign_id"), ["hpo_campaign_id"], unique=False)
        batch_op.create_index("ix_experiments_model", ["model_type", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_model_type"), ["model_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiments_status"), ["status"], unique=False)
        batch_op.create_index("ix_experiments_status_created", ["status", "created_at", "id"], unique=False)

    op.create_table(
        "hpo_campaigns",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "grid_search",
                "random_search",
                "bayesian",
                "hyperband",
                name="method",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("base_model_type", sa.String(length=50), nullable=True),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("search_space", sa.JSON(), nullable=True),
        sa.Column("budget", sa.JSON(), nullable=True),
        sa.Column("trials_completed", sa.Integer(), nullable=False),
        sa.Column("trials_total", sa.Integer(), nullable=True),
        sa.Column("best_experiment_id", sa.Integer(), nullable=True),
        sa.Column("best_accuracy", sa.Double(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["best_experiment_id"],
            ["experiments.id"],
            name="fk_hpo_campaigns_best_experiment_id_experiments",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_hpo_campaigns_created_by_users")),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_hpo_campaigns_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hpo_campaigns")),
        sa.UniqueConstraint("name", name=op.f("uq_hpo_campaigns_name")),
    )
    with op.batch_alter_table("hpo_campaigns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hpo_campaigns_best_experiment_id"), ["best_experiment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hpo_campaigns_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_hpo_campaigns_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hpo_campaigns_status"), ["status"], unique=False)

    op.create_table(
        "nas_campaigns",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("search_algorithm", sa.String(length=50), nullable=False),
        sa.Column("num_trials", sa.Integer(), nullable=False),
        sa.Column("max_epochs_per_trial", sa.Integer(), nullable=False),
        sa.Column("search_space_config", sa.JSON(), nullable=True),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("best_trial_id", sa.Integer(), nullable=True),
        sa.Column("best_accuracy", sa.Double(), nullable=True),
        sa.Column("task_id", sa.String(length=255), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["best_trial_id"], ["nas_trials.id"], name="fk_nas_campaigns_best_trial_id_nas_trials", use_alter=True
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_nas_campaigns_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name=op.f("fk_nas_campaigns_dataset_id_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nas_campaigns")),
    )
    with op.batch_alter_table("nas_campaigns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_nas_campaigns_best_trial_id"), ["best_trial_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_nas_campaigns_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_nas_campaigns_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_nas_campaigns_status"), ["status"], unique=False)

    op.create_table(
        "signals",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("signal_id", sa.String(length=100), nullable=False),
        sa.Column("fault_class", sa.String(length=50), nullable=True),
        sa.Column("severity", sa.String(length=50), nullable=True),
        sa.Column("file_path", sa.String(length=500), nullable=True),
        sa.Column("rms", sa.Double(), nullable=True),
        sa.Column("kurtosis", sa.Double(), nullable=True),
        sa.Column("dominant_frequency", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_signals_dataset_id_datasets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
    )
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signals_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index("ix_signals_dataset_signal", ["dataset_id", "signal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_signals_fault_class"), ["fault_class"], unique=False)
        batch_op.create_index(batch_op.f("ix_signals_signal_id"), ["signal_id"], unique=False)

    op.create_table(
        "webhook_logs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("webhook_config_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("event_type", sa.String(length=50), nullable=False),
        sa.Column("provider_type", sa.String(length=50), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column(
            "payload", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("http_status_code", sa.Integer(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_webhook_logs_user_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["webhook_config_id"],
            ["webhook_configurations.id"],
            name=op.f("fk_webhook_logs_webhook_config_id_webhook_configurations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_logs")),
    )
    with op.batch_alter_table("webhook_logs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_logs_event_type"), ["event_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_logs_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_logs_user_id"), ["user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhook_logs_webhook_config_id"), ["webhook_config_id"], unique=False)

    op.create_table(
        "confusion_matrices",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_confusion_matrices_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confusion_matrices")),
        sa.UniqueConstraint("experiment_id", "split", "epoch", name="uq_confusion_matrices_experiment_split_epoch"),
    )
    op.create_table(
        "experiment_params",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=250), nullable=False),
        sa.Column("value_text", sa.String(length=250), nullable=True),
        sa.Column("value_number", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_params_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "name", name=op.f("pk_experiment_params")),
    )
    with op.batch_alter_table("experiment_params", schema=None) as batch_op:
        batch_op.create_index("ix_experiment_params_number", ["name", "value_number", "experiment_id"], unique=False)
        batch_op.create_index("ix_experiment_params_text", ["name", "value_text", "experiment_id"], unique=False)

    op.create_table(
        "experiment_tags",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"], ["users.id"], name=op.f("fk_experiment_tags_added_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_tags_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tags.id"], name=op.f("fk_experiment_tags_tag_id_tags"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_tags")),
        sa.UniqueConstraint("experiment_id", "tag_id", name="uq_experiment_tag"),
    )
    with op.batch_alter_table("experiment_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_tags_added_by"), ["added_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiment_tags_experiment_id"), ["experiment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_experiment_tags_tag_id"), ["tag_id"], unique=False)

    op.create_table(
        "explanations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("signal_id", sa.String(length=100), nullable=False),
        sa.Column("method", sa.String(length=50), nullable=False),
        sa.Column("explanation_data", sa.JSON(), nullable=True),
        sa.Column("file_path", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_explanations_experiment_id_experiments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_explanations")),
    )
    with op.batch_alter_table("explanations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_explanations_experiment_id"), ["experiment_id"], unique=False)
        batch_op.create_index(
            "ix_explanations_experiment_signal_method", ["experiment_id", "signal_id", "method"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_explanations_signal_id"), ["signal_id"], unique=False)

    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "running",
                "completed",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=100), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("experiment_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_jobs_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_jobs_experiment_id_experiments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_jobs_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_jobs_experiment_id"), ["experiment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_jobs_kind"), ["kind"], unique=False)
        batch_op.create_index("ix_jobs_status_heartbeat", ["status", "heartbeat_at"], unique=False)
        batch_op.create_index("ix_jobs_status_not_before", ["status", "not_before"], unique=False)

    op.create_table(
        "metric_series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("nonfinite", sa.Integer(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("last_value", sa.Double(), nullable=True),
        sa.Column("last_special", sa.String(length=4), nullable=True),
        sa.Column("last_time", sa.Double(), nullable=True),
        sa.Column("min_value", sa.Double(), nullable=True),
        sa.Column("min_step", sa.BigInteger(), nullable=True),
        sa.Column("max_value", sa.Double(), nullable=True),
        sa.Column("max_step", sa.BigInteger(), nullable=True),
        sa.Column("in_order", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_metric_series_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["key_id"], ["metric_keys.id"], name=op.f("fk_metric_series_key_id_metric_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_series")),
        sa.UniqueConstraint("experiment_id", "key_id", name="uq_metric_series_experiment_key"),
    )
    with op.batch_alter_table("metric_series", schema=None) as batch_op:
        batch_op.create_index("ix_metric_series_last", ["key_id", "last_value", "experiment_id"], unique=False)
        batch_op.create_index("ix_metric_series_max", ["key_id", "max_value", "experiment_id"], unique=False)
        batch_op.create_index("ix_metric_series_min", ["key_id", "min_value", "experiment_id"], unique=False)

    op.create_table(
        "nas_trials",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("trial_number", sa.Integer(), nullable=False),
        sa.Column("architecture", sa.JSON(), nullable=True),
        sa.Column("architecture_hash", sa.String(length=64), nullable=True),
        sa.Column("validation_accuracy", sa.Double(), nullable=True),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("training_time", sa.Double(), nullable=True),
        sa.Column("num_parameters", sa.BigInteger(), nullable=True),
        sa.Column("flops", sa.BigInteger(), nullable=True),
        sa.Column("model_size_mb", sa.Double(), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["nas_campaigns.id"],
            name=op.f("fk_nas_trials_campaign_id_nas_campaigns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nas_trials")),
    )
    with op.batch_alter_table("nas_trials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_nas_trials_architecture_hash"), ["architecture_hash"], unique=False)
        batch_op.create_index("ix_nas_trials_campaign_trial", ["campaign_id", "trial_number"], unique=False)

    op.create_table(
        "training_runs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("train_loss", sa.Double(), nullable=True),
        sa.Column("val_loss", sa.Double(), nullable=True),
        sa.Column("train_accuracy", sa.Double(), nullable=True),
        sa.Column("val_accuracy", sa.Double(), nullable=True),
        sa.Column("learning_rate", sa.Double(), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("checkpoint_path", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_training_runs_experiment_id_experiments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_runs")),
        sa.UniqueConstraint("experiment_id", "epoch", name="uq_training_runs_experiment_epoch"),
    )
    with op.batch_alter_table("training_runs", schema=None) as batch_op:
        batch_op.create_index("ix_training_runs_experiment_epoch", ["experiment_id", "epoch"], unique=False)

    op.create_table(
        "metric_chunks",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("step_codec", sa.SmallInteger(), nullable=False),
        sa.Column("first_step", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("low_step", sa.BigInteger(), nullable=False),
        sa.Column("high_step", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("values", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"],
            ["metric_series.id"],
            name=op.f("fk_metric_chunks_series_id_metric_series"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("series_id", "start", name=op.f("pk_metric_chunks")),
    )

    if _is_postgresql():
        for name, table, referred, column in _CIRCLES:
            op.create_foreign_key(name, table, referred, [column], ["id"])
    _create_full_text_search()


def downgrade() -> None:
    if _is_postgresql():
        for name, table, _, _ in _CIRCLES:
            op.drop_constraint(name, table, type_="foreignkey")
        op.drop_index("ix_experiments_search_vector", table_name="experiments")
    else:
        op.execute("DROP TABLE experiments_fts")
    op.drop_table("metric_chunks")
    with op.batch_alter_table("training_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_training_runs_experiment_epoch")

    op.drop_table("training_runs")
    with op.batch_alter_table("nas_trials", schema=None) as batch_op:
        batch_op.drop_index("ix_nas_trials_campaign_trial")
        batch_op.drop_index(batch_op.f("ix_nas_trials_architecture_hash"))

    op.drop_table("nas_trials")
    with op.batch_alter_table("metric_series", schema=None) as batch_op:
        batch_op.drop_index("ix_metric_series_min")
        batch_op.drop_index("ix_metric_series_max")
        batch_op.drop_index("ix_metric_series_last")

    op.drop_table("metric_series")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_status_not_before")
        batch_op.drop_index("ix_jobs_status_heartbeat")
        batch_op.drop_index(batch_op.f("ix_jobs_kind"))
        batch_op.drop_index(batch_op.f("ix_jobs_experiment_id"))
        batch_op.drop_index(batch_op.f("ix_jobs_created_by"))

    op.drop_table("jobs")
    with op.batch_alter_table("explanations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_explanations_signal_id"))
        batch_op.drop_index("ix_explanations_experiment_signal_method")
        batch_op.drop_index(batch_op.f("ix_explanations_experiment_id"))

    op.drop_table("explanations")
    with op.batch_alter_table("experiment_tags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_experiment_tags_tag_id"))
        batch_op.drop_index(batch_op.f("ix_experiment_tags_experiment_id"))
        batch_op.drop_index(batch_op.f("ix_experiment_tags_added_by"))

    op.drop_table("experiment_tags")
    with op.batch_alter_table("experiment_params", schema=None) as batch_op:
        batch_op.drop_index("ix_experiment_params_text")
        batch_op.drop_index("ix_experiment_params_number")

    op.drop_table("experiment_params")
    op.drop_table("confusion_matrices")
    with op.batch_alter_table("webhook_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_logs_webhook_config_id"))
        batch_op.drop_index(batch_op.f("ix_webhook_logs_user_id"))
        batch_op.drop_index(batch_op.f("ix_webhook_logs_status"))
        batch_op.drop_index(batch_op.f("ix_webhook_logs_event_type"))

    op.drop_table("webhook_logs")
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signals_signal_id"))
        batch_op.drop_index(batch_op.f("ix_signals_fault_class"))
        batch_op.drop_index("ix_signals_dataset_signal")
        batch_op.drop_index(batch_op.f("ix_signals_dataset_id"))

    op.drop_table("signals")
    with op.batch_alter_table("nas_campaigns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_nas_campaigns_status"))
        batch_op.drop_index(batch_op.f("ix_nas_campaigns_dataset_id"))
        batch_op.drop_index(batch_op.f("ix_nas_campaigns_created_by"))
        batch_op.drop_index(batch_op.f("ix_nas_campaigns_best_trial_id"))

    op.drop_table("nas_campaigns")
    with op.batch_alter_table("hpo_campaigns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hpo_campaigns_status"))
        batch_op.drop_index(batch_op.f("ix_hpo_campaigns_dataset_id"))
        batch_op.drop_index(batch_op.f("ix_hpo_campaigns_created_by"))
        batch_op.drop_index(batch_op.f("ix_hpo_campaigns_best_experiment_id"))

    op.drop_table("hpo_campaigns")
    with op.batch_alter_table("experiments", schema=None) as batch_op:
        batch_op.drop_index("ix_experiments_status_created")
        batch_op.drop_index(batch_op.f("ix_experiments_status"))
        batch_op.drop_index(batch_op.f("ix_experiments_parent_id"))
        batch_op.drop_index(batch_op.f("ix_experiments_model_type"))
        batch_op.drop_index("ix_experiments_model")
        batch_op.drop_index(batch_op.f("ix_experiments_hpo_campaign_id"))
        batch_op.drop_index(batch_op.f("ix_experiments_group_name"))
        batch_op.drop_index("ix_experiments_epochs")
        batch_op.drop_index("ix_experiments_ended")
        batch_op.drop_index("ix_experiments_duration")
        batch_op.drop_index(batch_op.f("ix_experiments_deleted_at"))
        batch_op.drop_index(batch_op.f("ix_experiments_dataset_id"))
        batch_op.drop_index(batch_op.f("ix_experiments_created_by"))
        batch_op.drop_index("ix_experiments_created")

    op.drop_table("experiments")
    with op.batch_alter_table("dataset_imports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dataset_imports_status"))
        batch_op.drop_index(batch_op.f("ix_dataset_imports_dataset_id"))
        batch_op.drop_index(batch_op.f("ix_dataset_imports_created_by"))
        batch_op.drop_index(batch_op.f("ix_dataset_imports_celery_task_id"))

    op.drop_table("dataset_imports")
    with op.batch_alter_table("dataset_generations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dataset_generations_status"))
        batch_op.drop_index(batch_op.f("ix_dataset_generations_dataset_id"))
        batch_op.drop_index(batch_op.f("ix_dataset_generations_created_by"))
        batch_op.drop_index(batch_op.f("ix_dataset_generations_celery_task_id"))

    op.drop_table("dataset_generations")
    with op.batch_alter_table("api_usage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_usage_timestamp"))
        batch_op.drop_index("ix_api_usage_key_time")
        batch_op.drop_index(batch_op.f("ix_api_usage_api_key_id"))

    op.drop_table("api_usage")
    with op.batch_alter_table("api_request_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_request_logs_status_code"))
        batch_op.drop_index(batch_op.f("ix_api_request_logs_request_time"))
        batch_op.drop_index(batch_op.f("ix_api_request_logs_endpoint"))
        batch_op.drop_index(batch_op.f("ix_api_request_logs_api_key_id"))

    op.drop_table("api_request_logs")
    with op.batch_alter_table("webhook_configurations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_configurations_user_id"))
        batch_op.drop_index(batch_op.f("ix_webhook_configurations_provider_type"))
        batch_op.drop_index(batch_op.f("ix_webhook_configurations_is_active"))

    op.drop_table("webhook_configurations")
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tags_created_by"))

    op.drop_table("tags")
    with op.batch_alter_table("system_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_system_logs_action"))
        batch_op.drop_index("idx_system_log_user_time")
        batch_op.drop_index("idx_system_log_time_status")

    op.drop_table("system_logs")
    with op.batch_alter_table("session_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_logs_user_id"))
        batch_op.drop_index(batch_op.f("ix_session_logs_last_active"))
        batch_op.drop_index(batch_op.f("ix_session_logs_is_active"))

    op.drop_table("session_logs")
    with op.batch_alter_table("saved_searches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_searches_user_id"))

    op.drop_table("saved_searches")
    with op.batch_alter_table("one_time_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_tokens_user_id"))
        batch_op.drop_index(batch_op.f("ix_one_time_tokens_purpose"))

    op.drop_table("one_time_tokens")
    with op.batch_alter_table("notification_preferences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notification_preferences_user_id"))

    op.drop_table("notification_preferences")
    with op.batch_alter_table("login_history", schema=None) as batch_op:
        batch_op.drop_index("ix_login_history_user_time")
        batch_op.drop_index(batch_op.f("ix_login_history_user_id"))
        batch_op.drop_index(batch_op.f("ix_login_history_timestamp"))
        batch_op.drop_index(batch_op.f("ix_login_history_ip_address"))

    op.drop_table("login_history")
    with op.batch_alter_table("email_logs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_email_logs_user_id"))
        batch_op.drop_index(batch_op.f("ix_email_logs_status"))
        batch_op.drop_index(batch_op.f("ix_email_logs_recipient_email"))
        batch_op.drop_index(batch_op.f("ix_email_logs_message_id"))
        batch_op.drop_index(batch_op.f("ix_email_logs_event_type"))

    op.drop_table("email_logs")
    with op.batch_alter_table("email_digest_queue", schema=None) as batch_op:
        batch_op.drop_index("idx_digest_queue_user_scheduled")
        batch_op.drop_index("idx_digest_queue_included")
        batch_op.drop_index("idx_digest_queue_event_scheduled")

    op.drop_table("email_digest_queue")
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_datasets_created_by"))

    op.drop_table("datasets")
    with op.batch_alter_table("backup_codes", schema=None) as batch_op:
        batch_op.drop_index("ix_backup_codes_user_unused")

    op.drop_table("backup_codes")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_user_id"))
        batch_op.drop_index(batch_op.f("ix_api_keys_prefix"))
        batch_op.drop_index(batch_op.f("ix_api_keys_is_active"))

    op.drop_table("api_keys")
    op.drop_table("users")
    op.drop_table("throttles")
    op.drop_table("metric_keys")
    with op.batch_alter_table("api_metrics_summary", schema=None) as batch_op:
        batch_op.drop_index("ix_api_metrics_summary_period_type")

    op.drop_table("api_metrics_summary")
