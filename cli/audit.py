"""`make audit`: known holes in the packages of the lock; what could not be looked at is a failure, never a success."""

import subprocess
import sys

SKIPPED = ("could not be audited", "Dependency not found")
AWAY = ("ConnectionError", "NameResolution", "Max retries", "ConnectTimeout", "ReadTimeout", "HTTPError")
OPTIONS = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "-r", "requirements.lock")


def verdict(status: int, said: str) -> tuple[int, str]:
    """The exit status, and a sentence for who asked."""
    if any(word in said for word in AWAY):
        return 2, "The audit could not be made: the advisories cannot be reached from here. Try it with the network."
    if any(word in said for word in SKIPPED) or "Skip" in said:
        return 2, "The audit is not whole: the index used here knows no advisories for some package; see above."
    if status != 0:
        return 1, "Some package has a known hole; see above, and docs/security.md for how soon it must be closed."
    return 0, "No package of requirements.lock has a known hole."


def main() -> int:
    """Run pip-audit, show what it says, and judge it."""
    ran = subprocess.run([sys.argv[1], *OPTIONS], capture_output=True, text=True)
    said = ran.stdout + ran.stderr
    status, sentence = verdict(ran.returncode, said)
    shown = [
        line for line in said.strip().splitlines() if not line.startswith((" ", "Traceback", "During", "The above"))
    ]
    sys.stderr.write("\n".join([*shown[-20:], sentence]) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
