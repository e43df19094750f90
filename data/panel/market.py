"""The market face of a panel: session *d* itself, as the exchange runs it. Only engines see it.

For each session, in order (``build_market``):

1. the mark of the session before is adjusted for the actions that take effect today: dividend, then split;
2. the exchange's own reference price wins where the data have it; on a fund's first bar it is the last NAV;
3. limit prices are the reference times one plus or minus the fund's limit, rounded half up to the tick;
4. the mark is the close where the fund traded, else the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import ENDS, Event, in_order, paid_at_last_mark
from data.facts.rules import RuleArrays
from data.numeric.arithmetic import round_half_up, round_half_up_array, sample_deviations

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

VOLATILITY_SESSIONS = 20
VOLATILITY_MINIMUM = 5
# A typical daily volatility of a theme ETF (32 % a year), until a fund has five returns of its own.
VOLATILITY_UNKNOWN = 0.02


@dataclass(frozen=True)
class Market:
    """Read-only arrays, (D, S), row *d* for session *d*.

    Attributes
    ----------
    open, high, low, close, vwap : money per share, unadjusted; NaN where the fund did not trade
    volume : shares; zero where the fund did not trade
    traded : bool; there is a bar, and its volume is not zero
    listed : bool; from the listing day on, until the day before the listing ends
    reference : the exchange's reference price, known before the open; NaN before the first bar
    mark : the close, or while halted the reference; NaN before the first bar and from the end of the fund on
    limit_up, limit_down : money per share; +inf and 0 where there is no limit
    lot, tick, buy_fee_rate, sell_fee_rate : rules of the session
    events : corporate actions, in the order in which they take effect, with what each pays
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    vwap: Floats
    volume: Floats
    traded: Bools
    listed: Bools
    reference: Floats
    mark: Floats
    limit_up: Floats
    limit_down: Floats
    lot: NDArray[np.int64]
    tick: Floats
    buy_fee_rate: Floats
    sell_fee_rate: Floats
    events: tuple[Event, ...]

    def until(self, row: int) -> Self:
        """Return the market whose last session is ``row``."""
        arrays = {
            each.name: getattr(self, each.name)[: row + 1] for each in fields(Market) if each.name != "events"
        }
        return replace(self, **arrays, events=tuple(event for event in self.events if event.row <= row))

    def of(self, columns: slice) -> Market:
        """Return the market of some funds, as windows on this one; of merges nothing is left."""
        arrays = {
            each.name: getattr(self, each.name)[:, columns]
            for each in fields(Market)
            if each.name != "events"
        }
        places = range(self.mark.shape[1])[columns]
        own = (event for event in self.events if event.column in places and event.kind != "merge")
        events = tuple(replace(event, column=event.column - places.start) for event in own)
        return Market(**arrays, events=events)

    @property
    def local(self) -> Market:
        """The same market, each fund in its own currency."""
        return self

    @property
    def money(self) -> Floats:
        """What money of each fund's currency is worth in that of the run in the session, (D, S)."""
        return np.broadcast_to(np.float64(1.0), self.mark.shape)

    @property
    def known_money(self) -> Floats:
        """The same before the open of the session, (D, S)."""
        return self.money

    def fee_rates(self, conversion: float) -> tuple[Floats, Floats]:
        """Return the fees of buying and selling, (D, S); ``conversion`` is for funds of another currency."""
        return self.buy_fee_rate, self.sell_fee_rate

    @cached_property
    def tradable(self) -> Bools:
        """Whether a fund can be ordered at all, (D, S): it is listed, and has a reference price."""
        result = self.listed & np.isfinite(self.reference)
        result.flags.writeable = False
        return result

    @cached_property
    def adjustment(self) -> Floats:
        """What a price must be multiplied by to carry all splits and dividends since the first session.

        Grows forward in time, so that later actions never rewrite it; ratios are the announced ones.
        """
        if not any(event.kind in ("split", "dividend") for event in self.events):
            return np.broadcast_to(np.float64(1.0), self.mark.shape)
        steps = np.ones_like(self.mark)
        for event in self.events:
            if event.row == len(steps):
                continue
            if event.kind == "split":
                steps[event.row, event.column] *= event.ratio
            elif event.kind == "dividend":
                before = self.mark[event.row - 1, event.column]
                if before > event.cash:
                    steps[event.row, event.column] *= before / (before - event.cash)
        return np.multiply.accumulate(steps, axis=0)

    @cached_property
    def split_factor(self) -> Floats:
        """Shares that one of the first session has become, (D, S): all splits since, and nothing else."""
        if not any(event.kind == "split" for event in self.events):
            return np.broadcast_to(np.float64(1.0), self.mark.shape)
        steps = np.ones_like(self.mark)
        for event in self.events:
            if event.kind == "split" and event.row < len(steps):
                steps[event.row, event.column] *= event.ratio
        return np.multiply.accumulate(steps, axis=0)

    @cached_property
    def total_return_level(self) -> Floats:
        """Marks with all splits and dividends since the first session, and what the end of a fund brings.

        That is what a liquidation pays, or what a merge gives at the successor's reference price. NaN before
        the first bar and after the end; the quotient of two rows is a total return.
        """
        if not self.events:
            return self.mark
        level = self.mark * self.adjustment
        for event in self.events:
            if event.kind in ENDS:
                merges = event.kind == "merge"
                worth = event.ratio * self.reference[event.row, event.into] if merges else event.cash
                level[event.row, event.column] = worth * self.adjustment[event.row, event.column]
        return level

    @cached_property
    def volatility(self) -> Floats:
        """Daily volatility known before the open: of the last 20 returns close / reference - 1.

        Sample standard deviation over the sessions on which the fund traded; 0.02 while there are fewer
        than five of them. Used by the impact of an order only.
        """
        funds = self.close.shape[1]
        result = np.full(self.close.shape, VOLATILITY_UNKNOWN)
        with np.errstate(invalid="ignore", divide="ignore"):
            returns = self.close / self.reference - 1.0
        known = self.traded & np.isfinite(returns)
        for column in range(funds):
            of_fund = known[:, column]
            deviations = sample_deviations(returns[of_fund, column], VOLATILITY_SESSIONS)
            before: NDArray[np.int64] = np.cumsum(of_fund) - of_fund
            enough = before >= VOLATILITY_MINIMUM
            result[enough, column] = deviations[before[enough]]
        result.flags.writeable = False
        return result


