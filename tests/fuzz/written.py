"""Tables as sources write them, of which it is known what they say.

Bytes that are spoilt at random are mostly refused. Here a table of some funds and sessions is spoilt in its
cells, rows and columns (``hands``), and written in one of the many ways of writing it (``forms``). With the
file goes what it says: an import brings just that, or refuses it in words; a row may be left out if the
import says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random

FUNDS = ("159363.SZ", "515980.SH", "588930.SH")
DAYS = (
    *("2025-08-11", "2025-08-12", "2025-08-13", "2025-08-14", "2025-08-15", "2025-08-18", "2025-08-19"),
    *("2025-09-01", "2025-09-02", "2025-09-03", "2025-09-04", "2025-09-05", "2025-09-08", "2025-09-09"),
)
EXCEL = date(1899, 12, 30)


@dataclass(frozen=True)
class Layout:
    """How a source writes a table: its name and unit of measure for each of our columns."""

    table: str
    symbol: str
    day: str
    numbers: dict[str, tuple[str, float]]
    code: str = "{}"
    date_format: str = "%Y-%m-%d"
    others: tuple[str, ...] = ()


_BARS = ("open", "high", "low", "close", "volume", "amount")
LAYOUTS = {
    "tidy-bars": Layout("bars", "symbol", "day", {name: (name, 1.0) for name in _BARS}),
    "tidy-units": Layout("units", "symbol", "day", {"units": ("units", 1.0)}),
    "tidy-nav": Layout("nav", "symbol", "day", {"nav": ("nav", 1.0)}),
    "tidy-margin": Layout(
        "margin", "symbol", "day", {name: (name, 1.0) for name in ("balance", "bought", "repaid")}
    ),
    "tushare-fund-daily": Layout(
        "bars",
        "ts_code",
        "trade_date",
        {name: (name, 1.0) for name in ("pre_close", "open", "high", "low", "close")}
        | {"volume": ("vol", 100.0), "amount": ("amount", 1e3)},
        date_format="%Y%m%d",
    ),
    "tushare-fund-share": Layout(
        "units", "ts_code", "trade_date", {"units": ("fd_share", 1e4)}, date_format="%Y%m%d"
    ),
    "eastmoney-daily": Layout(
        "bars",
        "代码",
        "日期",
        {"open": ("开盘", 1.0), "close": ("收盘", 1.0), "high": ("最高", 1.0), "low": ("最低", 1.0)}
        | {"volume": ("成交量", 100.0), "amount": ("成交额", 1.0)},
        code="bare",
        others=("振幅", "换手率"),
    ),
    "english-bars": Layout("bars", "code", "date", {name: (name, 1.0) for name in _BARS}),
    "chinese-units": Layout("units", "基金代码", "日期", {"units": ("份额(万份)", 1e4)}, code="bare"),
    "chinese-margin": Layout(
        "margin",
        "证券代码",
        "日期",
        {"balance": ("融资余额(元)", 1.0), "bought": ("融资买入额(万元)", 1e4)},
        code="bare",
    ),
    "chinese-nav": Layout("nav", "基金代码", "净值日期", {"nav": ("单位净值", 1.0)}, code="bare"),
}


@dataclass
class Row:
    """A row: its cells by our names of the columns, and what each says, in our units of measure.

    What a file says is nothing where that is empty, and any of several where it says both.
    """

    symbol: str
    day: str
    cells: dict[str, str]
    says: dict[str, list[float]]

    def copy(self) -> Row:
        """Return another of the same."""
        return Row(
            self.symbol, self.day, dict(self.cells), {name: [*each] for name, each in self.says.items()}
        )


@dataclass
class Table:
    """A table that is about to be written."""

    layout: Layout
    headers: dict[str, str]
    rows: list[Row]
    above: list[str] = field(default_factory=list)
    below: list[list[str]] = field(default_factory=list)
    hands: list[str] = field(default_factory=list)

    def number(self, random: Random) -> str:
        """Return one of the columns of numbers."""
        return random.choice(
            [name for name in self.layout.numbers if name in self.headers] or [*self.layout.numbers]
        )

    def numbers(self, random: Random) -> list[str]:
        """Return one of the columns of numbers, or all."""
        return random.choice(([self.number(random)], [*self.layout.numbers]))

    def some(self, random: Random) -> list[Row]:
        """Return one row, those from one on, or all."""
        begin = random.randrange(len(self.rows))
        return random.choice((self.rows[begin : begin + 1], self.rows[begin:], self.rows))

    def put(self, row: Row, name: str, text: str, value: float | None = None) -> None:
        """Write a cell; with ``value`` it says another number now."""
        row.cells[name] = text
        if value is not None:
            row.says[name] = [value * self.layout.numbers[name][1]]


def table(kind: str, random: Random) -> Table:
    """Return a table of some funds and sessions, of which no two numbers are alike."""
    layout = LAYOUTS[kind]
    begin = random.randrange(len(DAYS) - 4)
    days = DAYS[begin : begin + random.randrange(4, 7)]
    rows = []
    for symbol in FUNDS[: random.choice((1, 2, 3))]:
        price = random.uniform(0.6, 3.0)
        for day in days:
            price *= random.uniform(0.97, 1.03)
            rows.append(_row(layout, symbol, day, price, random))
    headers = {"symbol": layout.symbol, "day": layout.day}
    headers |= {name: written for name, (written, _) in layout.numbers.items()}
    headers |= {name: name for name in layout.others}
    if random.random() < 0.3:
        rows.sort(key=lambda row: (row.day, row.symbol))
    return Table(layout, headers, rows)


def _row(layout: Layout, symbol: str, day: str, price: float, random: Random) -> Row:
    low, high = price * random.uniform(0.975, 0.99), price * random.uniform(1.01, 1.025)
    volume = random.randrange(10_000, 900_000) * 100
    made = {
        "pre_close": (price * random.uniform(0.995, 1.005), 3),
        "open": (random.uniform(low, high), 3),
        "high": (high, 3),
        "low": (low, 3),
        "close": (price, 3),
        "nav": (price, 4),
        "volume": (volume, 0),
        "amount": (volume * price, 0),
        "units": (random.randrange(10_000, 90_000) * 10_000, 0),
        "balance": (random.uniform(1e7, 9e8), 0),
        "bought": (random.uniform(1e6, 9e6), 0),
        "repaid": (random.uniform(1e6, 9e6), 0),
    }
    cells, says = {}, {}
    for name, (_, factor) in layout.numbers.items():
        value, digits = made[name]
        text = f"{value / factor:.{3 if factor > 1.0 and name == 'amount' else digits}f}"
        cells[name], says[name] = text, [float(text) * factor]
    cells["symbol"] = symbol[:6] if layout.code == "bare" else symbol
    cells["day"] = date.fromisoformat(day).strftime(layout.date_format)
    cells |= {name: f"{random.uniform(0.1, 4.0):.2f}" for name in layout.others}
    return Row(symbol, day, cells, says)


def plain(text: str) -> bool:
    """Whether a cell is digits, and a point at most."""
    return text.replace(".", "", 1).isdecimal() and text.isascii()
