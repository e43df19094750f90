"""yfinance: prices as traded, answers without rows."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from data.errors import DataError
from tests.helpers.vendor_bench import LAST, by_key


def test_a_ticker_that_yahoo_does_not_know_is_told_after_one_try(yfinance):
    with pytest.raises(DataError, match=r"history\(ticker=BOTZ.*failed \(YFPricesMissingError: .*delisted"):
        yfinance.fetch("bars", symbols=("BOTZ.US",))
    assert yfinance.asked == ["history"]
    assert not yfinance.store.tables


def test_how_a_user_lets_yfinance_report_errors_stays(yfinance):
    yfinance.fetch("bars", symbols=("AIQ.US",))
    assert yfinance.library.config.debug.hide_exceptions is True


def test_prices_are_rebuilt_as_traded_also_from_splits_after_the_end(yfinance):
    yfinance.fetch(symbols=("SOXL.US",), start=date(2025, 8, 18), end=LAST)
    bars = yfinance.store.read("bars").set_index("day")
    # 2025-08-20 splits 1:3, 2025-08-25 splits 1:2: shares before the first were six times as much worth.
    assert bars["close"].tolist() == pytest.approx([5.05 * 6, 5.15 * 6, 5.25 * 2])
    assert bars["volume"].tolist() == [6000 / 6, 12000 / 6, 2000 / 2]
    actions = by_key(yfinance.store.read("actions"), 3)
    assert set(actions) == {("SOXL.US", "dividend", "2025-08-18"), ("SOXL.US", "split", "2025-08-20")}
    assert actions["SOXL.US", "dividend", "2025-08-18"]["cash"] == pytest.approx(0.01 * 6)


def test_prices_lose_the_noise_of_32_bit_numbers(yfinance):
    yfinance.fetch("bars", symbols=("AIQ.US",))
    assert yfinance.store.read("bars")["close"].tolist() == [43.6, 43.3]


def test_a_day_with_nothing_but_a_dividend_has_no_bar(yfinance):
    yfinance.fetch(symbols=("SOXL.US",), end=date(2025, 8, 25))
    assert pd.Timestamp("2025-08-22") not in set(yfinance.store.read("bars")["day"])
    assert yfinance.store.read("actions").query("kind == 'dividend'")["cash"].tolist() == [0.02 * 2]


def test_both_tables_come_from_one_call(yfinance):
    yfinance.fetch(symbols=("SOXL.US",))
    assert yfinance.asked == ["history"]
    assert yfinance.library.CALLS[0][1] == {"ticker": "SOXL", "start": "2025-08-19", "end": "2026-01-16"}


def test_another_ticker_than_asked_for_is_refused(yfinance):
    yfinance.library.MISTAKEN["AIQ"] = "AIQ.MX"
    with pytest.raises(DataError, match=r"answered about something else: Symbol says AIQ\.MX"):
        yfinance.fetch("bars", symbols=("AIQ.US",))


def test_a_rate_limit_is_waited_out(yfinance):
    limited = type("YFRateLimitError", (Exception,), {})
    yfinance.library.TROUBLE["history"] = [limited("Too Many Requests")]
    yfinance.fetch("bars", symbols=("AIQ.US",))
    assert 15.0 < yfinance.waited[0] <= 15.0 * 1.25
