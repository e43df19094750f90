"""What the numbers of each fund decide alone is worked out for some funds at a time, which stay in the cache.

A function of the known face that looks at one column at a time gives it the same bits whatever else there is
(``strategies.windows``). On a large panel ``by_fund`` calls it with the faces of a few funds, one after the
other: half the time, and no array of the size of the panel but its result.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from data.numeric.compiled import load
from data.numeric.shared import asked_again

if TYPE_CHECKING:
    from data.panel.known import Known

Piece = TypeVar("Piece", bound=Callable[..., NDArray[Any]])

# Cells from which on a panel is large, and about how many of them some funds have: two megabytes an array.
LARGE, CELLS = 1_000_000, 250_000


def by_fund(function: Piece) -> Piece:
    """Return ``function(known, *values)``, (D, S) floats of which each column depends on its fund alone.

    A method, ``scores(self, known)``, can be one too. Funds that merge depend on each other: a panel with a
    merge is worked out as a whole, as is a view of a panel that ends earlier. Who asks a second time will ask
    again, as will a sweep of several scores: then the faces are kept, with all that is worked out of them.
    """
    kept: WeakKeyDictionary[Known, dict[int, Known]] = WeakKeyDictionary()

    @wraps(function)
    def wrapped(*values: Any) -> NDArray[Any]:
        from data.panel.known import Known

        place = 0 if isinstance(values[0], Known) else len(values) - 1
        known = values[place]
        if not isinstance(known, Known) or known.listed.size <= LARGE or known.merges:
            return function(*values)
        load()  # for a part alone nothing would: machine code pays for all of them
        again = known in kept or asked_again(known)
        faces = kept.setdefault(known, {})
        width = max(CELLS // len(known.days), 1)
        result = np.empty(known.listed.shape)
        for begin in range(0, len(known.symbols), width):
            columns = slice(begin, begin + width)
            face = faces.get(begin) or known.of(columns)
            if again:
                faces[begin] = face
            result[:, columns] = function(*values[:place], face, *values[place + 1 :])
        return result

    return wrapped  # type: ignore[return-value]
