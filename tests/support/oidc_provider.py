"""A provider of OIDC on a port of its own, honest unless a test tells it to lie."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "pfd-test", "a secret of client and provider"


class Provider:
    """What it has been asked, and what it will answer."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.issuer = ""
        self.begin()

    def begin(self) -> None:
        """Forget what was asked, and be honest again."""
        self.person: dict[str, Any] = {
            "sub": "subject-1",
            "email": "grace@example.org",
            "email_verified": True,
            "preferred_username": "Grace.Hopper",
            "groups": ["engineers"],
        }
        self.codes: dict[str, dict[str, str]] = {}
        self.change: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.described: Callable[[dict[str, Any]], None] = lambda description: None
        self.asked_for_tokens = 0

    def signed(self, claims: dict[str, Any]) -> str:
        """An honest token."""
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)

    def with_shared_secret(self, claims: dict[str, Any]) -> str:
        """A token that anybody can write who knows the public key."""
        public = json.dumps(self.key.as_dict(private=False)).encode()
        return jwt.encode({"alg": "HS256", "kid": "one"}, claims, OctKey.import_key(public), algorithms=["HS256"])

    def unsigned(self, claims: dict[str, Any]) -> str:
        """A token with the algorithm “none”."""

        def part(value: dict[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        return f"{part({'alg': 'none', 'kid': 'one'})}.{part(claims)}."

    def authorize(self, location: str) -> dict[str, str]:
        """What the browser brings back after the person has agreed."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint."""
        self.asked_for_tokens += 1
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if asked is None or asked.get("code_challenge") != challenge or asked.get("code_challenge_method") != "S256":
            return 400, {"error": "invalid_grant"}
        if base64.b64decode(authorization.removeprefix("Basic ")).decode() != f"{CLIENT}:{SECRET}":
            return 401, {"error": "invalid_client"}
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": moment,
            "exp": moment + 300,
            "auth_time": moment,
            "nonce": asked.get("nonce", ""),
            **self.person,
        }
        self.change(claims)
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(claims)}

    def description(self) -> dict[str, Any]:
        """The discovery document."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        self.described(told)
        return told


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers on 127.0.0.1."""
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def _say(self, status: int, body: dict[str, Any]) -> None:
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def do_GET(self) -> None:
            if self.path.startswith("/.well-known/"):
                self._say(200, provider.description())
            elif self.path == "/jwks":
                self._say(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            self._say(*provider.token(form, self.headers.get("Authorization", "")))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
