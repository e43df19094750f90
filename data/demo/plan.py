"""What is planted in the synthetic market: its funds, its regimes, and every event, by date.

Nothing here is drawn at random, so that each event can be looked up, tested and reasoned about. The codes
157xxx.SZ and 586xxx.SH belong to ranges in which the exchanges have listed no fund. All days are sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from data.synthetic import SYNTHETIC

FIRST_DAY = date(2020, 8, 21)
LAST_DAY = date(2025, 8, 20)

# The planted flow effect; the formula is in the docstring of data.demo.
FLOW_SIZE = 0.001
FLOW_SESSIONS = 5
FLOW_SCALE = 0.006
FLOW_CLIP = 3.0

BROAD_INDEX = "DEMO-ALL"
THEMES = ("optical", "chips", "software", "robots")


@dataclass(frozen=True)
class Family:
    """Funds that follow one index, and the stocks of that index: how many of each theme, and their limit."""

    index: str
    name: str
    title: str
    stocks: tuple[int, int, int, int]
    beta: float
    price_limit: float


FAMILIES = (
    Family("DEMO-A", "GROWTH_AI", "Growth AI", (6, 2, 3, 3), 1.15, 0.20),
    Family("DEMO-B", "BROAD_AI", "Broad AI", (3, 4, 5, 2), 0.95, 0.10),
    Family("DEMO-C", "INDUSTRY_AI", "Industry AI", (2, 3, 6, 3), 0.95, 0.10),
    Family("DEMO-D", "CHIP_AI", "Chip AI", (1, 9, 3, 1), 1.15, 0.20),
)


@dataclass(frozen=True)
class FundPlan:
    """One fund. ``price`` and ``units`` are the first; ``turnover`` is the fraction traded in a session."""

    symbol: str
    family: int
    listed: date
    margin_from: date | None
    price: float
    units: float
    creation: float
    turnover: float
    delisted: date | None = None

    @property
    def name(self) -> str:
        """A name that nobody can take for a real fund's."""
        return f"{SYNTHETIC} {FAMILIES[self.family].title} ETF {self.symbol[:6]}"


FUNDS = (
    FundPlan("157001.SZ", 0, date(2019, 11, 18), date(2020, 3, 2), 1.42, 2.4e9, 1e6, 0.05),
    FundPlan("157002.SZ", 0, date(2020, 3, 9), date(2021, 2, 8), 1.105, 6e8, 5e5, 0.04),
    FundPlan("157003.SZ", 0, date(2020, 12, 7), date(2021, 7, 5), 1.004, 9e8, 1e6, 0.06),
    FundPlan("157004.SZ", 0, date(2022, 9, 15), date(2023, 4, 3), 0.998, 4e8, 5e5, 0.05),
    FundPlan("157005.SZ", 0, date(2023, 8, 21), date(2024, 3, 4), 1.0125, 5e8, 5e5, 0.05),
    FundPlan("157006.SZ", 0, date(2025, 3, 24), None, 1.0045, 3e8, 3e5, 0.08),
    FundPlan("157011.SZ", 1, date(2018, 5, 21), date(2019, 8, 19), 1.88, 3.2e9, 1e6, 0.03),
    FundPlan("157012.SZ", 1, date(2019, 7, 22), date(2020, 8, 21), 1.36, 5e8, 5e5, 0.03),
    FundPlan("157013.SZ", 1, date(2021, 11, 16), date(2022, 6, 6), 1.001, 3e8, 3e5, 0.04),
    FundPlan("586011.SH", 1, date(2017, 9, 11), date(2018, 3, 5), 2.95, 1.5e9, 1e6, 0.04),
    FundPlan("586012.SH", 1, date(2023, 3, 20), date(2023, 10, 23), 0.9973, 4e8, 5e5, 0.04),
    FundPlan("157021.SZ", 2, date(2020, 2, 10), date(2020, 11, 2), 1.21, 8e8, 1e6, 0.04),
    FundPlan("157022.SZ", 2, date(2024, 5, 20), date(2024, 12, 2), 1.0088, 3.5e8, 3e5, 0.06),
    FundPlan("586021.SH", 2, date(2018, 11, 12), date(2019, 8, 19), 0.62, 1.8e9, 2e6, 0.04),
    FundPlan("586022.SH", 2, date(2019, 12, 2), None, 1.15, 6e7, 1e5, 0.015, date(2023, 11, 20)),
    FundPlan("586031.SH", 3, date(2019, 6, 10), date(2019, 12, 23), 1.65, 2.8e9, 1e6, 0.06),
    FundPlan("586032.SH", 3, date(2020, 6, 29), date(2021, 1, 18), 1.24, 7e8, 5e5, 0.05),
    FundPlan("586033.SH", 3, date(2021, 6, 22), date(2022, 2, 14), 1.006, 5e8, 5e5, 0.05),
    FundPlan("586034.SH", 3, date(2022, 6, 13), date(2023, 1, 9), 1.0032, 6e8, 1e6, 0.05),
    FundPlan("586035.SH", 3, date(2021, 3, 15), date(2021, 10, 11), 0.9995, 4e8, 5e5, 0.05),
)
SYMBOLS = tuple(sorted(fund.symbol for fund in FUNDS))


@dataclass(frozen=True)
class Regime:
    """Until ``end`` the market drifts by ``drift`` a session, and moves ``volatility`` times as usual."""

    end: date
    drift: float
    volatility: float


