"""The declarative base and the columns that nearly every table has."""

from datetime import date, datetime
from enum import Enum as PythonEnum
from typing import Any, ClassVar

from sqlalchemy import Double, Integer, MetaData, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from database.types import UTCDateTime, now

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SECRET_WORDS = ("hash", "token", "secret", "password")


class Base(DeclarativeBase):
    """What every table shares: constraint names that migrations can rely on, and one meaning per Python type."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double(), datetime: UTCDateTime()}

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON-ready values, for logs and exports of one's own; never a hash, a token or a secret."""
        values: dict[str, Any] = {}
        unloaded = inspect(self).unloaded
        for attribute in self.__mapper__.column_attrs:
            if attribute.key in unloaded or any(word in attribute.key for word in SECRET_WORDS):
                continue
            value = getattr(self, attribute.key)
            if isinstance(value, datetime | date):
                value = value.isoformat()
            elif isinstance(value, PythonEnum):
                value = value.value
            elif isinstance(value, bytes | memoryview):
                continue
            values[attribute.key] = value
        return values


class BaseModel(Base):
    """A table with a number for a key and the two times of a row."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True, sort_order=-10)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime(), default=now, nullable=False, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(
        UTCDateTime(), default=now, onupdate=now, nullable=False, sort_order=91
    )
