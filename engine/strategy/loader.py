"""Strategies by name: a built-in, or a class in the user's own file, with parameters as typed."""

from __future__ import annotations

import atexit
import copyreg
import dataclasses
import gc
import importlib
import importlib.util
import inspect
import marshal
import sys
import types
import typing
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from data.errors import EtflowError, StrategyError, UsageError, did_you_mean
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import (
    BacktraderAdapter,
    adapter_of,
    backtrader_defaults,
    is_backtrader,
    methods_of,
    no_dataclass,
)
from engine.strategy.mistakes import mend, source_of, told
from engine.strategy.parameter import Parameter, typed
from engine.strategy.trusted import file_of, remember

# One module object for each file and version of it, so that the same class loads once.
MODULE_PREFIX = "etflow_user_strategy_"
ANEW = "anew_"
# The code that made each class of a user's file, which may have changed on disk since.
_codes: WeakKeyDictionary[type[Any], types.CodeType] = WeakKeyDictionary()


def load_strategy(name: str, parameters: Mapping[str, Any], table: Mapping[str, type[Any]]) -> Adapter:
    """Return the adapter of the strategy called ``name`` with ``parameters`` set.

    ``name`` is one of ``table`` or ``path/to/file.py:ClassName``. Values given as text are brought to the
    type of their field. UsageError for unknown names and values out of bounds, StrategyError for a file that
    cannot be loaded.
    """
    return make_strategy(strategy_class(name, table), parameters, name)


def strategy_class(name: str, table: Mapping[str, type[Any]]) -> type[Any]:
    """Return the class of a strategy by its name or place."""
    if name in table:
        return table[name]
    file = file_of(name)
    if file:
        return _class_in_file(Path(file), name.removeprefix(file).removeprefix(":"))
    raise UsageError(
        f"unknown strategy `{name}`",
        hint=did_you_mean(name, table) + " Your own is given as path/to/file.py:ClassName.",
    )


def make_strategy(strategy: type[Any], parameters: Mapping[str, Any], name: str) -> Adapter:
    """Return the adapter of an instance of a class with ``parameters`` as typed."""
    adapter = adapter_of(strategy, name)  # type: ignore[arg-type]
    if adapter is BacktraderAdapter:
        return BacktraderAdapter(strategy, _backtrader_values(strategy, parameters, name))
    known = {each.name: each for each in parameters_of(strategy)}
    values = {}
    for key, value in parameters.items():
        if key not in known:
            raise UsageError(f"unknown parameter `{key}` of {name}", hint=did_you_mean(key, known))
        values[key] = _typed(value, known[key].kinds, f"parameter `{key}` of {name}")
    try:
        return adapter(strategy(**values))
    except EtflowError:
        raise
    except Exception as error:
        raise StrategyError(
            f"{name} could not be made", received=told(error, source_of(strategy)), hint=mend(error)
        ) from error


def parameters_of(strategy: type[Any]) -> tuple[Parameter, ...]:
    """Return the fields of a strategy class in their order, with bounds, unit and help."""
    if is_backtrader(strategy):
        return tuple(
            Parameter(name, (type(value),), value, None, None, None, "", "")
            for name, value in backtrader_defaults(strategy).items()
        )
    if not dataclasses.is_dataclass(strategy):
        raise no_dataclass(strategy.__name__)
    hints = _hints(strategy)
    return tuple(
        Parameter(
            name=field.name,
            kinds=_kinds(hints[field.name]),
            default=None if field.default is dataclasses.MISSING else field.default,
            low=field.metadata.get("low"),
            high=field.metadata.get("high"),
            choices=field.metadata.get("choices"),
            unit=field.metadata.get("unit", ""),
            help=field.metadata.get("help", ""),
        )
        for field in dataclasses.fields(strategy)
    )


