"""Symbols: every way that people and vendors write a fund, and the one way we do."""

from __future__ import annotations

import pytest

from data.errors import UsageError
from data.facts.symbols import exchange_or_none, market_of, parse_symbol


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("159363", "159363.SZ"),
        ("159363.SZ", "159363.SZ"),
        ("159363.sz", "159363.SZ"),
        ("sz159363", "159363.SZ"),
        ("sz.159363", "159363.SZ"),
        ("159363.XSHE", "159363.SZ"),
        (" 159363 ", "159363.SZ"),
        ("158012", "158012.SZ"),
        ("161725", "161725.SZ"),
        ("515880", "515880.SH"),
        ("515880.SH", "515880.SH"),
        ("515880.SS", "515880.SH"),
        ("515880.XSHG", "515880.SH"),
        ("sh588790", "588790.SH"),
        ("SH588790.SS", "588790.SH"),
        ("BOTZ", "BOTZ.US"),
        ("botz.us", "BOTZ.US"),
        ("QQQ", "QQQ.US"),
        ("sz", "SZ.US"),
        ("159363.SZSE", "159363.SZ"),
        ("515980.SSE", "515980.SH"),
        ("SZSE.159363", "159363.SZ"),
        ("SHSE.515980", "515980.SH"),
        ("SZSE:159363", "159363.SZ"),
        ("SZ#159363", "159363.SZ"),
        ("159363SZ", "159363.SZ"),
        ("0.159363", "159363.SZ"),
        ("1.515980", "515980.SH"),
        ("159363.OF", "159363.SZ"),
        ('="159363"', "159363.SZ"),
        ("'159363", "159363.SZ"),
        ("\t159363", "159363.SZ"),
        ("１５９３６３．ＳＺ", "159363.SZ"),
        ("US.BOTZ", "BOTZ.US"),
        ("NASDAQ:BOTZ", "BOTZ.US"),
        ("BOTZ.SMART", "BOTZ.US"),
        ("105.BOTZ", "BOTZ.US"),
        ("159363 SZ", "159363.SZ"),
        ("159363 CH Equity", "159363.SZ"),
        ("515980 CG Equity", "515980.SH"),
        ("159363 创业板AI", "159363.SZ"),
        ("人工智能50（515980）", "515980.SH"),
        ("159363\u200b", "159363.SZ"),
        ("BOTZ US Equity", "BOTZ.US"),
        ("BOTZ UQ", "BOTZ.US"),
        ("BOTZ.OQ", "BOTZ.US"),
    ],
)
def test_each_way_of_writing_gives_one_symbol(text: str, symbol: str) -> None:
    assert parse_symbol(text) == symbol


def test_a_symbol_that_is_parsed_again_stays() -> None:
    for symbol in ("159363.SZ", "515980.SH", "BOTZ.US"):
        assert parse_symbol(symbol) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15936",
        "1593630",
        "159363.HK",
        "159363.US",
        "2800.HK",
        "TOOLONG",
        "BRK.B",
        "15936A",
        "159363.0",
        "x y",
        "1 59363",
        "159363 与 515980",
        "创业板AI",
        "BOTZ LN Equity",
    ],
)
def test_what_is_no_fund_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_symbol(text)


@pytest.mark.parametrize("text", ["VUSA.L", "2800.HK", "BOTZ LN Equity", "2854.T", "0050.TW", "EXSA:DE"])
def test_a_listing_in_another_country_is_said_to_be_one(text: str) -> None:
    with pytest.raises(UsageError, match="marks a listing in another country: leave it out"):
        parse_symbol(text)


def test_the_other_exchange_is_refused_and_the_right_one_named() -> None:
    with pytest.raises(UsageError, match=r"Write 159363\.SZ"):
        parse_symbol("159363.SH")
    with pytest.raises(UsageError, match=r"Write 588790\.SH"):
        parse_symbol("sz588790")
    with pytest.raises(UsageError, match=r"Write 588790\.SH"):
        parse_symbol("sh588790.SZ")
    with pytest.raises(UsageError, match=r"Write 515980\.SH"):
        parse_symbol("0.515980")


def test_an_exchange_that_is_not_known_is_not_called_the_wrong_one() -> None:
    with pytest.raises(UsageError, match=r"`XYZ` is not an exchange that is known here.*limit: SZ, SZSE"):
        parse_symbol("159363.XYZ")
    with pytest.raises(UsageError, match="`OF` marks a fund that is not traded"):
        parse_symbol("519300.OF")


@pytest.mark.parametrize(
    "text", ["600519", "600519.SH", "000001.SZ", "300750", "000300.SH", "930713", "399006.SZ"]
)
def test_shares_and_indices_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not the code of a fund"):
        parse_symbol(text)


def test_market_and_exchange_of_a_symbol() -> None:
    assert [market_of(symbol) for symbol in ("159363.SZ", "515980.SH", "BOTZ.US")] == [
        "cn_etf",
        "cn_etf",
        "us_etf",
    ]
    assert [exchange_or_none(symbol) for symbol in ("159363.SZ", "515980.SH", "BOTZ.US")] == [
        "SZSE",
        "SSE",
        "US",
    ]


def test_market_codes_have_a_market_and_no_exchange() -> None:
    assert (market_of("CN"), market_of("US")) == ("cn_etf", "us_etf")
    assert exchange_or_none("CN") is None
    assert exchange_or_none("930713") is None
    for text in ("930713", "2800.HK"):
        with pytest.raises(UsageError):
            market_of(text)
