"""How the machine did over the last while, as curves with every spike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.types import now
from diagnosis.downsampling import downsample
from models.health_sample import HealthSample
from models.permissions import Permission
from services.actor import Actor

SPANS = {"24 h": timedelta(hours=24), "7 d": timedelta(days=7)}
MOST_READ = 12_000  # a week holds 10,080
POINTS = 600  # of each curve


@dataclass(frozen=True, slots=True)
class Course:
    """One quantity over time: milliseconds since 1970, and its values."""

    times: NDArray[np.float64]
    values: NDArray[np.float64]


def courses(session: Session, actor: Actor, span: timedelta) -> dict[str, Course]:
    """Load of the processor, memory and disk in per cent, and jobs, over the last while."""
    actor.require(Permission.VIEW_SYSTEM_HEALTH)
    table = HealthSample.__table__.c
    rows: Sequence[Any] = session.execute(
        select(
            table.taken_at,
            table.cpu_percent,
            100.0 * table.memory_used / func.nullif(table.memory_total, 0),
            100.0 * table.disk_used / func.nullif(table.disk_total, 0),
            table.jobs_running,
            table.jobs_waiting,
        )
        .where(table.taken_at > now() - span)
        .order_by(table.taken_at.desc())
        .limit(MOST_READ)
    ).all()
    times = np.array([row[0].timestamp() * 1000 for row in reversed(rows)], dtype=np.float64)
    made = {}
    for place, name in enumerate(("cpu", "memory", "disk", "running", "waiting"), start=1):
        values = np.array([row[place] or 0.0 for row in reversed(rows)], dtype=np.float64)
        kept = downsample(times, values, POINTS)
        made[name] = Course(times[kept], values[kept])
    return made
