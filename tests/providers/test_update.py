"""Updating: from the last day on file with an overlap, as the store was fetched, and what failed before."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.importing import import_files, remove_rows
from data.providers.recipe import Memory, Recipe, after_removal, read_memory
from data.store.manifest import MANIFEST
from data.store.removal import Selection
from data.store.store import Store
from tests.helpers.vendor_bench import CASES, LAST, Bench

FUND, OTHER = CASES["tushare"].symbols
# The sessions of two weeks of August 2025; the fund's close on the n-th is 0.6 and n thousandths.
SESSIONS = [f"202508{day:02}" for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19, 20)]
HEADER = "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount"


def bars(**closes: float) -> tuple[str, str, str]:
    """Return what ``fund_daily`` answers: every session of both funds, newest first, but other closes."""
    lines = []
    for fund in (FUND, OTHER):
        for number, session in reversed(list(enumerate(SESSIONS))):
            close = closes.get(f"{fund[:6]}_{session}", 0.6 + number / 1000)
            lines.append(f"{fund},{session},{close},{close},{close},{close},0.6,0,0,10,7.0")
    return "ts_code", "trade_date", "\n".join([HEADER, *lines])


@pytest.fixture
def filled(tushare: Bench) -> Bench:
    """Return a store that was fetched until Friday, 2025-08-15, the calls forgotten."""
    tushare.library.ANSWERS["fund_daily"] = bars()
    tushare.fetch("bars", start=date(2025, 8, 4), end=date(2025, 8, 15))
    tushare.library.CALLS.clear()
    return tushare


def periods(bench: Bench) -> list[tuple[str, str, str]]:
    return [(each["ts_code"], each["start_date"], each["end_date"]) for _, each in bench.library.CALLS]


def closes(bench: Bench, fund: str = FUND) -> dict[str, float]:
    rows = bench.store.read("bars", [fund])
    return dict(zip(rows["day"].dt.strftime("%Y%m%d"), rows["close"], strict=True))


def test_an_update_goes_on_from_the_last_day_on_file_with_five_sessions_again(filled):
    report = filled.update()
    assert periods(filled) == [(fund, "20250811", "20250820") for fund in (FUND, OTHER)]
    assert closes(filled) == {day: pytest.approx(0.6 + row / 1000) for row, day in enumerate(SESSIONS)}
    assert [(each.table, each.added) for each in report.fetched] == [("bars", 6)]
    assert (report.missing, report.notes) == ((), ())


def test_each_fund_goes_on_from_its_own_last_day(filled):
    filled.update(symbols=(FUND,), end=date(2025, 8, 18))
    filled.library.CALLS.clear()
    filled.update()
    # Five sessions until the 18th and until the 15th.
    assert periods(filled) == [(OTHER, "20250811", "20250820"), (FUND, "20250812", "20250820")]


def test_a_second_update_adds_nothing_and_changes_no_file(filled):
    filled.update()
    before = {path.name: path.read_bytes() for path in (filled.folder / "store").iterdir()}
    assert [each.added for each in filled.update().fetched] == [0]
    assert {path.name: path.read_bytes() for path in (filled.folder / "store").iterdir()} == before


def test_a_value_that_is_another_one_now_is_refused_unless_it_is_accepted(filled):
    filled.library.ANSWERS["fund_daily"] = bars(**{"159363_20250814": 0.7})
    before = {path.name: path.read_bytes() for path in (filled.folder / "store").iterdir()}
    with pytest.raises(
        DataError, match=r"would change the past.*159363\.SZ 2025-08-14.*close 0\.608 -> 0\.7"
    ):
        filled.update()
    assert {path.name: path.read_bytes() for path in (filled.folder / "store").iterdir()} == before
    report = filled.update(accept_revision=True)
    assert closes(filled)["20250814"] == 0.7
    assert set(report.revisions["column"]) == {"open", "high", "low", "close"}
    assert (filled.store.revisions()["old"] == "0.608").all()


def test_a_value_before_the_overlap_is_not_asked_for(filled):
    filled.library.ANSWERS["fund_daily"] = bars(**{"159363_20250808": 0.7})
    filled.update()
    assert closes(filled)["20250808"] == pytest.approx(0.604)


def test_what_failed_is_remembered_and_asked_for_by_the_next_update(filled):
    filled.library.TROUBLE["fund_nav"] = [RuntimeError("no permission")]
    report = filled.fetch("bars", "nav", start=date(2025, 8, 19))
    assert [gap.series for gap in report.missing] == [(FUND,), (OTHER,)]  # refused; and no rows
    (refused, empty) = read_memory(filled.store.recipe).gaps
    assert (refused.table, refused.series, refused.first, refused.last) == (
        "nav",
        (FUND,),
        date(2025, 8, 19),
        LAST,
    )
    filled.library.CALLS.clear()
    report = filled.update()
    asked = [
        (each["ts_code"], each["start_date"]) for name, each in filled.library.CALLS if name == "fund_nav"
    ]
    assert (FUND, "20250819") in asked
    assert filled.store.read("nav")["nav"].tolist() == [0.7041, 0.7291]
    assert read_memory(filled.store.recipe).gaps == (empty,)


def test_days_in_the_middle_that_failed_are_asked_for_again(akshare):
    list_of_a_day = akshare.library.fund_etf_scale_sse
    failing = {"20250813"}

    def listed(date: str) -> pd.DataFrame:
        if date in failing:
            akshare.library._called("fund_etf_scale_sse", date=date)
            raise RuntimeError("503")
        frame = list_of_a_day("20250820").assign(统计日期=pd.Timestamp(date).date())
        akshare.library.CALLS[-1] = ("fund_etf_scale_sse", {"date": date})
        return frame

    akshare.library.fund_etf_scale_sse = listed
    report = akshare.fetch("units", symbols=("588790.SH",), start=date(2025, 8, 12), end=date(2025, 8, 14))
    assert [str(gap) for gap in report.missing] == ["units of 588790.SH on 2025-08-13"]
    akshare.fetch("units", symbols=("588790.SH",), start=date(2025, 8, 15), end=date(2025, 8, 20))
    failing.clear()
    akshare.library.CALLS.clear()
    report = akshare.update()
    assert ("fund_etf_scale_sse", {"date": "20250813"}) in akshare.library.CALLS
    assert not report.missing
    days = akshare.store.read("units")["day"].dt.day.tolist()
    assert days == [12, 13, 14, 15, 18, 19, 20]


def test_lists_of_a_day_are_asked_for_once_and_of_no_day_that_is_on_file_before_the_overlap(akshare):
    """The exchange gives a list for a day, of all its funds; one fund is a session behind the other."""
    list_of_a_day, funds = akshare.library.fund_etf_scale_sse, ("515880.SH", "588790.SH")

    def listed(date: str) -> pd.DataFrame:
        frame = list_of_a_day("20250820").assign(统计日期=pd.Timestamp(date).date())
        akshare.library.CALLS[-1] = ("fund_etf_scale_sse", {"date": date})
        return frame

    def asked() -> list[int]:
        days = [int(arguments["date"][-2:]) for _, arguments in akshare.library.CALLS]
        akshare.library.CALLS.clear()
        return days

    akshare.library.fund_etf_scale_sse = listed
    akshare.fetch("units", symbols=funds, start=date(2025, 8, 6), end=date(2025, 8, 13))
    akshare.update(symbols=funds[1:], end=date(2025, 8, 14))
    assert asked() == [6, 7, 8, 11, 12, 13, 14]
    akshare.update(end=date(2025, 8, 15), refresh=True)
    # Five sessions until the 13th, and five until the 14th, which are among those that follow.
    assert sorted(asked()) == [7, 8, 11, 12, 13, 14, 15]
    # Lists of days that are long over are kept, and those of the overlap among them.
    akshare.update(end=date(2025, 8, 18))
    akshare.update(end=date(2025, 8, 18))
    assert asked() == [18]
    units = akshare.store.read("units")
    assert (
        units.groupby("symbol")["day"].agg(lambda days: days.dt.day.tolist()).tolist()
        == [[6, 7, 8, 11, 12, 13, 14, 15, 18]] * 2
    )


def test_a_table_of_a_fund_without_rows_is_not_asked_from_the_start_again(tushare):
    tushare.fetch("margin", symbols=(FUND, "159381.SZ"), start=date(2025, 1, 2), end=LAST)
    tushare.library.CALLS.clear()
    tushare.update(end=date(2025, 8, 22))
    # Five sessions until the 20th, which is the last on file of one fund, and asked for of the other.
    assert {each["start_date"] for _, each in tushare.library.CALLS} == {"20250814"}


def test_a_fund_whose_rows_have_ended_is_not_asked_from_there_for_ever(filled):
    later = datetime(2025, 9, 30, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
    filled.update(end=None, now=later)
    filled.library.CALLS.clear()
    report = filled.update(end=None, now=later)
    # The last row is of 2025-08-20, the last day asked for 2025-09-30: more than twenty sessions later.
    assert {start for _, start, _ in periods(filled)} == {"20250924"}
    assert (report.fetched, report.missing) == ((), ())
    assert report.notes == (f"bars: nothing for {FUND}, {OTHER}",)


def test_a_symbol_that_was_given_up_is_asked_for_until_then_and_then_no_more(filled):
    row = {"symbol": FUND, "kind": "rename", "ex_day": "2025-08-18", "successor": "159999.SZ"}
    filled.store.append({"actions": pd.DataFrame([row])})
    report = filled.update()
    assert periods(filled) == [(FUND, "20250811", "20250817"), (OTHER, "20250811", "20250820")]
    assert [*closes(filled)][-1] == "20250815"
    assert report.notes == (
        f"{FUND} became 159999.SZ on 2025-08-18, which is not fetched: etflow data fetch --symbols 159999.SZ",
    )
    assert report.missing == ()
    # Late rows come within a week: six sessions after the rename nothing more is asked for.
    for end, asked in ((date(2025, 8, 26), {FUND, OTHER}), (date(2025, 8, 27), {OTHER})):
        filled.library.CALLS.clear()
        shutil.rmtree(filled.folder / "answers")  # where the same question has its answer
        filled.update(end=end, now=datetime(2025, 8, 27, 20, tzinfo=ZoneInfo("Asia/Shanghai")))
        assert {fund for fund, _, _ in periods(filled)} == asked


def test_a_symbol_that_another_fund_was_given_is_asked_for(filled):
    row = {"symbol": FUND, "kind": "rename", "ex_day": "2025-08-12", "successor": OTHER}
    filled.store.append({"actions": pd.DataFrame([row])})
    assert filled.update().notes == ()
    assert periods(filled) == [(fund, "20250811", "20250820") for fund in (FUND, OTHER)]


def test_a_store_says_what_to_do_where_it_does_not_remember(tushare, tmp_path):
    with pytest.raises(UsageError, match=r"there is no store .* yet.*--provider akshare"):
        tushare.update()
    import_into(tushare)
    with pytest.raises(UsageError, match=r"does not remember how it was fetched.*--provider akshare"):
        tushare.update()


def import_into(bench: Bench, fund: str = FUND) -> None:
    """Import a file with bars of one fund until 2025-08-15."""
    file = bench.folder / "159363.csv"
    file.write_text(
        "symbol,day,open,high,low,close,volume\n"
        + "".join(f"{fund},{day},0.6,0.6,0.6,0.6,1000\n" for day in SESSIONS[:10]),
        encoding="utf-8",
    )
    import_files([file], bench.store)


def test_a_store_of_files_is_updated_by_the_provider_that_is_named_and_remembers_it(tushare):
    import_into(tushare)
    tushare.library.ANSWERS["fund_daily"] = bars()
    report = tushare.update(providers=("tushare",))
    assert set(tushare.store.read("bars")["symbol"]) == {FUND}
    # What is on file came from a file, and says otherwise; it stays.
    assert closes(tushare)["20250815"] == 0.6
    assert closes(tushare)["20250820"] == pytest.approx(0.612)
    assert report.notes == ("bars: rows on file of another source differ and stay as they are: 5",)
    (recipe,) = read_memory(tushare.store.recipe).recipes
    assert (recipe.providers, recipe.tables, recipe.symbols) == (("tushare",), ("bars",), (FUND,))
    tushare.update(end=date(2025, 8, 21))


def test_splits_of_a_store_of_files_are_asked_for_with_its_bars(akshare):
    import_into(akshare)
    akshare.update(providers=("akshare",))
    assert "fund_cf_em" in akshare.asked
    assert read_memory(akshare.store.recipe).recipes[0].tables == ("bars", "actions")


def test_another_provider_can_stand_in_once(filled, vendor):
    vendor("akshare")
    filled.library.ANSWERS["fund_daily"] = bars()
    report = filled.update(providers=("akshare",))
    assert report.providers == ("akshare",)
    assert filled.library.CALLS == []
    assert read_memory(filled.store.recipe).recipes[0].providers == ("tushare",)


def test_funds_that_the_store_does_not_know_are_refused(filled):
    with pytest.raises(UsageError, match=r"was not fetched with these funds; received 159381\.SZ"):
        filled.update(symbols=(FUND, "159381.SZ"))


def test_an_end_before_what_is_on_file_asks_for_nothing(filled):
    report = filled.update(end=date(2025, 8, 8))
    assert filled.library.CALLS == []
    assert not report.fetched
    assert "there is nothing to ask for" in report.notes[0]


def test_further_funds_join_the_recipe_and_start_where_it_starts(filled):
    filled.fetch("bars", symbols=("159381.SZ", FUND), start=date(2025, 8, 11), end=date(2025, 8, 15))
    (recipe,) = read_memory(filled.store.recipe).recipes
    assert recipe.symbols == (FUND, "159381.SZ", OTHER)
    assert (recipe.start, recipe.through) == (date(2025, 8, 4), {"bars": date(2025, 8, 15)})
    # Nothing came of it: it is missing, and asked for from the start that was given.
    filled.library.CALLS.clear()
    filled.update()
    assert ("159381.SZ", "20250811", "20250820") in periods(filled)


def test_other_tables_are_a_recipe_of_their_own(filled):
    filled.fetch("nav", symbols=(FUND,), start=date(2025, 8, 18))
    recipes = read_memory(filled.store.recipe).recipes
    assert [(each.tables, each.symbols) for each in recipes] == [
        (("bars",), (FUND, OTHER)),
        (("nav",), (FUND,)),
    ]


def test_what_two_fetches_have_in_common_is_asked_for_as_the_newer_one_did(filled, vendor):
    vendor("akshare")
    filled.fetch(
        "bars", symbols=(FUND,), start=date(2025, 8, 18), end=date(2025, 8, 19), providers=("akshare",)
    )
    filled.library.CALLS.clear()
    filled.update()
    assert [fund for fund, _, _ in periods(filled)] == [OTHER]
    rows = filled.store.read("bars", [FUND])
    assert rows["source"].tolist()[-2:] == ["eastmoney", "eastmoney"]


def test_a_series_that_ends_early_is_told(filled):
    code, day, text = bars()
    newest = f"{OTHER},20250820"
    kept = [line for line in text.splitlines() if not line.startswith(newest)]
    filled.library.ANSWERS["fund_daily"] = (code, day, "\n".join(kept))
    report = filled.update()
    assert report.notes == (f"bars: ends before 2025-08-20 for {OTHER}",)
    assert not report.missing


def test_a_fund_on_file_of_which_nothing_comes_is_missing(filled):
    code, day, text = bars()
    kept = [line for line in text.splitlines() if not line.startswith(OTHER)]
    filled.library.ANSWERS["fund_daily"] = (code, day, "\n".join(kept))
    (gap,) = filled.update().missing
    assert (gap.series, gap.why) == ((OTHER,), "tushare: no rows")


def test_a_store_with_a_damaged_recipe_says_what_to_do(filled):
    path = filled.folder / "store" / MANIFEST
    document = json.loads(path.read_text(encoding="utf-8"))
    document["recipe"]["recipes"][0]["start"] = "yesterday"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(
        DataError,
        match=r"how it was fetched in a form that is understood; received ValueError.*Delete `recipe`",
    ):
        filled.update()


def test_a_made_up_market_is_not_mixed_with_real_rows(tushare):
    names = ["symbol", "day", "open", "high", "low", "close", "volume"]
    rows = pd.DataFrame([[FUND, "2025-08-15", 1, 1, 1, 1, 1]], columns=names)
    tushare.store.append({"bars": rows.assign(source="SYNTHETIC")})
    for ask in (lambda: tushare.fetch("bars"), lambda: tushare.update(providers=("tushare",))):
        with pytest.raises(UsageError, match="holds a SYNTHETIC market"):
            ask()
    assert tushare.library.CALLS == []


def test_importing_keeps_what_the_store_remembers(filled):
    before = filled.store.recipe
    import_into(filled, "159381.SZ")
    assert Store(filled.folder / "store").recipe == before
    assert read_memory(before) != Memory()


def test_days_that_were_removed_at_the_end_are_asked_for_again_and_a_fund_that_went_is_not(filled):
    filled.update()
    # More sessions than after which a series has ended: the note of what was asked for goes back, too.
    remove(filled, series=(FUND,), start=date(2025, 8, 5))
    (recipe,) = read_memory(filled.store.recipe).recipes
    assert (recipe.symbols, recipe.through) == ((FUND, OTHER), {"bars": date(2025, 8, 4)})
    filled.library.CALLS.clear()
    filled.update()
    # From its only session on; from the last five sessions of the other fund on.
    assert periods(filled) == [(FUND, "20250804", "20250820"), (OTHER, "20250814", "20250820")]
    assert closes(filled) == {day: pytest.approx(0.6 + row / 1000) for row, day in enumerate(SESSIONS)}
    remove(filled, series=(OTHER,))
    (recipe,) = read_memory(filled.store.recipe).recipes
    assert (recipe.symbols, recipe.through) == ((FUND,), {"bars": date(2025, 8, 20)})
    filled.library.CALLS.clear()
    filled.update()
    assert {fund for fund, *_ in periods(filled)} == {FUND}
    assert closes(filled, OTHER) == {}


def test_a_store_that_lost_all_its_funds_does_not_remember_how_it_was_fetched(filled):
    remove(filled, tables=("bars",))
    assert filled.store.recipe == {}
    assert filled.store.arrivals().empty
    with pytest.raises(UsageError, match="there is no store"):
        filled.update()


def test_days_that_were_removed_in_the_middle_are_not_asked_for(filled):
    remove(filled, start=date(2025, 8, 6), end=date(2025, 8, 7))
    (recipe,) = read_memory(filled.store.recipe).recipes
    assert recipe.through == {"bars": date(2025, 8, 15)}
    filled.update()
    assert not {"20250806", "20250807"} & closes(filled).keys()


def test_an_index_that_a_fund_tracks_comes_back_whole(tushare):
    header = "ts_code,trade_date,close,open,high,low,pre_close,change,pct_chg,vol,amount"
    lines = [f"970070.CNI,{session},4100,4000,4200,3900,4000,100,2.5,1,1" for session in SESSIONS]
    tushare.library.ANSWERS["index_daily"] = ("ts_code", "trade_date", "\n".join([header, *lines]))
    tushare.fetch("index_bars", symbols=(FUND,), start=date(2025, 8, 4), end=date(2025, 8, 15))
    tushare.fetch("nav", symbols=(FUND,), start=date(2025, 8, 19))
    remove(tushare, series=("970070",))
    tushare.update()
    assert len(tushare.store.read("index_bars")) == len(SESSIONS)


def test_of_margin_that_went_that_of_the_market_is_asked_for_from_the_start(tmp_path):
    days, store = pd.to_datetime(["2025-08-14", "2025-08-15"]), Store(tmp_path)
    rows = [(series, day, 1e9) for series in (FUND, "CN") for day in days]
    store.append({"margin": pd.DataFrame(rows, columns=["symbol", "day", "balance"])})
    recipe = Recipe(("akshare",), ("margin",), (FUND,), (), days[0].date(), {"margin": days[1].date()})
    removal = store.would_remove(Selection(series=["CN"]))
    (left,) = Memory((recipe,)).without(removal).recipes
    assert (left.symbols, left.through) == ((FUND,), {"margin": date(2025, 8, 13)})


def remove(bench: Bench, **words: Any) -> None:
    remove_rows(bench.store, **words, remember=after_removal)
