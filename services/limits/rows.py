"""Buckets as rows of PostgreSQL, shared by all machines that serve the same database; its clock counts for all.

The statement does not wait for the disk: a crash of the database loses the last half second of counting at most.
"""

from typing import Any

from sqlalchemy import Engine, text

from database.engine import put_back, without_begin
from services.limits import gcra
from services.limits.gcra import Decision, Policy

_CLOCK = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint) * 1000"
# One message and one answer: both statements together are a transaction of their own.
_TAKE = """
SET LOCAL synchronous_commit = off;
WITH clock AS (SELECT {now} AS now),
made AS (
    INSERT INTO api_rate_limits AS kept (bucket, full_at) SELECT :bucket, now + :interval FROM clock
    ON CONFLICT (bucket) DO UPDATE
        SET full_at = CASE WHEN kept.full_at > excluded.full_at - :interval + :horizon
            THEN excluded.full_at - :interval
            ELSE GREATEST(kept.full_at, excluded.full_at - :interval) END + :interval
        WHERE kept.full_at <= excluded.full_at - :interval + :tolerance
            OR kept.full_at > excluded.full_at - :interval + :horizon
    RETURNING full_at
)
SELECT clock.now, made.full_at FROM clock LEFT JOIN made ON true
"""
# Asked after a refusal alone, as the statement above does not see what others have written meanwhile.
_KEPT = text("SELECT full_at FROM api_rate_limits WHERE bucket = :bucket")
_BY_ITS_CLOCK, _BY_GIVEN_CLOCK = text(_TAKE.format(now=_CLOCK)), text(_TAKE.format(now="CAST(:now AS bigint)"))
_FORGET = text(f"DELETE FROM api_rate_limits WHERE full_at < {_CLOCK}")  # noqa: S608 - fixed words


class Rows:
    """Buckets in the database of the installation."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, bucket: str, policy: Policy, now: int | None = None) -> Decision:
        """Let a request through, or not."""
        values: dict[str, Any] = {
            "bucket": bucket,
            "interval": policy.interval,
            "tolerance": policy.tolerance,
            "horizon": policy.horizon,
        }
        statement = _BY_ITS_CLOCK
        if now is not None:
            statement, values["now"] = _BY_GIVEN_CLOCK, now
        found = self._engine
        with put_back(found), found.connect() as connection, without_begin(connection):
            moment, made = connection.execute(statement, values).one()
            if made is not None:
                return gcra.told(policy, made, moment, allowed=True)
            kept = connection.scalar(_KEPT, {"bucket": bucket})
        return gcra.told(policy, moment if kept is None else kept, moment, allowed=False)

    def forget_rested(self) -> int:
        """Remove the buckets whose whole quota is there again, which a missing one says as well."""
        with self._engine.begin() as connection:
            return connection.execute(_FORGET).rowcount
