"""What is audited: a strategy, a market and how it is traded; and the one door to the engine.

Everything that an audit simulates goes through ``net_returns``: many runs on one market, each with its own
decisions, capital and costs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.facts.universe import Fund
from data.panel.panel import Panel
from engine.kernel.targets import Targets
from engine.simulation.backtest import decisions_of, last_session
from engine.simulation.engines import Decisions, simulate
from engine.spec import DEFAULT, Conditions
from engine.statistics.paths import annual_growth, simple_returns
from engine.statistics.sharpe import ratios
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import ScoreAdapter, adapt
from engine.strategy.fresh import fresh, renewed
from engine.sweeps.sweep import Sweep

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Audited:
    """What is audited.

    Attributes
    ----------
    strategy, panel : what decides (in a notebook a plain strategy), and on which market
    conditions : when and how it is traded, and the seed of everything random
    draws : how often chance is asked; None: as often as each audit does by itself
    catalogue : strategies by name, for the controls ``momentum`` and ``random``
    reload : returns the panel of the same data up to a day, as it is loaded afresh; None: not asked
    members : what is known of the funds of the universe that was named, in the data or not; none: none was
    """

    strategy: Adapter
    panel: Panel
    conditions: Conditions = DEFAULT
    draws: int | None = None
    catalogue: Mapping[str, type[Any]] = field(default_factory=dict)
    reload: Callable[[date], Panel] | None = None
    members: Mapping[str, Fund] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Audits ask copies of it (``renewed``), so that nothing of one answer gets into another.
        object.__setattr__(self, "strategy", fresh(adapt(self.strategy)))

    @property
    def last(self) -> int:
        """The row of the last session."""
        return last_session(self.panel, self.conditions.end)

    def per_year(self, first: int) -> float:
        """Return the sessions a year that annualise what happened from a row to the last."""
        return self.panel.per_year(first, self.last)

    def first(self, strategy: Adapter | None = None, panel: Panel | None = None) -> int:
        """Return the row of the first session of a run of a strategy, on a panel of the same sessions."""
        panel = panel or self.panel
        first = renewed(strategy or self.strategy).first_session(panel)
        start = self.conditions.start
        return max(first, panel.row(start)) if start else first


@dataclass(frozen=True)
class Simulation:
    """One run of many: what is decided, and under which conditions it is followed."""

    targets: Decisions
    conditions: Conditions


def net_returns(panel: Panel, simulations: Sequence[Simulation], first: int, last: int) -> Floats:
    """Return the returns after costs of each simulation, session on session, (N, last - first + 1)."""
    return net_returns_and_exposure(panel, simulations, first, last)[0]


def net_returns_and_exposure(
    panel: Panel, simulations: Sequence[Simulation], first: int, last: int
) -> tuple[Floats, Floats]:
    """Return the same returns, and the mean share of equity in funds of each simulation, (N,).

    The only place where audits simulate for returns, with ``returns_of_strategies``: on the batch engine,
    apart from decisions that need an account to look at.
    """
    result = np.empty((len(simulations), last - first + 1))
    exposure = np.empty(len(simulations))
    engines: dict[Conditions, Sweep] = {}
    for number, each in enumerate(simulations):
        if isinstance(each.targets, Targets):
            if each.conditions not in engines:
                engines[each.conditions] = Sweep(panel, first, last, each.conditions)
            found, shares = engines[each.conditions].followed([each.targets])
            equity, exposure[number] = found[0], shares[0]
        else:
            asked = replace(each.conditions, engine="reference")
            ledger = simulate(panel, each.targets, first, last, asked)
            equity = ledger.equity
            held = np.where(ledger.shares > 0, ledger.shares * ledger.mark, 0.0).sum(axis=1)
            exposure[number] = float(np.mean(held / equity))
        result[number] = simple_returns(equity, each.conditions.cash)
    return result, exposure


def returns_of(audited: Audited, targets: Sequence[Decisions], first: int) -> Floats:
    """Return the returns of decisions on the market that is audited, with its capital and costs, (N, D)."""
    simulations = [Simulation(each, audited.conditions) for each in targets]
    return net_returns(audited.panel, simulations, first, audited.last)


def returns_of_strategies(audited: Audited, strategies: Sequence[Adapter], first: int) -> Floats:
    """Return the returns of strategies of one class on the same market, (N, D); NaN where one fails."""
    engine = Sweep(audited.panel, first, audited.last, audited.conditions)
    return simple_returns(engine.run(strategies, equity=True).equity, audited.conditions.cash)


def targets_of(
    strategy: Adapter,
    panel: Panel,
    first: int,
    last: int,
    values: Floats | None = None,
    *,
    fill: str,
) -> Decisions:
    """Return what a strategy decides from session ``first`` to ``last``, both included.

    ``values`` are its scores where they are known already; ``fill`` is where its orders will fill.
    """
    strategy = renewed(strategy)
    if isinstance(strategy, ScoreAdapter):
        return strategy.decisions(panel, first, last, values, fill=fill)
    return decisions_of(strategy, panel, panel.days[first].item(), last, checked=False, fill=fill)[1]


def sharpe(returns: Floats, per_year: float) -> Floats:
    """Return the annual Sharpe ratio of each row of returns, (N,); NaN where they do not vary."""
    return ratios(returns, axis=1) * math.sqrt(per_year)


def written(ratio: float) -> str:
    """Return a ratio as sentences write it; n/a where it is undefined."""
    return f"{ratio:.2f}" if math.isfinite(ratio) else "n/a"


def annual_return(returns: Floats, per_year: float) -> Floats:
    """Return the compound annual return of each row of returns, (N,), a fraction."""
    final = np.prod(1.0 + returns, axis=1)
    return annual_growth(np.where(final > 0.0, final, 0.0), returns.shape[1], per_year)
