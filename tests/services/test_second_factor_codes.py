"""Codes of an app and backup codes: what is accepted, and that each is good once."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from database.engine import snapshot, transaction
from models import BackupCode, EmailLog, User
from services.actor import Actor
from services.second_factor import backup_codes, guesses, totp
from services.second_factor.guesses import Guess, Verdict
from services.sessions import Visitor
from tests.support import second_factor
from tests.support.people import person
from tests.support.second_factor import code_of, give_app, give_codes

HERE = Visitor("127.0.0.1", "test")


def give(actor: Actor, typed: str) -> Verdict:
    with transaction() as session:
        guess = guesses.begin(session, actor.user_id or 0, typed, HERE)
    verdict = guesses.compare(guess)
    with transaction() as session:
        return guesses.use_up(session, guess, verdict, HERE)


def begun(actor: Actor, typed: str) -> Guess:
    with transaction() as session:
        return guesses.begin(session, actor.user_id or 0, typed, HERE)


def raced(times: int, work: Callable[[], bool]) -> int:
    """How many of so many at once won."""
    with ThreadPoolExecutor(16) as pool:
        return sum(pool.map(lambda _: work(), range(times)))


class TestApp:
    @pytest.fixture(autouse=True)
    def clock_that_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No step begins in the middle of a test."""
        moment = datetime.now(UTC)
        for module in (totp, second_factor):
            monkeypatch.setattr(module, "now", lambda: moment)

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_a_code_of_one_step_to_either_side_is_right(self, sqlite: Engine, steps: int) -> None:
        vera = person("viewer", "vera")
        seed = give_app(vera)
        assert give(vera, code_of(seed, steps)).right

    def test_a_code_is_good_once(self, database: Engine) -> None:
        vera = person("viewer", "vera")
        code = code_of(give_app(vera))
        assert [give(vera, code).right for _ in range(2)] == [True, False]

    def test_an_older_step_inside_the_window_is_refused_after_a_newer_one(self, database: Engine) -> None:
        vera = person("viewer", "vera")
        seed = give_app(vera)
        assert give(vera, code_of(seed, 0)).right
        assert not give(vera, code_of(seed, -1)).right
        assert give(vera, code_of(seed, 1)).right

    def test_of_a_hundred_at_once_exactly_one_is_accepted(self, database: Engine) -> None:
        vera = person("viewer", "vera")
        guess = begun(vera, code_of(give_app(vera)))
        verdict = guesses.compare(guess)

        def use() -> bool:
            with transaction() as session:
                return guesses.use_up(session, guess, verdict, HERE).right

        assert raced(100, use) == 1

    @pytest.mark.parametrize("steps", [2, -2, 10, -10])
    def test_a_code_of_up_to_ten_steps_away_says_that_a_clock_is_off(self, sqlite: Engine, steps: int) -> None:
        vera = person("viewer", "vera")
        verdict = give(vera, code_of(give_app(vera), steps))
        assert (verdict.right, "clock" in verdict.sentence) == (False, True)

    def test_a_code_from_further_away_is_only_wrong(self, sqlite: Engine) -> None:
        vera = person("viewer", "vera")
        assert give(vera, code_of(give_app(vera), 15)).sentence == guesses.WRONG

    @pytest.mark.parametrize(
        "typed", ["", "12345", "1234567", "１２３４５６", "٣٣٣٣٣٣", "12345a", "-12345", "\x00" * 6]
    )
    def test_only_six_ascii_digits_are_a_code(self, typed: str) -> None:
        assert totp.plain(typed) is None

    def test_the_digits_are_those_of_the_standard(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, cut to six digits
        for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
            monkeypatch.setattr(totp, "now", lambda at=seconds: datetime.fromtimestamp(at, UTC))
            assert totp.read(seed, code).step == seconds // 30

    def test_a_seed_has_160_bits_and_is_in_no_file_of_the_database(self, sqlite: Engine) -> None:
        seed = give_app(person("viewer", "vera"))
        assert re.fullmatch(r"[A-Z2-7]{32}", seed)
        folder = Path(str(sqlite.url.database)).parent
        found = [path for path in folder.glob("pfd.sqlite3*") if seed.encode() in path.read_bytes()]
        assert found == []
        with snapshot() as session:
            assert totp.opened(session.scalars(select(User.totp_secret)).one() or "") == seed


class TestBackupCodes:
    def test_ten_different_ones_of_eighty_bits(self) -> None:
        fresh = backup_codes.make()
        plain = [backup_codes.plain(code) or "" for code in fresh.codes]
        assert len({code[1:] for code in plain}) == 10
        assert all(len(code[1:]) == 16 and set(code[1:]) <= set(backup_codes.LETTERS) for code in plain)
        assert len(backup_codes.LETTERS) == 32  # five bits a letter

    @pytest.mark.usefixtures("real_hashes")
    def test_only_bcrypt_hashes_are_kept(self, sqlite: Engine) -> None:
        fresh = backup_codes.make()
        with transaction() as session:
            backup_codes.store(session, person("viewer", "vera").user_id or 0, fresh)
        with snapshot() as session:
            kept = session.scalars(select(BackupCode.code_hash)).all()
        assert all(re.match(r"\$2b\$1\d\$", code_hash) for code_hash in kept)
        assert not [code for code in fresh.codes if any(code in code_hash for code_hash in kept)]

    def test_each_lets_in_once_however_it_is_written(self, database: Engine) -> None:
        vera = person("viewer", "vera")
        codes = give_codes(vera)
        assert give(vera, codes[3].lower().replace("-", " ")).right
        assert not give(vera, codes[3]).right
        assert give(vera, codes[9]).right

    def test_of_a_hundred_at_once_exactly_one_is_accepted(self, database: Engine) -> None:
        vera = person("viewer", "vera")
        guess = begun(vera, give_codes(vera)[0])
        verdict = guesses.compare(guess)

        def use() -> bool:
            with transaction() as session:
                return guesses.use_up(session, guess, verdict, HERE).right

        assert raced(100, use) == 1

    def test_a_guess_costs_one_comparison(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        vera = person("viewer", "vera")
        codes, compared = give_codes(vera), []
        real = backup_codes.fits
        monkeypatch.setattr(backup_codes, "fits", lambda *given: compared.append(1) or real(*given))
        assert give(vera, codes[7]).right
        assert not give(vera, codes[6][:-1] + ("2" if codes[6][-1] != "2" else "3")).right
        assert len(compared) == 2

    def test_a_code_at_the_place_of_another_is_wrong(self, sqlite: Engine) -> None:
        vera = person("viewer", "vera")
        codes = give_codes(vera)
        assert not give(vera, "1" + codes[0][1:]).right

    def test_somebody_elses_code_is_wrong(self, sqlite: Engine) -> None:
        codes = give_codes(person("viewer", "vera"))
        assert not give(person("viewer", "bob"), codes[0]).right

    def test_its_use_is_told_to_the_owner_with_how_many_are_left(self, sqlite: Engine) -> None:
        vera = person("viewer", "vera")
        give(vera, give_codes(vera)[0])
        with snapshot() as session:
            mail = session.scalars(select(EmailLog)).one()
            assert mail.event_type == "security.backup_code_used"
            assert mail.event_data["facts"]["left"] == "9"
            assert backup_codes.left(session, vera.user_id or 0) == 9

    @pytest.mark.parametrize("typed", ["", "0", "0-AAAA", "x" * 17, "0" * 17, "٠" + "A" * 16, "0-ABCD-EFGH-JKMN-PQR1"])
    def test_what_is_no_code_is_none(self, typed: str) -> None:
        assert backup_codes.plain(typed) is None


class TestLimits:
    def tries(self, actor: Actor, count: int, address: str = "127.0.0.1") -> int:
        """How many of so many wrong codes were compared at all."""
        compared = 0
        for _ in range(count):
            with transaction() as session:
                compared += guesses.begin(session, actor.user_id or 0, "000000", Visitor(address, "test")).wait == 0
        return compared

    def later(self, monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
        from datetime import timedelta

        from database.types import now
        from services import throttling

        moment = now() + timedelta(minutes=minutes)
        monkeypatch.setattr(throttling, "now", lambda: moment)

    def test_five_in_five_minutes_for_a_person(self, database: Engine) -> None:
        assert self.tries(person("viewer", "vera"), 9) == 5

    def test_twenty_in_an_hour_and_fifty_in_a_day_from_wherever(
        self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vera, compared = person("viewer", "vera"), []
        for turn in range(23 * 10):  # every six minutes of nearly a day
            self.later(monkeypatch, turn * 6)
            compared.append(self.tries(vera, 6, f"10.0.{turn}.1"))
        assert sum(compared[:10]) == 20
        assert sum(compared) == 50

    def test_ten_in_five_minutes_for_an_address(self, database: Engine) -> None:
        people = [person("viewer", f"person{number}") for number in range(4)]
        assert sum(self.tries(someone, 4) for someone in people) == 10

    def test_fifty_in_an_hour_for_an_address(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = 0
        for turn in range(9):
            self.later(monkeypatch, turn * 6)
            compared += sum(self.tries(person("viewer", f"p{turn}-{number}"), 4) for number in range(4))
        assert compared == 50

    def test_a_right_code_is_not_even_compared_while_waiting(self, sqlite: Engine) -> None:
        vera: Any = person("viewer", "vera")
        seed = give_app(vera)
        self.tries(vera, 5)
        verdict = give(vera, code_of(seed))
        assert (verdict.right, verdict.reason) == (False, "too many attempts")
