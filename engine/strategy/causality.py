"""Look-ahead: the scores of a session must not change when everything after it is cut away.

Every run asks this of its strategy on a few sessions (``require_causal``): scores are computed again on the
known panel as it was then, and compared cell by cell. It catches what uses tomorrow, and what is normalised
over the whole sample. It is a sample of sessions, and no proof.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data.errors import ValidationError
from data.panel.known import Known
from engine.strategy.adapter import AtOnceAdapter

Floats = NDArray[np.float64]

SESSIONS = 4
# Scores may come from library code that adds up in another order on shorter arrays.
TOLERANCE = 1e-9


def require_causal(strategy: AtOnceAdapter, known: Known, scores: Floats, first: int, last: int) -> None:
    """Raise ValidationError naming the first score that changes when its future is cut away.

    ``scores`` (D, S) are those on all of ``known``. A few rows from ``first`` to ``last`` are asked, always
    the same ones.
    """
    name = f"{strategy.name} looks ahead"
    for row in np.unique(np.linspace(first, last, SESSIONS + 1, dtype=np.int64)[:-1]).tolist():
        again = strategy.values(known.until(row))
        whole = scores[: row + 1]
        if again.shape != whole.shape:
            raise ValidationError(
                f"{name}: on data up to {known.days[row]} it has other sessions or funds",
                received=again.shape,
                limit=f"{whole.shape}",
            )
        same = np.isclose(again, whole, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        if not same.all():
            day, column = (int(each[0]) for each in np.nonzero(~same))
            raise ValidationError(
                f"{name}: the score of {known.symbols[column]} on {known.days[day]} changes when the data "
                f"end on {known.days[row]}",
                received=f"{whole[day, column]:.6g} with later data, {again[day, column]:.6g} without",
                hint="Compute a row from the rows up to it: no shift by -1, nothing over the whole sample.",
            )
