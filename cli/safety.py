"""Settings that would work and still must not be served: known secrets, passwords in clear, a debugger."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from config.errors import ConfigurationError
from config.settings import settings

_LOCAL = {"127.0.0.1", "localhost", "::1", "", None}
_KNOWN_WORDS = ("changeme", "change-me", "change_me", "secret-key", "secret_key", "your-secret", "thisisasecret")
_KNOWN_PASSWORDS = {"postgres", "password", "passwd", "secret", "changeme", "admin", "root", "pfd", "test", "123456"}
_SWITCHES = ("DASH_DEBUG", "FLASK_DEBUG", "DASH_MCP_ENABLED")
_FEWEST_CHARACTERS = 10  # different ones in a secret key


def refuse_unsafe_settings() -> None:
    """Raise for the first thing that is wrong; no secret stands in any sentence."""
    _check_secret_key()
    _check_addresses()
    _check_mail()
    _check_roles()
    _check_places()
    for name in _SWITCHES:
        if os.environ.get(name, "").casefold() not in {"", "0", "false", "no", "off"}:
            raise ConfigurationError(f"{name} is set; it opens doors that must stay shut where people work. Unset it.")


def _check_roles() -> None:
    if settings().oidc_roles:
        from services import identities  # only now: it loads half of the product, which the supervisor does not need

        identities.roles_by_group(settings().oidc_roles)


def _check_places() -> None:
    if settings().geoip is not None:
        from services import places

        places.refuse_unusable()


def _check_secret_key() -> None:
    if settings().secret_key_override is not None:
        key = settings().secret_key().casefold()
        if len(set(key)) < _FEWEST_CHARACTERS or any(word in key for word in _KNOWN_WORDS):
            raise ConfigurationError("PFD_SECRET_KEY can be guessed; unset it and one is made in the data folder.")
        return
    file: Path = settings().data_dir / "secret_key"
    try:
        mode = file.stat().st_mode & 0o777
    except OSError:
        return  # not made yet, or the data folder is at fault, which is told elsewhere
    if mode & 0o077:
        raise ConfigurationError(f"{file} can be read by others on this machine; run: chmod 600 {file}")


def _check_addresses() -> None:
    public = urlsplit(settings().public_url or "")
    if public.scheme == "http" and public.hostname not in _LOCAL:
        raise ConfigurationError(
            "PFD_PUBLIC_URL begins with http, so passwords would cross the network in clear; "
            "put a proxy with a certificate in front and name its https address."
        )
    url = make_url(settings().database_url)
    if url.get_backend_name() == "sqlite" or url.host in _LOCAL:
        return
    password = str(url.password or "").casefold()
    if password in _KNOWN_PASSWORDS or (password and password == (url.username or "").casefold()):
        raise ConfigurationError("The password in DATABASE_URL is one that everybody knows; choose another.")


def _check_mail() -> None:
    if settings().smtp_url is not None and settings().mail_from is None:
        raise ConfigurationError("PFD_SMTP_URL is set, so PFD_MAIL_FROM must say whom mails come from.")
