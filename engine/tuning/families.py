"""The family of a strategy: which sets on record are looks at the same idea.

In a module of its own, which every run needs to put its look on record: what a judgement makes of a family
is a multiple of it to import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from inspect import isabstract
from typing import Any

from data.errors import EtflowError
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import methods_of
from engine.strategy.source import code_of
from engine.tuning.inputs import declared_files, version_with
from engine.tuning.on_record import Family


def family_of(adapter: Adapter, sets: Iterable[Mapping[str, Any]] = ()) -> Family:
    """Return the family of a strategy; relatives are also what it is made of, as it is and with ``sets``."""
    code, inputs = code_of(adapter.written), declared_files(adapter)
    source = version_with(code.source, inputs) if inputs else code.source
    return Family(adapter.class_name, source, tuple(relatives(adapter, sets)), code.shape)


def relatives(adapter: Adapter, sets: Iterable[Mapping[str, Any]]) -> dict[str, type[Any]]:
    """Return the strategies by class name that one derives from or is made of."""
    parts = _parts(adapter, sets) if hasattr(adapter.written, "made_of") else ()
    classes = (*adapter.written.__mro__[1:], *(each for part in parts for each in part.__mro__))
    return {each.__name__: each for each in classes if methods_of(each) and not isabstract(each)}


def _parts(adapter: Adapter, sets: Iterable[Mapping[str, Any]]) -> Iterator[type[Any]]:
    """Yield the classes that a strategy is made of, which its texts say."""
    texts = {tuple((name, each) for name, each in chosen.items() if isinstance(each, str)) for chosen in sets}
    for each in ((), *sorted(texts)):
        try:
            said = adapter.with_parameters(dict(each)).strategy.made_of
        except EtflowError:  # a set that fails was not looked at
            continue
        yield from (part for part in said if isinstance(part, type))
