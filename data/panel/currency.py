"""The currency of a run: the market face of funds that are traded in another one.

Every rule of a market is in its own currency, so a session is first built there (``data.panel.market``).
Then all money of session *d* is multiplied by one exchange rate for each fund: references, and what a
corporate action pays, by the rate that was public before the open of *d*; what trading and the close bring,
limits and tick with it, by the rate of *d* itself. So engines see money of the run only, and a price that is
at its limit still is.

The rate of *d* is the one dated *d*, else the latest before; the latest public one may be a session older. A
rate is good for as many sessions as any level; then it is NaN, and a run over such a session is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import Event
from data.facts.symbols import currency_of
from data.panel.facts import Facts, Grid, usable_after
from data.panel.market import Market
from data.panel.publication import latest_known, read_only

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# What the rate of the session itself is for; of the other fields references are money too, the rest is not.
_OF_THE_SESSION = (
    *("open", "high", "low", "close", "vwap", "mark"),
    *("limit_up", "limit_down", "tick"),
)


@dataclass(frozen=True)
class Rates:
    """What one unit of a currency is worth in that of the run, (D,), NaN where it is not known.

    ``session`` is the rate of each session, ``known`` the latest that was public before its open.
    """

    session: Floats
    known: Floats


@dataclass(frozen=True)
class Converted(Market):
    """A market face in the currency of a run.

    Attributes
    ----------
    own : the same in the currency of each fund
    rates : what each fund's currency is worth before the open, (D, S); 1 for those of the run's
    session_rates : the same in the session itself
    """

    own: Market
    rates: Floats
    session_rates: Floats

    def until(self, row: int) -> Self:
        """Return the market whose last session is ``row``."""
        cut = super().until(row)
        return replace(
            cut,
            own=self.own.until(row),
            rates=self.rates[: row + 1],
            session_rates=self.session_rates[: row + 1],
        )

    @property
    def local(self) -> Market:
        """The same market, each fund in its own currency."""
        return self.own

    @property
    def money(self) -> Floats:
        """What money of each fund's currency is worth in that of the run in the session, (D, S)."""
        return self.session_rates

    @property
    def known_money(self) -> Floats:
        """The same by the rate that was public before the open, (D, S)."""
        return self.rates

    def fee_rates(self, conversion: float) -> tuple[Floats, Floats]:
        """Return the fees of buying and selling, (D, S), with that of changing money for foreign funds."""
        foreign = np.where((self.rates == 1.0).all(axis=0), 0.0, conversion)
        return self.buy_fee_rate + foreign, self.sell_fee_rate + foreign

    # What prices of one currency say of each other, money of another does not change.

    @cached_property
    def adjustment(self) -> Floats:
        """What a price must be multiplied by to carry all splits and dividends since the first session."""
        return self.own.adjustment

    @cached_property
    def volatility(self) -> Floats:
        """Daily volatility known before the open, in the currency of the fund."""
        return self.own.volatility


def rates_of(facts: Facts, given: str, wanted: str, sessions: int, stale_after: int) -> Rates:
    """Return what one unit of the currency ``given`` is worth in ``wanted``; NaN without rates on file."""
    grid = facts.grids.get("fx")
    for pair, inverse in ((given + wanted, False), (wanted + given, True)):
        if grid is None or pair not in (grid.series or ()):
            continue
        column = (grid.series or ()).index(pair)
        known = _latest(grid, column, grid.usable_from[:, [column]], stale_after)
        session = _latest(grid, column, usable_after(sessions, 1, 0), stale_after)
        session = np.where(np.isfinite(session), session, known)
        return Rates(1.0 / session, 1.0 / known) if inverse else Rates(session, known)
    return Rates(np.full(sessions, np.nan), np.full(sessions, np.nan))


def converted(
    local: Market, facts: Facts, symbols: Sequence[str], currency: str, stale_after: int
) -> Converted | None:
    """Return a market face in ``currency``; None where all funds are traded in it."""
    own = [currency_of(symbol) for symbol in symbols]
    if set(own) <= {currency}:
        return None
    sessions = len(local.mark)
    ones = np.ones(sessions)
    rates = {currency: Rates(ones, ones)}
    for each in sorted(set(own) - {currency}):
        rates[each] = rates_of(facts, each, currency, sessions, stale_after)
    session = read_only(np.column_stack([rates[each].session for each in own]))
    known = read_only(np.column_stack([rates[each].known for each in own]))
    money = {name: _times(getattr(local, name), session) for name in _OF_THE_SESSION}
    arrays = {**vars_of(local), **money, "reference": _times(local.reference, known)}
    events = tuple(_paying(event, known) for event in local.events)
    return Converted(**{**arrays, "events": events}, own=local, rates=known, session_rates=session)


def vars_of(market: Market) -> dict[str, Any]:
    """Return the fields of a market face by name."""
    return {name: getattr(market, name) for name in Market.__dataclass_fields__}


def _latest(grid: Grid, column: int, usable_from: NDArray[np.int64], stale_after: int) -> Floats:
    return latest_known(grid.measure[:, [column]], usable_from, stale_after)[:, 0]


def _times(prices: Floats, rates: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return read_only(prices * rates)


def _paying(event: Event, rates: Floats) -> Event:
    """Return an event with its cash at the rate before the open on which it takes effect."""
    if event.row >= len(rates):
        return event
    column = event.column if event.into < 0 else event.into
    return replace(event, cash=event.cash * float(rates[event.row, column]))
