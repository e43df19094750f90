"""From target weights to orders, and what splits and merges make of shares.

Scalar kernels: numbers in, number out.
"""

from __future__ import annotations

import math


def investable(equity: float, wanted: float, reserve: float) -> float:
    """Return the money that target weights are fractions of: ``equity``, unless they would use the reserve.

    ``wanted`` is the sum of the weights, ``reserve`` the fraction of equity that they leave in cash: where
    they sum to more than the rest, all are scaled down alike, to that rest.
    """
    if reserve == 0.0 or wanted <= 1.0 - reserve:
        return equity
    return equity * (1.0 - reserve) / wanted


def size_order(weight: float, equity: float, reference: float, held: int, lot: int) -> int:
    """Return the signed shares that move ``held`` towards ``weight`` of ``equity`` (``investable``).

    The difference is truncated towards zero to whole lots, except that a sale down to zero sells
    everything, odd lots included. Equity and reference price are those known before the open.
    """
    difference = weight * equity / reference - held
    lots = math.floor(abs(difference) / lot)
    order = lots * lot if difference > 0.0 else -lots * lot
    return -held if weight == 0.0 else order


def split_shares(shares: int, ratio: float) -> int:
    """Return whole shares after a split; the fraction of a share stays with the fund."""
    # 1e8 * 0.29 is 29,000,000 in decimal, and must not become a share less by the last bits of a double.
    return int(shares * ratio + 1e-6)


def fraction_left(shares: int, ratio: float) -> float:
    """Return the fraction of a share that a merge cannot turn into whole ones; it is paid in cash."""
    return max(shares * ratio - split_shares(shares, ratio), 0.0)
