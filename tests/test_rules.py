"""Trading rules: what held for which fund on which day, and errors outside the days that are recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import DataError, UsageError
from data.facts.rules import RuleArrays, RuleBook
from data.facts.universe import Fund, funds_of

Writer = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _no_file_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ETFLOW_RULES", raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write_rows(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_rows


def rules(market: str, funds: dict[str, Fund], *days: str, book: RuleBook | None = None) -> RuleArrays:
    sessions = np.array(days, dtype="datetime64[D]")
    return (book or RuleBook.load(market)).arrays(tuple(funds), funds, sessions)


def limits(symbol: str, *days: str, family: str | None = None) -> list[float]:
    result: list[float] = (
        rules("cn_etf", {symbol: Fund(symbol, family=family)}, *days).price_limit[:, 0].tolist()
    )
    return result


def test_chinese_lots_ticks_and_fees() -> None:
    found = rules("cn_etf", funds_of(("159363.SZ", "515980.SH")), "2025-08-20")
    assert found.lot.tolist() == [[100, 100]]
    assert found.lot.dtype == np.int64
    assert found.tick.tolist() == [[0.001, 0.001]]
    assert found.buy_fee_rate.tolist() == [[0.0, 0.0]]
    assert found.sell_fee_rate.tolist() == [[0.0, 0.0]]


def test_american_funds_have_no_price_limit_and_trade_single_shares_in_cents() -> None:
    found = rules("us_etf", funds_of(("BOTZ.US",)), "2025-08-20")
    assert np.isnan(found.price_limit).all()
    assert (found.lot.tolist(), found.tick.tolist()) == ([[1]], [[0.01]])
    assert found.sell_fee_rate.tolist() == [[0.0]]


def test_sales_of_american_funds_pay_the_fee_of_the_sec_in_force() -> None:
    days = ("2017-07-03", "2017-07-05", "2021-02-24", "2021-02-25", "2025-05-13", "2025-05-14", "2026-04-06")
    per_million = [0.0, 23.1, 22.1, 5.1, 27.8, 0.0, 20.6]
    found = rules("us_etf", funds_of(("BOTZ.US",)), *days)
    assert (found.sell_fee_rate[:, 0] * 1e6).tolist() == pytest.approx(per_million)
    assert found.buy_fee_rate.max() == 0.0


def test_the_limit_of_chinext_funds_went_from_10_to_20_percent_on_2020_08_24() -> None:
    assert limits("159915.SZ", "2020-08-21", "2020-08-24", "2025-08-20") == [0.1, 0.2, 0.2]
    assert limits("157777.SZ", "2020-08-21", "2020-08-24", family="CHINEXT") == [0.1, 0.2]


def test_star_funds_have_20_percent_since_they_list() -> None:
    assert limits("588080.SH", "2020-11-16", "2025-08-20") == [0.2, 0.2]
    assert limits("589010.SH", "2025-08-20") == [0.2]
    assert limits("586011.SH", "2025-08-20", family="STAR_AI") == [0.2]


def test_all_others_have_10_percent() -> None:
    for symbol in ("515980.SH", "159819.SZ", "515880.SH", "510300.SH", "513310.SH"):
        assert limits(symbol, "2006-01-04", "2020-08-24", "2026-08-20") == [0.1, 0.1, 0.1]


def test_limits_reproduce_the_daily_moves_that_stopped_there() -> None:
    # 159915 closed at 1.860, 2.232 (+20%) and 2.678 (+20%) around the national holiday of 2024.
    up = limits("159915.SZ", "2024-09-30", "2024-10-08")
    assert [round(1.860 * (1 + up[0]), 3), round(2.232 * (1 + up[1]), 3)] == [2.232, 2.678]


def test_a_funds_own_limit_comes_before_every_row() -> None:
    funds = {"159915.SZ": Fund("159915.SZ", price_limit=0.15), "588080.SH": Fund("588080.SH")}
    assert rules("cn_etf", funds, "2019-07-01", "2025-08-20").price_limit.tolist() == [
        [0.15, 0.1],
        [0.15, 0.2],
    ]


def test_funds_that_nothing_is_known_of_get_the_default() -> None:
    found = RuleBook.load("cn_etf").arrays(
        ("157001.SZ",), {}, np.array(["2025-08-20"], dtype="datetime64[D]")
    )
    assert found.price_limit.tolist() == [[0.1]]


SPELL_DAYS = np.array(["2018-08-17", "2018-08-20", "2026-07-03", "2026-07-06"], dtype="datetime64[D]")


def test_funds_of_shanghai_close_by_auction_since_2026_07_06_and_those_of_shenzhen_all_along() -> None:
    book = RuleBook.load("cn_etf")
    shanghai = [
        (spell.method, str(spell.first), str(spell.last))
        for spell in book.spells("closing_price", "515980.SH", SPELL_DAYS)
    ]
    assert shanghai == [
        (None, "2018-08-17", "2018-08-17"),  # nothing on file
        ("last_minute", "2018-08-20", "2026-07-03"),
        ("call_auction", "2026-07-06", "2026-07-06"),
    ]
    (shenzhen,) = book.spells("closing_price", "159363.SZ", SPELL_DAYS)
    assert shenzhen.method == "call_auction"


@pytest.mark.parametrize("symbol", ["159363.SZ", "515980.SH"])
def test_funds_trade_after_the_close_since_2026_07_06(symbol: str) -> None:
    book = RuleBook.load("cn_etf")
    before, after = book.spells("after_hours", symbol, SPELL_DAYS)
    assert (before.method, str(before.last)) == (None, "2026-07-03")
    assert (after.method, str(after.first)) == ("fixed_price", "2026-07-06")


@pytest.mark.parametrize(
    ("symbol", "methods"),
    [
        ("515980.SH", ["next_session"]),
        ("159363.SZ", ["next_session"]),
        ("513310.SH", ["next_session", "same_session"]),  # Chinese and Korean chips
        ("159941.SZ", ["next_session", "same_session"]),  # the Nasdaq, by the list of such funds
        ("BOTZ.US", ["same_session"]),
    ],
)
def test_what_is_bought_is_sold_a_session_later_but_for_funds_of_foreign_markets(
    symbol: str, methods: list[str]
) -> None:
    days = np.array(["2015-01-16", "2015-01-19", "2025-08-20"], dtype="datetime64[D]")
    spells = RuleBook.load("us_etf" if symbol.endswith("US") else "cn_etf").spells("resale", symbol, days)
    assert [spell.method for spell in spells] == methods
    assert str(spells[-1].first) == ("2015-01-16" if len(methods) == 1 else "2015-01-19")


def test_nothing_of_it_is_on_file_for_the_united_states() -> None:
    book = RuleBook.load("us_etf")
    assert [spell.method for spell in book.spells("closing_price", "BOTZ.US", SPELL_DAYS)] == [None]


def test_lots_ticks_and_limits_did_not_change_on_2026_07_06() -> None:
    funds = funds_of(("159363.SZ", "515980.SH", "588790.SH"))
    found = rules("cn_etf", funds, "2026-07-03", "2026-07-06")
    for field in fields(RuleArrays):
        before, after = getattr(found, field.name)
        assert before.tolist() == after.tolist()


def test_shapes_and_read_only() -> None:
    found = rules("cn_etf", funds_of(("159363.SZ", "515980.SH", "588790.SH")), "2025-08-19", "2025-08-20")
    for field in fields(RuleArrays):
        array = getattr(found, field.name)
        assert array.shape == (2, 3)
        assert not array.flags.writeable
    assert rules("cn_etf", funds_of(("159363.SZ",))).lot.shape == (0, 1)


def test_outside_the_recorded_days_is_an_error() -> None:
    funds = funds_of(("159363.SZ",))
    with pytest.raises(DataError, match=r"2005-02-23 through 2026-12-31; received 2027-01-15.*ETFLOW_RULES"):
        rules("cn_etf", funds, "2026-12-31", "2027-01-04", "2027-01-15")
    with pytest.raises(DataError, match=r"received 2005-02-22\. Start later"):
        rules("cn_etf", funds, "2005-02-22", "2005-02-23")
    with pytest.raises(DataError, match="us_etf are recorded from 2001-04-09"):
        rules("us_etf", funds_of(("QQQ.US",)), "2001-04-06")


def test_an_unknown_market_names_close_matches() -> None:
    with pytest.raises(UsageError, match="cn_etf"):
        RuleBook.load("cn")


# ---- rows of one's own ------------------------------------------------------------------------------------

MINE = """
[cn_etf]
known_through = 2027-12-31
source = "made up for this test"

