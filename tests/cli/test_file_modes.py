"""What the product writes is for its owner only, also in a data folder that was made open to others."""

from pathlib import Path

from tests.support.installation import Installation

PASSWORD = "a long enough passphrase"


def open_to_others(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]


def test_nothing_in_an_open_data_folder_can_be_read_by_others(installation: Installation) -> None:
    installation.data.mkdir()
    installation.data.chmod(0o755)
    made = installation.run("user", "create", "vera", "--email", "vera@example.org", "--password-stdin", typed=PASSWORD)
    assert made.returncode == 0, made.stderr
    assert "pfd.sqlite3" in {path.name for path in installation.data.iterdir()}
    assert open_to_others(installation.data) == []


def test_nor_what_the_programs_of_a_server_make(installation: Installation) -> None:
    installation.data.mkdir()
    installation.data.chmod(0o755)
    installation.serve()
    assert installation.get("/api/nothing")[0] in {401, 404}  # counted, and written into a journal
    assert {path.name for path in installation.data.iterdir()} >= {"pfd.sqlite3", "serve.lock", "limits.sqlite3"}
    assert open_to_others(installation.data) == []
