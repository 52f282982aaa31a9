"""What docs/scaling.md says of the growth of the database is what a day of logging makes of it."""

import re
from pathlib import Path

import pytest
from sqlalchemy import Engine

from benchmarks import scaling
from benchmarks.scaling import Day
from config import settings as configuration


@pytest.mark.parametrize(("kind", "place"), [("sqlite", 1), ("postgresql", 2)])
def test_the_day_in_the_document_adds_up_from_its_costs(kind: str, place: int) -> None:
    told = re.search(
        r"^\| \*\*all\*\* \|  \| \*\*(\d+) MB\*\* \| \*\*(\d+) MB\*\* \|", scaling.DOCUMENT.read_text(), re.M
    )
    assert told is not None
    assert round(scaling.predicted(Day(), kind) / 1e6) == int(told[place])


def test_a_few_hours_of_a_few_experiments_grow_the_database_as_predicted(
    sqlite: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFD_DATA_DIR", str(tmp_path))
    configuration.settings.cache_clear()
    day = Day(experiments=10, hours=3)
    growth = scaling.simulate(sqlite, tmp_path, day)
    monkeypatch.undo()
    configuration.settings.cache_clear()
    assert growth.whole == pytest.approx(scaling.predicted(day, "sqlite"), rel=scaling.TOLERANCE)
