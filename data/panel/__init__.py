"""The panel: day x symbol arrays, with a known face for strategies and a market face for engines."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return ``Panel``, which scripts import from here; loaded when it is asked for."""
    if name == "Panel":
        from data.panel.panel import Panel

        return Panel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
