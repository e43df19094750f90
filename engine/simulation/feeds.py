"""The funds of a panel as feeds of backtrader: for our own strategy at once, for a user's bar by bar.

What a user's strategy sees ends with the bar of the session: later bars are not in memory yet, so that
neither ``close[1]`` nor an indicator reaches them. Prices are adjusted for splits and dividends since the
first session of the panel (``Market.adjustment``), volume for splits; both grow forward in time, so that a
later action never rewrites them. What the exchange prints is beside them as ``raw_open``, ``raw_high``,
``raw_low``, ``raw_close`` and ``raw_volume``.
"""

from __future__ import annotations

import array
from collections.abc import Iterator
from typing import Any

import backtrader as bt
import numpy as np

from data.errors import StrategyError, ValidationError
from data.panel.panel import Panel

PRICES = ("open", "high", "low", "close")
RAW = tuple(f"raw_{name}" for name in (*PRICES, "volume"))

# backtrader counts days from 0001-01-01 as 1; numpy from 1970-01-01 as 0.
EPOCH = 719163


class WholeFeed(bt.feed.DataBase):  # type: ignore[misc]
    """One fund, unadjusted, whole columns at once, on every session of the run: for our own strategy.

    Halted sessions repeat the mark with volume 0; before its listing a fund is NaN.
    """

    params = (("columns", ()), ("column", -1), ("dataname", None))
    _tz: Any = None  # backtrader sets it where it moves the feed itself

    def preload(self) -> None:
        """Put the columns into the lines; row by row, as feeds usually do, is most of backtrader's time."""
        for alias, values in self.p.columns:
            line = getattr(self.lines, alias)
            line.array = array.array("d")
            line.array.frombytes(values.tobytes())
        self.home()

    def at(self, session: int) -> WholeFeed:
        """Return the feed with its lines at a session of the run, where nobody else moves them."""
        for line in self.lines.lines:
            line.idx = session
        return self

    def _tick_nullify(self) -> None:
        """Leave out ticks, which only live feeds and backtrader's own broker use."""

    def _tick_fill(self, force: bool = False) -> None:
        """Leave out ticks."""


class BarFeed(WholeFeed):
    """One fund, adjusted, ``RAW`` lines beside, bar by bar: for a user's strategy; halts as in the other."""

    lines: Any = RAW

    def begin(self, rows: Iterator[tuple[float, ...]]) -> BarFeed:
        """Take the bars to come, each with the values of all lines in their order."""
        self._rows = rows
        return self

    def start(self) -> None:
        """Let no line be read beyond its bars."""
        super().start()
        for line in self.lines.lines:
            line.__class__ = SeenLine

    def next(self, datamaster: Any = None, ticks: bool = True) -> bool:
        """Append the next bar to the lines; False after the last."""
        row = None if datamaster is not None else next(self._rows, None)
        if row is None:
            return False
        for line, value in zip(self.lines.lines, row, strict=True):
            line._idx += 1
            line.lencount += 1
            line.array.append(value)
        return True

    def buflen(self) -> int:
        """Refuse to tell how many bars there will be."""
        raise ValidationError(
            "a strategy looks ahead: it asks with `buflen` how many bars are to come",
            hint="`len(self.data)` are those that there have been.",
        )


class SeenLine(bt.linebuffer.LineBuffer):  # type: ignore[misc]
    """A line that ends now. It also has a beginning, where backtrader's own wraps around to its end."""

    def __getitem__(self, ago: int) -> float:
        place = self._idx + ago
        if ago > 0 or place < 0:
            raise beyond(ago, self.lencount)
        value: float = self.array[place]
        return value

    def get(self, ago: int = 0, size: int = 1) -> Any:
        """Return the ``size`` values that end ``ago`` bars from now; fewer where the line begins."""
        if ago > 0:
            raise beyond(ago, self.lencount)
        end = self._idx + ago + 1
        return self.array[max(end - size, 0) : max(end, 0)]


def beyond(ago: int, bars: int) -> StrategyError | ValidationError:
    """Return the error for a value that a line does not have: after now, or before its first bar."""
    if ago > 0:
        return ValidationError(
            f"a strategy looks ahead: it reads the bar {ago} after the one of now, as in `close[{ago}]`",
            hint="backtrader counts forward in time: `close[0]` is now, `close[-1]` the bar before.",
        )
    return StrategyError(
        f"a strategy reads `[{ago}]` of a line that has {bars} bars",
        limit=f"back to [{1 - bars}]" if bars else "nothing before the first bar",
        hint="Wait in `next` until len(self.data) is enough, or let an indicator count for you.",
    )


class WholeFeeds(dict[int, WholeFeed]):
    """Feeds of the funds of a panel by column, over the sessions ``first`` to ``last``, unadjusted.

    One is made when it is first asked for: backtrader steps through every feed that it is given, traded or
    not, and that would be nearly all of a run on many funds.
    """

    def __init__(self, panel: Panel, first: int, last: int) -> None:
        super().__init__()
        self._market, self._span = panel.market, slice(first, last + 1)
        self._days = _day_numbers(panel, self._span)

    def __missing__(self, column: int) -> WholeFeed:
        self[column] = found = self.of(column)
        found.preload()
        return found

    def of(self, column: int) -> WholeFeed:
        """Return a feed of a fund that backtrader loads and moves itself."""
        market, span = self._market, self._span
        columns = (
            ("datetime", self._days),
            *((name, _bars(market, name, span, column)) for name in PRICES),
            ("volume", market.volume[span, column]),
            ("openinterest", np.zeros(len(self._days))),
        )
        return WholeFeed(columns=columns, column=column)


def bar_feeds(panel: Panel, first: int, last: int) -> Iterator[BarFeed]:
    """Yield the feed of each fund over the sessions ``first`` to ``last``, adjusted, raw lines beside."""
    span = slice(first, last + 1)
    market, days = panel.market, _day_numbers(panel, span)
    for column in range(len(panel.symbols)):
        raw = {f"raw_{name}": _bars(market, name, span, column) for name in PRICES}
        raw["raw_volume"] = market.volume[span, column]
        adjustment = market.adjustment[span, column]
        values = {
            "datetime": days,
            "openinterest": np.zeros(len(days)),
            "volume": raw["raw_volume"] / market.split_factor[span, column],
            **{name: raw[f"raw_{name}"] * adjustment for name in PRICES},
            **raw,
        }
        order = BarFeed.lines._getlines()
        yield BarFeed(column=column).begin(zip(*(values[name].tolist() for name in order), strict=True))


def _bars(market: Any, name: str, span: slice, column: int) -> Any:
    """Return prices of the sessions on which a fund traded, else its mark."""
    return np.where(
        market.traded[span, column], getattr(market, name)[span, column], market.mark[span, column]
    )


def _day_numbers(panel: Panel, span: slice) -> Any:
    return panel.days[span].astype(np.int64).astype(np.float64) + EPOCH
