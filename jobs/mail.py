"""Send mails in the background, so that a mail server that is slow or away slows no request."""

from functools import partial
from typing import Any

from jobs.lease import Lease, Postponed
from services import forgotten, lock_outs
from services.errors import AppError
from services.mail import delivery, sending


def send(payload: dict[str, Any], lease: Lease) -> None:
    """Send one mail; what may work later is tried again after pauses that grow."""
    email_id = int(payload["email_id"])
    try:
        mail = lease.step(partial(delivery.begin, email_id=email_id))
        if mail is None or not lease.goes_on():
            return
        way = delivery.send(mail)
    except sending.NotNow as error:
        pause = lease.step(partial(delivery.note_delay, email_id=email_id, reason=str(error)))
        if pause is None:
            raise
        raise Postponed(str(error), pause) from None
    except AppError as error:
        lease.step(partial(delivery.note_failed, email_id=email_id, reason=str(error)))
        raise
    lease.step(partial(delivery.note_sent, email_id=email_id, way=way))


def send_reset_link(payload: dict[str, Any], lease: Lease) -> None:
    """Order the mail with the link, if somebody has this account."""
    lease.step(partial(forgotten.send_link, user_id=payload["user_id"], told=payload["told"]))


def tell_of_lock_out(payload: dict[str, Any], lease: Lease) -> None:
    """Order the mail to the owner, if somebody has this account."""
    lease.step(partial(lock_outs.tell, user_id=payload["user_id"], told=payload["told"]))
