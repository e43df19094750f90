"""Order: whether the rows of a table follow each other by their key, and how to bring them there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ranks = NDArray[np.int64]
Places = NDArray[np.intp]


def ranks(values: pd.Series) -> Ranks:
    """Return whole numbers in the order of the values of a column: texts, categories or days."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        found: Ranks = ranks(values.cat.categories.to_series())[values.cat.codes]
        return found
    if pd.api.types.is_datetime64_dtype(values):
        return values.to_numpy().view(np.int64)
    return pd.factorize(values, sort=True)[0]


def are_in_order(keys: Sequence[Ranks]) -> bool:
    """Whether each row comes after the one before: rows are sorted, and no key comes twice."""
    after = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    equal = ~after
    for key in keys:
        after |= equal & (key[1:] > key[:-1])
        equal &= key[1:] == key[:-1]
    return bool(after.all())


def order_of(keys: Sequence[Ranks]) -> Places | None:
    """Return the places of the rows sorted by key; None if a key comes twice."""
    order = np.lexsort(keys[::-1])
    return order if are_in_order([key[order] for key in keys]) else None