def build_market(
    bars: Mapping[str, Floats],
    events: tuple[Event, ...],
    listed: Bools,
    last_nav: Floats,
    rules: RuleArrays,
) -> Market:
    """Return the market face of bars (D, S), NaN where a fund has none.

    ``last_nav`` is the NAV of the latest day before each session, (D, S).
    """
    volume = np.nan_to_num(bars["volume"], nan=0.0)
    traded = listed & (volume > 0) & np.isfinite(bars["close"])
    tick = rules.tick
    given = bars.get("pre_close", np.full_like(volume, np.nan))
    reference, mark, adjusted = _reference_and_mark(bars["close"], given, traded, last_nav, tick, events)
    events = in_order(_with_pay_out(event, adjusted, reference) for event in events)
    for event in events:
        if event.kind in ENDS:
            reference[event.row :, event.column] = np.nan
            mark[event.row :, event.column] = np.nan
    up, down = _limits(reference, rules.price_limit, tick)
    amount = bars.get("amount", np.full_like(volume, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        vwap = np.where(traded, amount / volume, np.nan)
    prices = {name: _where(traded, bars[name]) for name in ("open", "high", "low", "close")}
    market = Market(
        **prices,
        vwap=vwap,
        volume=volume if traded.all() else np.where(traded, volume, 0.0),
        traded=traded,
        listed=listed,
        reference=reference,
        mark=mark,
        limit_up=up,
        limit_down=down,
        lot=rules.lot,
        tick=tick,
        buy_fee_rate=rules.buy_fee_rate,
        sell_fee_rate=rules.sell_fee_rate,
        events=events,
    )
    for value in vars(market).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return market


def _limits(reference: Floats, limit: Floats, tick: Floats) -> tuple[Floats, Floats]:
    """Return the limit prices of each session, inf and 0 where there is none."""
    if np.isnan(limit).all():
        return np.broadcast_to(np.inf, reference.shape), np.broadcast_to(0.0, reference.shape)
    with np.errstate(invalid="ignore"):
        up = round_half_up_array(reference * (1.0 + limit), tick)
        down = round_half_up_array(reference * (1.0 - limit), tick)
    up[np.isnan(up)], down[np.isnan(down)] = np.inf, 0.0
    return up, down


def _where(traded: Bools, prices: Floats) -> Floats:
    """Return the prices of the sessions on which funds traded; the array itself if it has no others."""
    return np.where(traded, prices, np.nan) if (traded < ~np.isnan(prices)).any() else prices


def _reference_and_mark(
    close: Floats,
    given: Floats,
    traded: Bools,
    last_nav: Floats,
    tick: Floats,
    events: tuple[Event, ...],
) -> tuple[Floats, Floats, Floats]:
    """Return reference prices, marks, and the marks before adjusted for the actions of the session."""
    known = np.isfinite(given)
    mark = np.where(traded, close, given)
    absent = ~(traded | known)
    carried = np.full_like(close, np.nan)
    by_row: dict[int, list[Event]] = {}
    for event in events:
        by_row.setdefault(event.row, []).append(event)
    for row in range(len(close)):
        if row:
            carried[row] = mark[row - 1]
        if row in by_row:
            _adjust(carried[row], by_row[row], tick[row])
        np.copyto(mark[row], carried[row], where=absent[row])
    reference = np.where(known, given, carried)
    first = traded & np.isnan(reference)
    reference[first] = round_half_up_array(last_nav[first], tick[first])
    return reference, mark, carried


def _adjust(marks: Floats, events: Sequence[Event], tick: Floats) -> None:
    """Adjust the marks of the session before, (S,), for the actions of one, in place."""
    changed = set()
    for event in events:
        if event.kind == "dividend":
            marks[event.column] -= event.cash
        elif event.kind == "split":
            marks[event.column] /= event.ratio
        if event.kind not in ENDS:
            changed.add(event.column)
    for column in changed:
        marks[column] = round_half_up(marks[column], tick[column])


def _with_pay_out(event: Event, adjusted: Floats, reference: Floats) -> Event:
    """Return the end of a fund with the cash that nobody announced.

    A liquidation pays the last mark, adjusted until then; the fraction of a share that a merge leaves, the
    successor's reference price. A successor that has none yet is nothing to merge into.
    """
    if event.kind == "merge" and np.isfinite(reference[event.row, event.into]):
        announced = np.isfinite(event.cash)
        return event if announced else replace(event, cash=float(reference[event.row, event.into]))
    if event.kind not in ENDS or (event.kind == "liquidation" and np.isfinite(event.cash)):
        return event
    cash = float(np.nan_to_num(adjusted[event.row, event.column], nan=0.0))
    return replace(paid_at_last_mark(event.row, event.column), cash=cash)
