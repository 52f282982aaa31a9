"""All checks of schemathesis on the whole document, against a service that runs: `make contract`.

With a key of all scopes, with one of a single scope and with none; on SQLite and on PostgreSQL. What is asked is made
of the bounds in the document (`coverage`), at random (`fuzzing`) and of what earlier answers tell (`stateful`).
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from sqlalchemy import select

from benchmarks.product import free_port
from config.settings import settings
from database.engine import build_engine, transaction, use_engine
from models import User
from models.permissions import Role, permissions_of
from services.actor import actor_of
from services.api_keys import keys as api_keys
from services.api_keys.keys import NOT_FOR_KEYS
from tests.support import postgresql
from tests.support.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
OWNER = {
    "PFD_ADMIN_USERNAME": "ada",
    "PFD_ADMIN_EMAIL": "ada@example.org",
    "PFD_ADMIN_PASSWORD": "correct horse battery staple",
    # What is to be seen are the checks, and not that they are many requests.
    "PFD_API_ANONYMOUS_LIMIT": "1000000000",
}
# A missing If-Match is told as RFC 6585 says, and a body with more rows than anybody may send is too large as well.
# What a request would change may have been changed meanwhile (412), which is told before its body is looked at.
SETTINGS = """
[checks]
missing_required_header.expected-statuses = [400, 401, 403, 406, 415, 422, 428]
negative_data_rejection.expected-statuses = [
    400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 422, 428, 429, "5xx",
]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 429, "5xx"]
"""
# A deleted experiment stays readable for a while, and a cancelled campaign for good.
MEANT_OTHERWISE = "use_after_free"


def main() -> int:
    """Ask in each way on each database; 1 where a check fails."""
    examples = sys.argv[1] if len(sys.argv) > 1 else "20"
    failed = False
    with tempfile.TemporaryDirectory(prefix="pfd-contract-") as folder, postgresql.a_server() as server:
        for name, url in (("SQLite", None), ("PostgreSQL", f"{server.address}/postgres")):
            place = Path(folder, name)
            place.mkdir()
            installation = Installation(place, free_port())
            installation.serve(**OWNER, **({"DATABASE_URL": url} if url else {}))
            try:
                made = keys(installation, url)
                keep_document(installation, made[0][1], place)
                for kind, key in made:
                    print(f"{name}, {kind}", flush=True)
                    failed |= asked(installation, key, examples, place) != 0
            finally:
                installation.end()
    return int(failed)


def keys(installation: Installation, url: str | None) -> list[tuple[str, str | None]]:
    """A key that may everything that keys may, one that may hardly anything, and none."""
    all_scopes = sorted(permission.value for permission in permissions_of(Role.SUPER_ADMIN) - NOT_FOR_KEYS)
    os.environ["PFD_DATA_DIR"] = str(installation.data)
    settings.cache_clear()
    engine = build_engine(url or f"sqlite:///{installation.data / 'pfd.sqlite3'}")
    use_engine(engine)
    with transaction() as session:
        ada = actor_of(session.scalars(select(User)).one())
        strong, weak = (
            api_keys.create(session, ada, name=name, scopes=scopes, rate_limit=1_000_000)
            for name, scopes in (("strong", all_scopes), ("weak", ["view_models"]))
        )
    use_engine(None)
    engine.dispose()
    return [("with a key", strong), ("with a weak key", weak), ("without a key", None)]


def keep_document(installation: Installation, key: str | None, place: Path) -> None:
    """Keep the document as a file: who has no key may not read it, and is to ask all that it tells of."""
    address = f"{installation.address}/api/v1/openapi.json"
    answer = requests.get(address, headers={"Authorization": f"Bearer {key}"}, timeout=60)
    answer.raise_for_status()
    (place / "openapi.json").write_bytes(answer.content)


def asked(installation: Installation, key: str | None, examples: str, place: Path) -> int:
    """Run schemathesis; its exit status."""
    file = place / "schemathesis.toml"
    file.write_text(SETTINGS)
    command = [str(SCHEMATHESIS), "--config-file", str(file), "run"]
    command += ["openapi.json", "--url", installation.address, "--checks", "all"]
    command += ["--exclude-checks", MEANT_OTHERWISE, "--max-examples", examples]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--generation-database", "none", "--no-color"]
    command += ["--continue-on-failure"]
    if key is not None:
        command += ["--header", f"Authorization: Bearer {key}"]
    hooks = "tests.campaigns.contract_hooks"
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=place, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
