"""What a strategy says of a market: scores or target weights by day, or the orders of a simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.panel.panel import Panel
from engine.audits.audited import targets_of
from engine.audits.mismatch import Mismatch, first_mismatch
from engine.audits.views import Recorder
from engine.kernel.targets import Targets
from engine.simulation.decisions import OwnOrders
from engine.simulation.engines import simulate
from engine.spec import Conditions
from engine.strategy.adapter import Adapter, AtOnceAdapter, Floats
from engine.strategy.adapters import ScoreAdapter
from engine.strategy.causality import alike

# What differs, a score or a target weight, and where.
Found = tuple[str, Mismatch]

OTHER_SHAPE = ("universe", "calendar")
"""Parts of the market that change its funds and sessions, which a strategy may name."""


@dataclass(frozen=True)
class Answer:
    """What a strategy says on a panel: its values, (D, S), None where it decides one by one, and targets.

    Of one of backtrader, the shares that it orders in each session from ``first`` on.
    """

    values: Floats | None
    targets: Targets | None
    orders: Floats | None = None
    first: int = 0

    @property
    def decided(self) -> NDArray[np.int64]:
        """The sessions about which something is said, in order: a score, a weight, an order."""
        if self.values is not None:
            return np.flatnonzero(np.isfinite(self.values).any(axis=1))
        if self.orders is not None:
            return self.first + np.flatnonzero(np.isfinite(self.orders).any(axis=1))
        assert self.targets is not None
        return self.targets.decisions


@dataclass(frozen=True)
class Cells:
    """Which cells of two answers are compared: those of listed funds that both markets have, up to ``end``.

    ``symbols``, ``mine``, ``other`` are the funds and their columns in both; ``listed`` is (end, funds).
    """

    end: int
    days: NDArray[np.datetime64]
    symbols: list[str]
    mine: list[int]
    other: list[int]
    listed: NDArray[np.bool_]

    @classmethod
    def of(cls, panel: Panel, altered: Panel, row: int) -> Cells:
        """Return the cells up to the row ``row`` of two panels."""
        symbols = [symbol for symbol in panel.symbols if symbol in altered.symbols]
        mine = [panel.symbols.index(symbol) for symbol in symbols]
        other = [altered.symbols.index(symbol) for symbol in symbols]
        listed = panel.known.listed[: row + 1, mine]
        return cls(row + 1, panel.days, symbols, mine, other, listed)


def answer_of(
    strategy: Adapter,
    panel: Panel,
    first: int,
    last: int,
    conditions: Conditions,
    reads: dict[str, None] | None = None,
    whole: Answer | None = None,
    symbols: tuple[str, ...] = (),
) -> Answer:
    """Return what a strategy says up to the row ``last``; what it reads is written into ``reads``.

    Values that agree with those of ``whole``, on a market of ``symbols``, take its bits: else rounding in
    library code could break a tie between two scores in another way.
    """
    if not isinstance(strategy, AtOnceAdapter):
        decisions = targets_of(strategy, panel, first, last, fill=conditions.fill)
        ledger = simulate(panel, decisions, first, last, replace(conditions, engine="reference"))
        own = isinstance(decisions, OwnOrders)
        return Answer(None, None if own else ledger.targets, ledger.orders if own else None, first)
    values = strategy.values(Recorder(panel.known, {} if reads is None else reads))
    if whole is not None and whole.values is not None:
        values = _same_bits(values, panel.symbols, whole.values, symbols, last)
    if not isinstance(strategy, ScoreAdapter) or first > last:
        return Answer(values, None)
    return Answer(values, strategy.decisions(panel, first, last, values, fill=conditions.fill))


def _same_bits(
    values: Floats, symbols: tuple[str, ...], whole: Floats, all_symbols: tuple[str, ...], last: int
) -> Floats:
    if values.ndim != 2 or len(values) <= last or values.shape[1] != len(symbols):
        return values
    values = values.copy()
    columns = [column for column, symbol in enumerate(symbols) if symbol in all_symbols]
    mine = [all_symbols.index(symbols[column]) for column in columns]
    expected = whole[: last + 1, mine]
    part = values[: last + 1, columns]
    values[: last + 1, columns] = np.where(alike(part, expected), expected, part)
    return values


def _weights_on(rows: NDArray[np.int64], targets: Targets) -> Floats:
    """Return target weights on the sessions ``rows``, (K, S); NaN where nothing is decided."""
    weights = np.full((len(rows), targets.weights.shape[1]), np.nan)
    there = np.isin(rows, targets.decisions)
    weights[there] = targets.weights[np.searchsorted(targets.decisions, rows[there])]
    return weights


def first_difference(
    whole: Answer, again: Answer, cells: Cells, what: str = "", *, exact: bool = False
) -> tuple[Found | None, int]:
    """Return the first difference of two answers, None where they agree, and how many cells were compared.

    ``what`` is what values are called; ``exact``: to the last bit, else up to rounding.
    """
    end, mine, other, days, symbols = cells.end, cells.mine, cells.other, cells.days, cells.symbols
    compared = 0
    if whole.values is not None and again.values is not None:
        expected = np.where(cells.listed, whole.values[:end, mine], np.nan)
        got = np.full(expected.shape, np.nan)
        got[: len(again.values)] = again.values[:end, other]
        got = np.where(cells.listed, got, np.nan)
        compared += int(np.isfinite(expected).sum())
        found = first_mismatch(expected, got, days[:end], symbols, exact=exact)
        if found is not None:
            return (what, found), compared
    if whole.orders is not None and again.orders is not None:
        count = min(end - whole.first, len(again.orders))
        expected, got = whole.orders[:count, mine], again.orders[:count][:, other]
        compared += count * len(mine)
        found = first_mismatch(expected, got, days[whole.first : whole.first + count], symbols, exact=True)
        if found is not None:
            return ("order", found), compared
    if whole.targets is not None and again.targets is not None:
        rows = np.union1d(whole.targets.decisions, again.targets.decisions)
        rows = rows[rows < end]
        expected, got = _weights_on(rows, whole.targets)[:, mine], _weights_on(rows, again.targets)[:, other]
        compared += expected.size
        found = first_mismatch(expected, got, days[rows], symbols, exact=exact)
        if found is not None:
            return ("target weight", found), compared
    return None, compared
