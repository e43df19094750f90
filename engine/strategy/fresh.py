"""A strategy as if nobody had asked it anything yet, and what it can reach besides what it is given."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from data.panel.facts import Facts
from data.panel.known import Known
from data.panel.market import Market
from data.panel.panel import Ingredients, Panel
from engine.strategy.adapter import Adapter
from engine.strategy.loader import again

Adapted = TypeVar("Adapted", bound=Adapter)

MARKETS = (Panel, Known, Market, Ingredients, Facts)
# How far is followed from a strategy, by functions that it calls and what it holds.
DEEP = 6
FEW = 1000


def fresh(adapter: Adapted) -> Adapted:
    """Return the adapter of a strategy with the same parameters that remembers nothing.

    The file of a user's own is executed anew, so that what its module keeps is gone too. What was imported
    from elsewhere stays: only another process is without that (``engine.audits.purity``).
    """
    return _remade(adapter, again(adapter.written))


def renewed(adapter: Adapted) -> Adapted:
    """Return the adapter of a new strategy of the same class with the same parameters."""
    return _remade(adapter, adapter.written)


def _remade(adapter: Adapted, written: type[Any]) -> Adapted:
    return dataclasses.replace(adapter, strategy=_made_anew(adapter.strategy, written))


def _made_anew(strategy: Any, written: type[Any]) -> Any:
    """Return a strategy made with the same parameters, of the class as it is ``written`` now."""
    if isinstance(strategy, type):
        return written
    try:
        values = {
            each.name: copy.deepcopy(getattr(strategy, each.name))
            for each in dataclasses.fields(strategy)
            if each.init
        }
        return written(**values)
    except Exception:
        return strategy  # made in a way of its own; it is asked as it is


def reached(written: type[Any], strategy: Any) -> str | None:
    """Return by which name a strategy reaches a panel or a face of one, in words; None if by none.

    Followed are its fields, and of its methods and the functions that they call the globals and closures.
    """
    seen: set[int] = set()
    for name, value in _held(strategy, written):
        found = _market_in(value, name, seen, DEEP)
        if found:
            return found
    return None


def _market_in(value: Any, name: str, seen: set[int], deep: int) -> str | None:
    if isinstance(value, MARKETS):
        return f"{name} is a {type(value).__name__}"
    if deep == 0 or id(value) in seen or isinstance(value, str | bytes | int | float | type(None)):
        return None
    seen.add(id(value))
    for inner, each in _parts(value, name):
        found = _market_in(each, inner, seen, deep - 1)
        if found:
            return found
    return None


def _held(strategy: Any, written: type[Any]) -> Iterator[tuple[str, Any]]:
    if not isinstance(strategy, type):
        yield from ((f"its field `{name}`", each) for name, each in _attributes(strategy).items())
    for base in written.__mro__:
        if base.__module__.partition(".")[0] in ("builtins", "abc", "backtrader", "engine", "data"):
            continue
        yield from ((f"its `{name}`", each) for name, each in vars(base).items() if name[:2] != "__")


def _parts(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield what can be reached from a value: what a function names, what a container holds."""
    while isinstance(value, functools.partial | staticmethod | classmethod):
        value = value.func if isinstance(value, functools.partial) else value.__func__
    if isinstance(value, property):
        value = value.fget
    value = inspect.unwrap(value) if callable(value) else value
    if isinstance(value, types.MethodType):
        yield "its method", value.__self__
        value = value.__func__
    if isinstance(value, types.FunctionType) and not _is_librarys(value):
        yield from _named_by(value)
    elif isinstance(value, Mapping):
        yield from ((name, each) for each in list(value.values())[:FEW])
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((name, each) for each in list(value)[:FEW])
    elif isinstance(value, types.SimpleNamespace) or _is_users(value):
        yield from ((f"{name}.{inner}", each) for inner, each in _attributes(value).items())


def _named_by(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f"its closure `{name}`", cell.cell_contents
        except ValueError:
            continue  # not filled yet
    for name in sorted(_names_in(function.__code__)):
        value = function.__globals__.get(name)
        if value is not None and not isinstance(value, types.ModuleType | type):
            yield f"its global `{name}`", value


def _names_in(code: types.CodeType) -> set[str]:
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


def _is_librarys(function: types.FunctionType) -> bool:
    """Whether a function is ours or of an installed package: what these hold is no strategy's."""
    top = function.__module__.partition(".")[0] if function.__module__ else ""
    return top in ("engine", "data") or "site-packages" in function.__code__.co_filename


def _attributes(value: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(value, "__dict__", {})
    return found


def _is_users(value: Any) -> bool:
    """Whether a value is of a class of the user's own, of which attributes are looked at."""
    top = type(value).__module__.partition(".")[0]
    return top in ("__main__", "strategies") or top.startswith("etflow_user_strategy_")
