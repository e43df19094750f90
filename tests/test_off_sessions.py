"""Rows dated on days without a session: the session that they belong to, and when they were known."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.checks import run_checks
from data.errors import DataError
from data.facts.calendars import calendar_for
from data.importing import find_map, import_files
from data.importing.sessions import on_sessions
from data.load import load_panel
from data.store.store import Store
from data.store.tables import TABLES
from tests.helpers.small_market import Source, check, clean_market

SESSIONS = [each.item() for each in calendar_for("us_etf").sessions(date(2026, 3, 2), date(2026, 5, 29))]
SHORTER = '; name a map with dated = "{}" for shorter files of this source'
MAP = 'table = "units"\ncolumns = {symbol = "ticker", day = "date", units = "shares"}\n'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def take(tmp_path: Path, store: Store):
    def _take(table: str, rows: list[tuple[object, float]], symbol: str = "AGG.US", extra: str = ""):
        column = {"units": "units", "nav": "nav", "margin": "balance"}[table]
        frame = pd.DataFrame(rows, columns=["day", column]).assign(symbol=symbol)
        frame.to_csv(tmp_path / f"{table}.csv", index=False)
        toml = tmp_path / "my.toml"
        toml.write_text(f'table = "{table}"\n{extra}')
        return import_files([tmp_path / f"{table}.csv"], store, map_file=toml).imported[0].notes

    return _take


def counts(store: Store) -> dict[str, float]:
    frame = store.read("units")
    return dict(zip(frame["day"].dt.strftime("%m-%d"), frame["units"], strict=True))


def test_counts_that_are_all_dated_a_day_late_are_those_of_the_session_before(take, store):
    # Friday's count is dated Saturday, Monday's Tuesday; Good Friday and Memorial Day are in between.
    rows = [(day + timedelta(days=1), 1_398_800_000 + 400_000 * row) for row, day in enumerate(SESSIONS)]
    (note,) = take("units", rows)
    said = f"dated a day late, and taken as of the session before: {len(SESSIONS)} rows"
    assert note == said + SHORTER.format("publication")
    units = store.read("units")
    assert [day.date() for day in units["day"]] == SESSIONS
    assert units["units"].tolist() == [count for _, count in rows]
    known = dict(zip(units["day"].dt.strftime("%m-%d"), units["known_at"], strict=True))
    # A Saturday has no open; a session's open comes before the count was seen.
    assert known["03-06"] == pd.Timestamp("2026-03-07")
    assert known["03-05"] == pd.Timestamp("2026-03-06 23:59")
    close = 99.0 + np.arange(len(SESSIONS)) / 100
    bars = pd.DataFrame({"symbol": "AGG.US", "day": SESSIONS, "volume": 6_000_000, "close": close})
    store.append({"bars": bars.assign(open=close, high=close, low=close)})
    panel = load_panel(store)
    assert np.isfinite(panel.ingredients.facts.grids["units"].measure).sum() == len(SESSIONS)
    assert [each for each in run_checks(store) if each.table == "units"] == []


@pytest.mark.parametrize("days", [SESSIONS, SESSIONS[3:5], [*SESSIONS, date(2026, 5, 30)]])
@pytest.mark.parametrize("symbols", [["AGG.US"], ["AGG.US", "159363.SZ"]])
def test_days_that_are_sessions_are_those_that_a_longer_look_finds(monkeypatch, days, symbols):
    rows = pd.DataFrame({"symbol": np.resize(symbols, len(days)), "day": pd.to_datetime(days), "units": 1e9})
    (part,) = find_map("tidy-units").tables
    found, told = on_sessions(rows, part, "it")
    monkeypatch.setattr("data.importing.sessions.all_sessions", lambda *words: False)
    longer, of_longer = on_sessions(rows, part, "it")
    pd.testing.assert_frame_equal(found, longer)
    assert told == of_longer


def test_a_snapshot_of_a_weekend_is_the_count_of_friday_if_there_is_none(take, store):
    # Saturday 7 March, Wednesday 11 March, Saturday 14 March; 13 March has a row of its own.
    rows = [("2026-03-07", 5e7), ("2026-03-11", 6e7), ("2026-03-13", 7e7), ("2026-03-14", 8e7)]
    (note,) = take("units", rows)
    assert note.startswith("dated on days without a session, and taken as of the session before: 2 rows; ")
    assert note.endswith("because that session has a row of its own: 1 row")
    assert counts(store) == {"03-06": 5e7, "03-11": 6e7, "03-13": 7e7}
    known_at = store.read("units")["known_at"]
    assert (known_at[0], known_at[1:].isna().all()) == (pd.Timestamp("2026-03-07"), True)


def test_a_series_of_every_calendar_day_keeps_its_sessions(take, store):
    days = pd.date_range("2026-03-02", "2026-03-15")
    take("units", [(day.date(), 5e7 + row) for row, day in enumerate(days)])
    assert list(counts(store)) == [f"03-{day:02d}" for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]
    assert counts(store)["03-06"] == 5e7 + 4


def test_a_map_says_that_days_are_those_of_publication(take, store):
    take("units", [("2026-03-06", 5e7), ("2026-03-09", 6e7)], extra='dated = "publication"\n')
    assert counts(store) == {"03-05": 5e7, "03-06": 6e7}
    assert store.read("units")["known_at"].tolist() == [
        pd.Timestamp("2026-03-06 23:59"),
        pd.Timestamp("2026-03-09 23:59"),
    ]


def test_a_month_is_its_last_session_and_known_by_the_lags_on_file(tmp_path, store):
    header = "Year-Month,Debit Balances in Customers' Securities Margin Accounts"
    (tmp_path / "finra.csv").write_text(f"{header}\n2025-05,920960\n2025-08,1059723\n")
    report = import_files([tmp_path / "finra.csv"], store)
    assert report.imported[0].map == "finra-margin"
    margin = store.read("margin")
    # 31 May is a Saturday, 31 August a Sunday.
    assert margin["day"].dt.strftime("%Y-%m-%d").tolist() == ["2025-05-30", "2025-08-29"]
    assert margin["balance"].tolist() == [920_960e6, 1_059_723e6]
    assert margin["known_at"].isna().all()


def test_a_value_of_a_holiday_does_not_replace_that_of_the_session(take, store):
    take("nav", [("2023-12-29", 1.0), ("2023-12-31", 1.0001)], symbol="159363.SZ")
    assert store.read("nav")["nav"].tolist() == [1.0]
    assert store.read("nav")["known_at"].isna().all()


def test_days_beyond_the_recorded_calendar_stay_as_they_are(take, store):
    assert take("units", [("2099-01-04", 5e7)]) == ()
    assert store.read("units")["day"].tolist() == [pd.Timestamp("2099-01-04")]


def test_the_margin_of_a_market_at_the_end_of_a_month_is_no_phantom():
    days = pd.to_datetime(["2025-02-28", "2025-03-30"])
    margin = pd.DataFrame({"symbol": "CN", "day": days, "balance": [1.9e12, 1.8e12]})
    assert check(clean_market() | {"margin": margin}, "phantom-session") == []
    fund = margin.assign(symbol="159819.SZ")
    assert [each.first for each in check(clean_market() | {"margin": fund}, "phantom-session")] == [
        date(2025, 3, 30)
    ]


def test_a_source_without_rows_has_no_findings():
    assert run_checks(Source({})) == ()


CHINESE = [each.item() for each in calendar_for("cn_etf").sessions(date(2025, 8, 4), date(2025, 8, 29))]
DAY = timedelta(days=1)


def rows_of(table: str, key: str, days: list[date]) -> pd.DataFrame:
    """Rows with a level that counts up from 1.000, by 0.001 a session."""
    level = [1 + row / 1000 for row in range(len(days))]
    frame = pd.DataFrame({TABLES[table].key[0]: key, "day": days})
    if table in ("bars", "index_bars"):
        frame = frame.assign(open=level, high=level, low=level, close=level)
        return frame.assign(volume=5e7) if table == "bars" else frame
    return frame.assign(
        **{TABLES[table].measures[0]: [each * 1e9 if table != "nav" else each for each in level]}
    )


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("nav", "159363.SZ"),
        ("units", "159363.SZ"),
        ("margin", "159363.SZ"),
        ("bars", "159363.SZ"),
        ("index_bars", "930713"),
        ("bars", "BOTZ.US"),
    ],
)
@pytest.mark.parametrize(("off", "said"), [(-1, "early"), (1, "late")])
def test_files_whose_days_are_all_one_day_off_are_moved(tmp_path, store, table, key, off, said):
    # Midnight in Shanghai is the day before in UTC: Sundays and no Fridays. New York's close is the next day
    # in Shanghai: Saturdays and no Mondays.
    days = CHINESE if key != "BOTZ.US" else SESSIONS
    rows = rows_of(table, key, [day + off * DAY for day in days])
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (told,) = import_files([tmp_path / "rows.csv"], store).imported
    beside = "after" if off < 0 else "before"
    word = SHORTER.format("day-before" if off < 0 else "publication")
    assert told.notes == (
        f"dated a day {said}, and taken as of the session {beside}: {len(days)} rows{word}",
    )
    assert [each.date() for each in store.read(table)["day"]] == days


def test_levels_of_an_index_that_may_be_of_any_market_are_not_moved(tmp_path, store):
    # Riyadh trades from Sunday to Thursday; its file has no Fridays.
    days = [day - DAY for day in SESSIONS]
    for index, moved in (("TASI", False), ("SPX", True)):
        rows_of("index_bars", index, days).to_csv(tmp_path / f"{index}.csv", index=False)
        import_files([tmp_path / f"{index}.csv"], store)
        levels = store.read("index_bars")
        kept = [each.date() for each in levels.loc[levels["index"] == index, "day"]]
        assert kept == (SESSIONS if moved else days)
    (tmp_path / "my.toml").write_text('based_on = "tidy-index_bars"\ndated = "day-before"\n')
    with pytest.raises(DataError, match="is not known; limit: sessions of Chinese and American indices"):
        import_files([tmp_path / "TASI.csv"], Store(tmp_path / "other"), map_file=tmp_path / "my.toml")


def test_a_file_that_is_a_day_off_is_seen_beside_others_that_are_not(tmp_path, store):
    for code, off in (("159363.SZ", 0), ("159819.SZ", -1), ("515980.SH", 0)):
        rows_of("bars", code, [day + off * DAY for day in CHINESE]).to_csv(
            tmp_path / f"{code}.csv", index=False
        )
    report = import_files([tmp_path], store)
    assert [bool(each.notes) for each in report.imported] == [False, True, False]
    bars = store.read("bars")
    assert [each.date() for each in bars.loc[bars["symbol"] == "159819.SZ", "day"]] == CHINESE


def test_a_map_says_that_days_are_those_before_or_that_they_stand(tmp_path, store):
    # Three counts tell nothing: 08-17 is a Sunday.
    sunday = date(2025, 8, 17)
    for dated, first in (("day-before", "2025-08-18"), ("session", "2025-08-15")):
        (tmp_path / "my.toml").write_text(f'based_on = "tidy-nav"\ndated = "{dated}"\n')
        rows_of("nav", "159363.SZ", [sunday + each * DAY for each in range(3)]).to_csv(
            tmp_path / "nav.csv", index=False
        )
        own = Store(tmp_path / dated)
        import_files([tmp_path / "nav.csv"], own, map_file=tmp_path / "my.toml")
        assert str(own.read("nav")["day"].iloc[0].date()) == first


def test_a_bar_of_a_saturday_alone_stays_for_the_check_to_find(tmp_path, store):
    days = [day for day in CHINESE if day.isoweekday() != 5] + [date(2025, 8, 9)]
    rows_of("bars", "159363.SZ", sorted(days)).to_csv(tmp_path / "bars.csv", index=False)
    (told,) = import_files([tmp_path / "bars.csv"], store).imported
    assert told.notes == ()
    assert "phantom-session" in {each.check for each in run_checks(store)}


@pytest.mark.parametrize("table", ["units", "nav", "margin"])
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        # Half-year NAV of Sunday 30 June beside Thursday's; that of Saturday 31 December before a holiday.
        (["2024-06-27", "2024-06-30"], ["2024-06-27", "2024-06-28"]),
        (["2022-12-31", "2023-01-04", "2023-01-05"], ["2022-12-30", "2023-01-04", "2023-01-05"]),
        (["2025-08-23", "2025-08-26"], ["2025-08-22", "2025-08-26"]),
        # Two Saturdays, but only one Monday that could be there.
        (
            [f"2025-08-{day}" for day in (15, 16, 19, 20, 21, 22, 23)],
            [f"2025-08-{day}" for day in (15, 19, 20, 21, 22)],
        ),
        # Two Saturdays and no Monday, but nothing in between.
        (["2025-08-16", "2025-08-23", "2025-08-26"], ["2025-08-15", "2025-08-22", "2025-08-26"]),
    ],
)
def test_a_file_of_less_than_two_weekends_shows_nothing(tmp_path, store, table, given, stored):
    days = [date.fromisoformat(day) for day in given]
    rows_of(table, "159363.SZ", days).to_csv(tmp_path / "rows.csv", index=False)
    import_files([tmp_path / "rows.csv"], store)
    assert [str(day.date()) for day in store.read(table)["day"]] == stored


def test_a_holiday_is_no_weekend(tmp_path, store):
    # Juneteenth 2025 is a Thursday. Neither Friday the 20th nor Monday the 23rd is there.
    days = [date(2025, 6, day) for day in (17, 18, 19, 21, 24, 25, 26, 27)]
    rows_of("nav", "AIQ.US", days).to_csv(tmp_path / "nav.csv", index=False)
    import_files([tmp_path / "nav.csv"], store)
    assert [day.day for day in store.read("nav")["day"]] == [17, 18, 20, 24, 25, 26, 27]


def test_two_bars_of_a_saturday_and_a_wednesday_stay(tmp_path, store):
    rows_of("bars", "159363.SZ", [date(2025, 8, 23), date(2025, 8, 27)]).to_csv(
        tmp_path / "bars.csv", index=False
    )
    (told,) = import_files([tmp_path / "bars.csv"], store).imported
    assert told.notes == ()
    assert [str(day.date()) for day in store.read("bars")["day"]] == ["2025-08-23", "2025-08-27"]


def test_two_weekends_and_seven_days_show_it(tmp_path, store):
    # Saturday 16 August is Friday the 15th, and Tuesday the 26th Monday the 25th.
    days = [date(2025, 8, day) for day in (16, 19, 20, 21, 22, 23, 26)]
    rows_of("nav", "159363.SZ", days).to_csv(tmp_path / "nav.csv", index=False)
    import_files([tmp_path / "nav.csv"], store)
    assert [day.day for day in store.read("nav")["day"]] == [15, 18, 19, 20, 21, 22, 25]
    # Without Thursday there are six.
    rows_of("nav", "159819.SZ", [day for day in days if day.day != 21]).to_csv(
        tmp_path / "nav.csv", index=False
    )
    other = Store(tmp_path / "other")
    import_files([tmp_path / "nav.csv"], other)
    assert [day.day for day in other.read("nav")["day"]] == [15, 19, 20, 22, 26]


def test_rows_of_each_market_of_a_file_are_moved_and_known_by_themselves(tmp_path, store):
    early = rows_of("units", "159363.SZ", [day - DAY for day in CHINESE])
    late = rows_of("units", "AIQ.US", [day + DAY for day in SESSIONS])
    pd.concat([early, late]).to_csv(tmp_path / "units.csv", index=False)
    (told,) = import_files([tmp_path / "units.csv"], store).imported
    assert told.notes == (
        f"dated a day early, and taken as of the session after: {len(CHINESE)} rows"
        + SHORTER.format("day-before"),
        f"dated a day late, and taken as of the session before: {len(SESSIONS)} rows"
        + SHORTER.format("publication"),
    )
    units = store.read("units")
    american = units[units["symbol"] == "AIQ.US"].set_index("day")
    # Friday's count was seen on Saturday, Thursday's on Friday, after the open.
    assert american["known_at"]["2026-03-06"] == pd.Timestamp("2026-03-07")
    assert american["known_at"]["2026-03-05"] == pd.Timestamp("2026-03-06 23:59")
    assert american["known_at"].notna().all()
    assert units.loc[units["symbol"] == "159363.SZ", "known_at"].isna().all()


def test_a_bar_of_a_saturday_stays_beside_another_market_that_is_a_day_off(tmp_path, store):
    early = rows_of("bars", "159363.SZ", [day - DAY for day in CHINESE])
    saturday = rows_of("bars", "AIQ.US", [date(2025, 8, 20), date(2025, 8, 23)])
    pd.concat([early, saturday]).to_csv(tmp_path / "bars.csv", index=False)
    import_files([tmp_path / "bars.csv"], store)
    bars = store.read("bars")
    assert bars.loc[bars["symbol"] == "AIQ.US", "day"].dt.day.tolist() == [20, 23]


END = calendar_for("cn_etf").last_day
LAST = [each.item() for each in calendar_for("cn_etf").sessions(END - 30 * DAY, END)]


@pytest.mark.parametrize("beyond", [LAST[-1], END + 20 * DAY])
def test_a_day_whose_session_is_not_recorded_is_refused(tmp_path, store, beyond):
    (tmp_path / "my.toml").write_text('based_on = "tidy-nav"\ndated = "day-before"\n')
    rows = [rows_of("nav", "159363.SZ", LAST[-2:]), rows_of("nav", "159227.SZ", [beyond])]
    pd.concat(rows).to_csv(tmp_path / "nav.csv", index=False)
    with pytest.raises(
        DataError, match=f"the session after {beyond} is not recorded.*data calendar import NOTICE"
    ):
        import_files([tmp_path / "nav.csv"], store, map_file=tmp_path / "my.toml")
    assert store.read("nav").empty


def test_a_file_a_day_off_that_goes_on_beyond_the_calendar_is_refused_whole(tmp_path, store):
    # A row of the last session would be that of one that is not recorded, and shows nothing.
    days = [day - DAY for day in LAST] + [LAST[-1], END + 3 * DAY]
    rows_of("nav", "159363.SZ", days).to_csv(tmp_path / "nav.csv", index=False)
    with pytest.raises(DataError, match=f"the session after {END + 3 * DAY} is not recorded"):
        import_files([tmp_path / "nav.csv"], store)


def test_days_beyond_the_calendar_leave_the_others_as_they_are(tmp_path, store):
    days = [*LAST, END + 4 * DAY]
    rows_of("nav", "159363.SZ", days).to_csv(tmp_path / "nav.csv", index=False)
    import_files([tmp_path / "nav.csv"], store)
    assert [day.date() for day in store.read("nav")["day"]] == days


def test_the_last_session_of_the_calendar_may_be_dated_a_day_late(tmp_path, store):
    rows_of("nav", "159363.SZ", [day + DAY for day in LAST]).to_csv(tmp_path / "nav.csv", index=False)
    import_files([tmp_path / "nav.csv"], store)
    assert [day.date() for day in store.read("nav")["day"]] == LAST


@pytest.mark.parametrize("table", ["bars", "nav"])
def test_what_becomes_of_a_file_does_not_depend_on_those_that_come_with_it(tmp_path, table):
    # Together these days show that they are a day early; those of one file do not.
    days = [day - DAY for day in CHINESE[:11]]
    for place in (0, 6):
        rows_of(table, f"1593{60 + place:02d}.SZ", days[place : place + 6]).to_csv(
            tmp_path / f"{place:02d}.csv", index=False
        )
    files = sorted(tmp_path.glob("*.csv"))
    together, alone = Store(tmp_path / "together"), Store(tmp_path / "alone")
    import_files(files, together)
    for file in files:
        import_files([file], alone)
    assert together.read(table).equals(alone.read(table))


def test_the_hint_of_a_changed_past_says_that_days_may_be_off(tmp_path, store):
    days = [day - DAY for day in CHINESE]
    rows_of("nav", "159363.SZ", days[:-2]).to_csv(tmp_path / "nav.csv", index=False)
    import_files([tmp_path / "nav.csv"], store)
    rows_of("nav", "159363.SZ", days[-3:-1]).to_csv(tmp_path / "nav.csv", index=False)
    with pytest.raises(DataError, match=r"would change the past.*Compare days first.*`dated`"):
        import_files([tmp_path / "nav.csv"], store)
