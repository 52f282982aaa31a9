"""The settings of one installation, read once from the environment."""

import hashlib
import hmac
import os
from datetime import timedelta
from email.headerregistry import Address
from functools import lru_cache
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import artifact_store, mail_server, root_keys
from config.artifact_store import Bucket
from config.errors import ConfigurationError
from config.mail_server import MailServer
from config.root_keys import SHORTEST_KEY

LONGEST = timedelta(days=36_525)  # beyond it a calendar ends, and with it the sign-in
SHORTEST_TOKEN = 24
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Values come from the environment; every default works on a laptop without any of them."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    host: str = Field("127.0.0.1", validation_alias="PFD_HOST")
    port: int = Field(8050, ge=1, le=65535, validation_alias="PFD_PORT")
    data_dir: Path = Field(ROOT / "data", validation_alias="PFD_DATA_DIR")
    database_url_override: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    redis_url: SecretStr | None = Field(None, validation_alias="REDIS_URL")
    public_url: str | None = Field(None, validation_alias="PFD_PUBLIC_URL")
    secret_key_override: SecretStr | None = Field(None, validation_alias="PFD_SECRET_KEY")
    secret_keys_before: SecretStr | None = Field(None, validation_alias="PFD_SECRET_KEYS_BEFORE")
    smtp_url: SecretStr | None = Field(None, validation_alias="PFD_SMTP_URL")
    mail_from: str | None = Field(None, validation_alias="PFD_MAIL_FROM")
    geoip: Path | None = Field(None, validation_alias="PFD_GEOIP")
    trusted_proxies: int = Field(0, ge=0, le=5, validation_alias="PFD_TRUSTED_PROXIES")
    web_workers: int = Field(2, ge=1, le=32, validation_alias="PFD_WEB_WORKERS")
    web_threads: int = Field(8, ge=1, le=256, validation_alias="PFD_WEB_THREADS")
    worker_processes: int = Field(2, ge=1, le=64, validation_alias="PFD_WORKER_PROCESSES")
    job_lost_after: timedelta = Field(timedelta(seconds=45), validation_alias="PFD_JOB_LOST_AFTER")
    demo: bool = Field(True, validation_alias="PFD_DEMO")
    admin_username: str | None = Field(None, validation_alias="PFD_ADMIN_USERNAME")
    admin_email: str | None = Field(None, validation_alias="PFD_ADMIN_EMAIL")
    admin_password: SecretStr | None = Field(None, validation_alias="PFD_ADMIN_PASSWORD")
    oidc_issuer: str | None = Field(None, validation_alias="PFD_OIDC_ISSUER")
    oidc_client_id: str | None = Field(None, validation_alias="PFD_OIDC_CLIENT_ID")
    oidc_client_secret: SecretStr | None = Field(None, validation_alias="PFD_OIDC_CLIENT_SECRET")
    oidc_name: str = Field("your organisation", max_length=60, validation_alias="PFD_OIDC_NAME")
    oidc_groups_claim: str = Field("groups", max_length=100, validation_alias="PFD_OIDC_GROUPS_CLAIM")
    oidc_roles: str = Field("", max_length=4000, validation_alias="PFD_OIDC_ROLES")
    session_idle: timedelta = Field(timedelta(minutes=60), validation_alias="PFD_SESSION_IDLE")
    session_absolute: timedelta = Field(timedelta(hours=12), validation_alias="PFD_SESSION_ABSOLUTE")
    keys_per_person: int = Field(50, ge=1, le=1000, validation_alias="PFD_KEYS_PER_PERSON")
    deleted_kept: timedelta = Field(timedelta(days=30), validation_alias="PFD_DELETED_KEPT")
    jobs_kept: timedelta = Field(timedelta(days=30), validation_alias="PFD_JOBS_KEPT")
    logins_kept: timedelta = Field(timedelta(days=365), validation_alias="PFD_LOGINS_KEPT")
    mails_kept: timedelta = Field(timedelta(days=90), validation_alias="PFD_MAILS_KEPT")
    addresses_kept: timedelta = Field(timedelta(days=30), validation_alias="PFD_ADDRESSES_KEPT")

    api_rate_limit_max: int = Field(1_000_000, ge=1, le=1_000_000_000, validation_alias="PFD_API_RATE_LIMIT_MAX")
    api_anonymous_limit: int = Field(600, ge=1, le=1_000_000_000, validation_alias="PFD_API_ANONYMOUS_LIMIT")
    api_samples: float = Field(0.01, ge=0, le=1, validation_alias="PFD_API_SAMPLES")
    api_journal_most: int = Field(256, ge=64, le=1_000_000, validation_alias="PFD_API_JOURNAL_MB")
    api_usage_kept: timedelta = Field(timedelta(days=90), validation_alias="PFD_API_USAGE_KEPT")
    api_requests_kept: timedelta = Field(timedelta(days=30), validation_alias="PFD_API_REQUESTS_KEPT")
    api_hours_kept: timedelta = Field(timedelta(days=100), validation_alias="PFD_API_HOURS_KEPT")
    api_days_kept: timedelta = Field(timedelta(days=1095), validation_alias="PFD_API_DAYS_KEPT")
    metrics_token: SecretStr | None = Field(None, validation_alias="PFD_METRICS_TOKEN")
    artifact_bytes: int = Field(5_000_000_000, ge=1, le=2**50, validation_alias="PFD_ARTIFACT_BYTES")
    artifact_uri: str | None = Field(None, validation_alias="PFD_ARTIFACT_URI")
    artifact_endpoint_url: str | None = Field(None, validation_alias="PFD_ARTIFACT_ENDPOINT_URL")

    @field_validator("data_dir", "geoip")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value if value is None else value.expanduser().resolve()
        except RuntimeError as error:  # which pydantic would let through
            raise ValueError("leads nowhere: its links go in a circle, or its “~” is nobody's") from error

    @field_validator(
        "database_url_override",
        "redis_url",
        "smtp_url",
        "mail_from",
        "geoip",
        "admin_username",
        "admin_email",
        "admin_password",
        "oidc_issuer",
        "oidc_client_id",
        "oidc_client_secret",
        "metrics_token",
        "artifact_uri",
        "artifact_endpoint_url",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("database_url_override")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return value
        scheme = value.get_secret_value().split(":", 1)[0]
        if scheme not in {"sqlite", "postgresql", "postgresql+psycopg2"}:
            raise ValueError("must start with sqlite:///, postgresql:// or postgresql+psycopg2://")
        # Imported here: the scheduler reads no database, and half its memory would be SQLAlchemy.
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            make_url(value.get_secret_value())
        except (ArgumentError, ValueError):
            raise ValueError("is not an address of a database") from None
        return value

    @field_validator("job_lost_after")
    @classmethod
    def _time_to_show_life(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= timedelta(days=1):
            raise ValueError("must lie between a second and a day")
        return value

    @field_validator("session_idle", "session_absolute")
    @classmethod
    def _time_to_work(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= value <= LONGEST:
            raise ValueError("must lie between a second and a hundred years")
        return value

    @field_validator(
        "deleted_kept",
        "jobs_kept",
        "logins_kept",
        "mails_kept",
        "addresses_kept",
        "api_usage_kept",
        "api_requests_kept",
        "api_hours_kept",
        "api_days_kept",
    )
    @classmethod
    def _time_that_was(cls, value: timedelta) -> timedelta:
        if not timedelta(0) <= value <= LONGEST:
            raise ValueError("must lie between nothing and a hundred years")
        return value

    @field_validator("secret_key_override")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"must have at least {SHORTEST_KEY} characters")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _not_to_be_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            text = value.get_secret_value()
            if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or " " in text:
                raise ValueError(
                    f"must be at least {SHORTEST_TOKEN} letters, digits and signs of ASCII, without a space"
                )
        return value

    @field_validator("secret_keys_before")
    @classmethod
    def _each_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        given = [] if value is None else [key.strip() for key in value.get_secret_value().split(",")]
        if any(0 < len(key) < SHORTEST_KEY for key in given):
            raise ValueError(f"must be keys of at least {SHORTEST_KEY} characters, with commas between them")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            mail_server.parse(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _known_sender(cls, value: str | None) -> str | None:
        if value is not None:
            mail_server.sender(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
            raise ValueError("must look like https://pfd.example.org, without a path")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("oidc_issuer")
    @classmethod
    def _an_issuer(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("must be the https address of the provider, as it stands in its tokens")
        return value

    @field_validator("artifact_uri")
    @classmethod
    def _a_bucket(cls, value: str | None) -> str | None:
        if value is not None:
            artifact_store.parse(value)
        return value

    @field_validator("artifact_endpoint_url")
    @classmethod
    def _a_server(cls, value: str | None) -> str | None:
        return None if value is None else artifact_store.endpoint(value)

    @model_validator(mode="after")
    def _the_bucket_can_be_used(self) -> Self:
        if self.artifact_uri is None:
            if self.artifact_endpoint_url is not None:
                raise ValueError("PFD_ARTIFACT_ENDPOINT_URL needs PFD_ARTIFACT_URI, which says into which bucket")
            return self
        if not artifact_store.is_installed():
            raise ValueError("PFD_ARTIFACT_URI needs the package s3fs, which is not here; run: pip install '.[s3]'")
        if self.artifact_bytes > artifact_store.MOST_BYTES:
            raise ValueError(f"PFD_ARTIFACT_BYTES is at most {artifact_store.MOST_BYTES:,} with PFD_ARTIFACT_URI")
        return self

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        given = [value is not None for value in (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)]
        if any(given) and not all(given):
            raise ValueError("PFD_OIDC_ISSUER, PFD_OIDC_CLIENT_ID and PFD_OIDC_CLIENT_SECRET go together")
        return self

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the database; an embedded SQLite file unless the environment names another."""
        if self.database_url_override is None:
            # SQLAlchemy reads “%” and “?” in an address; in the name of a folder they are letters like others.
            return f"sqlite:///{quote(str(self.data_dir / 'pfd.sqlite3'))}"
        url = self.database_url_override.get_secret_value()
        return url.replace("postgresql://", "postgresql+psycopg2://", 1)

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the dashboard."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def is_https(self) -> bool:
        return self.address.startswith("https://")

    @property
    def mail_server(self) -> MailServer | None:
        """Where mail is handed in; None: it is written to files in the outbox."""
        return None if self.smtp_url is None else mail_server.parse(self.smtp_url.get_secret_value())

    @property
    def mail_sender(self) -> Address:
        """Who our mails come from."""
        host = urlsplit(self.address).hostname or "localhost"
        domain = host if host.isascii() and host[-1].isalpha() else "localhost"
        return mail_server.sender(self.mail_from or f"PFD <pfd@{domain}>")

    @property
    def outbox_dir(self) -> Path:
        """Where mails lie as files while no server is named."""
        return self.data_dir / "mail"

    @property
    def files_dir(self) -> Path:
        """Signal files and artefacts of this installation."""
        return self.data_dir / "files"

    @property
    def artifacts_dir(self) -> Path:
        """Files that runs have logged through a tracking client."""
        return self.data_dir / "artifacts"

    @property
    def artifact_bucket(self) -> Bucket | None:
        """Where these files lie instead, where an address names a bucket."""
        if self.artifact_uri is None:
            return None
        return Bucket(*artifact_store.parse(self.artifact_uri), self.artifact_endpoint_url)

    @property
    def job_heartbeat_every(self) -> timedelta:
        """How often a running job says that it is alive; eight times may fail before it counts as lost."""
        return self.job_lost_after / 9

    @property
    def job_sweep_every(self) -> timedelta:
        """How often lost work is looked for."""
        return self.job_lost_after / 4.5

    def prepare_data_dir(self) -> None:
        """Make the data folder, for its owner only, or say in one sentence why that is impossible."""
        try:
            for folder in (self.data_dir, self.files_dir, self.data_dir / "broker"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.data_dir / f".write-probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self.data_dir} cannot be written ({error.strerror or error}); "
                "set PFD_DATA_DIR to one that can."
            ) from error

    @property
    def root_key_file(self) -> Path:
        """Where the root secrets are unless they come from the environment."""
        return self.data_dir / "secret_key"

    def root_keys(self) -> tuple[str, ...]:
        """The root secrets, the newest first: from the environment, or made once in the data folder."""
        if self.secret_key_override is not None:
            before = self.secret_keys_before
            earlier = [] if before is None else [key.strip() for key in before.get_secret_value().split(",")]
            return self.secret_key_override.get_secret_value(), *(key for key in earlier if key)
        return root_keys.read(self.root_key_file)

    def secret_key(self) -> str:
        """The root secret that is in use."""
        return self.root_keys()[0]

    def keys_for(self, purpose: str) -> list[str]:
        """One key per purpose from each root secret, so that a leak of one opens nothing else; the newest first."""
        return [hmac.new(root.encode(), purpose.encode(), hashlib.sha256).hexdigest() for root in self.root_keys()]

    def key_for(self, purpose: str) -> str:
        """The key with which something new is made for this purpose."""
        return self.keys_for(purpose)[0]


def load() -> Settings:
    """Read the environment; the first wrong value becomes one sentence that names it."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"The setting {name} is wrong: {said}." if name else f"{said}.") from error


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return load()
