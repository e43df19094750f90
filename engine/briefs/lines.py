"""The lines of a brief: what each is called, how it reads, in which unit its value is.

A name in braces stands for what differs: ``{n}`` sessions, a ``{valuation}`` of flows, an ``{index}``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

from data.errors import UsageError

# What a value is measured in; a fraction of 0.1 is 10 %, a difference of 0.1 is ten percentage points.
MONEY, COUNT, PRICE, FRACTION = "money", "count", "price", "fraction"
DIFFERENCE, YES_OR_NO, DAY = "difference of fractions", "true or false", "day"
SCORE, AS_THE_SERIES = "score", "as the series"

VALUATION_LABELS = {
    "vwap": "at VWAP",
    "nav": "at NAV",
    "prev_nav": "at the NAV before",
    "close": "at the close",
}


# What reasons call a value that is not on file, and the tables that would bring it: none where nobody traded.
INPUTS = {
    **{"unit count": "units", "NAV": "nav", "NAV before": "nav", "unit count and NAV": "units,nav"},
    **{"margin balance": "margin", "money traded": "bars", "price": "bars", "trade": ""},
}


@dataclass(frozen=True)
class Line:
    """One line: its name and label with braces, the unit of its value, and the window that ``{n}`` is of."""

    name: str
    label: str
    unit: str
    window: str = ""


LINES = (
    Line("net_inflow_{n}_{valuation}", "net inflow over {n} sessions, {at}", MONEY, "inflow"),
    Line("net_inflow_{n}_ratio", "  over AUM before them", FRACTION, "inflow"),
    Line("inflow_sessions_{n}", "  sessions with inflow, of {n}", COUNT, "inflow"),
    Line("inflow_streak", "sessions of inflow in a row", COUNT),
    Line("units", "fund units", COUNT),
    Line("units_record", "  fund units at a record", YES_OR_NO),
    Line("aum", "AUM, units at NAV", MONEY),
    Line("aum_record", "  AUM at a record", YES_OR_NO),
    Line("aum_close", "AUM, units at the close", MONEY),
    Line("net_financing_{n}", "net financing over {n} sessions", MONEY, "financing"),
    Line("net_financing_{n}_before", "  ending with the session before", MONEY, "financing"),
    Line("financing_streak", "sessions of net financing in a row", COUNT),
    Line("margin_balance", "margin balance", MONEY),
    Line("margin_balance_record", "  margin balance at a record", YES_OR_NO),
    Line("margin_balance_before", "  margin balance of the session before", MONEY),
    Line("margin_balance_before_record", "  at a record then", YES_OR_NO),
    Line("close", "close", PRICE),
    Line("nav", "NAV", PRICE),
    Line("premium", "premium of the close over NAV", FRACTION),
    Line("price_record", "adjusted price at a record", YES_OR_NO),
    Line("price_high", "highest close, on the basis of the day", PRICE),
    Line("price_high_day", "  its day", DAY),
    Line("fund_ytd", "return of the fund this year", FRACTION),
    Line("adtv_month", "turnover a session (ADTV) over a calendar month", MONEY),
    Line("adtv_month_rank", "  its rank among funds of the same index", COUNT),
    Line("adtv_{n}", "turnover a session (ADTV) over {n} sessions", MONEY, "turnover"),
    Line("adtv_{n}_rank", "  its rank among funds of the same index", COUNT, "turnover"),
    Line("peers", "funds of the same index listed that day", COUNT),
    Line("index_ytd", "return of its index{of} this year", FRACTION),
    Line("index_ytd_{index}", "  of {index}{called}", FRACTION),
    Line("index_ytd_over_{index}", "  ahead of {index} by", DIFFERENCE),
    Line("index_ytd_ahead_of", "  indices that it is ahead of", COUNT),
    Line("theme_weight", "weight of the theme `{theme}` in its index", FRACTION),
    Line("theme_weight_drifted", "  drifted to the day{by}", FRACTION),
    Line("capex", "capital expenditure of hyperscalers, latest quarter", AS_THE_SERIES),
    Line("capex_growth", "  its growth{over}", FRACTION),
    Line("macro", "  macro: it grows", YES_OR_NO),
    Line("family_return", "return of its index family{over}", FRACTION),
    Line("meso", "  meso: at least that of the average fund", YES_OR_NO),
    Line("flow_score", "inflow and margin growth against their own past", SCORE),
    Line("micro", "  micro: more than usual", YES_OR_NO),
    Line("resonance", "macro, meso and micro agree", YES_OR_NO),
)


@dataclass(frozen=True)
class Windows:
    """How many sessions sums and means cover; several of a kind are several lines."""

    inflow: tuple[int, ...] = (5, 20)
    financing: tuple[int, ...] = (4,)
    turnover: tuple[int, ...] = (20,)

    def __post_init__(self) -> None:
        """Raise UsageError for a window that is none."""
        for field in fields(self):
            lengths = getattr(self, field.name)
            if not lengths or min(lengths) < 1:
                raise UsageError(
                    f"the window `{field.name}` is out of bounds",
                    received=",".join(map(str, lengths)) or "nothing",
                    limit="1 session or more",
                )


@lru_cache(maxsize=1)
def lines_by_name() -> dict[str, Line]:
    """Return the lines by their names with braces."""
    return {line.name: line for line in LINES}
