"""What a broker charges for the funds of each market, as engines read it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.facts.symbols import MARKET_CODES, market_of
from data.panel.panel import Panel
from engine.kernel.costs import COMMISSION, Costs

Floats = NDArray[np.float64]


def commissions(panel: Panel, costs: Costs) -> dict[str, Floats]:
    """Return the costs of COMMISSION by name, (D, S); one row stands for all where none changes.

    Amounts of money are in the currency of the run: what a market has of its own is in that market's, and
    counts at the rate of the session, as the trade that it is charged for.
    """
    shape = panel.market.mark.shape
    found: dict[str, Floats] = {}
    for name in COMMISSION:
        values = np.broadcast_to(np.float64(getattr(costs, name)), shape)
        for code, market in MARKET_CODES.items():
            own = costs.of_market(code, name)
            if own is None:
                continue
            here = np.array([market_of(symbol) == market for symbol in panel.symbols], dtype=np.bool_)
            worth = 1.0 if name == "commission_rate" else panel.market.money
            values = np.where(here, own * worth, values)
        found[name] = values
    return found
