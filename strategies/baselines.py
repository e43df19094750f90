"""Baselines: what a strategy must beat before it is worth its costs.

- ``equal_weight`` holds all funds alike and rebalances: the naive alternative.
- ``buy_hold`` buys all funds, or one, on the first decision and never trades again.
- ``random`` selects funds by lot. Many seeds give the band of luck: what a strategy with the same number of
  funds, rebalancing and costs would have earned without knowing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError, did_you_mean
from data.facts.symbols import parse_symbol
from strategies.parameters import param
from strategies.rotation import Floats, Rotation, where_listed

if TYPE_CHECKING:
    from data.panel.known import Known


@dataclass(frozen=True, kw_only=True)
class EqualWeight(Rotation):
    """Hold all listed funds with the same weight."""

    top: int = 0
    rebalance: int | str = 20

    @property
    def warmup(self) -> int:
        """A fund needs one known price."""
        return 1

    def scores(self, known: Known) -> Floats:
        """Return 1 for every fund that is listed and has a known price."""
        return where_listed(known, np.ones(known.adjusted_close.shape))


@dataclass(frozen=True, kw_only=True)
class BuyHold(Rotation):
    """Buy once and hold: all funds with the same weight, or ``symbol`` alone.

    UsageError where ``symbol`` is not among the funds of the run.
    """

    symbol: str = param("", help="the fund to hold; empty = all")
    top: int = 0
    rebalance: int | str = "once"

    def __post_init__(self) -> None:
        """Check all parameters, and write the symbol in full."""
        super().__post_init__()
        if self.symbol:
            object.__setattr__(self, "symbol", parse_symbol(self.symbol))

    @property
    def warmup(self) -> int:
        """A fund needs one known price."""
        return 1

    def scores(self, known: Known) -> Floats:
        """Return 1 for the funds to hold, from their first known price on."""
        if self.symbol and self.symbol not in known.symbols:
            raise UsageError(
                "parameter `symbol` of BuyHold is not among the funds of the run",
                received=self.symbol,
                hint=did_you_mean(self.symbol, known.symbols),
            )
        chosen = [not self.symbol or symbol == self.symbol for symbol in known.symbols]
        return where_listed(known, np.where(chosen, 1.0, np.full(known.adjusted_close.shape, np.nan)))


@dataclass(frozen=True, kw_only=True)
class RandomChoice(Rotation):
    """Hold ``top`` funds drawn by lot at each decision.

    The lot of a fund on a day depends on the seed, its symbol and the day alone: neither the first day of
    the data nor the other funds change it.
    """

    seed: int = param(0, low=0, high=2**32 - 1, help="another seed, another draw")

    @property
    def warmup(self) -> int:
        """A fund needs one known price."""
        return 1

    def scores(self, known: Known) -> Floats:
        """Return numbers drawn from the uniform distribution on [0, 1)."""
        lots = [self._lots(symbol, known.days) for symbol in known.symbols]
        return where_listed(known, np.column_stack(lots))

    def _lots(self, symbol: str, days: NDArray[np.datetime64]) -> Floats:
        """Return the lots of a fund: of one stream a fund, the n-th number is for the n-th day since 1970."""
        numbers = days.astype("datetime64[D]").astype(np.int64)
        if not len(numbers):
            return np.empty(0)
        stream = np.random.PCG64([self.seed, *symbol.encode()]).advance(int(numbers[0]))
        every_day = np.random.Generator(stream).random(int(numbers[-1] - numbers[0]) + 1)
        lots: Floats = every_day[numbers - numbers[0]]
        return lots
