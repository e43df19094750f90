"""The door to empyrical, which is imported when the first metric is computed.

It comes without scipy.stats and scipy.optimize, which are four fifths of its 0.4 s, and without yfinance,
where that is installed: it needs them for functions that are not called here.
"""

from __future__ import annotations

import importlib
import sys
import types
from functools import cache
from typing import Any


class _OnDemand(types.ModuleType):
    """Stands for a module of functions while another imports it; whoever calls one of them loads it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.__name__

        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*arguments, **options)

        call.__name__ = name
        return call


@cache
def empyrical() -> Any:
    """Return the library."""
    absent = [name for name in ("scipy.stats", "scipy.optimize", "yfinance") if name not in sys.modules]
    sys.modules.update({name: _OnDemand(name) for name in absent})
    try:
        return importlib.import_module("empyrical")
    finally:
        for name in absent:
            del sys.modules[name]
