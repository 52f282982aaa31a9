"""Two hundred secrets of every kind, the same in each run."""

import base64
import random
import string
from collections.abc import Iterator

LETTERS = string.ascii_letters + string.digits


def _word(dice: random.Random, length: int, letters: str = LETTERS) -> str:
    return "".join(dice.choice(letters) for _ in range(length))


def _encoded(dice: random.Random, size: int) -> str:
    return base64.urlsafe_b64encode(dice.randbytes(size)).decode().rstrip("=")


def _card(dice: random.Random) -> str:
    digits = [4, *(dice.randrange(10) for _ in range(14))]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-1::-2]]
    check = -(sum(doubled) + sum(digits[-2::-2])) % 10
    return "".join(map(str, [*digits, check]))


def seeded() -> Iterator[tuple[str, str, str, bool]]:
    """Kind, the name it goes by, the secret, and whether it is told by its look alone."""
    dice = random.Random(2026)
    names = ("password", "Passwd", "PWD", "user-password", "client_secret", "smtpPassword")
    for place in range(40):
        yield "password", names[place % len(names)], _word(dice, 14), False
    for _ in range(30):
        key = f"pfd_pk_{_word(dice, 8)}_{_word(dice, 32)}_{_word(dice, 6)}"
        yield "key", dice.choice(["X-API-Key", "apiKey", "note"]), key, True
    for _ in range(25):
        yield "cookie", dice.choice(["Cookie", "Set-Cookie", "session", "sid"]), _encoded(dice, 32), False
    for _ in range(25):
        yield "code", dice.choice(["otp", "totp", "code", "backup_code"]), _word(dice, 6, string.digits), False
    for place in range(20):
        card = _card(dice)
        yield "card", "note", card if place % 2 else " ".join(card[at : at + 4] for at in range(0, 16, 4)), True
    for _ in range(20):
        head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
        yield "jwt", "note", f"{head}.{_encoded(dice, 40)}.{_encoded(dice, 32)}", True
    for _ in range(20):
        yield "webhook", "note", f"whsec_{base64.b64encode(dice.randbytes(24)).decode()}", True
    for _ in range(10):
        body = base64.b64encode(dice.randbytes(90)).decode()
        yield "pem", "note", f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----", True
    for _ in range(10):
        yield "address", "note", f"postgresql://pfd:{_word(dice, 16)}@db.example.org/pfd", True


def core(kind: str, secret: str) -> str:
    """The part of a secret that gives it away."""
    if kind == "pem":
        return secret.split("\n")[1]
    return secret.split(":", 2)[2].split("@")[0] if kind == "address" else secret
