"""Several providers for one store: the best first, what it lacks from the next, and who gave which row."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from data.errors import UsageError
from data.providers.recipe import read_memory
from data.store.store import Store
from tests.helpers.vendor_bench import CASES, FIRST, LAST, Bench

FUND, OTHER = CASES["tushare"].symbols


@pytest.fixture
def both(tushare: Bench, vendor) -> Bench:
    """Return a bench on which Tushare is asked first, then AKShare."""
    vendor("akshare")
    return tushare


def fetch(bench: Bench, *tables: str, **options):
    return bench.fetch(*tables, providers=("tushare", "akshare"), **options)


def drop(bench: Bench, function: str, start: str) -> None:
    """Take the rows that begin so out of an answer of Tushare."""
    code, day, text = bench.library.ANSWERS[function]
    lines = [line for line in text.splitlines() if not line.startswith(start)]
    bench.library.ANSWERS[function] = (code, day, "\n".join(lines))


def givers(store: Store, table: str) -> dict[tuple[str, str, str], str]:
    """Return who gave which run of rows: by series, first and last day."""
    runs = store.arrivals().query("table == @table")
    return {
        (row.series, f"{row.first:%m-%d}", f"{row.last:%m-%d}"): row.provider
        for row in runs[["series", "first", "last", "provider"]].itertuples(index=False)
    }


def test_days_that_the_first_provider_lacks_come_from_the_next(both):
    # Tushare has the 20th of both funds, and the 19th of the first one only.
    report = fetch(both, "bars")
    assert not report.missing
    assert report.providers == ("tushare", "akshare")
    assert report.fetched[0].providers == ("akshare 1.19.5", "tushare 1.4.29")
    assert givers(both.store, "bars") == {
        (FUND, "08-19", "08-20"): "tushare 1.4.29",
        (OTHER, "08-19", "08-19"): "akshare 1.19.5",
        (OTHER, "08-20", "08-20"): "tushare 1.4.29",
    }
    rows = both.store.read("bars", [OTHER])
    assert rows["source"].tolist() == ["eastmoney", "tushare"]
    assert rows["close"].tolist() == [0.648, 0.661]


def test_a_fund_that_the_first_provider_has_in_full_is_not_asked_for_again(both):
    import akshare

    fetch(both, "bars", symbols=(FUND,))
    assert akshare.CALLS == []


def test_the_next_provider_is_asked_for_the_days_that_are_lacking_only(both):
    import akshare

    fetch(both, "bars")
    assert [(each["symbol"], each["start_date"], each["end_date"]) for _, each in akshare.CALLS] == [
        ("588790", "20250819", "20250819")
    ]


def test_a_day_that_the_first_provider_gave_is_taken_from_no_other(both):
    # Tushare lacks the 19th and 21st, and has the 20th between them, of which AKShare gives another close.
    import akshare

    akshare.BARS["588790"] = akshare.BARS["588790"].replace("0.661,0.662", "0.660,0.662")
    fetch(both, "bars", symbols=(OTHER,), end=date(2025, 8, 21))
    rows = both.store.read("bars")
    assert rows["day"].dt.day.tolist() == [19, 20]
    assert rows["close"].tolist() == [0.648, 0.661]
    assert rows["source"].tolist() == ["eastmoney", "tushare"]


def test_what_the_first_provider_refuses_comes_from_the_next(both):
    both.library.TROUBLE["fund_nav"] = [Exception("抱歉，您没有访问该接口的权限")] * 2
    report = fetch(both, "nav", symbols=(FUND,))
    assert not report.missing
    assert givers(both.store, "nav") == {(FUND, "08-19", "08-20"): "akshare 1.19.5"}
    (note,) = report.notes
    assert note.startswith(f"nav: akshare stood in for {FUND}: tushare 1.4.29: fund_nav(")
    assert "权限" in note


def test_sessions_of_a_refusal_that_the_next_provider_lacks_are_missing(both):
    # AKShare has the 19th and 20th; the 18th, a Monday, the 21st and the 22nd nobody.
    both.library.TROUBLE["fund_daily"] = [Exception("no permission")] * 2
    report = fetch(both, "bars", symbols=(FUND,), start=date(2025, 8, 18), end=date(2025, 8, 22))
    assert [(str(gap), "no permission" in gap.why) for gap in report.missing] == [
        (f"bars of {FUND} on 2025-08-18", True),
        (f"bars of {FUND} from 2025-08-21 to 2025-08-22", True),
    ]
    assert report.notes[0].startswith(f"bars: akshare stood in for {FUND}: tushare 1.4.29: fund_daily(")
    assert givers(both.store, "bars") == {(FUND, "08-19", "08-20"): "akshare 1.19.5"}


def test_a_fund_is_not_missing_before_it_was_listed(both):
    # FUND was listed on 16 December 2024, and AKShare has its first bars in August 2025.
    both.library.TROUBLE["fund_daily"] = [Exception("no permission")] * 2
    report = fetch(both, "bars", symbols=(FUND,), start=date(2024, 12, 12))
    (gap,) = report.missing
    assert (gap.first, gap.last) == (date(2024, 12, 16), date(2025, 8, 18))


def test_margin_may_begin_late_where_the_next_provider_answers(both):
    both.library.TROUBLE["margin_detail"] = [Exception("no permission")] * 2
    report = fetch(both, "margin", symbols=(FUND,), start=date(2025, 8, 18))
    assert not report.missing


def test_what_nobody_has_is_missing_with_the_reason_of_each(both):
    import akshare

    both.library.TROUBLE["fund_daily"] = [Exception("no permission")] * 2
    akshare.TROUBLE["fund_etf_hist_em"] = akshare.TROUBLE["fund_etf_hist_sina"] = [RuntimeError("gone")] * 9
    report = fetch(both, "bars", "units", symbols=(FUND,))
    (gap,) = report.missing
    assert (gap.table, gap.series, gap.first, gap.last) == ("bars", (FUND,), FIRST, LAST)
    assert "tushare 1.4.29: fund_daily" in gap.why
    assert "; akshare 1.19.5: fund_etf_hist_em" in gap.why
    assert both.store.tables == ("units",)


def test_a_table_that_only_the_next_provider_has_comes_from_it(both):
    report = fetch(both, "actions", "margin")
    assert not report.missing
    assert set(givers(both.store, "actions").values()) == {"akshare 1.19.5"}
    # Tushare has the margin of the funds, and not that of the market.
    assert givers(both.store, "margin")["CN", "08-20", "08-20"] == "akshare 1.19.5"
    assert givers(both.store, "margin")[OTHER, "08-20", "08-20"] == "tushare 1.4.29"


def test_a_refusal_to_fill_in_is_told_and_nothing_is_missing(both):
    import akshare

    akshare.TROUBLE["fund_etf_hist_em"] = akshare.TROUBLE["fund_etf_hist_sina"] = [RuntimeError("gone")] * 9
    report = fetch(both, "bars")
    assert not report.missing
    (note, short) = report.notes[0], report.notes[1:]
    assert note.startswith(f"bars of {OTHER} on 2025-08-19 was not available elsewhere: akshare")
    assert short == ()
    assert both.store.read("bars", [OTHER])["day"].tolist() == [pd.Timestamp("2025-08-20")]


def test_the_store_remembers_the_providers_in_their_order(both):
    fetch(both, "bars")
    (recipe,) = read_memory(both.store.recipe).recipes
    assert recipe.providers == ("tushare", "akshare")
    both.library.CALLS.clear()
    both.update(refresh=True)
    assert both.asked == ["fund_daily", "fund_daily"]


def test_a_row_on_file_of_another_source_stays_and_lacking_values_are_filled_in(both):
    import akshare

    # On the first day East Money is down: Sina counts shares to the last one, and has no amount.
    akshare.SINA = akshare.SINA.replace("412000000", "412000017")
    akshare.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 4
    both.fetch("bars", symbols=(FUND,), end=FIRST, providers=("akshare",))
    report = both.fetch("bars", symbols=(FUND,), providers=("akshare",))
    rows = both.store.read("bars")
    assert rows["source"].tolist() == ["sina", "eastmoney"]
    assert rows["volume"].tolist() == [412_000_017, 523_000_000]
    assert rows["amount"].tolist() == [291_500_000, 371_800_000]
    # In lots 412,000,017 shares are the 412,000,000 of East Money.
    assert report.notes == ()
    assert report.revisions.empty


def test_a_row_on_file_of_another_source_that_says_otherwise_is_noted(both):
    import akshare

    akshare.SINA = akshare.SINA.replace("412000000", "412000317")
    akshare.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 4
    both.fetch("bars", symbols=(FUND,), end=FIRST, providers=("akshare",))
    report = both.fetch("bars", symbols=(FUND,), providers=("akshare",))
    assert both.store.read("bars")["volume"].tolist() == [412_000_317, 523_000_000]
    assert report.notes == ("bars: rows on file of another source differ and stay as they are: 1",)


def test_providers_of_two_markets_are_refused(both, vendor):
    vendor("yfinance")
    with pytest.raises(UsageError, match="tushare and yfinance does not have the funds of that market"):
        both.fetch("bars", providers=("tushare", "yfinance"))


def test_lists_of_days_that_fail_are_one_gap_and_are_filled_in_by_fund(akshare, vendor):
    vendor("tushare")
    akshare.library.TROUBLE["stock_margin_detail_szse"] = [RuntimeError("503")] * 9
    report = akshare.fetch(
        "margin", symbols=(FUND,), start=date(2025, 8, 14), providers=("akshare", "tushare")
    )
    # Tushare has the 19th and 20th; the 14th, 15th (a Friday) and 18th nobody.
    assert [str(gap) for gap in report.missing] == [f"margin of {FUND} from 2025-08-14 to 2025-08-18"]
    assert givers(akshare.store, "margin")[FUND, "08-19", "08-20"] == "tushare 1.4.29"
