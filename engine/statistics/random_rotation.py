"""Rotations among funds drawn by lot that hold, sell and buy exactly when one account does.

Of N draws each follows the account: whenever it begins to hold a fund, the draw begins to hold one that is
drawn by lot, without replacement, among those that can be bought then and that it does not hold already;
whenever the account sells the fund, so does the draw. It has the account's weights at every close, and pays
the account's costs. What is left of the difference is which funds were chosen.

Reference for chance as the yardstick of a choice: Burns, "Random portfolios for performance measurement", in
Optimisation, Econometric and Financial Analysis, 2007.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def random_rotations(
    weights: Floats,
    overnight: Floats,
    intraday: Floats,
    eligible: Bools,
    carry: Floats,
    *,
    draws: int,
    seed: int,
) -> Floats:
    """Return what one unit of money grew to in each draw, at each close, (N, D).

    Parameters
    ----------
    weights : (D, S), of the account's equity at the close; 0 where nothing is held
    overnight : (D, S), returns from the close before to the point at which orders fill; NaN counts as none
    intraday : (D, S), returns from there to the close; NaN counts as none
    eligible : (D, S), whether a fund can be bought in the session
    carry : (D,), what else the account earned in the session, costs being negative, over equity before
    """
    sessions, funds = weights.shape
    overnight, intraday = (np.nan_to_num(each, nan=0.0).T for each in (overnight, intraday))
    held = weights > 0.0
    # What each fund was of equity right after the orders of the session filled.
    filled = weights / (1.0 + intraday.T)
    filled /= (1.0 - weights.sum(axis=1) + filled.sum(axis=1))[:, None]
    before = np.vstack([np.zeros((1, funds)), weights[:-1]])
    begins = held & ~np.vstack([np.zeros((1, funds), dtype=bool), held[:-1]])
    ends = ~held & np.vstack([np.zeros((1, funds), dtype=bool), held[:-1]])

    generator = np.random.default_rng(seed)
    taken = np.zeros((draws, funds), dtype=bool)
    every = np.arange(draws)
    drawn: dict[int, NDArray[np.intp]] = {}
    since: dict[int, int] = {}
    until_fill, from_fill = np.zeros((sessions, draws)), np.zeros((sessions, draws))

    def leave(fund: int, row: int) -> None:
        """Add what was earned in the place of ``fund`` until it was left in the session ``row``."""
        choice, first = drawn.pop(fund), since.pop(fund)
        from_fill[first:row] += filled[first:row, fund, None] * intraday[choice, first:row].T
        span = slice(first + 1, row + 1)
        until_fill[span] += before[span, fund, None] * overnight[choice, span].T
        taken[every, choice] = False

    for row in np.flatnonzero((begins | ends).any(axis=1)).tolist():
        for fund in np.flatnonzero(ends[row]).tolist():
            leave(fund, row)
        new = np.flatnonzero(begins[row])
        if not len(new):
            continue
        lots = generator.random((draws, funds))
        lots[taken | ~eligible[row]] = np.inf
        order = np.argsort(lots, axis=1, kind="stable")[:, : len(new)]
        # Where nothing is left to draw from, it is the account's own fund.
        none = ~np.isfinite(np.take_along_axis(lots, order, axis=1))
        for place, fund in enumerate(new.tolist()):
            drawn[fund] = np.where(none[:, place], fund, order[:, place])
            since[fund] = row
            taken[every, drawn[fund]] = True
    for fund in list(drawn):
        leave(fund, sessions)
    growth = (1.0 + until_fill) * (1.0 + from_fill) * (1.0 + carry[:, None])
    grown: Floats = np.cumprod(growth, axis=0, dtype=np.float64).T
    return grown
