"""What a strategy is written in, as two hashes: two classes that have the same are the same code.

``source`` is of the class's own code, of whatever it uses of its module, and of the files of other modules
that are the user's own. Neither the name of the class counts nor what else stands in its file, comments,
docstrings or layout. ``shape`` is of the same without numbers, and without other files: a class that was
renamed and whose constants were changed has the shape of what it was.

A class in a file is read there. One that is in no file (a notebook), or that a function made, is read from
its compiled methods, with what they use: functions, other classes, plain values and what holds such, and what
they enclose.
"""

from __future__ import annotations

import ast
import dis
import hashlib
import importlib.util
import inspect
import itertools
import sys
import sysconfig
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

DIGITS = 16
OWN = "_"
# Of these etflow is made; its version is on record beside.
ETFLOW = frozenset({"data", "engine", "strategies"})
INSTALLED = tuple(
    {str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "purelib", "platlib")}
)
_MADE_BY_HAND = frozenset({"__post_init__", "__call__"})
_PLAIN = (bool, int, float, complex, str, bytes, types.NoneType)
_NUMBERS = (bool, int, float, complex)
_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
_HOLDERS = (tuple, list, dict, set, frozenset, np.ndarray)
_known: WeakKeyDictionary[type[Any], Code] = WeakKeyDictionary()


@dataclass(frozen=True)
class Code:
    """Hashes of a strategy's code; both empty where it cannot be read."""

    source: str = ""
    shape: str = ""


def code_of(strategy: type[Any]) -> Code:
    """Return the hashes of what a class is written in, as it was when first asked."""
    if strategy not in _known:
        _known[strategy] = _read(strategy)
    return _known[strategy]


def source_of(strategy: type[Any]) -> str:
    """Return the hash of a class's own code and of all that it uses; empty where that cannot be read."""
    return code_of(strategy).source


def module_of(strategy: type[Any]) -> str:
    """Return a hash of the file of a class, by which records of before know it; empty where there is none."""
    try:
        return _hash([Path(inspect.getsourcefile(strategy) or "").read_bytes()])
    except (OSError, TypeError):
        return ""


def _read(strategy: type[Any]) -> Code:
    try:
        if "<locals>" not in strategy.__qualname__:
            file = inspect.getsourcefile(strategy)
            tree = ast.parse(Path(file or "").read_bytes())
            return _written(tree, strategy)
    except (OSError, TypeError, SyntaxError, ValueError):
        pass
    own = strategy.__name__
    return Code(*(_hash(_compiled(strategy, own, numbers, set())) for numbers in (True, False)))


def _hash(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode() + b"\0")
    return digest.hexdigest()[:DIGITS]


# --- in a file --------------------------------------------------------------------------------------------


def _written(tree: ast.Module, strategy: type[Any]) -> Code:
    own, _, inner = strategy.__qualname__.partition(".")
    used = _used(tree, own)
    if not any(isinstance(each, ast.ClassDef) and each.name == own for each in used):
        raise ValueError(f"{own} is not in its file")
    others = sorted({*_files(used, sys.modules.get(strategy.__module__))})
    contents = [text for file in others for text in (file.name, ast.unparse(_Without().visit(_parsed(file))))]
    texts = [ast.unparse(_Without(own).visit(each)) for each in used]
    bare = [ast.unparse(_Without(own, numbers=False).visit(each)) for each in used]
    return Code(_hash([*texts, inner, *contents]), _hash([*bare, inner]))


