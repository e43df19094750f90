"""Checks against the splits that ship with etflow: those that a data set lacks, or records otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.jumps import NEARBY
from data.checks.reading import days_of, records
from data.facts.unit_splits import Split, known_splits

State = Literal["recorded", "contradicted", "missing", "adjusted", "outside"]

STATES: dict[State, str] = {
    "recorded": "recorded",
    "contradicted": "recorded otherwise",
    "missing": "missing, and the data show it",
    "adjusted": "missing, and the data do not show it",
    "outside": "outside the data",
}
COMMAND = "etflow data splits --data STORE --add"


@dataclass(frozen=True)
class Known:
    """A split on file, and what a data set says of it; ``told`` is what it records otherwise."""

    split: Split
    state: State
    told: str = ""


def announced_split(data: Inputs) -> Iterator[Finding]:
    """Find splits on file, with their sources, that the table `actions` lacks or contradicts.

    1. A recorded split within ten days is the same one; another ratio or ex-day is reported.
    2. A split that is not recorded is missing if the open of its ex-day is on the new basis; without prices
       of these days, if unit counts are by then. If not, somebody adjusted the data, and adding it would
       count it twice.
    """
    for known in compare(data):
        if known.state not in ("recorded", "outside"):
            yield _finding(known)


def compare(data: Inputs) -> list[Known]:
    """Return the splits on file of the funds that have bars or units, and what the data say of each."""
    funds = sorted({*data.tables["bars"]["symbol"].unique(), *data.tables["units"]["symbol"].unique()})
    return [_known(data, split) for symbol in funds for split in known_splits().get(symbol, ())]


def _known(data: Inputs, split: Split) -> Known:
    actions = data.tables["actions"]
    recorded = actions[(actions["symbol"] == split.symbol) & (actions["kind"] == "split")]
    for row in records(recorded):
        if abs(row.ex_day.date() - split.ex_day) <= NEARBY:
            same = row.ex_day.date() == split.ex_day and np.isclose(row.ratio, split.ratio, rtol=1e-6)
            told = f"a split of {row.ratio:g} with ex-day {row.ex_day:%Y-%m-%d}"
            return Known(split, "recorded") if same else Known(split, "contradicted", told)
    prices = _in_prices(data, split)
    seen = _in_units(data, split) if prices is None else prices
    return Known(split, "outside" if seen is None else "missing" if seen else "adjusted")


def _in_prices(data: Inputs, split: Split) -> bool | None:
    """Tell whether prices are on the new basis from the ex-day on; None without bars on both sides of it."""
    moves = data.moves_of(split.symbol)
    days = days_of(moves["day"])
    row = int(np.searchsorted(days, np.datetime64(split.ex_day)))
    if row == len(days) or days[row] - np.datetime64(split.ex_day) > NEARBY:
        return None
    bar: Any = next(records(moves.iloc[[row]]))
    if not np.isfinite(bar.before):
        return None
    return _nearer(bar.open / bar.before, 1 / split.ratio)


def _in_units(data: Inputs, split: Split) -> bool | None:
    """Tell whether unit counts are on the new basis by the ex-day; None without counts on both sides."""
    rows = data.rows_of("units", split.symbol)
    days, counts = days_of(rows["day"]), rows["units"].to_numpy(np.float64)
    first = np.datetime64(split.record_day or split.ex_day)
    before = int(np.searchsorted(days, first)) - 1
    after = int(np.searchsorted(days, np.datetime64(split.ex_day)))
    if before < 0 or after == len(days) or days[after] - days[before] > 2 * NEARBY:
        return None
    return _nearer(counts[after] / counts[before], split.ratio)


def _nearer(change: float, ratio: float) -> bool:
    """Tell whether a change is nearer to a ratio than to none at all."""
    return bool(abs(np.log(change / ratio)) < abs(np.log(change)))


def _finding(known: Known) -> Finding:
    split = known.split
    named = f"{split.source} states a split of {split.ratio:g} with ex-day {split.ex_day}"
    if known.state == "contradicted":
        message, hint = (
            f"{named}, but {known.told} is recorded",
            "Look it up, and correct the row of `actions`.",
        )
    elif known.state == "missing":
        message, hint = f"{named}, which is not recorded", f"Add it: {COMMAND}."
    else:
        message = f"{named}, which is not recorded, and the data do not show it"
        hint = "They were adjusted by somebody: import them as published, and then the split."
    return Finding.on("announced-split", "warning", "actions", split.symbol, split.ex_day, message, hint)
