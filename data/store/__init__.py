"""The tables, declared once, and the folder of Parquet files that keeps them."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Return ``Store``, which scripts import from here; loaded when it is asked for."""
    if name == "Store":
        from data.store.store import Store

        return Store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
