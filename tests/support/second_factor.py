"""Second factors of people in tests: an app's seed, backup codes, and an authenticator made of software."""

import hashlib
import json
import secrets
import struct
from typing import Any

import cbor2
import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from config.settings import settings
from database.engine import snapshot, transaction
from database.types import now
from models.user import User
from services import sessions, vault
from services.actor import Actor
from services.second_factor import backup_codes, passkeys, totp
from services.second_factor.backup_codes import FreshCodes
from services.sessions import SignedIn, Visitor
from tests.support.people import person, token_of

_FRESH: list[FreshCodes] = []


def give_app(actor: Actor) -> str:
    """Put an authenticator app on an account and return its seed."""
    seed = totp.new_seed()
    with transaction() as session:
        user = session.get_one(User, actor.user_id)
        user.totp_secret, user.totp_enabled = vault.encrypt(totp.PURPOSE, seed), True
    return seed


def code_of(seed: str, steps: int = 0) -> str:
    """What the app shows now, or so many steps from now."""
    return pyotp.TOTP(seed).at(int(now().timestamp()) + 30 * steps)


def give_codes(actor: Actor) -> tuple[str, ...]:
    """Put ten backup codes on an account; hashing them is slow on purpose, so all tests share one set."""
    if not _FRESH:
        _FRESH.append(backup_codes.make())
    with transaction() as session:
        backup_codes.store(session, actor.user_id or 0, _FRESH[0])
    return _FRESH[0].codes


def signed_in(name: str = "vera", role: str = "viewer") -> SignedIn:
    """Somebody with a new session."""
    token = token_of(person(role, name))
    with snapshot() as session:
        found = sessions.resolve(session, token)
    assert found is not None
    return found


def register(who: SignedIn, credential: Any, name: str = "laptop") -> str:
    """Keep what an authenticator made, as the browser's answer to the newest offer."""
    with transaction() as session:
        challenge = passkeys.take_challenge(session, who.session_id)
    with transaction() as session:
        return passkeys.register(session, who, challenge, name, credential, Visitor("127.0.0.1", "test"))


def give_passkey(who: SignedIn, name: str = "laptop") -> "Authenticator":
    """Put a passkey on an account and return its authenticator."""
    made = Authenticator()
    with transaction() as session:
        options = passkeys.offer_registration(session, who)
    register(who, made.make(options, origin=settings().address), name)
    return made


class Authenticator:
    """A passkey made of software, which answers as it is told, also wrongly."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.identity = secrets.token_bytes(32)
        self.count = 0

    def _client_data(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()

    def _data(self, rp_id: str, flags: int, count: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", count)

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        identity = bytes_to_base64url(self.identity)
        return {
            "id": identity,
            "rawId": identity,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }

    def make(self, options: str, *, origin: str, rp_id: str | None = None, challenge: str | None = None) -> Any:
        """The answer to an offer of registration."""
        asked = json.loads(options)
        numbers = self.key.public_key().public_numbers()
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.identity)) + self.identity + key
        data = self._data(rp_id or asked["rp"]["id"], 0x45, self.count) + attested
        client = self._client_data("webauthn.create", challenge or asked["challenge"], origin)
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(client),
                "attestationObject": bytes_to_base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
                "transports": ["internal"],
            }
        )

    def use(
        self,
        options: str,
        *,
        origin: str,
        rp_id: str | None = None,
        challenge: str | None = None,
        count: int | None = None,
    ) -> Any:
        """The answer to a question for the passkey; the counter grows unless another one is given."""
        asked = json.loads(options)
        self.count = self.count + 1 if count is None else count
        data = self._data(rp_id or asked["rpId"], 0x05, self.count)
        client = self._client_data("webauthn.get", challenge or asked["challenge"], origin)
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": bytes_to_base64url(client),
                "authenticatorData": bytes_to_base64url(data),
                "signature": bytes_to_base64url(signed),
            }
        )


def spoiled(credential: Any, field: str) -> Any:
    """The same answer with one bit of one field turned."""
    text = bytearray(base64url_to_bytes(credential["response"][field]))
    text[-1] ^= 1
    return {**credential, "response": {**credential["response"], field: bytes_to_base64url(bytes(text))}}
