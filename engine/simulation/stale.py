"""Holdings that stand still because their bars ended or have a hole, not because the market stood still.

A fund without a bar keeps its last price (``data.panel.market``). For a halt of a few days that is right; for
a fund that was renamed, merged, delisted, or whose file was not updated, it is a value that nobody would pay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from data.facts.actions import ENDS
from data.facts.rules import LONGEST_HALT
from data.panel.panel import Panel
from engine.result import Result


@dataclass(frozen=True)
class StaleHolding:
    """A fund that was held through more sessions without a bar than a halt takes.

    Attributes
    ----------
    symbol : the fund
    first, last : the first and last of these sessions on which it was held
    sessions : how many there are
    share : the largest part of equity that it was on one of them
    ended : whether no bar followed up to the end of the data
    """

    symbol: str
    first: date
    last: date
    sessions: int
    share: float
    ended: bool

    def __str__(self) -> str:
        why = "its bars had ended" if self.ended else "there were no bars of it"
        return (
            f"stale-holding: {self.symbol} was held for {self.sessions} sessions at its last price, "
            f"{self.first} to {self.last}, because {why}; it was up to {self.share:.0%} of equity"
        )


def stale_holdings(result: Result, panel: Panel) -> tuple[StaleHolding, ...]:
    """Return the holdings of a run without a bar for more than ten sessions, the largest first.

    ``panel`` is what the run was made on. A session counts from the first without a bar, whether or not it
    is the first of the run.
    """
    return tuple(sorted(_stale(result, panel), key=lambda each: (-each.share, each.symbol, each.first)))


def _stale(result: Result, panel: Panel) -> Iterator[StaleHolding]:
    begin = panel.row(result.days[0].item())
    span = slice(begin, begin + len(result.days))
    silent = _sessions_without_bar(panel)
    held = result.shares > 0
    parts = result.values / result.equity[:, None]
    for column, symbol in enumerate(panel.symbols):
        rows = np.flatnonzero(held[:, column] & (silent[span, column] > 0))
        for gap in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            if len(gap) and silent[span, column][gap[-1]] > LONGEST_HALT:
                end = begin + int(gap[-1])
                yield StaleHolding(
                    symbol,
                    result.days[gap[0]].item(),
                    result.days[gap[-1]].item(),
                    len(gap),
                    float(parts[gap, column].max()),
                    not panel.market.traded[end:, column].any(),
                )


def _sessions_without_bar(panel: Panel) -> NDArray[np.int64]:
    """Return for each session and fund how many sessions in a row it has had no bar, (D, S); 0 with one."""
    traded = panel.market.traded
    rows = np.arange(len(traded))[:, None]
    last = np.maximum.accumulate(np.where(traded, rows, -1), axis=0)
    return np.where(last >= 0, rows - last, 0)


def is_over(panel: Panel) -> NDArray[np.bool_]:
    """Return where the bars of a fund have ended for good, (D, S): its last one is behind it.

    A fund whose last bar is no more than ten sessions before the end of the data may be halted, and one that
    is liquidated or merged goes on until it is paid; neither has ended.
    """
    traded = panel.market.traded
    after = np.logical_not(np.logical_or.accumulate(traded[::-1], axis=0)[::-1])
    paid = {event.column for event in panel.market.events if event.kind in ENDS}
    gone = traded.any(axis=0) & (after.sum(axis=0) > LONGEST_HALT)
    gone[list(paid)] = False
    over: NDArray[np.bool_] = after & gone
    return over
