"""AKShare: what it gets wrong, and its second sources."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.store.store import Store
from tests.helpers.vendor_bench import FIRST, LAST


def test_bars_come_from_sina_where_east_money_fails(akshare):
    akshare.library.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 9
    report = akshare.fetch("bars", symbols=("159363.SZ",))
    rows = akshare.store.read("bars")
    assert akshare.asked == ["fund_etf_hist_em"] * 4 + ["fund_etf_hist_sina"]
    assert list(rows["volume"]) == [412_000_000, 523_000_000]
    assert rows["amount"].isna().all()
    assert report.fetched[0].sources == ("sina",)


def test_a_second_source_without_rows_does_not_excuse_the_first(akshare):
    akshare.library.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 9
    with pytest.raises(DataError, match=r"bars of 159363\.SZ: akshare 1\.19\.5: fund_etf_hist_em.*reset"):
        akshare.fetch("bars", symbols=("159363.SZ",), start=date(2025, 7, 1), end=date(2025, 7, 2))


def test_a_function_that_failed_gets_one_try_from_then_on_until_it_answers(akshare):
    akshare.library.TROUBLE["fund_etf_hist_em"] = [ConnectionError("reset")] * 5
    akshare.library.BARS["159381"] = akshare.library.BARS["159382"] = akshare.library.BARS["159363"]
    report = akshare.fetch("bars", symbols=("159363.SZ", "159381.SZ", "159382.SZ"))
    # Four for the first fund, one for the second, which no other source has; the third is answered.
    assert akshare.asked.count("fund_etf_hist_em") == 4 + 1 + 1
    (gap,) = report.missing
    assert (gap.table, gap.series, gap.first, gap.last) == ("bars", ("159381.SZ",), FIRST, LAST)
    assert "fund_etf_hist_em(symbol=159381" in gap.why
    assert "failed (ConnectionError: reset); fund_etf_hist_sina" in gap.why


def test_prices_are_asked_for_unadjusted(akshare):
    akshare.fetch("bars")
    assert {arguments["adjust"] for _, arguments in akshare.library.CALLS} == {""}


def test_a_fund_without_rows_is_missing_and_holds_nobody_up(akshare):
    report = akshare.fetch("bars", "nav", symbols=("159363.SZ", "159999.SZ"))
    assert set(akshare.store.read("bars")["symbol"]) == {"159363.SZ"}
    assert [str(gap) for gap in report.missing] == [
        "bars of 159999.SZ from 2025-08-19 to 2025-08-20",
        "nav of 159999.SZ from 2025-08-19 to 2025-08-20",
    ]
    assert {gap.why for gap in report.missing} == {"akshare: no rows"}


def test_a_fund_that_is_not_listed_yet_lacks_nothing(akshare):
    # 159246 was listed on 2025-07-10 (data/facts/universe.csv).
    bars = akshare.library.BARS["159363"].replace("2025-08-19", "2025-07-08")
    akshare.library.BARS["159363"] = bars.replace("2025-08-20", "2025-07-09")
    days = {"start": date(2025, 7, 8), "end": date(2025, 7, 9)}
    report = akshare.fetch("bars", symbols=("159363.SZ", "159246.SZ"), **days)
    assert not report.missing
    assert report.notes == ("bars: nothing for 159246.SZ",)


def test_days_without_a_list_are_reported_and_asked_for_again(akshare):
    report = akshare.fetch("units", "margin", symbols=("588790.SH",))
    assert "units: nothing of SSE 2025-08-19" in report.notes
    assert "margin: nothing of SSE 2025-08-19" in report.notes
    akshare.library.CALLS.clear()
    akshare.fetch("units", symbols=("588790.SH",))
    assert akshare.library.CALLS == [("fund_etf_scale_sse", {"date": "20250819"})]


def test_only_sessions_are_asked_for(akshare):
    akshare.fetch("units", symbols=("588790.SH",), start=date(2025, 8, 15), end=date(2025, 8, 20))
    assert [arguments["date"] for _, arguments in akshare.library.CALLS] == [
        "20250815",
        "20250818",
        "20250819",
        "20250820",
    ]


def test_margin_of_shenzhen_is_stamped_with_the_day_asked_for_and_has_no_repayments(akshare):
    akshare.fetch("margin", symbols=("159363.SZ",), start=LAST)
    rows = akshare.store.read("margin", ["159363.SZ"])
    assert rows["day"].tolist() == [pd.Timestamp("2025-08-20")]
    assert rows["repaid"].isna().all()


def test_units_of_shenzhen_are_asked_for_by_month(akshare):
    akshare.fetch("units", symbols=("159363.SZ",), start=date(2025, 6, 10))
    periods = [(each["start_date"], each["end_date"]) for _, each in akshare.library.CALLS]
    assert periods == [("20250601", "20250630"), ("20250701", "20250731"), ("20250801", "20250820")]


def test_a_split_comes_with_its_record_day_although_prices_change_after_the_end(akshare):
    akshare.fetch("actions", start=date(2025, 7, 1), end=date(2025, 7, 18))
    (row,) = akshare.store.read("actions").to_dict("records")
    assert (row["symbol"], row["kind"], row["ratio"]) == ("159363.SZ", "split", 2.0)
    assert (row["record_day"], row["ex_day"]) == (pd.Timestamp("2025-07-18"), pd.Timestamp("2025-07-21"))


def test_splits_of_the_year_before_are_asked_for_at_the_turn_of_the_year(akshare):
    akshare.library.SPLITS += "4,159363,创业板人工智能ETF华宝,2024-12-31,份额分拆,3.0\n"
    akshare.fetch("actions", start=date(2025, 1, 2), end=date(2025, 1, 10))
    assert akshare.store.read("actions")["ex_day"].tolist() == [pd.Timestamp("2025-01-02")]


def test_a_wrong_index_is_refused_and_the_second_source_asked(akshare):
    akshare.library.INDEX = akshare.library.INDEX.replace("950180", "000688")
    report = akshare.fetch("index_bars", symbols=("588790.SH",))
    assert akshare.asked == ["stock_zh_index_hist_csindex", "stock_zh_index_daily_em"]
    assert report.fetched[0].sources == ("eastmoney",)
    assert akshare.store.read("index_bars")["amount"].tolist() == [51_230_000_000]


def test_an_answer_about_another_day_is_refused(akshare):
    akshare.library.SCALE_SSE = akshare.library.SCALE_SSE.replace("2025-08-20", "2025-08-21")
    with pytest.raises(DataError, match="answered about something else: 统计日期 says 2025-08-21"):
        akshare.fetch("units", symbols=("588790.SH",))


def test_indices_of_cni_are_asked_for_at_cni_alone(akshare):
    akshare.library.TROUBLE["index_hist_cni"] = [ConnectionError("reset")] * 9
    with pytest.raises(DataError, match="index_bars of 970070"):
        akshare.fetch("index_bars", symbols=("159363.SZ",))
    assert set(akshare.asked) == {"index_hist_cni"}


def test_funds_whose_index_is_not_known_have_no_index_to_fetch(akshare):
    with pytest.raises(UsageError, match=r"which indices the funds track is not known.*--indices"):
        akshare.fetch("index_bars", symbols=("159999.SZ",))


def test_further_indices_can_be_asked_for(akshare):
    akshare.fetch("index_bars", symbols=("159363.SZ",), indices=("950180",))
    assert set(akshare.store.read("index_bars")["index"]) == {"970070", "950180"}
    with pytest.raises(UsageError, match="not the code of an index; received CSI300"):
        akshare.fetch("index_bars", indices=("CSI300",))


def test_another_number_of_columns_is_a_failure_not_an_empty_answer(akshare):
    akshare.library.TROUBLE["stock_margin_detail_sse"] = [
        ValueError("Length mismatch: Expected axis has 14 elements, new values have 13 elements")
    ]
    report = akshare.fetch("margin", symbols=("588790.SH",))
    (gap,) = report.missing
    assert str(gap) == "margin of 588790.SH on 2025-08-19"
    assert "Expected axis has 14 elements" in gap.why


def test_a_function_that_is_gone_is_named(akshare):
    del akshare.library.fund_etf_fund_info_em
    with pytest.raises(DataError, match="has no attribute 'fund_etf_fund_info_em'"):
        akshare.fetch("nav")


def test_a_page_that_is_no_json_is_asked_for_again(akshare):
    akshare.library.TROUBLE["fund_etf_fund_info_em"] = [json.JSONDecodeError("Expecting value", "<html>", 0)]
    akshare.fetch("nav", symbols=("159363.SZ",))
    assert len(akshare.asked) == 2


def test_everything_empty_is_an_error(akshare):
    with pytest.raises(DataError, match=r"nothing came .*received bars of 159999\.SZ: akshare: no rows"):
        akshare.fetch("bars", symbols=("159999.SZ",))
    assert not akshare.store.tables


def test_answers_on_file_can_be_imported_as_they_are(akshare):
    from data.importing import import_files

    akshare.fetch("bars", symbols=("159363.SZ",))
    (file,) = (akshare.folder / "answers").rglob("*.csv.gz")
    other = Store(akshare.folder / "other")
    import_files([file], other)
    pd.testing.assert_frame_equal(other.read("bars"), akshare.store.read("bars"))
