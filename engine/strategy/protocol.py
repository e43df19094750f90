"""What a strategy may have. Nothing has to be inherited, and no other part of the engine asks.

A strategy decides in one of four ways, by having the one of these that it has:

- ``scores`` (:class:`ScoreStrategy`): how good each fund is; the shared rotation makes weights of it;
- ``target_weights`` (:class:`WeightStrategy`): how much of each fund, for all sessions at once;
- ``decide`` (:class:`SessionStrategy`): how much of each fund, asked before each open, with what is held;
- it is a class derived from ``backtrader.Strategy``, with all that this means there.

The first three are frozen dataclasses, whose fields are their parameters. They may also have, as a field, a
property or a class attribute:

- ``warmup``: sessions of market data before a decision that it can depend on, and no more; 1 where it says
  nothing. A run begins once there are so many, and the audit ``warm_up`` holds a score to it.
- ``history``: ``"all"`` where a decision depends on all sessions since the first, as in an expanding window;
  ``warmup`` then only says when a run can begin, and ``warm_up`` tells what hangs on where the data begin.
- ``inputs``: paths of files that it reads besides the data, beside its own file or in the current folder. A
  manifest has their hashes, and the audit ``purity`` asks that no row is used before its date.
- ``rebalance``: how often it decides: every so many sessions, ``weekly``, ``monthly`` or ``once``. With
  scores the engine follows it; with the other two it tells what to expect, and changes nothing.
- ``cash_without_score``: whether a session on which no fund has a score means cash. Where it does not, a run
  begins with the first session that has a score.

``engine.strategy.adapters`` asks which of these a strategy has, once, when it is loaded or handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from data.panel.known import Known

Floats = NDArray[np.float64]

METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"scores": ("known",), "target_weights": ("known",), "decide": ("past", "held")}
)
"""The three methods, of which a strategy has one, and what each is called with."""


class ScoreStrategy(Protocol):
    """Says how good each fund is; also has the fields of a rotation, as ``strategies.rotation.Rotation`` has.

    A tie goes to the first symbol; on which sessions it is decided, ``rebalance`` says, and where it has them
    ``phase``, the session of its cycle, and ``tranches``, the sleeves that take turns.
    """

    @property
    def top(self) -> int:
        """Funds to hold; 0: all that qualify."""

    @property
    def rebalance(self) -> int | str:
        """How often it decides: every so many sessions, ``weekly``, ``monthly`` or ``once``."""

    @property
    def threshold(self) -> float | None:
        """A fund qualifies with a score above this; None: with any."""

    @property
    def weighting(self) -> str:
        """``equal``, ``score`` or ``inverse_volatility``."""

    @property
    def cap(self) -> float:
        """The largest weight of a fund."""

    @property
    def hysteresis(self) -> int:
        """A held fund stays while its rank is at most ``top`` and this."""

    @property
    def otherwise(self) -> str:
        """What is held when nothing qualifies: ``cash``, or a symbol."""

    def scores(self, known: Known, /) -> Floats:
        """Return (D, S) scores, higher is better, NaN where a fund is not eligible.

        Row *d* may use the rows up to *d* of ``known``: all of it was public before the open of session *d*.
        Pure: the same answer whenever it is asked.
        """


class WeightStrategy(Protocol):
    """Says how much of each fund is held, for all sessions at once."""

    def target_weights(self, known: Known, /) -> Floats:
        """Return (D, S) fractions of equity, 0 to 1, at most 1 in sum; a row of NaN where nothing is decided.

        In a row with any number NaN counts as 0. Row *d* may use the rows up to *d* of ``known``, as for
        scores. What is wanted most is bought first.
        """


class SessionStrategy(Protocol):
    """Says how much of each fund is held, session by session; may look at what it holds, as a stop does."""

    def decide(self, past: Known, held: Mapping[str, float], /) -> Mapping[str, float] | None:
        """Return fractions of equity by symbol, the others 0; None: leave everything as it is.

        Asked once before the open of each session. ``past`` is what was public by then; ``held`` the weight
        of each fund in the account, at reference prices.
        """


# A backtrader.Strategy is a class, made by backtrader; that library need not be loaded to say so.
Strategy = ScoreStrategy | WeightStrategy | SessionStrategy | type[Any]
