"""The door to pyfolio, which is imported when its figures or tables are asked for.

It comes without scikit-learn, IPython, and scipy's stats, optimize and cluster, which are four fifths of its
1.4 s: it needs them for factor models, notebooks and heat maps with clusters.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from engine.on_demand import imported

UNUSED = (
    *("sklearn", "sklearn.linear_model", "scipy.stats", "scipy.optimize"),
    *("scipy.cluster", "scipy.cluster.hierarchy", "IPython.display"),
)


@cache
def pyfolio() -> Any:
    """Return the library with the modules of its sheets; that zipline is not installed is not said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return imported("pyfolio", without=UNUSED)
