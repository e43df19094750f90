"""Rows that the clock says cannot be whole: bars of a session that is not over, and days to come."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from data.importing import ahead, import_files
from data.store.store import Store

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
# A Thursday, a Friday, and a Monday.
DAYS = ("2025-08-21", "2025-08-22", "2025-08-25")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store, monkeypatch):
    def _take(moment: datetime, symbol: str = "159363.SZ", days=DAYS, table: str = "bars"):
        monkeypatch.setattr(ahead, "now", lambda: moment)
        head, row = {
            "bars": ("symbol,day,open,high,low,close,volume", "0.7,0.731,0.69,0.729,523000000"),
            "nav": ("symbol,day,nav", "0.7291"),
            "units": ("symbol,day,units", "3970000000"),
            "index_bars": ("index,day,close", "2103.5"),
        }[table]
        (tmp_path / f"{table}.csv").write_text(
            f"{head}\n" + "".join(f"{symbol},{day},{row}\n" for day in days)
        )
        (told,) = import_files([tmp_path / f"{table}.csv"], store).imported
        return told.notes, [str(day.date()) for day in store.read(table)["day"]]

    return _take


@pytest.mark.parametrize(
    ("symbol", "moment", "over"),
    [
        ("159363.SZ", datetime(2025, 8, 25, 11, 30, tzinfo=SHANGHAI), False),
        ("159363.SZ", datetime(2025, 8, 25, 15, 1, tzinfo=SHANGHAI), False),
        ("159363.SZ", datetime(2025, 8, 25, 15, 2, tzinfo=SHANGHAI), True),
        # 04:00 of the next day in Shanghai.
        ("BOTZ.US", datetime(2025, 8, 25, 15, 59, tzinfo=NEW_YORK), False),
        ("BOTZ.US", datetime(2025, 8, 25, 16, 2, tzinfo=NEW_YORK), True),
    ],
)
def test_a_bar_of_a_session_that_is_not_over_is_left_out(take, symbol, moment, over):
    notes, days = take(moment, symbol)
    assert days == list(DAYS if over else DAYS[:2])
    assert notes == (() if over else ("of a session that is not over, and left out: 1 row",))


def test_a_level_of_an_index_at_noon_is_left_out_and_a_count_of_the_day_is_not(take):
    noon = datetime(2025, 8, 25, 11, 30, tzinfo=SHANGHAI)
    assert take(noon, "930713", table="index_bars")[1] == list(DAYS[:2])
    assert take(noon, table="units") == ((), list(DAYS))


def test_days_to_come_are_told(take):
    # 08/09/2025 read as the ninth of August may be the eighth of September.
    moment = datetime(2025, 8, 22, 18, 0, tzinfo=SHANGHAI)
    note = "dated after today, up to 2025-08-25: 1 row; are days and months exchanged?"
    assert take(moment, table="nav") == ((note,), list(DAYS))
    # Who imports in New York on Sunday evening has Monday's files of Shanghai already.
    evening = datetime(2025, 8, 24, 21, 0, tzinfo=NEW_YORK)
    assert take(evening, table="nav")[0] == ()