[[cn_etf.price_limit]]
applies_to = { symbols = ["159999.SZ"] }
from = 2026-03-02
rate = 0.05
source = "made up for this test"

[[cn_etf.sell_fee]]
applies_to = "default"
from = 2027-01-04
rate = 0.0005
source = "made up for this test"
"""


def test_own_rows_are_added_and_the_horizon_moves(write: Writer) -> None:
    book = RuleBook.load("cn_etf", write(MINE))
    assert str(book.known_through) == "2027-12-31"
    found = rules(
        "cn_etf", {"159999.SZ": Fund("159999.SZ")}, "2026-02-27", "2026-03-02", "2027-01-04", book=book
    )
    assert found.price_limit[:, 0].tolist() == [0.1, 0.05, 0.05]
    assert found.sell_fee_rate[:, 0].tolist() == [0.0, 0.0, 0.0005]
    assert found.buy_fee_rate[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_the_file_in_the_environment_is_used(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETFLOW_RULES", str(write(MINE)))
    assert str(RuleBook.load("cn_etf").known_through) == "2027-12-31"
    assert str(RuleBook.load("us_etf").known_through) == "2026-12-31"


def test_the_more_particular_row_counts_whatever_its_day(write: Writer) -> None:
    template = '[[cn_etf.tick]]\napplies_to = {}\nfrom = {}\nmoney = {}\nsource = "test"\n'
    scopes = [
        ('{ symbols = ["588001.SH"] }', "2024-01-02", 0.5),
        ('{ family = ["F"] }', "2024-02-01", 0.4),
        ('{ prefix = ["588"] }', "2024-03-01", 0.3),
        ('"default"', "2024-04-01", 0.2),
    ]
    text = '[cn_etf]\nsource = "test"\n' + "".join(template.format(*scope) for scope in scopes)
    book = RuleBook.load("cn_etf", write(text))
    symbols = ("588001.SH", "588002.SH", "588003.SH", "515880.SH")
    funds = {symbol: Fund(symbol, family="F" if symbol == "588002.SH" else None) for symbol in symbols}
    found = rules("cn_etf", funds, "2024-01-02", "2024-02-01", "2024-03-01", "2024-04-01", book=book)
    assert found.tick.tolist() == [
        [0.5, 0.001, 0.001, 0.001],
        [0.5, 0.4, 0.001, 0.001],
        [0.5, 0.4, 0.3, 0.001],
        [0.5, 0.4, 0.3, 0.2],
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rate = 0.05\n", 'rate = "0.05"\n', "`rate` is not a number"),
        ("rate = 0.05\n", "rate = 0.0\n", "`rate` is out of bounds"),
        ("rate = 0.05\n", "rate = inf\n", "`rate` is out of bounds"),
        ("rate = 0.05\n", f"rate = 1{'0' * 400}\n", "`rate` is out of bounds"),
        ("rate = 0.0005", "rate = nan", "`rate` is out of bounds"),
        ("rate = 0.0005", f"rate = 1{'0' * 400}", "`rate` is out of bounds"),
        ("rate = 0.0005", "rate = -0.1", "`rate` is out of bounds"),
        ("rate = 0.05\n", "", "`rate` is not a number"),
        ("rate = 0.05\n", "shares = 100\n", "unknown name `shares`"),
        ("from = 2026-03-02", 'from = "2026-03-02"', "`from` is not a date"),
        ('source = "made up for this test"\n\n[[cn_etf.s', "\n[[cn_etf.s", "row 1: `source` is missing"),
        ("{ symbols = ", "{ symbol = ", "unknown name `symbol`"),
        ('{ symbols = ["159999.SZ"] }', "{ symbols = [] }", "not a list of texts"),
        ('{ symbols = ["159999.SZ"] }', '{ group = ["chinext"] }', "unknown group `chinext`.*chinext_szse"),
        ('{ symbols = ["159999.SZ"] }', '"everyone"', "`applies_to` is neither"),
        ("[[cn_etf.price_limit]]", "[[cn_etf.price_limits]]", "Did you mean `price_limit`"),
        (
            "[[cn_etf.sell_fee]]",
            '[[cn_etf.closing_price]]\napplies_to = "default"\nfrom = 2027-01-04\n'
            'method = "auction"\nsource = "s"\n'
            "[[cn_etf.sell_fee]]",
            "closing_price from 2027-01-04: unknown `method`; received auction. Did you mean `call_auction`",
        ),
        ("[cn_etf]", "[cn]\nx = 1\n[cn_etf]", "unknown name `cn`"),
    ],
)
def test_wrong_rows_are_refused(write: Writer, old: str, new: str, message: str) -> None:
    text = MINE.replace(old, new)
    assert text != MINE
    with pytest.raises(UsageError, match=message):
        RuleBook.load("cn_etf", write(text))


@pytest.mark.parametrize("shares", ["0.5", "1" + "0" * 21, "9" * 400])
def test_half_a_lot_and_one_beyond_all_measure_are_refused(write: Writer, shares: str) -> None:
    row = f'[[cn_etf.lot]]\napplies_to = "default"\nfrom = 2026-01-05\nshares = {shares}\nsource = "s"\n'
    with pytest.raises(UsageError, match="a whole number from 1"):
        RuleBook.load("cn_etf", write('[cn_etf]\nsource = "s"\n' + row))


def test_rules_reach_as_far_as_the_calendar_of_the_market() -> None:
    from data.facts.calendars import calendar_for

    for market in ("cn_etf", "us_etf"):
        book, calendar = RuleBook.load(market), calendar_for(market)
        assert np.datetime64(calendar.first_day) <= book.first_day
        assert np.datetime64(date(2026, 12, 31)) == book.known_through <= np.datetime64(calendar.last_day)


def test_no_real_bar_lies_beyond_its_price_limits(shared: Path) -> None:
    bars = pd.read_csv(shared / "tidy-cn" / "bars.csv.gz", parse_dates=["day"])
    actions = pd.read_csv(shared / "tidy-cn" / "actions.csv", parse_dates=["ex_day"])
    recorded = set(zip(actions["symbol"], actions["ex_day"], strict=True))
    book = RuleBook.load("cn_etf")
    beyond = []
    for symbol, fund in bars.sort_values("day").groupby("symbol"):
        sessions = fund["day"].to_numpy().astype("datetime64[D]")
        rate = book.arrays((str(symbol),), {}, sessions).price_limit[:, 0]
        previous = fund["close"].shift()
        # Half a tick of rounding, half a tick of tolerance.
        above = fund["high"] > previous * (1 + rate) + 0.001
        below = fund["low"] < previous * (1 - rate) - 0.001
        found = fund.loc[above | below, "day"]
        beyond += [(symbol, f"{day:%Y-%m-%d}") for day in found if (symbol, day) not in recorded]
    # Splits and merges of these funds that the table of actions does not record.
    assert beyond == [
        ("512010.SH", "2021-06-28"),
        ("512200.SH", "2024-08-12"),
        ("512690.SH", "2021-05-17"),
        ("512690.SH", "2021-12-31"),
        ("515220.SH", "2024-04-12"),
    ]
