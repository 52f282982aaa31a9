"""Accounts from the command line, on both databases."""

import pytest
from sqlalchemy import func, select, update

from cli.users import ROLES
from database.engine import snapshot, transaction
from models.permissions import Role
from models.user import User
from services import passwords
from tests.support.people import PASSWORD


def user(name):
    with snapshot() as session:
        return session.scalar(select(User).where(User.username == name))


def count(model):
    with snapshot() as session:
        return session.scalar(select(func.count()).select_from(model))


class TestUser:
    @pytest.fixture
    def ada(self, pfd, typed):
        typed(PASSWORD + "\n")
        assert pfd(
            "user", "create", "Ada", "--email", "ada@example.org", "--role", "super_admin", "--password-stdin"
        ) == (
            0,
            "Made the account ada (super_admin).\n",
            "",
        )

    def test_created_with_the_password_without_its_line_end(self, ada):
        assert passwords.verify(user("ada").password_hash, PASSWORD)

    def test_words_of_roles_are_the_roles(self):
        assert tuple(ROLES) == tuple(role.value for role in Role)

    def test_default_role_is_viewer(self, pfd, typed):
        typed(PASSWORD)
        pfd("user", "create", "bob", "--email", "bob@example.org", "--password-stdin")
        assert user("bob").role == "viewer"

    @pytest.mark.parametrize(
        ("words", "password"),
        [
            (("ada", "--email", "other@example.org"), PASSWORD),
            (("bob", "--email", "ada@example.org"), PASSWORD),
            (("bob", "--email", "nonsense"), PASSWORD),
            (("b b", "--email", "bob@example.org"), PASSWORD),
            (("bob", "--email", "bob@example.org"), "short"),
            (("bob", "--email", "bob@example.org"), ""),
            (("bob", "--email", "bob@example.org"), "\ud800" * 20),
        ],
    )
    def test_refused(self, ada, pfd, typed, words, password):
        typed(password)
        status, out, err = pfd("user", "create", *words, "--password-stdin")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert count(User) == 1

    @pytest.mark.parametrize(
        "words", [("create", "x", "--email", "x@example.org"), ("set-role", "ada", "king"), ("x",)]
    )
    def test_wrong_words_exit_with_two(self, pfd, words):
        assert pfd("user", *words)[0] == 2

    def test_role_is_set(self, ada, pfd, typed):
        typed(PASSWORD)
        pfd("user", "create", "bob", "--email", "bob@example.org", "--password-stdin")
        assert pfd("user", "set-role", "bob", "operator") == (0, "bob is now operator.\n", "")
        assert user("bob").role == "operator"

    def test_last_super_admin_stays_one(self, ada, pfd):
        status, _, err = pfd("user", "set-role", "ada", "viewer")
        assert (status, err) == (1, "Error: ada is the last super admin and stays one.\n")
        assert user("ada").role == "super_admin"

    def test_password_is_reset(self, ada, pfd, typed):
        typed("another passphrase altogether")
        assert pfd("user", "reset-password", "ada", "--password-stdin")[0] == 0
        assert passwords.verify(user("ada").password_hash, "another passphrase altogether")

    def test_a_lost_second_factor_of_the_only_super_admin_is_taken_off(self, ada, pfd):
        with transaction() as session:
            session.execute(update(User).values(totp_enabled=True, totp_secret="stored"))
        assert pfd("user", "reset-second-factor", "ada") == (
            0,
            "ada has no second factor any more; every session of theirs has ended.\n",
            "",
        )
        assert (user("ada").totp_enabled, user("ada").totp_secret) == (False, None)

    @pytest.mark.parametrize(
        "words",
        [
            ("set-role", "eve", "viewer"),
            ("reset-password", "eve", "--password-stdin"),
            ("reset-second-factor", "eve"),
        ],
    )
    def test_nobody_of_that_name(self, pfd, typed, words):
        typed(PASSWORD)
        status, _, err = pfd("user", *words)
        assert (status, err) == (1, "Error: There is no such user 'eve'.\n")
