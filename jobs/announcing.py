"""Tell the queue about jobs whose rows were committed."""

import logging

from kombu.exceptions import ChannelError, KombuError

from database.engine import announce_with

logger = logging.getLogger(__name__)


def announce(job_ids: list[int]) -> None:
    """Send one message per job; when the broker is away or silent, the sweep will find the rows."""
    from jobs.celery_app import celery  # the web process pays for Celery only once something is queued

    for place, job_id in enumerate(job_ids):
        try:
            celery.send_task("jobs.run", args=[job_id], retry=False)
        except (KombuError, ChannelError, OSError, ValueError) as error:
            # The others would wait just as long for the same broker.
            logger.warning("jobs %s could not be announced: %s", job_ids[place:], error)
            return


def announce_to_celery() -> None:
    """Make `transaction()` announce through Celery."""
    announce_with(announce)
