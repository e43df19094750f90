"""Rows that the clock says cannot be whole: bars of a session that is not over, and days to come."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from data.errors import DataError
from data.importing import ahead, import_files, one_file, plain
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
            "index_weights": ("index,day,constituent,weight", "300308,0.1"),
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
        # No half day.
        ("BOTZ.US", datetime(2025, 8, 25, 14, 0, tzinfo=NEW_YORK), False),
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
    assert take(moment, "930713", table="index_weights") == ((note,), list(DAYS))
    # Who imports in New York on Sunday evening has Monday's files of Shanghai already.
    evening = datetime(2025, 8, 24, 21, 0, tzinfo=NEW_YORK)
    assert take(evening, table="nav")[0] == ()
    # Who imports in Shanghai on Monday morning has none of Monday's in New York.
    morning = datetime(2025, 8, 25, 9, 0, tzinfo=SHANGHAI)
    assert take(morning, "BOTZ.US", table="nav")[0] == (note,)


@pytest.mark.parametrize(
    ("symbol", "moment"),
    [
        ("159363.SZ", datetime(2025, 8, 22, 20, 0, tzinfo=SHANGHAI)),
        ("159363.SZ", datetime(2025, 8, 24, 23, 0, tzinfo=SHANGHAI)),
        ("BOTZ.US", datetime(2025, 8, 24, 10, 0, tzinfo=NEW_YORK)),
        ("BOTZ.US", datetime(2025, 8, 24, 21, 0, tzinfo=NEW_YORK)),
    ],
)
def test_a_bar_of_a_day_to_come_in_its_market_is_left_out(take, symbol, moment):
    note = "dated after today, up to 2025-08-25, and left out: 1 row; are days and months exchanged?"
    assert take(moment, symbol) == ((note,), list(DAYS[:2]))


def test_a_file_of_a_bar_of_today_alone_leaves_nothing_to_import(take):
    noon = datetime(2025, 8, 25, 11, 30, tzinfo=SHANGHAI)
    with pytest.raises(
        DataError, match=r"every row is left out; received 1 row in .*when the market has closed"
    ):
        take(noon, days=DAYS[2:])


@pytest.mark.parametrize(
    ("hour", "minute", "over"), [(12, 59, False), (13, 1, False), (13, 2, True), (14, 0, True)]
)
def test_a_half_day_in_new_york_ends_at_one(take, hour, minute, over):
    days = ("2025-07-01", "2025-07-02", "2025-07-03")
    moment = datetime(2025, 7, 3, hour, minute, tzinfo=NEW_YORK)
    assert take(moment, "BOTZ.US", days)[1] == list(days if over else days[:2])


@pytest.mark.parametrize(("index", "over"), [("HSI", True), ("DAX", True), ("SPX", False), ("930713", True)])
def test_a_named_index_is_judged_by_new_york_only_where_it_is_surely_american(take, index, over):
    # 08:00 in New York.
    evening = datetime(2025, 8, 25, 20, 0, tzinfo=SHANGHAI)
    assert take(evening, index, table="index_bars")[1] == list(DAYS if over else DAYS[:2])
    tomorrow = take(
        datetime(2025, 8, 24, 9, 0, tzinfo=SHANGHAI), index, ("2025-08-22", "2025-08-26"), "index_bars"
    )
    assert "dated after today, up to 2025-08-26, and left out: 1 row" in tomorrow[0][0]


def test_a_row_on_a_saturday_is_of_no_session_that_goes_on(take):
    saturday = datetime(2025, 8, 23, 11, 0, tzinfo=SHANGHAI)
    notes, days = take(saturday, days=("2025-08-22", "2025-08-23"))
    assert notes == ()
    assert days == ["2025-08-22", "2025-08-23"]


def test_files_with_a_bar_of_today_are_read_together_all_the_same(tmp_path, store, monkeypatch):
    monkeypatch.setattr(ahead, "now", lambda: datetime(2025, 8, 25, 11, 30, tzinfo=SHANGHAI))
    shaped = []
    monkeypatch.setattr(plain, "import_sheet", lambda *a: shaped.append(a[0]) or one_file.import_sheet(*a))
    monkeypatch.setattr("data.importing.importer.import_file", None)
    # Each has the bars of a day or two; the funds stand so that sorting mixes the files.
    files = {
        "a.csv": [("159813.SZ", DAYS[0]), ("159363.SZ", DAYS[0])],
        "b.csv": [("159813.SZ", DAYS[1]), ("159363.SZ", DAYS[1]), ("159363.SZ", DAYS[2])],
        "c.csv": [("159813.SZ", DAYS[2])],
        "d.csv": [("159819.SZ", DAYS[2]), ("159819.SZ", DAYS[0])],
    }
    (tmp_path / "bars").mkdir()
    for name, rows in files.items():
        body = "".join(f"{fund},{day},0.7,0.731,0.69,0.729,523000000\n" for fund, day in rows)
        (tmp_path / "bars" / name).write_text(f"symbol,day,open,high,low,close,volume\n{body}")
    told = import_files([tmp_path / "bars"], store).imported
    note = "of a session that is not over, and left out: 1 row"
    assert len(shaped) == 1
    assert [(each.rows, each.left_out, str(each.first_day), str(each.last_day)) for each in told] == [
        (2, 0, DAYS[0], DAYS[0]),
        (2, 1, DAYS[1], DAYS[1]),
        (0, 1, "None", "None"),
        (1, 1, DAYS[0], DAYS[0]),
    ]
    # A note stands with the first file that it is about.
    assert [each.notes for each in told] == [(), (note,), (), ()]
    assert store.read("bars")[["symbol", "day"]].astype(str).to_numpy().tolist() == [
        ["159363.SZ", DAYS[0]],
        ["159363.SZ", DAYS[1]],
        ["159813.SZ", DAYS[0]],
        ["159813.SZ", DAYS[1]],
        ["159819.SZ", DAYS[0]],
    ]
    # And each row is known by its file.
    (tmp_path / "bars" / "e.csv").write_text(
        f"day,symbol,open,high,low,close,volume\n{DAYS[0]},159819.SZ,0.7,0.731,0.69,0.728,523000000\n"
    )
    with pytest.raises(DataError, match=r"d\.csv.*e\.csv"):
        import_files([tmp_path / "bars"], Store(tmp_path / "other"))
