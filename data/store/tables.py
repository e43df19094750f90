"""The tables: one kind of fact each, tidy, raw as published, never adjusted in place.

A fact table is declared here and nowhere else: its row says what the rest of ``data`` needs to know of it
(``data.store.schema``), and ``data/facts/availability.toml`` when its rows become public.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.errors import check_choice
from data.store.schema import Column, Table

# Sessions on which a value of a monthly series is good: two months, so that a late one is no gap.
MONTHLY = 44
# Exchange rates: so many of the second currency for one of the first.
PAIRS = ("USDCNY", "CNYUSD")
# How the source of bars ends whose prices are no longer as traded, by how they were adjusted.
ADJUSTED_SOURCES = {"qfq": ", qfq", "hfq": ", hfq", "splits": ", split-adjusted"}
# Longer than any panel.
EVER = 1_000_000


def table(name: str) -> Table:
    """Return the table called ``name``; UsageError with close matches if there is none."""
    check_choice("table", name, TABLES)
    return TABLES[name]


def _columns(*columns: Column) -> tuple[Column, ...]:
    return (
        *columns,
        Column("source", "text", required=False),
        Column("known_at", "time", required=False),
    )


def _price(name: str, *, required: bool = True) -> Column:
    return Column(name, required=required, sign="positive", scale="price")


def _money(name: str, *, required: bool = True) -> Column:
    return Column(name, required=required, sign="nonnegative", scale="money")


def _level(name: str, *, required: bool = True) -> Column:
    return Column(name, required=required, sign="positive", scale="level")


_SYMBOL = Column("symbol", "text")
_DAY = Column("day", "day")
_INDEX = Column("index", "text")
# Corporate actions, and what each cannot be without.
_NEEDS: dict[str, tuple[str, ...]] = {
    "split": ("ratio",),
    "dividend": ("cash",),
    "merge": ("ratio", "successor"),
    "rename": ("successor",),
    "liquidation": ("cash",),
}

_ALL: Sequence[Table] = (
    Table(
        "bars",
        ("symbol", "day"),
        _columns(
            _SYMBOL,
            _DAY,
            _price("open"),
            _price("high"),
            _price("low"),
            _price("close"),
            Column("volume", sign="nonnegative", scale="count"),
            _money("amount", required=False),
            _price("pre_close", required=False),
        ),
        measures=("close", "open", "high", "low", "volume", "amount", "pre_close"),
        always=True,
        rows_on="sessions",
        repeats=0,
    ),
    Table(
        "units",
        ("symbol", "day"),
        _columns(
            _SYMBOL,
            _DAY,
            # The smallest funds have tens of thousands of units, and create them in blocks as large.
            Column("units", sign="positive", scale="count", possible=(10_000, float("inf"))),
        ),
        measures=("units",),
        always=True,
        # Small funds have no creation for weeks; 40 sessions are two months.
        repeats=39,
    ),
    Table(
        "nav",
        ("symbol", "day"),
        # What the fund says it has in all: units times NAV, which tells a wrong unit of measure of either.
        _columns(_SYMBOL, _DAY, _price("nav"), _money("net_assets", required=False)),
        measures=("nav",),
        title="NAV",
        always=True,
        rows_on="sessions",
        repeats=4,
    ),
    Table(
        "margin",
        ("symbol", "day"),
        _columns(
            _SYMBOL,
            _DAY,
            _money("balance"),
            _money("bought", required=False),
            _money("repaid", required=False),
        ),
        measures=("balance",),
        # Some markets publish their total once a month.
        markets=MONTHLY,
        begins_at_zero=True,
        always=True,
        repeats=4,
    ),
    Table(
        "actions",
        ("symbol", "kind", "ex_day"),
        _columns(
            _SYMBOL,
            Column("kind", "text"),
            Column("ex_day", "day"),
            Column("record_day", "day", required=False),
            Column("ratio", required=False, sign="positive", scale="ratio"),
            Column("cash", required=False, sign="nonnegative", scale="price"),
            Column("pay_day", "day", required=False),
            # Of a merge the fund that takes it over, of a rename the symbol from the ex-day on.
            Column("successor", "text", required=False),
        ),
        choices={"kind": (*_NEEDS,)},
        needs=_NEEDS,
    ),
    Table(
        "index_bars",
        ("index", "day"),
        _columns(
            _INDEX,
            _DAY,
            _level("open", required=False),
            _level("high", required=False),
            _level("low", required=False),
            _level("close"),
            _money("amount", required=False),
        ),
        measures=("close", "open"),
        title="index levels",
        always=True,
        rows_on="sessions",
        repeats=1,
    ),
    Table(
        "index_weights",
        ("index", "day", "constituent"),
        _columns(
            _INDEX,
            _DAY,
            Column("constituent", "text"),
            Column("weight", sign="nonnegative", scale="ratio", possible=(0, 1)),
            Column("theme", "text", required=False),
        ),
    ),
    Table(
        "macro",
        ("series", "period"),
        _columns(Column("series", "text"), Column("period", "day"), Column("value")),
        measures=("value",),
        title="macro series",
        good_for=EVER,
        always=True,
    ),
    Table(
        "funds",
        ("symbol",),
        _columns(
            _SYMBOL,
            Column("name", "text", required=False),
            Column("index", "text", required=False),
            Column("family", "text", required=False),
            Column("listed", "day", required=False),
            Column("delisted", "day", required=False),
            Column("price_limit", required=False, sign="positive", scale="ratio"),
        ),
    ),
    Table(
        "premium",
        ("symbol", "day"),
        _columns(_SYMBOL, _DAY, Column("premium", scale="ratio", possible=(-1, 1), usual=(-0.2, 0.2))),
        measures=("premium",),
        rows_on="bars",
        repeats=9,
    ),
    Table(
        "fx",
        ("pair", "day"),
        _columns(Column("pair", "text"), _DAY, _level("rate")),
        measures=("rate",),
        title="exchange rates",
        choices={"pair": PAIRS},
        own_days=True,
    ),
)
TABLES: dict[str, Table] = {each.name: each for each in _ALL}
FACT_TABLES: tuple[Table, ...] = tuple(each for each in _ALL if each.measures)
# What is published about a fund besides its bars; audits delay it, and move what is no price.
FUND_TABLES: tuple[Table, ...] = tuple(
    each for each in FACT_TABLES if each.key[0] == "symbol" and each.name != "bars"
)
