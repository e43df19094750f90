"""The door to empyrical, which is imported when the first metric is computed.

It comes without scipy.stats and scipy.optimize, which are four fifths of its 0.4 s, and without yfinance,
where that is installed: it needs them for functions that are not called here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from engine.on_demand import imported


@cache
def empyrical() -> Any:
    """Return the library."""
    return imported("empyrical", without=("scipy.stats", "scipy.optimize", "yfinance"))
