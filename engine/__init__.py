"""What happens if you do: engines, results, statistics, reports and the command line.

``from engine import run`` does in a notebook what ``etflow run`` does, on a panel and a strategy object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.kernel.costs import Costs
    from engine.notebook import compare, tune
    from engine.result import Result
    from engine.simulation.backtest import run
    from engine.spec import Spec
    from engine.sweeps.grid import sweep

__all__ = ["Costs", "Result", "Spec", "compare", "run", "sweep", "tune"]

_PLACES = {
    "Costs": "engine.kernel.costs",
    "Result": "engine.result",
    "Spec": "engine.spec",
    "compare": "engine.notebook",
    "run": "engine.simulation.backtest",
    "sweep": "engine.sweeps.grid",
    "tune": "engine.notebook",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `--help` need not."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
