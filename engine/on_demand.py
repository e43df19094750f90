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
    """Stands for a module while another imports it; what is taken out of it then is loaded when used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        part = Part(self.__name__, name)
        return part if sys.modules.get(self.__name__) is self else part.loaded()


class Part:
    """Stands for what a module has by a name; calling it, or asking it for anything, loads the module."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self.__name__ = module, name

    def loaded(self) -> Any:
        """Return what it stands for. Who asks while the library is being imported ends all standing in."""
        for name, module in list(sys.modules.items()):
            if isinstance(module, OnDemand):
                sys.modules.pop(name, None)
        return getattr(importlib.import_module(self._module), self.__name__)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call what it stands for."""
        return self.loaded()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.loaded(), name)


def imported(library: str, without: Iterable[str]) -> Any:
    """Import a library; modules ``without`` that are not loaded yet get stand-ins. Parents come first.

    Other threads that import one of them meanwhile get its stand-in too, which serves them as well. A release
    that needs more than a stand-in can give, a class to derive from, is imported whole.
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
