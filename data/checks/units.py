"""Checks of fund units: dates read as numbers, another unit of measure, sessions without a count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from data.checks.finding import Finding, Severity
from data.checks.inputs import Inputs
from data.checks.jumps import UNIT_SCALE
from data.checks.reading import Floats, frequency, grouped, records, worst
from data.facts.shipped import facts_in, shipped
from data.facts.symbols import market_of
from data.words import count

# The smallest exchange-traded funds have about a million units in China, and 50,000 in the US.
_FEWEST = {"cn_etf": 500_000, "us_etf": 10_000}
# Volume of a day over units in the middle of a series, as (warning, error). Every unit would change hands
# ten times, day after day; or each once in two hundred years. What was bought today of a Chinese stock fund
# is sold tomorrow at the earliest, and few funds of foreign stocks trade more.
_HIGHEST_TURNOVER = (0.75, 10.0)
_LOWEST_TURNOVER = (0.001, 0.00002)
# Days with units and volume that tell a turnover.
_TURNOVER_DAYS = 10
# Money in the largest fund there is, and a reserve: 510300 had 430 billion yuan, VOO 900 billion dollars.
_LARGEST = {"cn_etf": 1e12, "us_etf": 3e12}
# How far, in powers of ten, a count is from a power of ten times what a report says, if it is in that unit.
_NEAR = 0.1
# Steps in which counts of many funds change, in the middle, and the largest that single funds have.
_STEPS, _LARGEST_STEP, _MANY_FUNDS = (250_000.0, 4_500_000.0), 7_000_000.0, 5
_CANDIDATES = tuple(
    digits * 10.0**power for power in range(4, 9) for digits in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0)
)
# The same of one American fund, whose creation units have thousands to hundreds of thousands of shares. A
# vendor who rounds to two digits makes large steps too, but not of less than a fiftieth of the count.
_AMERICAN_STEPS, _FINE_STEP = (750.0, 20_000_000.0), 0.02
_AMERICAN_CANDIDATES = tuple(
    digits * 10.0**power for power in range(1, 9) for digits in (1.0, 1.5, 2.0, 2.5, 4.0, 5.0, 7.5)
)
# Rounded counts are multiples of a power of ten, and change by as many of them as a creation unit has, dozens
# at least; what is a hundredth of the truth changes by a few creation units a day.
_DOZENS = 25
# Changes that tell a step, at least, and of a long series the latest; the part that must be multiples of it,
# but for what a count in 10^4 with two digits rounds off.
_LEAST_CHANGES, _LATEST_CHANGES, _MOST_CHANGES, _ROUNDED = 8, 250, 0.75, 150.0
# Changes that are all alike tell how much came, and not what it is counted in.
_LEAST_DIFFERENT = 4
_MEASURES = "Name the units of measure of `units` and of `volume` in a map file (--map)."
_AGAIN = "Import the units again, from the exchange's or the fund company's own file."


def date_as_number(data: Inputs) -> Iterator[Finding]:
    """Find counts that are dates: 20260630 units.

    1. The count reads as a date, year, month and day, from 1990 to a year after its row.
    2. And it cannot be a count: it is within a year of its own row, or a neighbour in its series differs by
       half, or the whole series consists of several dates. (A small fund may truly have 20,051,123 units.)
    """
    units = data.tables["units"]
    whole = units["units"].where(units["units"].between(19_900_101, 21_001_231) & (units["units"] % 1 == 0))
    if whole.isna().all():
        return
    text = whole.map("{:.0f}".format, na_action="ignore")
    age = (units["day"] - pd.to_datetime(text, format="%Y%m%d", errors="coerce")).dt.days
    is_date = age > -366
    series = units.groupby("symbol")["units"]
    only_dates = is_date.groupby(units["symbol"]).transform("all") & (series.transform("nunique") > 1)
    away = pd.Series(False, index=units.index)
    for rows in (1, -1):
        away |= np.abs(np.log(units["units"] / series.shift(rows))) > np.log(1.5)
    for symbol, found in grouped(units[is_date & ((age < 366) | away | only_dates)], "symbol"):
        yield Finding.on(
            "date-as-number",
            "error",
            "units",
            str(symbol),
            found["day"],
            f"{found['units'].iloc[0]:.0f} units is a date, not a count",
            _AGAIN,
        )


def implausible_units(data: Inputs) -> Iterator[Finding]:
    """Find counts too small or too large for a fund: a wrong field, or units in 10^4 or 10^8.

    1. Fewer than 500,000 units in China, 10,000 in the US.
    2. Daily volume above ten times the units in the middle, or below a 50,000th of them: one of both is in
       another unit of measure. Chinese ones above three quarters or below a thousandth are a warning
       (`partial-tape` looks after American ones).
    3. Units times close above what the largest fund holds: 10^12 yuan, 3 x 10^12 dollars.
    4. Units, or units times close, a power of ten times what a report said of the day, or of that part of it,
       as far as etflow ships one (`etflow data facts statements`): a warning.
    5. Counts of an American fund that change in steps of less than 750 shares, or of 20 million and more: a
       warning. So 100 times too few and 10,000 times too many are told by one fund. What lies between is told
       by published net assets alone (`net-assets`): creation units and turnovers of funds differ by as much.
       A small step to which counts are rounded is none.
    """
    units = data.tables["units"]
    codes, names = pd.factorize(units["symbol"])
    few = units["units"] < np.array([_FEWEST[market_of(str(name))] for name in names], np.float64)[codes]
    for symbol, rows in grouped(units[few], "symbol"):
        yield Finding.on(
            "implausible-units",
            "error",
            "units",
            str(symbol),
            rows["day"],
            f"{rows['units'].iloc[0]:,g} units are too few for a fund: a wrong unit of measure or field",
            "Name the unit of `units` in a map file (--map), or leave the rows out.",
        )
    bars = data.tables["bars"][["symbol", "day", "volume", "close"]]
    # Volume that its own amount contradicts is `lots-for-shares`, and says nothing about units.
    sound = (data.vwap["scale"].reindex(bars.index, fill_value=0) == 0).to_numpy()
    enough = units[~few]
    told_of = [fact for fact in facts_in(shipped("statements")) if fact["fund"] in names]
    if told_of:
        ours = enough[enough["symbol"].isin([fact["fund"] for fact in told_of])]
        yield from _said_otherwise(told_of, ours.merge(bars[sound], on=["symbol", "day"], how="left"))
    places = data.beside("units", "bars")
    here = (places >= 0) & ~few
    here[here] = sound[places[here]]
    both = units[here].assign(**{name: bars[name].to_numpy()[places[here]] for name in ("volume", "close")})
    for symbol, rows in grouped(both, "symbol"):
        told = _too_large(str(symbol), rows) or _turnover(str(symbol), rows) or _american(str(symbol), rows)
        if told is not None:
            yield Finding.on(
                "implausible-units",
                told[0],
                "units",
                str(symbol),
                rows["day"],
                told[1],
                _MEASURES,
            )


def _too_large(symbol: str, rows: pd.DataFrame) -> tuple[Severity, str] | None:
    market = market_of(symbol)
    assets = _median(rows["units"].to_numpy() * rows["close"].to_numpy())
    if assets <= _LARGEST[market]:
        return None
    return "error", f"units times close is {assets:,.3g}, more than any fund has: {_LARGEST[market]:,.0f}"


def _turnover(symbol: str, rows: pd.DataFrame) -> tuple[Severity, str] | None:
    """Return what volume over units in the middle says against one of them, None if nothing."""
    volume, units = (rows[name].to_numpy(np.float64) for name in ("volume", "units"))
    traded = volume > 0
    turnover = _median(volume[traded] / units[traded])
    (high, highest), (low, lowest) = _HIGHEST_TURNOVER, _LOWEST_TURNOVER
    if turnover > highest:
        return "error", f"daily volume is {turnover:,.0f} times the units"
    if np.count_nonzero(traded) < _TURNOVER_DAYS:
        return None
    said = f"daily volume is {turnover:.2g} of the units in the middle"
    if turnover < lowest:
        return "error", f"{said}: so little is traded of no fund"
    if low <= turnover <= high or market_of(symbol) != "cn_etf":
        return None
    times = "too few" if turnover > high else "too many"
    return "warning", f"{said}: the units are probably {times}, by a factor of 100 or more"


def _median(numbers: Floats) -> float:
    """Return the number in the middle of those that are there; NaN if none is."""
    there = numbers[~np.isnan(numbers)]
    return float(np.median(there)) if len(there) else np.nan


def _american(symbol: str, rows: pd.DataFrame) -> tuple[Severity, str] | None:
    """Return what the changes of an American count say against its unit of measure, None if nothing."""
    if market_of(symbol) != "us_etf":
        return None
    counts = rows["units"].to_numpy(np.float64)
    step, (low, high) = _step(counts, _AMERICAN_CANDIDATES), _AMERICAN_STEPS
    large = step >= high and step < _FINE_STEP * float(np.median(counts))
    if not (0.0 < step <= low or large) or _is_grain(step, counts):
        return None
    times = "10,000 times too large" if large else "100 times too small"
    said = f"counts change in steps of {step:,.0f}, and creation units have tens of thousands of shares"
    return "warning", f"{said}: the counts are probably {times}"


def _is_grain(step: float, counts: Floats) -> bool:
    """Tell whether counts are rounded to the step, as 12.3456M is to hundreds."""
    changes = np.abs(np.diff(counts))
    many = float(np.median(changes[changes > 0.0])) >= _DOZENS * step
    return many and round(math.log10(step), 9) % 1 == 0 and bool((counts % step == 0).all())


def _said_otherwise(facts: Sequence[Mapping[str, str]], units: pd.DataFrame) -> Iterator[Finding]:
    """Find counts that reports on file contradict by a power of ten, but for a quarter."""
    for fact in facts:
        kind, value = fact["statement"], fact["value"]
        if kind not in ("units", "aum") or value.startswith((">", "<")):
            continue
        there = units[(units["symbol"] == fact["fund"]) & (units["day"] == pd.Timestamp(fact["day"]))]
        for row in records(there):
            found = row.units if kind == "units" else row.units * row.close
            power = math.log10(found / float(value)) if found > 0.0 else 0.0
            if round(power) != 0 and abs(power - round(power)) < _NEAR:
                yield Finding.on(
                    "implausible-units",
                    "warning",
                    "units",
                    row.symbol,
                    row.day,
                    f"units{' times close' if kind == 'aum' else ''} are {found:,.4g}, and a report says "
                    f"{float(value):,.4g} ({fact['source']})",
                    _MEASURES,
                )


def creation_steps(data: Inputs) -> Iterator[Finding]:
    """Warn of Chinese counts whose changes, fund by fund, have no common measure that a creation unit can be.

    Units are created and redeemed in whole creation units, in 2026 from 0.1 to 6 million of them, 1 million
    in the middle of 982 stock funds. So the largest step of which most changes are multiples is ten times
    too large or too small with the counts. A twentieth of funds have steps of 200,000 or less, a fiftieth
    of 5 million or more: what is far from usual must be so of half of five funds; of fewer, beyond all.
    Funds that `implausible_units` finds do not count.
    """
    units, found = data.tables["units"], data.found.get("implausible-units", ())
    counts = units["units"].to_numpy(np.float64)
    chinese = [
        slice(*rows)
        for symbol, rows in data.stretches("units").items()
        if symbol not in found and market_of(symbol) == "cn_etf"
    ]
    steps = [step for rows in chinese if (step := _step(counts[rows]))]
    if not steps:
        return
    middle, funds = float(np.median(steps)), count(len(steps), "fund")
    low, high = _STEPS if len(steps) >= _MANY_FUNDS else (0.0, _LARGEST_STEP)
    if low < middle < high:
        return
    yield Finding.on(
        "implausible-units",
        "warning",
        "units",
        "CN",
        pd.concat([units["day"][rows] for rows in chinese]),
        f"counts of {funds} change in steps of {middle:,.0f} in the middle, creation units are "
        f"about a million: the counts are probably ten times too {'large' if middle >= high else 'small'}",
        _MEASURES,
    )


def _step(counts: Floats, candidates: Sequence[float] = _CANDIDATES) -> float:
    """Return the largest step of which three of four changes are multiples, 0 where nothing tells it."""
    changes = np.abs(np.diff(counts))
    changes = changes[changes > 0.0][-_LATEST_CHANGES:]
    if len(changes) < _LEAST_CHANGES or len(np.unique(changes)) < _LEAST_DIFFERENT:
        return 0.0
    steps = np.array(candidates)[:, None]
    rest = np.abs(changes - np.rint(changes / steps) * steps)
    fitting = (rest <= np.minimum(_ROUNDED, steps / 50.0)).mean(axis=1) >= _MOST_CHANGES
    return float(steps[fitting][-1, 0]) if fitting.any() else 0.0


def units_scale(data: Inputs) -> Iterator[Finding]:
    """Find counts that change by a factor of 50 or more: another unit of measure, or a misread row."""
    steps = data.steps("units")
    changed = (steps["ratio"] >= UNIT_SCALE) | (steps["ratio"] <= 1 / UNIT_SCALE)
    for symbol, rows in grouped(steps[changed], "symbol"):
        first = next(records(rows))
        yield Finding.on(
            "units-scale",
            "error",
            "units",
            str(symbol),
            rows["day"],
            f"units change from {first.before:,.0f} to {first.units:,.0f} from one row to the next",
            _AGAIN,
        )


def units_gap(data: Inputs) -> Iterator[Finding]:
    """Note sessions without a count between two counts: their flows are merged into the next one."""
    steps = data.steps("units")
    for symbol, rows in grouped(steps[steps["skipped"] > 0], "symbol"):
        without = count(int(rows["skipped"].sum()), "session")
        longest, every = worst(rows, "skipped"), data.rows_of("units", str(symbol)).index
        usual = frequency(steps.loc[every])
        yield Finding.on(
            "units-gap",
            "note",
            "units",
            str(symbol),
            rows["day"],
            f"{without} without a count, at most {longest.skipped} in a row before "
            f"{longest.day:%Y-%m-%d}; {count(len(rows), 'flow')} over more than one session"
            + ("" if usual.startswith("daily") else f"; counts are {usual}"),
            "Nothing to do, unless a fuller source exists: merged flows are flagged as such, and counts that "
            "come seldom are good until the next is due.",
        )