def _hints(strategy: type[Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(strategy)
    except Exception as error:
        raise StrategyError(
            f"the fields of {strategy.__name__} have types that cannot be looked up",
            received=f"{type(error).__name__}: {error}",
            hint="Import what they name where the program runs, not only under TYPE_CHECKING.",
        ) from error


def _class_in_file(path: Path, class_name: str) -> type[Any]:
    if not path.is_file():
        raise UsageError("no such strategy file", received=path, hint="Give path/to/file.py:ClassName.")
    module = _load_module(path)
    found = {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and _looks_like_strategy(value)
    }
    if not class_name and len(found) == 1:
        return next(iter(found.values()))
    chosen = getattr(module, class_name, None) if class_name else None
    if not inspect.isclass(chosen):
        if class_name:
            raise UsageError(f"{path} has no class `{class_name}`", hint=did_you_mean(class_name, found))
        raise UsageError(
            f"{path} has {len(found)} strategies",
            received=", ".join(found) or "none",
            hint=f"Name one: {path}:ClassName.",
        )
    return chosen


@dataclasses.dataclass(frozen=True)
class Place:
    """Where another process finds a strategy: the file or the module of its class, and its parameters."""

    file: str
    module: str
    name: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, adapter: Adapter) -> Place | None:
        """Return the place of a strategy; None for one that is in no file, or not by its name."""
        written = adapter.written
        code = _codes.get(written)
        if "." in written.__qualname__ or (code is None and written.__module__ == "__main__"):
            return None
        file = code.co_filename if code else ""
        return cls(file, written.__module__, written.__name__, dict(adapter.set_values))

    def load(self) -> Adapter:
        """Return the adapter of the strategy, loaded here."""
        module = _load_module(Path(self.file)) if self.file else importlib.import_module(self.module)
        written = getattr(module, self.name)
        adapter = adapter_of(written, self.name)
        if adapter is BacktraderAdapter:
            return BacktraderAdapter(written, self.values)
        return adapter(written(**self.values))


def again(written: type[Any]) -> type[Any]:
    """Return a class of the user's file as its code makes it when it is executed anew; others as they are."""
    code = _codes.get(written)
    if code is None:
        return written
    made = getattr(_executed(code, MODULE_PREFIX + ANEW + code.co_filename), written.__name__, None)
    return made if inspect.isclass(made) else written


def _packed(adapter: BacktraderAdapter) -> tuple[Any, ...]:
    """Return how pickle makes the adapter again in another process: of a user's file by the code of the file.

    A class of backtrader cannot be sent itself, since its metaclass keeps classes that are in no module.
    """
    written = adapter.written
    code, given = _codes.get(written), dict(adapter.given)
    if code is not None and "." not in written.__qualname__:
        return _unpacked, (marshal.dumps(code), written.__name__, given)
    module = sys.modules.get(written.__module__)
    if written.__module__ == "__main__" or getattr(module, written.__qualname__, None) is not written:
        raise StrategyError(
            f"{adapter.name} cannot be sent to other processes: a class of backtrader travels as its file",
            received=f"`{written.__qualname__}` of {written.__module__}",
            hint="Put it at the top level of a file and name that, as path/to/file.py:ClassName; or stay in "
            "this process.",
        )
    return BacktraderAdapter, (written, given)


def _unpacked(code: bytes, name: str, given: dict[str, Any]) -> BacktraderAdapter:
    made: types.CodeType = marshal.loads(code)
    return BacktraderAdapter(getattr(_executed(made, MODULE_PREFIX + made.co_filename), name), given)


copyreg.pickle(BacktraderAdapter, _packed)


def _load_module(path: Path) -> types.ModuleType:
    try:
        content = path.read_bytes()
        remember(path, content)
        code = compile(content, str(path.resolve()), "exec", dont_inherit=True)
        return _executed(code, MODULE_PREFIX + str(path.resolve()))
    except EtflowError:
        raise
    except Exception as error:
        raise StrategyError(
            f"{path} could not be loaded", received=told(error, str(path.resolve())), hint=mend(error)
        ) from error


def _executed(code: types.CodeType, name: str) -> types.ModuleType:
    """Return the module of a file's code, executed now; it is known by ``name``, as pickle needs it."""
    spec = importlib.util.spec_from_file_location(name, code.co_filename)
    if spec is None:
        raise StrategyError(f"cannot load {code.co_filename}", hint="It must be a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up by name
    # What somebody else's code has open at the end of a process is closed with the garbage (`run_backtest`).
    atexit.unregister(gc.freeze)
    try:
        with redirect_stdout(sys.stderr):  # standard output is for what was asked of us
            exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    for each in vars(module).values():
        if inspect.isclass(each) and each.__module__ == name:
            _codes[each] = code
    return module


def _looks_like_strategy(value: type[Any]) -> bool:
    return is_backtrader(value) or (dataclasses.is_dataclass(value) and bool(methods_of(value)))


def _backtrader_values(strategy: type[Any], parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    defaults = backtrader_defaults(strategy)
    values = {}
    for key, value in parameters.items():
        if key not in defaults:
            raise UsageError(f"unknown parameter `{key}` of {name}", hint=did_you_mean(key, defaults))
        kind = str if defaults[key] is None else type(defaults[key])
        values[key] = _typed(value, (kind,), f"parameter `{key}` of {name}")
    return values


def _kinds(hint: Any) -> tuple[Any, ...]:
    """Return the types that a field of this type may have."""
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    return typing.get_args(hint) if union else (hint,)


def _typed(value: Any, kinds: tuple[Any, ...], where: str) -> Any:
    """Return text as the type of its field; other values as they are."""
    return typed(value, kinds, where) if isinstance(value, str) else value
