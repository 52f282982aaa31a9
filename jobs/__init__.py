"""The Celery app and its tasks: thin, ids travel, never rows."""
