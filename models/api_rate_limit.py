"""How much of a limit is used."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class APIRateLimit(Base):
    """A bucket of the rate limit and when its whole quota is there again, in nanoseconds since 1970.

    Filled on PostgreSQL only; beside SQLite a file of its own does it, as each commit here waits for the disk.
    """

    __tablename__ = "api_rate_limits"

    bucket: Mapped[str] = mapped_column(String(100), primary_key=True)
    full_at: Mapped[int] = mapped_column(BigInteger)
