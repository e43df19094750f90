"""Importing a library without the modules that it asks for and that are not needed here.

A library that plots or measures may take a second to import for the sake of functions that nobody calls.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any


class OnDemand(types.ModuleType):
    """Stands for a module while another imports it: what is taken out of it then is a function.

    It is loaded by whoever calls one of these, or asks for anything later.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.__name__
        if sys.modules.get(module) is not self:
            return getattr(importlib.import_module(module), name)

        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*arguments, **options)

        call.__name__ = name
        return call


def imported(library: str, without: Iterable[str]) -> Any:
    """Import a library; modules ``without`` that are not loaded yet get stand-ins. Parents come first.

    A release that needs one of them at once is imported whole.
    """
    stands = {name: OnDemand(name) for name in without if name not in sys.modules}
    for name, module in stands.items():
        parent, _, last = name.rpartition(".")
        if parent in stands:
            setattr(stands[parent], last, module)
    sys.modules.update(stands)
    try:
        return importlib.import_module(library)
    except Exception:
        _remove(stands)
        return importlib.import_module(library)
    finally:
        _remove(stands)


def _remove(stands: Mapping[str, types.ModuleType]) -> None:
    for name, module in stands.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