REGIMES = (
    Regime(date(2021, 12, 13), 0.0009, 0.95),
    Regime(date(2024, 2, 5), -0.0006, 1.10),
    Regime(LAST_DAY, 0.0014, 1.0),
)

# Sessions on which the whole market moves by this much, times each stock's beta, within its own limit.
SHOCKS = {
    date(2022, 4, 25): -0.11,
    date(2024, 9, 30): 0.11,
    date(2024, 10, 8): 0.03,
}

LimitKind = Literal["board_up", "board_down", "close_up", "close_down", "open_up", "open_down"]

# A board trades at one price all session; the others only open, or only close, at the limit.
LIMIT_DAYS: dict[tuple[str, date], LimitKind] = {
    ("157012.SZ", date(2022, 4, 25)): "board_down",
    ("157021.SZ", date(2022, 4, 25)): "open_down",
    ("586011.SH", date(2022, 4, 25)): "close_down",
    ("586021.SH", date(2022, 4, 25)): "board_down",
    ("157011.SZ", date(2024, 9, 30)): "close_up",
    ("157013.SZ", date(2024, 9, 30)): "board_up",
    ("586012.SH", date(2024, 9, 30)): "board_up",
    ("586021.SH", date(2024, 9, 30)): "open_up",
    **{
        (fund.symbol, date(2024, 10, 8)): "open_up"
        for fund in FUNDS
        if fund.listed < date(2024, 10, 8) and fund.delisted is None
    },
}


@dataclass(frozen=True)
class Halt:
    """A fund does not trade for ``sessions`` from ``first``; the bar is missing, or there with volume 0."""

    symbol: str
    first: date
    sessions: int
    has_bar: bool


HALTS = (
    Halt("157002.SZ", date(2021, 3, 16), 1, False),
    Halt("586032.SH", date(2021, 8, 9), 3, True),
    Halt("586011.SH", date(2021, 9, 14), 1, False),
    Halt("157021.SZ", date(2022, 11, 1), 2, False),
    Halt("586022.SH", date(2023, 11, 14), 4, False),
    Halt("157005.SZ", date(2024, 6, 17), 1, True),
    Halt("157001.SZ", date(2025, 7, 1), 5, False),
)


@dataclass(frozen=True)
class Split:
    """After the close of ``record_day`` a unit becomes ``ratio`` units; prices follow a session later."""

    symbol: str
    record_day: date
    ratio: float


# 586011.SH is halted on its ex-day, as was the practice in 2021. 586021.SH merges.
SPLITS = (
    Split("586011.SH", date(2021, 9, 13), 3.0),
    Split("157001.SZ", date(2021, 11, 19), 2.0),
    Split("586021.SH", date(2023, 6, 9), 0.49977589),
    Split("586031.SH", date(2021, 7, 23), 2.5),
    Split("157003.SZ", date(2025, 2, 21), 2.0),
    Split("157001.SZ", date(2025, 7, 18), 2.0),
)


@dataclass(frozen=True)
class Dividend:
    """Holders at the close of the session before ``ex_day`` get ``cash`` per unit on ``pay_day``."""

    symbol: str
    record_day: date
    ex_day: date
    pay_day: date
    cash: float


DIVIDENDS = (
    Dividend("157011.SZ", date(2020, 12, 15), date(2020, 12, 16), date(2020, 12, 22), 0.031),
    Dividend("157011.SZ", date(2021, 12, 14), date(2021, 12, 15), date(2021, 12, 21), 0.042),
    Dividend("157011.SZ", date(2022, 12, 13), date(2022, 12, 14), date(2022, 12, 20), 0.018),
    Dividend("157011.SZ", date(2023, 12, 12), date(2023, 12, 13), date(2023, 12, 19), 0.015),
    Dividend("157011.SZ", date(2024, 12, 17), date(2024, 12, 18), date(2024, 12, 24), 0.022),
)
LIQUIDATION_PAY_DAY = date(2023, 12, 4)


@dataclass(frozen=True)
class Late:
    """The row of ``day`` is published ``sessions`` sessions after it at 19:00, not by the next morning."""

    table: Literal["units", "margin"]
    symbol: str
    day: date
    sessions: int


LATE = (
    Late("units", "157003.SZ", date(2021, 5, 20), 1),
    Late("units", "586031.SH", date(2022, 3, 11), 2),
    Late("units", "586032.SH", date(2022, 3, 11), 2),
    Late("units", "157011.SZ", date(2023, 9, 28), 3),
    Late("units", "157001.SZ", date(2025, 7, 21), 1),
    Late("margin", "157001.SZ", date(2022, 7, 15), 1),
    Late("margin", "586031.SH", date(2024, 10, 8), 2),
    Late("margin", "CN", date(2024, 10, 8), 1),
)

# Counts that the exchange never published: the next one covers two sessions.
MISSING_UNITS = (("157012.SZ", date(2022, 8, 3)), ("586033.SH", date(2024, 3, 12)))

# Quarterly capital expenditure of the synthetic hyperscalers: yearly growth by the year of the quarter's end.
CAPEX_SERIES = "capex"
CAPEX_FIRST_QUARTER = date(2018, 12, 31)
CAPEX_START = 18.0
CAPEX_GROWTH = {2019: 0.10, 2020: 0.28, 2021: 0.30, 2022: 0.14, 2023: -0.04, 2024: 0.48, 2025: 0.55}
CAPEX_LAG_DAYS = 35
