"""Rotation: what all rotating strategies share, from scores to target weights.

A strategy says how good each fund is; :class:`Rotation` says how many of the good ones are held, how
often that is decided, and how much of equity each gets. It declares and checks; the engine does the weighing
(``engine/kernel/targets.py``), in this order:

1. on a decision session (``rebalance``), funds with a score, above ``threshold`` if there is one, qualify;
2. they are ranked by ``(-score, symbol)``; the first ``top`` are selected, and a fund that is held stays
   while its rank is at most ``top + hysteresis``;
3. the selected are weighed (``weighting``), and no fund gets more than ``cap``; what is left over is cash;
4. if nothing qualifies, ``otherwise`` is held.

Between decisions ``stop_loss``, ``trailing_stop`` and ``time_stop`` sell what was chosen at the next fill
point, once a close is so far below the price of entry, or below the highest since, or after so many sessions;
the fund stays out until the next decision after that session (``engine/kernel/stops.py``).

``core`` is held at all times, with ``core_weight`` of equity; the rotation then decides on the rest.

A cycle of n sessions has n phases (``phase``), and ``tranches`` hold several of them in one account.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from data.facts.symbols import parse_symbol
from data.numeric.shared import shared
from strategies.parameters import check_parameters, param

if TYPE_CHECKING:
    from data.panel.known import Known

Floats = NDArray[np.float64]

CASH, EQUAL_WEIGHT = "cash", "equal_weight"


@dataclass(frozen=True, kw_only=True)
class Rotation(ABC):
    """Base of the strategies that rank funds. Derive a frozen dataclass and write ``scores`` and ``warmup``.

    A field that a subclass redeclares with a plain default keeps its bounds and its help.
    """

    # Whether a session without any score means cash; else it means that there is nothing to decide on yet.
    cash_without_score: ClassVar[bool] = False

    top: int = param(3, low=0, high=1000, unit="funds", help="funds to hold; 0 = all that qualify")
    rebalance: int | str = param(
        5,
        low=1,
        high=1000,
        choices=("weekly", "monthly", "once"),
        unit="sessions",
        help="sessions between decisions; or the first session of each week or month; or once",
    )
    threshold: float | None = param(
        None, help="lowest score, exclusive, with which a fund qualifies; none = any score"
    )
    weighting: str = param(
        "equal",
        choices=("equal", "score", "inverse_volatility"),
        help="equal = 1/top each; score = by its excess over threshold; unfilled slots stay in cash",
    )
    cap: float = param(1.0, low=0.01, high=1.0, unit="fraction of equity", help="largest weight of a fund")
    hysteresis: int = param(
        0, low=0, high=1000, unit="ranks", help="a held fund stays while its rank is at most top + this"
    )
    otherwise: str = param(CASH, help="what to hold when nothing qualifies: cash, or a symbol")
    phase: int = param(
        0,
        low=0,
        high=999,
        unit="sessions",
        help="decide on the first session, and so many after it the next time; below rebalance",
        later=True,
    )
    tranches: int = param(
        1,
        low=1,
        high=1000,
        unit="sleeves",
        help="sleeves with books of their own that rebalance in turn; at most rebalance",
        later=True,
    )

    stop_loss: float = param(
        0.0,
        low=0.0,
        high=0.99,
        unit="fraction",
        help="sell once a close is so far below the price of entry; out until the next decision; 0 = never",
        later=True,
    )
    trailing_stop: float = param(
        0.0,
        low=0.0,
        high=0.99,
        unit="fraction",
        help="sell once a close is so far below the highest since entry; 0 = never",
        later=True,
    )
    time_stop: int = param(
        0,
        low=0,
        high=1000,
        unit="sessions",
        help="sell so many sessions after entry; 0 = never",
        later=True,
    )

    core: str = param(
        "",
        help="funds to hold at all times, joined by +, or equal_weight for all of them; empty = none",
        later=True,
    )
    core_weight: float = param(
        0.5,
        low=0.0,
        high=1.0,
        unit="fraction of equity",
        help="what the core gets, if there is one",
        later=True,
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let ``top: int = 5`` in a subclass change the default alone."""
        super().__init_subclass__(**kwargs)
        # Class variables such as ``cash_without_score`` are none of these, and stay what they are.
        inherited = {each.name: each for each in dataclasses.fields(cast("Any", cls))}
        for name in inherited.keys() & cls.__dict__.keys():
            default = cls.__dict__[name]
            if not isinstance(default, dataclasses.Field):
                field: Any = dataclasses.field(default=default, metadata=inherited[name].metadata)
                setattr(cls, name, field)

    def __post_init__(self) -> None:
        """Check all parameters; UsageError names the parameter, the value and the limit."""
        check_parameters(self)
        if self.hysteresis and not self.top:
            raise UsageError(
                "parameter `hysteresis` needs `top`: with top=0 every fund that qualifies is held anyway",
                received=self.hysteresis,
                hint="Set top to a number of funds, or leave hysteresis at 0.",
            )
        if self.phase or self.tranches != 1:
            self._check_turns()
        stops = self.stop_loss or self.trailing_stop or self.time_stop
        if stops and self.tranches != 1:
            raise UsageError(
                f"{type(self).__name__} cannot have stops in tranches",
                received=f"tranches {self.tranches}",
                hint="Leave out tranches, or stop_loss, trailing_stop and time_stop.",
            )
        if stops and self.core:
            raise UsageError(
                f"{type(self).__name__} cannot have stops and a core, which is held at all times",
                received=f"core {self.core}",
                hint="Leave out the core, or stop_loss, trailing_stop and time_stop.",
            )
        if self.core:
            object.__setattr__(self, "core", _core(self.core))
        cash = self.otherwise.lower() == CASH
        object.__setattr__(self, "otherwise", CASH if cash else parse_symbol(self.otherwise))

    def _check_turns(self) -> None:
        cycle = self.rebalance if isinstance(self.rebalance, int) else 1
        if self.phase >= cycle:
            raise UsageError(
                f"parameter `phase` of {type(self).__name__} is out of bounds",
                received=f"{self.phase}, with rebalance {self.rebalance}",
                limit=f"0 to {cycle - 1}",
                hint="A phase is one of the sessions of a cycle: below `rebalance`.",
            )
        # Sleeves that decide once need no turns.
        if self.tranches > cycle and self.rebalance != "once":
            raise UsageError(
                f"parameter `tranches` of {type(self).__name__} is out of bounds",
                received=f"{self.tranches}, with rebalance {self.rebalance}",
                limit=f"1 to {cycle}",
                hint="Sleeves take turns: there are at most as many as sessions in `rebalance`.",
            )

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Sessions of market data before a decision session that its scores can depend on, and no more.

        Row *d* of ``known`` shows the session *d* - 1, so a score that reads the rows *d* - n to *d* needs
        n + 1 sessions. Later publication than the session after is not counted: a score is NaN until then.
        """

    @abstractmethod
    def scores(self, known: Known) -> Floats:
        """Return (D, S) scores, higher is better, NaN where a fund is not eligible.

        Row *d* may use the rows up to *d* of ``known``: all of it was public before the open of session *d*.
        Pure: no clock, no disk, no chance without a seed, and no state between calls.
        """


def _core(text: str) -> str:
    """Return the funds of a core by their full symbols, in order; ``equal_weight`` as it is."""
    if text.strip().lower() == EQUAL_WEIGHT:
        return EQUAL_WEIGHT
    return "+".join(sorted({parse_symbol(word.strip()) for word in text.split("+")}))


def where_listed(known: Known, scores: Floats) -> Floats:
    """Return the scores of the funds that are listed on the session and have a known price, others NaN."""
    return np.where(_priced(known), scores, np.nan)


@shared
def _priced(known: Known) -> NDArray[np.bool_]:
    return known.listed & np.isfinite(known.adjusted_close)
