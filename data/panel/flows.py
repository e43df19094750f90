"""Flows by the session to which they belong, of fund units and of leveraged money; and NAV as a price.

Steps, and where each is done:

1. per pair of neighbouring unit counts, the splits that lie between them (``_unit_basis``): the exchanges'
   files switch to the new basis on the record day, one session before prices do; some vendors lag;
2. the split-safe change of units ``dN = N - N_before * K``, less what a merge brought (``unit_changes``);
3. its value at a price on the same basis as the count (``unit_prices``): VWAP, as the press does it, NAV,
   as the literature does it, the NAV before, or the close.

Only announced splits are used: units that double without one are a flow, and a flow that looks like a split
is worth knowing. Everything here is decided with what was known on the session itself, so that appending
later data changes nothing. Sources: ``docs/assumptions.md``, sections on flows and splits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.choices import VALUATIONS
from data.errors import check_choice
from data.facts.actions import Event

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


# In place of the row of a value before: there is none; a later one was public before this one.
NONE = -1
OVERTAKEN = -2


@dataclass(frozen=True)
class UnitFlows:
    """Changes of fund units, (D, S), row *t* for the session to which the count belongs; NaN without one.

    Attributes
    ----------
    change : fund units created less redeemed since the count before, on the basis of today's count
    before : row of the count before; -1 where there is none
    growth : K, new units per old between the two counts
    basis : new units per unit of the fund's first day, as the counts have it
    price_divisor : what today's market price must be divided by to be on the basis of today's count
    pending : ratio of the splits whose record day has come and whose ex-day has not; 1 elsewhere
    adjusted : the count on the basis of the fund's first day, for comparisons over time
    """

    change: Floats
    before: Integers
    growth: Floats
    basis: Floats
    price_divisor: Floats
    pending: Floats
    adjusted: Floats

    @property
    def merged(self) -> Integers:
        """Number of sessions that the change covers: 1 is usual, more where counts are missing between."""
        rows = np.arange(len(self.before))[:, None]
        return np.where(self.before >= 0, rows - self.before, 0)


def unit_changes(units: Floats, events: tuple[Event, ...], usable_from: Integers | None = None) -> UnitFlows:
    """Return the split-safe changes of ``units`` (D, S), NaN where no count was published.

    ``usable_from`` (D, S) is when each count became public; without it, in the order of sessions. Counts are
    compared as they came out: a count that came later than one of a later session changes nothing any more.
    """
    before = row_before(units, usable_from)
    split = any(event.kind == "split" for event in events)
    # Without a split, one number stands for all of them.
    basis = price_divisor = pending = np.broadcast_to(1.0, units.shape)
    if split:
        switched, price_divisor = _unit_basis(units, before, events)
        pending = pending_splits(events, units.shape)
        # basis[t] is the product of all ratios up to t; K between two counts is a quotient of two of them.
        basis = np.multiply.accumulate(switched, axis=0)
    columns = np.broadcast_to(np.arange(units.shape[1]), units.shape)
    has_before = before >= 0
    rows = np.where(has_before, before, 0)
    growth = np.where(has_before, 1.0, np.nan)
    for column in sorted({event.column for event in events if event.kind == "split"}):
        quotient = basis[:, column] / basis[rows[:, column], column]
        growth[:, column] = np.where(has_before[:, column], quotient, np.nan)
    change = np.where(has_before, units - units[rows, columns] * growth, np.nan)
    change[np.isnan(units)] = np.nan
    for event in events:
        if event.kind == "merge":
            _take_out_merged(change, units, before, basis, event, usable_from)
    adjusted = units / basis if split else units
    return UnitFlows(change, before, growth, basis, price_divisor, pending, adjusted)


def _take_out_merged(
    change: Floats,
    units: Floats,
    before: Integers,
    basis: Floats,
    event: Event,
    usable_from: Integers | None,
) -> None:
    """Take the units that a merge brings out of the successor's change: nobody put money in for them.

    They are the last count of the old fund times the ratio, and stand in the first count from the ex-day on.
    Without such a count the change is not known.
    """
    old, new = event.column, event.into
    row, last = _joined_at(units, before, event, usable_from)
    if row == NONE:
        return
    if last == NONE:
        change[row, new] = np.nan
        return
    merged = units[last, old] * basis[event.row, old] / basis[last, old] * event.ratio
    change[row, new] -= merged * basis[row, new] / basis[event.row, new]


def _joined_at(
    values: Floats, before: Integers, event: Event, usable_from: Integers | None
) -> tuple[int, int]:
    """Return the rows of the successor's first change that a merge is in, and of the old fund's last value.

    ``NONE`` where there is no such change, or no value that was public by then.
    """
    old, new = event.column, event.into
    spans = np.isfinite(values[:, new]) & (before[:, new] >= 0) & (before[:, new] < event.row)
    spans[: event.row] = False
    if not spans.any():
        return NONE, NONE
    row = int(np.argmax(spans))
    known = np.isfinite(values[:, old])
    known[event.row :] = False
    if usable_from is not None:
        known &= usable_from[:, old] <= usable_from[row, new]
    return row, int(np.flatnonzero(known)[-1]) if known.any() else NONE


def unit_prices(
    valuation: str,
    flows: UnitFlows,
    *,
    vwap: Floats,
    close: Floats,
    mark: Floats,
    nav: Floats,
) -> Floats:
    """Return the money per unit at which changes are valued, (D, S), on the basis of the count of the day.

    ``vwap`` and ``close`` fall back to the mark where the fund was halted, since units are created all the
    same; of NAV see :func:`nav_as_prices`. NaN where there is no such price.
    """
    check_choice("valuation", valuation, VALUATIONS)
    divisor = flows.price_divisor
    if valuation == "vwap":
        return np.where(np.isfinite(vwap), vwap, mark) / divisor
    if valuation == "close":
        return np.where(np.isfinite(close), close, mark) / divisor
    on_basis = nav_as_prices(nav, mark, flows.pending) / divisor
    if valuation == "nav":
        return on_basis
    columns = np.broadcast_to(np.arange(nav.shape[1]), nav.shape)
    latest = row_before(nav)
    rows = np.where(latest >= 0, latest, 0)
    growth = flows.basis / flows.basis[rows, columns]
    return np.where(latest >= 0, on_basis[rows, columns] / growth, np.nan)


def nav_as_prices(nav: Floats, price: Floats, pending: Floats) -> Floats:
    """Return NAV on the basis of market prices.

    Where ``pending`` (``pending_splits``) is not 1 a fund publishes its NAV before or after the split:
    whichever is nearer to the price, as a ratio, is taken. NaN stays NaN.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        after_split = np.abs(np.log(nav * pending / price)) < np.abs(np.log(nav / price))
    return np.where((pending != 1.0) & after_split, nav * pending, nav)


