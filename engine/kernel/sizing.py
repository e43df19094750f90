"""From target weights to orders. A scalar kernel: numbers in, number out."""

from __future__ import annotations

import math


def size_order(weight: float, equity: float, reference: float, held: int, lot: int) -> int:
    """Return the signed shares that move ``held`` towards ``weight`` of ``equity``.

    The difference is truncated towards zero to whole lots, except that a sale down to zero sells
    everything, odd lots included. Equity and reference price are those known before the open.
    """
    if weight == 0.0:
        return -held
    difference = weight * equity / reference - held
    lots = math.floor(abs(difference) / lot)
    return lots * lot if difference > 0.0 else -lots * lot