def _used(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Return the statements of a module that bind a name or anything that these use, in their order."""
    bound: dict[str, set[int]] = {}
    for place, statement in enumerate(tree.body):
        for each in _bound_by(statement):
            bound.setdefault(each, set()).add(place)
    waiting, found = set(bound.get(name, ())), set[int]()
    while waiting:
        place = waiting.pop()
        found.add(place)
        for node in ast.walk(tree.body[place]):
            if isinstance(node, ast.Name):
                waiting |= bound.get(node.id, set()) - found
    return [tree.body[place] for place in sorted(found)]


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield statement.name
        return
    for each in ast.walk(statement):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, ast.ClassDef | ast.FunctionDef):
            yield each.name
        elif isinstance(each, ast.Import | ast.ImportFrom):
            yield from ((name.asname or name.name).partition(".")[0] for name in each.names)


def _files(statements: Iterable[ast.stmt], module: types.ModuleType | None) -> Iterator[Path]:
    """Yield the files of the user's own modules that statements import, and of those that these import."""
    package = getattr(module, "__package__", None) or ""
    waiting = [*_imported(statements, package)]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name.partition(".")[0] in ETFLOW | sys.stdlib_module_names:
            continue
        seen.add(name)
        found = sys.modules.get(name)
        file = getattr(found, "__file__", None)
        if not file or not file.endswith(".py") or str(Path(file).resolve()).startswith(INSTALLED):
            continue
        yield Path(file)
        waiting += _imported(_parsed(Path(file)).body, getattr(found, "__package__", None) or "")


def _imported(statements: Iterable[ast.stmt], package: str) -> Iterator[str]:
    for each in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(each, ast.Import):
            yield from (name.name for name in each.names)
        elif isinstance(each, ast.ImportFrom):
            name = "." * each.level + (each.module or "")
            if each.level and not package:
                continue
            module = importlib.util.resolve_name(name, package)
            yield module
            yield from (f"{module}.{name.name}" for name in each.names)


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


class _Without(ast.NodeTransformer):
    """Takes out of a tree what says nothing: docstrings, the name of the class, and if asked numbers."""

    def __init__(self, own: str | None = None, *, numbers: bool = True) -> None:
        self.own, self.numbers = own, numbers

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.ClassDef) and node.name == self.own:
            node.name = OWN
        if isinstance(node, ast.Name) and node.id == self.own:
            node.id = OWN
        if isinstance(node, ast.Constant) and not self.numbers and isinstance(node.value, _NUMBERS):
            node.value = 0
        return self.generic_visit(node)


# --- compiled ---------------------------------------------------------------------------------------------


def _compiled(value: Any, own: str, numbers: bool, seen: set[int]) -> Iterator[str | bytes]:
    """Yield what tells apart one value from another: of functions and classes all that they use."""
    if isinstance(value, _PLAIN):
        yield repr(value) if numbers or not isinstance(value, _NUMBERS) else "0"
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, tuple | list | set | frozenset):
        for each in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
            yield from _compiled(each, own, numbers, seen)
    elif isinstance(value, dict):
        yield "{}"
        for each in itertools.chain.from_iterable(value.items()):
            yield from _compiled(each, own, numbers, seen)
    elif isinstance(value, np.ndarray):
        yield str((value.dtype, value.shape)) if not numbers else value.tobytes()
    elif isinstance(value, staticmethod | classmethod):
        yield from _compiled(value.__func__, own, numbers, seen)
    elif isinstance(value, property):
        yield from _compiled(value.fget, own, numbers, seen)
    elif isinstance(value, types.CodeType):
        yield value.co_code
        yield " ".join(OWN if name == own else name for name in (*value.co_names, *value.co_varnames))
        for each in value.co_consts:
            yield from _compiled(each, own, numbers, seen)
    elif isinstance(value, types.FunctionType):
        yield from _function(value, own, numbers, seen)
    elif isinstance(value, type):
        yield from _class(value, own, numbers, seen)
    else:
        yield type(value).__qualname__


def _function(value: types.FunctionType, own: str, numbers: bool, seen: set[int]) -> Iterator[str | bytes]:
    if not _of_the_user(value):
        yield f"{value.__module__}.{value.__qualname__}"
        return
    parts = [value.__code__, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    for cell in value.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:  # not bound yet
            continue
    for name in sorted({*_names(value.__code__)}):
        used = value.__globals__.get(name)
        if isinstance(used, (*_PLAIN, *_HOLDERS, types.FunctionType, type)):
            parts.append(used)
    for each in parts:
        yield from _compiled(each, own, numbers, seen)


def _class(value: type[Any], own: str, numbers: bool, seen: set[int]) -> Iterator[str | bytes]:
    if not _of_the_user(value):
        yield f"{value.__module__}.{value.__qualname__}"
        return
    made = "__dataclass_fields__" in vars(value)
    for name, each in sorted(vars(value).items()):
        by_hand = name in _MADE_BY_HAND or (name == "__init__" and not made)
        if not (name.startswith("__") and name.endswith("__")) or by_hand:
            yield name
            yield from _compiled(each, own, numbers, seen)
    for name, each in vars(value).get("__dataclass_fields__", {}).items():
        yield name
        yield from _compiled(each.default, own, numbers, seen)
    for each in value.__bases__:
        yield from _compiled(each, own, numbers, seen)


def _names(code: types.CodeType) -> Iterator[str]:
    """Yield the globals that code reads; the names of attributes are none."""
    yield from (each.argval for each in dis.get_instructions(code) if each.opname in _READS)
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _names(each)


def _of_the_user(value: Any) -> bool:
    """Whether a function or class is neither etflow's nor of a library."""
    name = str(value.__module__ or "")
    root = name.partition(".")[0]
    if root in ETFLOW | sys.stdlib_module_names and root != "__main__":
        return False
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is None or not str(Path(file).resolve()).startswith(INSTALLED)
