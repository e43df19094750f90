"""Conditions as people write them: ``top <= 5 and lookback < z_window``, ``max_drawdown > -0.25``.

1. The text is parsed as a Python expression, and each node is held against a short list: names, numbers,
   texts, comparisons, ``and or not``, ``+ - * /``. Nothing else is accepted, and nothing is ever passed to
   ``eval``: each node becomes a small function (``_value``).
2. Comparing what has no order (none, an undefined metric, a text with a number) gives neither yes nor no, and
   so does arithmetic with it or a division by zero. ``and or not`` carry that on in Kleene's logic; a
   condition holds only where the answer is yes. ``==`` and ``!=`` always have an answer.
3. ``violation`` says by how much a condition is missed, which is what leads a search towards the sets that
   obey it (``_violation``).
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from data.errors import UsageError, did_you_mean

Values = Mapping[str, Any]
Function = Callable[[Values], Any]

ALLOWED = "names, numbers, texts in quotes, < <= > >= == !=, and or not, + - * /"
LONGEST = 1000
# What a condition without a measurable distance (an undefined metric, a text) is missed by.
MISSED = 1e9
# What is infinitely far away is missed by, or met by.
MOST = 1e300
# Larger than nothing, so that a strict comparison that is missed by nothing is still missed.
LEAST = 1e-12

CONSTANTS: Mapping[str, Any] = {"none": None, "true": True, "false": False}

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ORDER: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True)
class Condition:
    """A condition over named values; ``text`` is its one way of writing it, ``names`` what it depends on."""

    text: str
    names: frozenset[str]
    _value: Function = field(repr=False, compare=False)
    _violation: Callable[[Values], float] = field(repr=False, compare=False)

    def holds(self, values: Values) -> bool:
        """Return whether the condition is met; an undefined value meets no comparison of size."""
        return self._value(values) is True

    def answer(self, values: Values) -> bool | None:
        """Return whether the condition is met, None where undefined values leave that open."""
        return _truth(self._value(values))

    def violation(self, values: Values) -> float:
        """Return by how much the condition is missed: above zero if and only if it does not hold.

        A finite number whatever the values: a search that learns takes no other.
        """
        if self.holds(values):
            return max(min(self._violation(values), 0.0), -MOST)
        return min(max(self._violation(values), LEAST), MOST)

    def __str__(self) -> str:
        return self.text


def parse_condition(
    text: str, known: Collection[str], option: str, example: str = "top <= 5 and weighting == 'equal'"
) -> Condition:
    """Return the condition that ``text`` says over the names ``known``.

    UsageError, naming ``option``, for what is not a condition, with close matches for unknown names.
    """
    if len(text) > LONGEST:
        raise UsageError(f"{option} is too long", received=f"{len(text)} letters", limit=LONGEST)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        condition = _condition(tree, frozenset(known), option)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"{option} is not a condition",
            received=repr(text),
            limit=ALLOWED,
            hint=f'Write it as in "{example}".',
        ) from None
    return condition


def _condition(tree: ast.expr, known: frozenset[str], option: str) -> Condition:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and _is_field(node, known):
            names.add(node.id)
    value = _build(tree, known, option)
    if not isinstance(tree, ast.Compare | ast.BoolOp | ast.Name) and not _is_not(tree):
        raise UsageError(
            f"{option} is neither true nor false",
            received=repr(ast.unparse(tree)),
            hint="Compare it with something.",
        )
    return Condition(ast.unparse(tree), frozenset(names), value, _missed(tree, known, option))


def _is_field(node: ast.Name, known: frozenset[str]) -> bool:
    return node.id in known or node.id not in CONSTANTS


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _build(node: ast.expr, known: frozenset[str], option: str) -> Function:
    """Return the function that gives the value of a node: a number, a text, yes, no or None."""
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
            return lambda _values: value
        case ast.Name(id=name) if not _is_field(node, known):
            constant = CONSTANTS[name]
            return lambda _values: constant
        case ast.Name(id=name) if name in known:
            return operator.itemgetter(name)
        case ast.Name(id=name):
            quotes = f" A text goes in quotes: '{name}'."
            raise UsageError(f"{option}: unknown name `{name}`", hint=did_you_mean(name, known) + quotes)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _build(operand, known, option)
            return lambda values: None if (answer := _truth(inner(values))) is None else not answer
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            inner = _build(operand, known, option)
            factor = -1 if isinstance(sign, ast.USub) else 1
            return lambda values: _arithmetic(operator.mul, factor, inner(values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            compute, one, two = (
                _ARITHMETIC[type(op)],
                *(_build(each, known, option) for each in (left, right)),
            )
            return lambda values: _arithmetic(compute, one(values), two(values))
        case ast.BoolOp(op=op, values=parts):
            functions = [_build(part, known, option) for part in parts]
            return _all(functions) if isinstance(op, ast.And) else _any(functions)
        case ast.Compare():
            pairs = [_compare(*each, known, option) for each in _pairs(node)]
            return pairs[0] if len(pairs) == 1 else _all(pairs)
    raise UsageError(
        f"{option} may not contain this", received=repr(ast.unparse(node)), limit=f"only {ALLOWED}"
    )


def _pairs(node: ast.Compare) -> list[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """Return ``a < b < c`` as ``a < b`` and ``b < c``."""
    operands = [node.left, *node.comparators]
    return list(zip(operands[:-1], node.ops, operands[1:], strict=True))


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, known: frozenset[str], option: str) -> Function:
    one, two = _build(left, known, option), _build(right, known, option)
    if type(op) in _EQUALITY:
        equality = _EQUALITY[type(op)]
        return lambda values: equality(one(values), two(values))
    if type(op) not in _ORDER:
        raise UsageError(
            f"{option} may not contain this",
            received=repr(ast.unparse(ast.Compare(left, [op], [right]))),
            limit=f"only {ALLOWED}",
        )
    order = _ORDER[type(op)]

    def ordered(values: Values) -> bool | None:
        try:
            return order(one(values), two(values))
        except TypeError:  # none, or a text with a number
            return None

    return ordered


def _arithmetic(compute: Callable[[Any, Any], Any], one: Any, two: Any) -> Any:
    if not isinstance(one, int | float) or not isinstance(two, int | float):
        return None
    try:
        result = compute(one, two)
    except (ZeroDivisionError, OverflowError):
        return None
    return None if result != result else result  # as infinite less infinite


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _all(parts: list[Function]) -> Function:
    def every(values: Values) -> bool | None:
        answers = [_truth(part(values)) for part in parts]
        return False if False in answers else None if None in answers else True

    return every


def _any(parts: list[Function]) -> Function:
    def some(values: Values) -> bool | None:
        answers = [_truth(part(values)) for part in parts]
        return True if True in answers else None if None in answers else False

    return some


def _missed(node: ast.expr, known: frozenset[str], option: str) -> Callable[[Values], float]:
    """Return the function that measures how far a condition is from being met; zero or less where it is."""
    if isinstance(node, ast.BoolOp):
        parts = [_missed(part, known, option) for part in node.values]
        choose = max if isinstance(node.op, ast.And) else min
        return lambda values: choose(part(values) for part in parts)
    if isinstance(node, ast.Compare):
        distances = [_distance(*pair, known, option) for pair in _pairs(node)]
        return lambda values: max(distance(values) for distance in distances)
    whole = _build(node, known, option)
    return lambda values: -MISSED if _truth(whole(values)) is True else MISSED


def _distance(
    left: ast.expr, op: ast.cmpop, right: ast.expr, known: frozenset[str], option: str
) -> Callable[[Values], float]:
    one, two = _build(left, known, option), _build(right, known, option)
    answer = _compare(left, op, right, known, option)
    sign = 1 if isinstance(op, ast.Lt | ast.LtE) else -1

    def distance(values: Values) -> float:
        holds = answer(values) is True
        between = _arithmetic(operator.sub, one(values), two(values))
        if between is None or isinstance(op, ast.NotEq):
            return -MISSED if holds else MISSED
        if isinstance(op, ast.Eq):
            return _far(abs(between))
        return sign * _far(between) if holds else max(sign * _far(between), LEAST)

    return distance


def _far(between: float) -> float:
    """Return a difference as a float; of whole numbers beyond all floats, infinity of its sign."""
    try:
        return float(between)
    except OverflowError:
        return math.inf if between > 0 else -math.inf