def nav_premium(close: Floats, nav: Floats, pending: Floats) -> Floats:
    """Return the close over NAV less one, both before or both after a split; NaN without both."""
    positive = np.where(nav > 0.0, nav, np.nan)
    return close / nav_as_prices(positive, close, pending) - 1.0


def pending_splits(events: tuple[Event, ...], shape: tuple[int, ...]) -> Floats:
    """Return the ratio of splits whose record day has come and whose ex-day has not, (D, S); 1 elsewhere."""
    pending = np.ones(shape)
    for event in events:
        if event.kind == "split":
            pending[event.record_row : event.row, event.column] *= event.ratio
    return pending


def net_financing(
    balance: Floats,
    *,
    recorded_from: Integers | int,
    usable_from: Integers | None = None,
    events: tuple[Event, ...] = (),
) -> tuple[Floats, Integers]:
    """Return net financing purchases (D, S), the change of the balance, and the row of the balance before.

    The change is the only form that exists for SZSE funds, which publish no repayments. On a fund's first
    row the balance before is zero if the records of its market began earlier (the fund became eligible
    then), and unknown, NaN, if they begin with it. ``recorded_from``, one or (S,), is the first row of the
    records. What was financed of a fund that merges is so of its successor from the ex-day on: its last
    balance is taken out of the successor's first change then, as nobody bought anything.
    """
    before = row_before(balance, usable_from)
    columns = np.broadcast_to(np.arange(balance.shape[1]), balance.shape)
    rows = np.arange(len(balance))[:, None]
    earlier = np.where(before >= 0, balance[np.where(before >= 0, before, 0), columns], np.nan)
    newly_eligible = (before == NONE) & np.isfinite(balance) & (rows > recorded_from)
    change: Floats = balance - np.where(newly_eligible, 0.0, earlier)
    for event in events:
        if event.kind == "merge":
            row, last = _joined_at(balance, before, event, usable_from)
            if row != NONE and last != NONE:
                change[row, event.into] -= balance[last, event.column]
    return change, before


def row_before(values: Floats, usable_from: Integers | None = None) -> Integers:
    """Return for each cell the row of the value before it in its column.

    ``NONE`` where there is no value before. With ``usable_from``, values follow each other as they became
    public; one that became public after a value of a later session is ``OVERTAKEN``.
    """
    known = np.isfinite(values)
    rows = np.where(known, np.arange(len(values))[:, None], NONE)
    latest = np.maximum.accumulate(rows, axis=0)
    before = np.full(values.shape, NONE, dtype=np.int64)
    before[1:] = latest[:-1]
    if usable_from is None:
        return before
    for column in range(values.shape[1]):
        own = np.flatnonzero(known[:, column])
        published = usable_from[own, column]
        if (np.diff(published) >= 0).all():
            continue
        newest = NONE
        for row in own[np.lexsort((own, published))]:
            before[row, column] = newest if row > newest else OVERTAKEN
            newest = max(newest, int(row))
    return before


def _unit_basis(units: Floats, before: Integers, events: tuple[Event, ...]) -> tuple[Floats, Floats]:
    """Return the ratio by which counts switch on each session, and the divisor of prices."""
    switched = np.ones_like(units)
    divisor = np.ones_like(units)
    for event in events:
        if event.kind != "split":
            continue
        row = _switch_row(units[:, event.column], before[:, event.column], event)
        if row < len(units):
            switched[row, event.column] *= event.ratio
        divisor[row : event.row, event.column] *= event.ratio
    return switched, divisor


def _switch_row(units: Floats, before: Integers, event: Event) -> int:
    """Return the session on which the counts switch: the first from the record day on that looks split.

    A count is nearer (in ratio) either to the count before or to its split multiple. Waiting for the count
    after would tell more, but is not known yet when the flow of the day is used. A fund's very first count is
    taken as switched, as the exchanges do it.
    """
    for row in range(event.record_row, event.row):
        if np.isfinite(units[row]) and before[row] == NONE:
            return row
        if np.isfinite(units[row]) and before[row] >= 0:
            ratio = units[row] / units[before[row]]
            if abs(np.log(ratio / event.ratio)) < abs(np.log(ratio)):
                return row
    return event.row
