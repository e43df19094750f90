"""What the checks read: tables and facts, and each bar held against the close before it.

`Inputs.moves` is worked out once for all checks, in these steps:

1. ``before_day``, ``before`` and ``skipped``: the bar before, its close, the sessions between (``steps``);
2. ``reference``: that close adjusted for the actions recorded since, dividends before splits;
3. ``limit``, ``fall`` and ``rise``: the price limit, and the factors of the reference that no price can
   pass. Each session without a bar may have used up its limit too, up to a factor of `LARGEST_MOVE`;
4. ``beyond``: +1 or -1 where open and close are both past the same bound, else 0;
5. ``spike``: the close is past a bound, and the next open is back where the bar before was (``_spikes``);
   ``after_spike``: the bar after it, which only looks impossible.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from data.checks.reading import TICK, Bools, Floats, SourceTables, records
from data.checks.vwap import against_vwap
from data.panel.flows import nav_premium

# Of a Chinese fund whose limit is not on file: the wider of the two that exist, so as not to cry wolf.
UNKNOWN_LIMIT = 0.20
# A factor that no fund reaches between two bars, however many sessions lie between them, price limit or
# none. A split by two still shows, unless the market moves 14 % against it on the same day.
LARGEST_MOVE = 1.75


class Inputs(SourceTables):
    """The tables of a source, and its bars with what is needed to judge their prices."""

    @cached_property
    def moves(self) -> pd.DataFrame:
        """Bars with the columns above; the first bar of a fund has no reference (NaN) and passes no bound."""
        moves = self.steps("bars")
        reference = self._references
        limit = self.price_limit(moves["symbol"], UNKNOWN_LIMIT)
        sessions = moves["skipped"].to_numpy(np.float64) + 1
        rise = np.minimum((1 + limit) ** sessions, LARGEST_MOVE)
        fall = np.maximum(np.maximum(1 - limit, 0.0) ** sessions, 1 / LARGEST_MOVE)
        prices = moves[["open", "close"]].to_numpy(np.float64)
        above = (prices > (reference * rise + TICK)[:, None]).all(axis=1)
        below = (prices < (reference * fall - TICK)[:, None]).all(axis=1)
        spike = _spikes(moves, reference, rise, fall)
        return moves.assign(
            reference=reference,
            limit=limit,
            rise=rise,
            fall=fall,
            beyond=above.astype(np.int64) - below,
            spike=spike,
            after_spike=np.append(False, spike[:-1])[: len(spike)],
        )

    @cached_property
    def _references(self) -> Floats:
        """The close before each bar, adjusted for what was recorded since; NaN where there is none."""
        moves = self.steps("bars")
        reference = moves["before"].to_numpy(np.float64).copy()
        for row, action in self._effective(moves):
            if action.kind == "dividend":
                reference[row] -= action.cash
            else:
                reference[row] /= action.ratio
        return np.where(reference > 0, reference, np.nan)

    @cached_property
    def vwap(self) -> pd.DataFrame:
        """Bars that have an amount, with what their VWAP tells (`against_vwap`)."""
        return against_vwap(self.tables["bars"], self.periods_of("bars", "M"))

    @cached_property
    def against_nav(self) -> pd.DataFrame:
        """Close, NAV and the premium between the two on days that have both.

        From the record day of a split to the eve of its ex-day NAV may be on the new basis already: there the
        nearer of both counts.
        """
        places = self.beside("bars", "nav")
        both = self.tables["bars"].loc[places >= 0, ["symbol", "day", "close"]].reset_index(drop=True)
        both["nav"] = self.tables["nav"]["nav"].to_numpy()[places[places >= 0]]
        ratio = np.ones(len(both))
        for split in records(self.splits):
            between = (both["day"] >= split.record_day) & (both["day"] < split.ex_day)
            ratio[((both["symbol"] == split.symbol) & between).to_numpy()] *= float(split.ratio)
        close, nav = (both[name].to_numpy(np.float64) for name in ("close", "nav"))
        return both.assign(premium=nav_premium(close, nav, ratio))

    def moves_of(self, symbol: str) -> pd.DataFrame:
        """Return the rows of `moves` of one fund."""
        start, stop = self._rows["bars"].get(symbol, (0, 0))
        return self.moves.iloc[start:stop]

    def references_of(self, symbol: str) -> pd.DataFrame:
        """Return the bars of one fund with their ``reference``, also of an outline."""
        start, stop = self._rows["bars"].get(symbol, (0, 0))
        return self.tables["bars"].iloc[start:stop].assign(reference=self._references[start:stop])

    def _effective(self, moves: pd.DataFrame) -> list[tuple[int, Any]]:
        """Return the recorded actions with the row of `moves` on which each takes effect, dividends first."""
        days = self.days("bars")
        placed = []
        # Alphabetical order of kinds is also the order in which they take effect.
        for action in records(self.tables["actions"].sort_values("kind", kind="stable")):
            start, stop = self._rows["bars"].get(action.symbol, (0, 0))
            row = start + int(np.searchsorted(days[start:stop], np.datetime64(action.ex_day)))
            value = {"dividend": action.cash, "split": action.ratio}.get(action.kind, 0.0)
            if start < row < stop and value > 0:
                placed.append((row, action))
        return placed


def _spikes(moves: pd.DataFrame, reference: Floats, rise: Floats, fall: Floats) -> Bools:
    """Return bars whose close is impossible, as is the next open after it, but not after the bar before."""
    close, opens = (moves[name].to_numpy(np.float64) for name in ("close", "open"))
    followed = np.append(moves["before"].notna().to_numpy()[1:], False)[: len(close)]
    next_open, next_rise, next_fall = np.roll(opens, -1), np.roll(rise, -1), np.roll(fall, -1)
    away = (close > reference * rise + TICK) | (close < reference * fall - TICK)
    leaves = (next_open > close * next_rise + TICK) | (next_open < close * next_fall - TICK)
    back = (next_open <= reference * rise * next_rise) & (next_open >= reference * fall * next_fall)
    spikes: Bools = away & leaves & back & followed
    return spikes
