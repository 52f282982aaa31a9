"""The address that is served: taken before anything is started, asked until somebody answers."""

import os
import socket
from collections.abc import Callable

from config.errors import ConfigurationError

_ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not bound
_QUESTION = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nUser-Agent: pfd\r\n\r\n"


def bind(host: str, port: int) -> socket.socket:
    """The socket to serve on, or one sentence why that address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigurationError(f"PFD_HOST={host} is no address of this machine ({error.strerror}).") from error
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used ({reason}); stop what uses it or set PFD_PORT to another."
        ) from error
    return listening


def probe(listening: socket.socket) -> Callable[[], bool]:
    """A question whether the server behind this socket answers by now."""
    host, port = listening.getsockname()[:2]
    address = (_ALL_ADDRESSES.get(host, host), port)

    def answers() -> bool:
        try:
            with socket.create_connection(address, timeout=1) as connection:
                connection.sendall(_QUESTION)
                return connection.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False

    return answers
