"""Splits and dividends of American vendors, and ratios in all ways of writing."""

from __future__ import annotations

import pytest

from data.errors import DataError
from tests.helpers.maps import rows

SPLIT = {"symbol": "SOXL.US", "kind": "split", "ex_day": "2021-03-02", "ratio": 15.0}
DIVIDEND = {"symbol": "BOTZ.US", "kind": "dividend", "ex_day": "2025-06-27", "cash": 0.137}
ACTIONS = {
    "massive-splits": (
        '{"results": [{"execution_date": "2021-03-02", "id": "E1", "split_from": 1, "split_to": 15, '
        '"ticker": "SOXL"}], "status": "OK"}',
        SPLIT | {"source": "polygon"},
    ),
    "massive-dividends": (
        '{"results": [{"cash_amount": 0.137, "currency": "USD", "declaration_date": "2025-06-26", '
        '"ex_dividend_date": "2025-06-27", "pay_date": "2025-07-03", "split_adjusted_cash_amount": 0.07, '
        '"record_date": "2025-06-27", "ticker": "BOTZ"}]}',
        DIVIDEND | {"record_day": "2025-06-27", "pay_day": "2025-07-03", "source": "polygon"},
    ),
    "fmp-splits": (
        '[{"symbol": "SOXL", "date": "2021-03-02", "numerator": 15, "denominator": 1}]',
        SPLIT | {"source": "fmp"},
    ),
    "fmp-dividends": (
        '[{"symbol": "BOTZ", "date": "2025-06-27", "recordDate": "2025-06-27", "adjDividend": 0.0685, '
        '"dividend": 0.137}]',
        DIVIDEND | {"record_day": "2025-06-27", "source": "fmp"},
    ),
    "alpaca-splits": (
        '{"corporate_actions": {"forward_splits": [{"symbol": "SOXL", "new_rate": 15, "old_rate": 1, '
        '"ex_date": "2021-03-02", "record_date": "2021-02-25"}]}, "next_page_token": null}',
        SPLIT | {"record_day": "2021-02-25", "source": "alpaca"},
    ),
    "alpaca-dividends": (
        '{"corporate_actions": {"cash_dividends": [{"symbol": "BOTZ", "rate": 0.137, "special": false, '
        '"foreign": false, "ex_date": "2025-06-27"}]}, "next_page_token": null}',
        DIVIDEND | {"source": "alpaca"},
    ),
    "twelvedata-splits": (
        '{"meta": {"symbol": "SOXL"}, "splits": [{"date": "2021-03-02", "description": "15-for-1 split", '
        '"ratio": 0.06667, "from_factor": 15, "to_factor": 1}]}',
        SPLIT | {"source": "twelvedata"},
    ),
    "nasdaq-splits": (
        '{"data": {"rows": [{"symbol": "SOXL", "name": "x", "ratio": "15 : 1", "payableDate": "3/2/2021", '
        '"executionDate": "3/2/2021", "announcedDate": "2/5/2021"}]}}',
        SPLIT | {"source": "nasdaq"},
    ),
}


@pytest.mark.parametrize("vendor", ACTIONS)
def test_splits_and_dividends_of_american_vendors(take, store, vendor):
    text, expected = ACTIONS[vendor]
    assert take("x.json", text).imported[0].map == vendor
    assert rows(store, "actions") == [expected]


def test_splits_and_dividends_of_eodhd_with_the_ticker_in_the_files_name(take, store):
    take("SOXL.US.json", '[{"date": "2021-03-02", "split": "15.000000/1.000000"}]')
    dividend = '"paymentDate": "2025-07-03", "value": 0.0685, "unadjustedValue": 0.137, "currency": "USD"'
    take("BOTZ.US.json", f'[{{"date": "2025-06-27", "recordDate": "2025-06-27", {dividend}}}]')
    days = {"record_day": "2025-06-27", "pay_day": "2025-07-03"}
    assert rows(store, "actions") == [DIVIDEND | days | {"source": "eodhd"}, SPLIT | {"source": "eodhd"}]
    # Its CSV of splits has the header of yfinance.
    take("TECL.US.csv", 'Date,"Stock Splits"', "2021-03-02,10.000000/1.000000")
    assert rows(store, "actions")[-1]["ratio"] == 10.0


