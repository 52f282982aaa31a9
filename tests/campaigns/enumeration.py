"""Whether the time of an answer tells which accounts exist: pairs of an existing and a missing name, in any order."""

import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scipy.stats import mannwhitneyu

PAIRS = {"sign-in": 2000, "forgotten password": 2000}
GAP = 0.005  # seconds between the medians that nobody can use over a network


def main() -> int:
    """Print the gap and the probability for each way; 1 where both say that the two differ."""
    folder = Path(tempfile.mkdtemp(prefix="pfd-enumeration-"))
    os.environ |= {"PFD_DATA_DIR": str(folder), "PFD_DEMO": "0"}
    os.environ.pop("DATABASE_URL", None)
    from config.settings import settings
    from database import engine as engines
    from database import migrations
    from services import throttling
    from tests.support import people
    from tests.web.test_sign_in import token_in
    from web.server import create_server

    settings().prepare_data_dir()
    migrations.upgrade()
    engines.announce_with(None)
    throttling.reserve = lambda *_: 0  # type: ignore[assignment]  # the limits would hide what is to be seen
    server = create_server()
    people.person("viewer", "vera")
    failed = False
    for way, path in (("sign-in", "/login"), ("forgotten password", "/forgot")):
        browser = server.test_client()
        form = token_in(browser.get(path))

        def ask(name: str, path: str = path, browser: Any = browser, form: str = form) -> float:
            data = {"username": name, "password": "a wrong guess at it", "csrf_token": form}
            begun = time.perf_counter()
            browser.post(path, data=data)
            return time.perf_counter() - begun

        for name in ("vera", "nobody") * 5:
            ask(name)
        times: dict[str, list[float]] = {"vera": [], "nobody": []}
        for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS[way]):
            for name in random.sample(["vera", "nobody"], 2):
                times[name].append(ask(name if name == "vera" else f"nobody{number % 7}"))
        chance = float(mannwhitneyu(times["vera"], times["nobody"]).pvalue)
        here, missing = (statistics.median(times[name]) for name in ("vera", "nobody"))
        differs = chance <= 0.01 and abs(here - missing) >= GAP
        failed |= differs
        print(
            f"{way}: {len(times['vera']):,} pairs, medians {here * 1000:.2f} ms (existing) and {missing * 1000:.2f} ms "
            f"(missing), gap {abs(here - missing) * 1000:.2f} ms, p = {chance:.3f}: {'DIFFERS' if differs else 'alike'}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
