"""One searched parameter and the values it takes, from a word of ``--param``.

=========================== ===================================================================
``lookback=3:20``           whole numbers, both ends included
``lookback=5:60:5``         with a step; the last one is the largest that is not above the end
``threshold=0:1:0.25``      numbers with a step, in exact decimals
``cap=0.1:1``               any number between, for methods that draw
``margin_weight=0.01:10:log``  the same, evenly over orders of magnitude
``rebalance=5,weekly``      one of these
``excess_of_momentum``      a switch: false, true
=========================== ===================================================================

Types, bounds and choices are those of the strategy's field (``engine.strategy.parameter``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, TypeAlias

from data.errors import UsageError
from engine.strategy.parameter import Parameter, typed

LOG = "log"
FORMS = "NAME=LOW:HIGH, NAME=LOW:HIGH:STEP, NAME=LOW:HIGH:log or NAME=A,B,C"

# Below this many, values are computed once and kept.
_FEW = 4096


@dataclass(frozen=True)
class Choices:
    """Values one by one, of any type."""

    name: str
    values: tuple[Any, ...]

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def ordered(self) -> bool:
        """Whether the values are rising numbers, so that neighbours resemble each other."""
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)
        return numbers and all(one < two for one, two in zip(self.values, self.values[1:], strict=False))

    def value(self, index: int) -> Any:
        """Return the value at ``index``."""
        return self.values[index]

    def __str__(self) -> str:
        return f"{self.name}={','.join(map(_text, self.values))}"


@dataclass(frozen=True)
class Steps:
    """``count`` values from ``low`` on, ``step`` apart, whole or in exact decimals."""

    name: str
    low: Decimal
    step: Decimal
    count: int
    whole: bool

    ordered = True

    def value(self, index: int) -> int | float:
        """Return the value at ``index``."""
        return self._few[index] if self._few else self._compute(index)

    def _compute(self, index: int) -> int | float:
        exact = self.low + self.step * index
        return int(exact) if self.whole else float(exact)

    @cached_property
    def _few(self) -> tuple[int | float, ...]:
        return tuple(map(self._compute, range(self.count))) if self.count <= _FEW else ()

    def __str__(self) -> str:
        last = self.low + self.step * (self.count - 1)
        return f"{self.name}={_plain(self.low)}:{_plain(last)}:{_plain(self.step)}"


@dataclass(frozen=True)
class Interval:
    """Any number from ``low`` to ``high``, evenly, or with ``log`` evenly over its logarithm."""

    name: str
    low: float
    high: float
    log: bool

    count = None

    def at(self, share: float) -> float:
        """Return the number at a share of the way, 0 to 1."""
        if self.log:
            span = math.log(self.high) - math.log(self.low)
            number = math.exp(math.log(self.low) + share * span)
        else:
            number = self.low + share * (self.high - self.low)
        return min(max(number, self.low), self.high)

    def share(self, number: float) -> float:
        """Return at which share of the way a number is: the inverse of :meth:`at`."""
        if self.log:
            return (math.log(number) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (number - self.low) / (self.high - self.low)

    def __str__(self) -> str:
        return f"{self.name}={_text(self.low)}:{_text(self.high)}" + (f":{LOG}" if self.log else "")


Dimension: TypeAlias = Choices | Steps | Interval


def parse_dimension(name: str, values: str | None, field: Parameter) -> Dimension:
    """Return the dimension that ``values`` says (None: a switch); else UsageError.

    Parameters
    ----------
    name : str
    values : str or None
        What stands behind ``=``.
    field : Parameter
        Of the strategy.
    """
    if values is None:
        if bool not in field.kinds:
            raise UsageError(f"--param {name} needs values: only a switch has its own", limit=FORMS)
        return Choices(name, (False, True))
    words = [word.strip() for word in values.split(",")]
    if not all(words):
        raise UsageError(f"--param {name} has an empty value", received=repr(values), limit=FORMS)
    if len(words) == 1 and ":" in values and {int, float} & {*field.kinds}:
        return _range(name, [part.strip() for part in values.split(":")], field)
    found = tuple(_value(word, field) for word in words)
    for index, value in enumerate(found):
        if any(value == other and type(value) is type(other) for other in found[:index]):
            raise UsageError(
                f"--param {name} has a value twice", received=words[index], hint="Leave one of them out."
            )
    return Choices(name, found)


def _range(name: str, parts: list[str], field: Parameter) -> Dimension:
    received = ":".join(parts)
    if len(parts) > 3:
        raise UsageError(f"--param {name} is not a range", received=received, limit=FORMS)
    log = len(parts) == 3 and parts[2].lower() == LOG
    low, high, *rest = (_decimal(name, part) for part in (parts[:2] if log else parts))
    whole = int in field.kinds and float not in field.kinds
    if whole and any(number != int(number) for number in (low, high, *rest)):
        raise UsageError(f"--param {name} takes whole numbers", received=received)
    if low > high:
        raise UsageError(
            f"--param {name} begins above its end",
            received=received,
            hint=f"Write {name}={parts[1]}:{parts[0]}.",
        )
    for number in (low, high):
        _check(int(number) if whole else float(number), field)
    if log:
        return _log_range(name, low, high, whole, received)
    if low == high and not rest:
        return Choices(name, (int(low) if whole else float(low),))
    if not rest and not whole:
        return Interval(name, float(low), float(high), log=False)
    step = rest[0] if rest else Decimal(1)
    if not 0 < step <= high - low:
        raise UsageError(
            f"--param {name}: the step gives nothing between {parts[0]} and {parts[1]}",
            received=step,
            limit=f"above 0, at most {_plain(high - low)}",
        )
    try:
        return Steps(name, low, step, int((high - low) // step) + 1, whole)
    except InvalidOperation:
        raise UsageError(f"--param {name}: the step is too small", received=step) from None


def _log_range(name: str, low: Decimal, high: Decimal, whole: bool, received: str) -> Interval:
    if whole:
        raise UsageError(
            f"--param {name} takes whole numbers, and `{LOG}` gives others",
            received=received,
            hint=f"List them, as in {name}=5,10,20,40.",
        )
    if not 0 < low < high:
        raise UsageError(
            f"--param {name}: a range over orders of magnitude begins above 0 and ends higher",
            received=received,
        )
    return Interval(name, float(low), float(high), log=True)


def _decimal(name: str, word: str) -> Decimal:
    try:
        number = Decimal(word)
    except InvalidOperation:
        number = Decimal("NaN")
    # A number that a float cannot hold is no parameter either.
    if not number.is_finite() or not math.isfinite(float(number)):
        raise UsageError(f"--param {name} is not a range of numbers", received=word, limit=FORMS)
    return number


def _value(word: str, field: Parameter) -> Any:
    value = typed(word, field.kinds, f"--param {field.name}", bounded=True)
    return value if value is None or isinstance(value, bool) else _check(value, field)


def _check(value: Any, field: Parameter) -> Any:
    """Return the value if it obeys the bounds of its field: a number its range, a text its choices."""
    if field.choices is not None and value in field.choices:
        return value
    bounded = field.low is not None or field.high is not None
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    span = f"{_text(low)} to {_text(high)} {field.unit}".rstrip()
    if bounded and isinstance(value, int | float):
        if not low <= value <= high:
            raise UsageError(f"--param {field.name} is out of bounds", received=value, limit=span)
    elif field.choices is not None:
        allowed = [span] if bounded else []
        raise UsageError(
            f"--param {field.name} is not one of its choices",
            received=repr(value),
            limit=", ".join(allowed + [_text(choice) for choice in field.choices]),
        )
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return (
        f"{value:g}"
        if isinstance(value, float) and f"{value:g}" == str(value).removesuffix(".0")
        else str(value)
    )


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
