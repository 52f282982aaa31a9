"""Backup codes: ten single-use ways in for who lost their second factor.

A code is its place in the set and 80 random bits. The place is no secret: it names the one row whose bcrypt hash is
compared, where ten comparisons would take a second.
"""

import secrets
from dataclasses import dataclass

import bcrypt
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from database.types import now
from models.backup_code import BackupCode

COUNT, LETTERS = 10, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 that nobody mistakes for each other
LENGTH, GROUP = 16, 4
ROUNDS = 10  # enough for 80 random bits, which no list of likely words holds


@dataclass(frozen=True, slots=True)
class FreshCodes:
    """A new set: what its owner writes down, and what the database keeps."""

    codes: tuple[str, ...]
    hashes: tuple[str, ...]


def make() -> FreshCodes:
    """A new set; ten hashes take a second, so no transaction is open then."""
    written = [f"{place}{''.join(secrets.choice(LETTERS) for _ in range(LENGTH))}" for place in range(COUNT)]
    hashes = [bcrypt.hashpw(code.encode(), bcrypt.gensalt(ROUNDS)).decode() for code in written]
    return FreshCodes(tuple(_in_groups(code) for code in written), tuple(hashes))


def _in_groups(code: str) -> str:
    groups = [code[at : at + GROUP] for at in range(1, len(code), GROUP)]
    return "-".join([code[0], *groups])


def plain(typed: str) -> str | None:
    """The code without what people put between its letters; None when it is none."""
    code = "".join(typed.split()).replace("-", "").upper()
    fits = len(code) == LENGTH + 1 and code[0] in "0123456789" and set(code[1:]) <= set(LETTERS)
    return code if fits else None


def store(session: Session, user_id: int, fresh: FreshCodes) -> None:
    """Put a new set in place of the old one, which no longer works."""
    session.execute(delete(BackupCode).where(BackupCode.user_id == user_id))
    for code_hash in fresh.hashes:
        session.add(BackupCode(user_id=user_id, code_hash=code_hash))
        session.flush()  # one by one, since the order of their ids is their place in the set


def left(session: Session, user_id: int) -> int:
    """How many still work."""
    unused = select(func.count()).where(BackupCode.user_id == user_id, BackupCode.is_used.is_(False))
    return session.scalar(unused) or 0


def at_place(session: Session, user_id: int, code: str) -> tuple[int, str] | None:
    """The row that this code would fit, as its id and hash; None once it was used."""
    row = session.execute(
        select(BackupCode.id, BackupCode.code_hash, BackupCode.is_used)
        .where(BackupCode.user_id == user_id)
        .order_by(BackupCode.id)
        .offset(int(code[0]))
        .limit(1)
    ).first()
    return None if row is None or row.is_used else (row.id, row.code_hash)


def fits(code: str, code_hash: str) -> bool:
    """One bcrypt comparison."""
    return bcrypt.checkpw(code.encode(), code_hash.encode())


def use(session: Session, code_id: int, address: str) -> bool:
    """Use a code up; of several who use it at once, one does."""
    used = update(BackupCode).where(BackupCode.id == code_id, BackupCode.is_used.is_(False))
    values = {"is_used": True, "used_at": now(), "ip_address": address[:45]}
    return session.scalar(used.values(**values).returning(BackupCode.id)) is not None
