"""How far the records of requests have been taken over from files."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class APIJournal(Base):
    """A journal of a web process, and up to which byte its records are rows: written in one transaction with them."""

    __tablename__ = "api_journals"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
