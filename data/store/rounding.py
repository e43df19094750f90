"""Rounding: whether two sources say the same number, one of them more roughly.

Volume in lots says 398,000,000 where volume in shares says 398,000,037; a count in 10^4 units, a price to the
cent, a balance in 10^8 are rounded too. What a source rounds to shows in its numbers: the largest power of
ten that divides them all, its grain. Two numbers are one if the finer one, rounded or cut off to the grain of
the other, is the other. Then the finer one is kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_POWERS = 10.0 ** np.arange(9, -7, -1)
# A grain may be no larger than a lot of volume, or this part of another number: of many different numbers,
# whose grain is no accident, and of few.
_ENOUGH = 5
_MANY, _FEW = 0.02, 1e-4
_LOT = {"volume": 100.0}
_LOOKED_AT = 10_000
_NOISE = 1e-6


def grains(values: pd.Series, sources: pd.Series, column: str, among: pd.DataFrame | None = None) -> Floats:
    """Return for each number the grain of its source; 0 where the numbers have no grain.

    It shows in all numbers of a source: in those of ``among``, which has the column and ``source``, if these
    are a part of them.
    """
    numbers = values.to_numpy(np.float64)
    result = np.zeros(len(numbers))
    codes, names = pd.factorize(sources, use_na_sentinel=False)
    every, places = numbers, codes
    if among is not None:
        every, places = among[column].to_numpy(np.float64), pd.Index(names).get_indexer(among["source"])
    for code in range(len(names)):
        here = codes == code
        distinct = np.unique(every[(places == code) & ~np.isnan(every)][:_LOOKED_AT])
        grain = next((power for power in _POWERS if len(distinct) and _divides(power, distinct)), 0.0)
        result[here] = grain
        part = _MANY if len(distinct) >= _ENOUGH else 0.0 if column in _LOT else _FEW
        size = np.maximum(np.abs(np.nan_to_num(numbers[here])) * part, 1e-12)
        result[here] = np.minimum(grain, np.maximum(10.0 ** np.floor(np.log10(size)), _LOT.get(column, 0.0)))
    return result


def settle(old: Floats, new: Floats, old_grains: Floats, new_grains: Floats) -> tuple[Bools, Floats]:
    """Return where two numbers are one up to rounding, and the finer one of both."""
    finer = new_grains < old_grains
    rough, fine = np.where(finer, old, new), np.where(finer, new, old)
    grain = np.where(finer, old_grains, new_grains)
    rounded = np.abs(rough - fine) <= grain / 2 * (1 + 1e-9)
    cut_off = (fine >= rough) & (fine - rough < grain * (1 - 1e-9))
    same = (old_grains != new_grains) & (rounded | cut_off)
    # A number that went through 32 bits has more digits, and says less.
    old_narrow, new_narrow = (each.astype(np.float32).astype(np.float64) for each in (old, new))
    kept = np.where(old_narrow == new, old, np.where(new_narrow == old, new, fine))
    return same | (old_narrow == new) | (new_narrow == old), kept


def _divides(power: float, numbers: Floats) -> bool:
    parts = numbers / power
    return bool((np.abs(parts - np.round(parts)) <= _NOISE * np.minimum(1.0, np.abs(parts))).all())