def test_a_reverse_split_and_dividends_that_are_not_in_dollars(take, store):
    row = '{{"execution_date": "{}", "split_from": {}, "split_to": 1, "ticker": "SQQQ"}}'
    take("x.json", f"[{row.format('2025-11-20', 5)}, {row.format('2024-11-07', 4)}]")
    assert [each["ratio"] for each in rows(store, "actions")] == [0.25, 0.2]
    with pytest.raises(DataError, match=r"`ratio` of table `actions` is not a finite number.*received '1/0'"):
        take("y.json", f"[{row.format('2024-11-07', 0)}]")
    with pytest.raises(DataError, match=r"not a finite number.*received '1/'"):
        take("y.json", f"[{row.format('2024-11-07', 'null')}]")
    paid = '"cash_amount": 0.2, "ex_dividend_date": "2025-06-27", "ticker": "BOTZ"'
    with pytest.raises(DataError, match="every row is left out"):
        take("z.json", f'[{{{paid}, "currency": "CAD"}}]')


def test_actions_of_yfinance_alone(take, store):
    report = take(
        "BOTZ.csv",
        "Date,Dividends,Stock Splits",
        "2024-06-27 00:00:00-04:00,0.05,0.0",
        "2024-09-03 00:00:00-04:00,0.0,2.0",
        "2025-06-27 00:00:00-04:00,0.137,0.0",
    )
    assert report.imported[0].map == "yfinance-actions"
    # Yahoo halves the dividend from before the split 2:1, and 0.10 was paid.
    assert [(each["ex_day"], each.get("cash"), each.get("ratio")) for each in rows(store, "actions")] == [
        ("2024-06-27", 0.1, None),
        ("2025-06-27", 0.137, None),
        ("2024-09-03", None, 2.0),
    ]
    take("SOXL_splits.csv", "Date,Stock Splits", "2021-03-02 00:00:00-05:00,15.0")
    assert rows(store, "actions")[-1] == SPLIT | {"source": "yahoo"}
    # Nothing tells of later splits there.
    with pytest.raises(
        DataError, match="on the basis of later splits, which are not in the file: save `actions`"
    ):
        take("AIQ.csv", "Date,Dividends", "2025-06-27 00:00:00-04:00,0.137")


RATIOS = {
    "3": 3.0,
    "3-for-1": 3.0,
    "15 for 1 forward split": 15.0,
    "1-for-4 reverse split": 0.25,
    "3/1": 3.0,
    "3.000000/2.000000": 1.5,
    "1拆2": 2.0,
    "每1份拆分为1.5份": 1.5,
}


def test_a_ratio_of_a_split_that_says_which_number_is_the_new_one(take, store):
    splits = [f"159363,split,2025-08-{day},{written}" for day, written in enumerate(RATIOS, 18)]
    take("actions.csv", "symbol,kind,ex_day,ratio", *splits)
    assert store.read("actions")["ratio"].tolist() == list(RATIOS.values())


@pytest.mark.parametrize("written", ["3:1", "1：3", "1 : 2.0000", "5%"])
def test_a_ratio_that_does_not_say_which_number_is_the_new_one_is_refused(take, store, tmp_path, written):
    lines = ("symbol,kind,ex_day,ratio", f"159363,split,2025-08-20,{written}")
    with pytest.raises(DataError, match=r"how many new units there are for an old one.*3-for-1, or 3/1"):
        take("actions.csv", *lines)
    if written == "1：3":
        (tmp_path / "my.toml").write_text('based_on = "tidy-actions"\nratios = "old:new"\n')
        take("actions.csv", *lines, named=tmp_path / "my.toml")
        assert rows(store, "actions")[0]["ratio"] == 3.0


def test_a_ratio_that_contradicts_itself_is_none(take):
    for written in ("4-for-1 reverse split", "3-1", "three", "0/0"):
        with pytest.raises(DataError, match="`ratio` of table `actions` is not a finite number in row 1"):
            take("actions.csv", "symbol,kind,ex_day,ratio", f"159363,split,2025-08-20,{written}")


def test_splits_on_the_page_of_a_fund_of_east_money(take, store):
    take("159363.csv", "年份,拆分折算日,拆分类型,拆分折算比例", "2025年,2025-08-20,份额分拆,1:2.0000")
    (split,) = rows(store, "actions")
    assert (split["record_day"], split["ex_day"], split["ratio"]) == ("2025-08-20", "2025-08-21", 2.0)


def test_bars_of_openbb_that_may_be_either_are_refused(take):
    # Of Alpha Vantage: as traded or on the basis of later splits, as was asked.
    with pytest.raises(DataError, match="`openbb-historical` lacks no column adj_close"):
        take(
            "BOTZ.csv",
            "date,open,high,low,close,volume,adj_close,split_ratio,dividend",
            "2025-08-19,940,950,930,944.1,1000,94.41,1.0,0.0",
        )
