"""What the product writes is for its owner only, also in a data folder that was made open to others."""

from tests.support.installation import Installation, open_to_others

PASSWORD = "a long enough passphrase"


def test_nothing_in_an_open_data_folder_can_be_read_by_others(installation: Installation) -> None:
    installation.data.mkdir()
    installation.data.chmod(0o755)
    made = installation.run("user", "create", "vera", "--email", "vera@example.org", "--password-stdin", typed=PASSWORD)
    assert made.returncode == 0, made.stderr
    assert "pfd.sqlite3" in {path.name for path in installation.data.iterdir()}
    assert open_to_others(installation.data) == []
