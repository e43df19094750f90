"""Checks for splits that nobody recorded, and for units that jump like one without being one.

Prices change on the ex-day, unit counts of the exchanges already on the record day, a session earlier.
A split is never inferred from units alone: funds really do double and halve within a day, so units without
a move of prices or NAV are reported by `unit-jump`, and block nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import LARGEST_MOVE, UNKNOWN_LIMIT, Inputs
from data.checks.reading import days_of, records
from data.facts.unit_splits import known_splits
from data.words import count

# Jumps of one fund that are no farther apart are one event, and days no farther away belong to one.
NEARBY = timedelta(days=10)
# An exchange reference price that lies farther from the adjusted close is a split, or a dividend so large
# that leaving it out wrecks a backtest just as much. Nearer ones are left to `reference-price`.
LARGE_CUT = 1.10
# From here on a jump of units is another unit of measure (`units-scale`); no split in use is as large.
UNIT_SCALE = 50.0
_UNIT_JUMP = 1.8
_SMALL_MOVE = 1.4
# Factors that are one, but for what trading or a flow added on the day.
_ALIKE = 1.25
_ADJUSTED_FOR_IT = (
    "the vendor adjusted these prices for it: take them out (`etflow data remove`), and import them as "
    "traded, with the split (yfinance's file with its column `Stock Splits` brings both)."
)
# Ratios in use. Others are current practice too, so the announcement decides, not this list.
_RATIOS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0)


@dataclass(frozen=True)
class Jump:
    """A move that no trade explains, between two rows of a series; ``factor`` is after over before.

    ``told`` means that the factor is the exchange's own, not one that the day's trading has blurred;
    ``moved`` that prices of the day agree with it.
    """

    table: str
    symbol: str
    before_day: date
    day: date
    factor: float
    evidence: str
    told: bool = False
    moved: bool = True

    def near(self, first: date, last: date) -> bool:
        """Return whether the jump lies within ten days of a period."""
        return self.before_day - NEARBY <= last and first <= self.day + NEARBY


def unrecorded_split(data: Inputs) -> Iterator[Finding]:
    """Find splits, merges and very large dividends that the table `actions` lacks.

    1. A bar whose open and close both lie beyond the price limit of the close before, adjusted for recorded
       actions. Left out are single sessions that are off and come back (`price-spike`), and moves of less
       than 40 % between prices that a vendor adjusted (`adjusted-prices`).
    2. A bar whose exchange reference price is more than 10 % away from that close.
    3. A NAV that moves beyond the limit.
    4. Units that jump by k while prices or NAV move by about 1/k, by the session after at the latest.
    5. Of several such jumps within ten days the first in this order is reported. The ex-day of a recorded
       split is left to `split-ratio`, and so is a jump within ten days of it that its ratio explains: prices
       or NAV that switched on another day. A jump of prices on an ex-day of a dividend is `dividend-cash`.
    """
    for jump in unrecorded_jumps(data):
        yield Finding.on(
            "unrecorded-split",
            "error",
            jump.table,
            jump.symbol,
            jump.day,
            f"{jump.evidence}, and no action is recorded: {likely(1 / jump.factor, told=jump.told)}",
            _hint(jump),
        )


def _hint(jump: Jump) -> str:
    if any(jump.near(split.ex_day, split.ex_day) for split in known_splits().get(jump.symbol, ())):
        return "It is on file with its source: etflow data splits --data STORE --add."
    return (
        f"Look the announcement up, and add symbol {jump.symbol}, ex_day about {jump.day}, its ratio and "
        "record_day to the table `actions`."
    )


def unrecorded_jumps(data: Inputs) -> list[Jump]:
    """Return the jumps that `unrecorded-split` reports, by symbol and day, one for each event."""
    found: list[Jump] = []
    for jump in [*_price_jumps(data), *_nav_jumps(data), *_matched_unit_jumps(data)]:
        if not _recorded(data, jump) and not any(_same_event(jump, other) for other in found):
            found.append(jump)
    return sorted(found, key=lambda jump: (jump.symbol, jump.day))


def unit_jump(data: Inputs) -> Iterator[Finding]:
    """Find units that double or halve without a recorded split and without a move of prices.

    Never an error, because real flows of this size happen, and because a split without prices on file
    cannot be told from one. Jumps that `unrecorded-split` or `units-scale` report are left out. One finding
    for each fund, which shows the first jump.
    """
    steps = _unit_steps(data, _UNIT_JUMP)
    if steps.empty:
        return
    reported = unrecorded_jumps(data)
    found: dict[str, list[Jump]] = {}
    for row in records(steps):
        jump = _unit_jump_of(row)
        if row.ratio >= UNIT_SCALE or row.ratio <= 1 / UNIT_SCALE or _explained(data, row):
            continue
        if not any(_same_event(jump, other) for other in reported):
            found.setdefault(jump.symbol, []).append(jump)
    for symbol, jumps in found.items():
        move = _move_around(data, "bars", "close", jumps[0])
        seen = "no prices on file to tell" if move is None else f"prices moved x{move[0]:.2f}: no split"
        more = f"; {len(jumps) - 1} more later" if len(jumps) > 1 else ""
        yield Finding.on(
            "unit-jump",
            "warning",
            "units",
            symbol,
            [jump.day for jump in jumps],
            f"{jumps[0].evidence} without a recorded split, {seen}{more}",
            "It may be a true flow. If the fund announced a split, "
            + ("add it to the table `actions`." if move is None else _ADJUSTED_FOR_IT),
        )


def likely(ratio: float, *, told: bool) -> str:
    """Say what a ratio of new units to old looks like; ``told`` by the exchange, or blurred by trading."""
    usual = [*_RATIOS, *(1 / each for each in _RATIOS)]
    nearest = min(usual, key=lambda each: abs(np.log(ratio / each)))
    if abs(np.log(ratio / nearest)) > np.log(1.01 if told else 1.15):
        dividend = ", or there was a large dividend" if ratio > 1 else ""
        return f"the ratio is about {ratio:.4g}{dividend}"
    kind = f"split 1:{nearest:g}" if nearest > 1 else f"merge {1 / nearest:g}:1"
    return f"the ratio is about {ratio:.3g}, as of a {kind}"


def _price_jumps(data: Inputs) -> Iterator[Jump]:
    moves = data.moves
    cut = np.abs(np.log(moves["pre_close"] / moves["reference"])) > np.log(LARGE_CUT)
    told = cut & (moves["skipped"] == 0)
    beyond = (moves["beyond"] != 0) & ~moves["spike"] & ~moves["after_spike"]
    # Adjusting by subtraction makes percentages of old prices larger, and old limits look broken.
    small = np.abs(np.log(moves["open"] / moves["reference"])) < np.log(_SMALL_MOVE)
    adjusted = data.vwap["adjusted"].reindex(moves.index, fill_value=False)
    for row in records(moves.assign(told=told)[told | (beyond & ~(small & adjusted))]):
        has_reference = bool(np.isfinite(row.pre_close))
        factor = (row.pre_close if has_reference else row.open) / row.reference
        limit = f"limit {row.limit:.0%}" if np.isfinite(row.limit) else f"largest x{LARGEST_MOVE}"
        evidence = (
            f"close {row.before:g} on {row.before_day:%Y-%m-%d}, then open {row.open:g} and "
            f"close {row.close:g} (x{row.open / row.reference:.3f}, {limit})"
        )
        if has_reference:
            evidence += f", reference price {row.pre_close:g}"
        if row.skipped:
            evidence += f", {count(row.skipped, 'session')} without a bar between"
        moved = row.beyond != 0 and abs(np.log(row.open / row.reference / factor)) < np.log(_ALIKE)
        growth = _unit_growth_near(data, row.symbol, row.day.date())
        if growth is not None and abs(np.log(growth * factor)) < abs(np.log(growth)) / 2:
            evidence += f", units x{growth:.2f}"
        days = row.before_day.date(), row.day.date()
        yield Jump("bars", row.symbol, *days, factor, evidence, row.told, moved)


def _nav_jumps(data: Inputs) -> Iterator[Jump]:
    steps = data.steps("nav")
    # NAV has no limit of its own, but holds stocks that have; a tenth more for what else is in it.
    limit = 1.1 * data.price_limit(steps["symbol"], UNKNOWN_LIMIT)
    rise = np.minimum((1 + limit) ** (steps["skipped"].to_numpy(np.float64) + 1), LARGEST_MOVE)
    least = np.maximum(1 - limit, 0.0) ** (steps["skipped"].to_numpy(np.float64) + 1)
    fall = np.maximum(least, 1 / LARGEST_MOVE)
    for row in records(steps[(steps["ratio"] > rise) | (steps["ratio"] < fall)]):
        evidence = f"NAV {row.before:g} on {row.before_day:%Y-%m-%d}, then {row.nav:g} (x{row.ratio:.3f})"
        yield Jump("nav", row.symbol, row.before_day.date(), row.day.date(), row.ratio, evidence)


def _matched_unit_jumps(data: Inputs) -> Iterator[Jump]:
    for row in records(_unit_steps(data, 1.5)):
        jump = _unit_jump_of(row)
        for table, value in (("bars", "close"), ("nav", "nav")):
            move = _move_around(data, table, value, jump)
            if move is None or abs(np.log(move[0])) < np.log(_SMALL_MOVE):
                continue
            if abs(np.log(move[0] * jump.factor)) < np.log(_ALIKE):
                evidence = f"{jump.evidence}, and {value} x{move[0]:.3f} by {move[1]}"
                yield Jump("units", jump.symbol, jump.before_day, move[1], move[0], evidence)
                break


def _unit_steps(data: Inputs, least: float) -> pd.DataFrame:
    steps = data.steps("units")
    return steps[(steps["ratio"] >= least) | (steps["ratio"] <= 1 / least)]


def _unit_jump_of(row: Any) -> Jump:
    evidence = (
        f"units {row.before:,.0f} on {row.before_day:%Y-%m-%d}, then {row.units:,.0f} (x{row.ratio:.3f})"
    )
    return Jump("units", row.symbol, row.before_day.date(), row.day.date(), row.ratio, evidence)


def _move_around(data: Inputs, table: str, value: str, jump: Jump) -> tuple[float, date] | None:
    """Return by how much a series moved from before a jump of units to the row after it, and that day."""
    rows = data.rows_of(table, jump.symbol)
    days = days_of(rows["day"])
    before = int(np.searchsorted(days, np.datetime64(jump.before_day), side="right")) - 1
    after = int(np.searchsorted(days, np.datetime64(jump.day), side="right"))
    if before < 0 or after == len(days) or not jump.near(days[after].item(), days[after].item()):
        return None
    values = rows[value].to_numpy(np.float64)
    return float(values[after] / values[before]), days[after].item()


def _unit_growth_near(data: Inputs, symbol: str, day: date) -> float | None:
    """Return the largest move of units within ten days of a day, as a factor; None without units."""
    rows = data.rows_of("units", symbol)
    near = np.abs(days_of(rows["day"]) - np.datetime64(day)) <= np.timedelta64(NEARBY)
    counts = rows["units"].to_numpy(np.float64)[near]
    if len(counts) < 2:
        return None
    growth = counts[1:] / counts[:-1]
    return float(growth[np.argmax(np.abs(np.log(growth)))])


def _explained(data: Inputs, row: Any) -> bool:
    """Return whether a recorded split lies between two unit counts, and leaves a usual flow."""
    return any(
        split.record_day <= row.day
        and row.before_day < split.ex_day
        and abs(np.log(row.ratio / split.ratio)) < np.log(_UNIT_JUMP)
        for split in records(data.splits[data.splits["symbol"] == row.symbol])
    )


def _recorded(data: Inputs, jump: Jump) -> bool:
    """Return whether another check judges a jump: by a split that explains it, or a dividend on its day."""
    actions = data.tables["actions"][data.tables["actions"]["symbol"] == jump.symbol]
    dividends = actions["ex_day"][actions["kind"] == "dividend"].dt.date
    return any(
        _own(split, jump) or (jump.near(split.ex_day.date(), split.ex_day.date()) and _explains(split, jump))
        for split in records(data.splits[data.splits["symbol"] == jump.symbol])
    ) or (jump.moved and any(jump.before_day < day <= jump.day for day in dividends))


def _own(split: Any, jump: Jump) -> bool:
    """Return whether a jump is where a recorded split should show: of prices on the ex-day."""
    first = split.ex_day if jump.table == "bars" else split.record_day
    return bool(jump.before_day < split.ex_day.date() and first.date() <= jump.day)


def _explains(split: Any, jump: Jump) -> bool:
    """Return whether a jump is by the ratio of a split, one way or the other: it switched on another day."""
    by = min(abs(np.log(jump.factor * split.ratio)), abs(np.log(jump.factor / split.ratio)))
    return jump.moved and bool(by < np.log(_ALIKE))


def _same_event(jump: Jump, other: Jump) -> bool:
    return jump.symbol == other.symbol and jump.near(other.before_day, other.day)
