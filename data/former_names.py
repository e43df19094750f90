"""Names by which scripts know modules of before the rooms: ``data.symbols`` is ``data.facts.symbols`` now.

``import data`` puts the finder behind those of Python, so that it is asked only for what nothing else has.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

FORMER: Mapping[str, str] = MappingProxyType(
    {
        f"data.{name}": f"data.{room}.{name}"
        for room, names in {
            "facts": ("actions", "availability", "calendars", "dated", "rules", "symbols", "universe"),
            "numeric": ("arithmetic", "compiled", "shared"),
            "panel": ("flows", "known", "market"),
            "scenarios": ("noise", "perturb", "placebo"),
            "store": ("cells", "merge", "tables"),
        }.items()
        for name in names
    }
)


class FormerNames:
    """Finds a module under its former name: another one with the same contents, and a DeprecationWarning.

    A finder and a loader by what it has, since their base classes take longer to import than all of this.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a module of ``FORMER`` is made; None for any other."""
        return ModuleSpec(fullname, cast("Loader", self)) if fullname in FORMER else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make an empty module."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the contents of the module that it is now into ``module``."""
        import warnings

        now = FORMER[module.__name__]
        warnings.warn(f"{module.__name__} is {now} now", DeprecationWarning, stacklevel=2)
        contents = vars(importlib.import_module(now)).items()
        module.__dict__.update({name: value for name, value in contents if not name.startswith("__")})
