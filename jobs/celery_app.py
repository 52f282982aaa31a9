"""Celery: on disk by default, on Redis when REDIS_URL is set. The web process imports this to announce jobs."""

import sys
from collections.abc import Sequence
from typing import Any

from celery import Celery

from config.settings import ROOT, settings

TASKS = ("jobs.tasks", "jobs.processes")
BIGGEST_IDLE_CHILD = 120_000  # KiB: a child that has trained holds scikit-learn; a fresh one takes its place

SILENCE = 3.0  # seconds without an answer of Redis that has accepted; longer than the one that a worker's BRPOP waits


def broker() -> dict[str, Any]:
    """Where messages go; both kinds only carry hints, so neither needs to be kept or backed up."""
    redis = settings().redis_url
    if redis is not None:
        return {
            "broker_url": redis.get_secret_value(),
            # A person who queues something while Redis is away waits a moment, not six seconds; the sweep remembers.
            "broker_transport_options": {
                "socket_connect_timeout": 2,
                "socket_timeout": SILENCE,
                "socket_keepalive": True,
                "max_retries": 1,
                "interval_start": 0.1,
                "interval_max": 0.1,
            },
        }
    folder = settings().data_dir / "broker"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "broker_url": "filesystem://localhost",
        "broker_transport": "jobs.disk_broker:Transport",
        "broker_transport_options": {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "polling_interval": 0.5,
        },
    }


def build(tasks: Sequence[str] = TASKS) -> Celery:
    """The app of this process; the scheduler names tasks without having them, which saves it half its memory."""
    app = Celery("pfd", include=list(tasks))
    every = settings().job_sweep_every.total_seconds()
    app.conf.update(
        **broker(),
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        timezone="UTC",
        enable_utc=True,
        task_acks_late=False,  # a lost message is found by the sweep, which reads the rows
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=500,
        worker_max_memory_per_child=BIGGEST_IDLE_CHILD,
        worker_autoscaler="jobs.growing:Growing",
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,  # its queues would be files that nobody reads
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away for long must not end the worker
        beat_scheduler="celery.beat:Scheduler",  # kept in memory: what is due soon again needs no file that can break
        beat_schedule={
            "sweep": {"task": "jobs.sweep", "schedule": every, "options": {"expires": every}},
            "sample": {"task": "jobs.sample", "schedule": 60.0, "options": {"expires": 60.0}},
            "roll_up": {"task": "jobs.roll_up", "schedule": 60.0, "options": {"expires": 60.0}},
            "watch_api": {"task": "jobs.watch_api", "schedule": 60.0, "options": {"expires": 60.0}},
            "purge": {"task": "jobs.purge", "schedule": 3600.0, "options": {"expires": 3600.0}},
        },
    )
    return app


def worker_command() -> list[str]:
    """How to start the worker, from any folder. SIGTERM to this process alone ends it at the next epoch."""
    return [sys.executable, str(ROOT / "jobs" / "__main__.py"), "worker"]


def beat_command() -> list[str]:
    """How to start the scheduler, from any folder."""
    return [sys.executable, str(ROOT / "jobs" / "__main__.py"), "beat"]


celery = build()
