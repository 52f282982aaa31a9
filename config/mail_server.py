"""The mail server that an address names, and who our mails come from."""

import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import getaddresses
from urllib.parse import unquote, urlsplit

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"smtp": 587, "smtps": 465}
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in; the password is in no representation of it."""

    host: str
    port: int
    implicit_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def starttls(self) -> bool:
        """Whether the connection must be encrypted before anything is said; on this machine nobody listens in."""
        return not self.implicit_tls and self.host not in LOCAL


def parse(address: str) -> MailServer:
    """The server behind `smtps://user:password@host:465`; what is wrong is told without the address."""
    form = "must look like smtps://user:password@mail.example.org:465 or smtp://mail.example.org:587"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(form) from None
    extra = parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not host or extra or port == 0 or _UNFIT.search(address):
        raise ValueError(form)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("must name both a user and a password, or neither")
    if _UNFIT.search(user + password) or not (user + password).isascii():
        raise ValueError("must name a user and a password in ASCII letters, which is all that mail servers agree on")
    return MailServer(host, port or _PORTS[parts.scheme], parts.scheme == "smtps", user or None, password or None)


def sender(text: str) -> Address:
    """The address in `PFD <pfd@example.org>` or `pfd@example.org`."""
    form = "must look like pfd@example.org or PFD <pfd@example.org>"
    given = getaddresses([text])
    if len(given) != 1:
        raise ValueError(form)
    name, address = given[0]
    try:
        found = Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError):  # the two that the parser of the standard library raises
        found = Address()
    if not found.username or not found.domain or _UNFIT.search(text) or not address.isascii() or "=?" in text:
        raise ValueError(form)
    return found
