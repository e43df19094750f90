"""The four ways to decide, an adapter each, and which of them a strategy gets (``adapt``)."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, StrategyError, UsageError, did_you_mean
from engine.kernel.core import core_of, with_core
from engine.kernel.schedule import decision_turns
from engine.kernel.stops import Stops, entry_levels, exits_between, stops_of
from engine.kernel.targets import REQUIRED_FIELDS, Targets, target_weights
from engine.strategy.adapter import Adapter, AtOnceAdapter, Floats
from engine.strategy.mistakes import DATACLASS
from engine.strategy.protocol import METHODS, Strategy

if TYPE_CHECKING:
    from data.panel.panel import Panel

Integers = NDArray[np.int64]

# Ten weights of 0.1 may be a rounding error above one; the engine buys what cash pays for.
TOLERANCE = 1e-9


class ScoreAdapter(AtOnceAdapter):
    """A strategy with ``scores``, of which the shared rotation makes weights."""

    __slots__ = ()

    what: ClassVar[str] = "score"

    def values(self, known: Any) -> Floats:
        """Return its scores."""
        return self._floats(self.strategy.scores, known)

    def decisions(
        self,
        panel: Panel,
        first: int,
        last: int,
        values: Floats | None = None,
        *,
        fill: str = "open",
        begin: int | None = None,
    ) -> Targets:
        """Return the targets of its rotation on ``first``, and on the rotation's own decision sessions.

        These are counted from the row ``begin``; None: from ``first``. Its stops sell between them.
        """
        scores = self.values_on(panel) if values is None else values
        rows, turns = self.turns(panel, first if begin is None else begin, last)
        later = rows > first
        rows, turns = np.append(first, rows[later]), np.concatenate((turns[:1], turns[later]))
        found = self.targets(panel, rows, scores, turns)
        stops = self.stops
        if stops is None:
            return found
        entries = entry_levels(panel.market, fill)
        return exits_between(found, stops, panel.known.adjusted_close, entries, last)

    def turns(self, panel: Panel, first: int, last: int) -> tuple[Integers, Integers]:
        """Return the decision sessions of its rotation, counted from the row ``first``, and whose turns."""
        return decision_turns(self.rotation.rebalance, panel.days, first, last, self.phase, self.tranches)

    def targets(
        self, panel: Panel, rows: Integers, values: Floats | None = None, turns: Integers | None = None
    ) -> Targets:
        """Return the targets of its rotation on the sessions ``rows``, whose turn each is in ``turns``."""
        scores = self.values_on(panel) if values is None else values
        known = panel.known
        closes = known.adjusted_close
        found = target_weights(scores, self.rotation, rows, known.listed, closes, panel.symbols, turns)
        core = core_of(self.strategy, panel.symbols)
        if core is None:
            return found
        return with_core(found, *core, known.listed[rows] & np.isfinite(closes[rows]))

    @property
    def stops(self) -> Stops | None:
        """When it sells between decisions; UsageError where it has tranches or a core too."""
        stops = stops_of(self.strategy)
        core: Any = getattr(self.strategy, "core", "")
        if stops is not None and (self.tranches > 1 or core):
            raise UsageError(
                f"{self.name} cannot have stops in tranches, or beside a core",
                hint="Leave out stop_loss, trailing_stop and time_stop, or tranches and core.",
            )
        return stops

    @property
    def rotation(self) -> Any:
        """The strategy, which has all fields of a rotation; StrategyError where it lacks some."""
        missing = [name for name in REQUIRED_FIELDS if not hasattr(self.strategy, name)]
        if missing:
            raise StrategyError(
                f"{self.name} has scores, but not all fields of a rotation",
                received=f"no {', '.join(missing)}",
                hint="Derive it from strategies.rotation.Rotation, or give `target_weights` instead of "
                "scores.",
            )
        return self.strategy

    def first_session(
        self,
        panel: Panel,
        start: date | None = None,
        last: int | None = None,
        values: Floats | None = None,
    ) -> int:
        """Return the row of the first session, as any other; DataError for a ``start`` before its scores."""
        values = self.values_on(panel) if values is None else values
        first = super().first_session(panel, start, last, values)
        earliest = super().first_session(panel, None, last, values)
        if start is not None and panel.row(start) < earliest:
            raise DataError(
                f"`start` is too early for {self.name}, which needs {self.warmup} sessions of history",
                received=start,
                limit=f"the first possible day is {panel.days[earliest]}",
                hint=f"Use --start {panel.days[earliest]}, or import earlier data.",
            )
        return first


class WeightAdapter(AtOnceAdapter):
    """A strategy with ``target_weights``, which are followed as they are."""

    __slots__ = ()

    what: ClassVar[str] = "target weight"

    def values(self, known: Any) -> Floats:
        """Return its target weights."""
        return self._floats(self.strategy.target_weights, known)

    def decisions(
        self, panel: Panel, first: int, last: int, values: Floats | None = None, *, fill: str = "open"
    ) -> Targets:
        """Return its target weights on the sessions that have any."""
        weights = self.values_on(panel) if values is None else values
        rows = np.flatnonzero(np.isfinite(weights).any(axis=1))
        rows = rows[(rows >= first) & (rows <= last)].astype(np.int64)
        return targets_of_weights(self.name, rows, np.nan_to_num(weights[rows], nan=0.0))

    def _can_decide(self, panel: Panel, values: Floats | None) -> NDArray[np.bool_]:
        weights = self.values_on(panel) if values is None else values
        if np.isfinite(weights[0]).any():
            raise DataError(
                f"{self.name} decides before the first session of the data",
                received=panel.days[0],
                hint=f"Nothing can be sized without a close before it: decide from {panel.days[1]} on.",
            )
        return super()._can_decide(panel, weights)


class SessionAdapter(Adapter):
    """A strategy with ``decide``, which is asked before each open; on the reference engine."""

    __slots__ = ()

    def targets(self, panel: Panel, row: int, held: Mapping[str, float]) -> Targets | None:
        """Return what it wants before the open of the session ``row``; None where it leaves all as it is.

        ``held`` is the weight of each fund in the account.
        """
        return self.targets_of(panel, row, self.decision(panel, row, held))

    def decision(self, panel: Panel, row: int, held: Mapping[str, float]) -> Any:
        """Return what its ``decide`` answers before the open of the session ``row``, as it is."""
        return self.asked(self.strategy.decide, panel.known.until(row), held)

    def targets_of(self, panel: Panel, row: int, wanted: Any) -> Targets | None:
        """Return an answer of ``decide`` as targets; StrategyError where it can be none."""
        if wanted is None:
            return None
        if not isinstance(wanted, Mapping):
            raise StrategyError(
                f"`decide` of {self.name} must return weights by symbol, or None",
                received=type(wanted).__name__,
            )
        weights = np.zeros((1, len(panel.symbols)))
        for symbol, weight in ((str(symbol), self._weight(symbol, each)) for symbol, each in wanted.items()):
            if symbol not in panel.symbols:
                raise StrategyError(
                    f"{self.name} wants `{symbol}`, which is not in the run",
                    hint=did_you_mean(symbol, panel.symbols),
                )
            weights[0, panel.symbols.index(symbol)] = weight
        return targets_of_weights(self.name, np.array([row], dtype=np.int64), weights)

    def _weight(self, symbol: object, weight: Any) -> float:
        try:
            number = float(weight)
        except (TypeError, ValueError):
            number = np.nan
        if not 0.0 <= number <= 1.0 + TOLERANCE:
            raise StrategyError(
                f"{self.name} returned an impossible weight for {symbol}",
                received=repr(weight),
                limit="0 to 1, a fraction of equity",
            )
        return number


@dataclass(frozen=True, slots=True)
class BacktraderAdapter(Adapter):
    """A class derived from ``backtrader.Strategy``, and the parameters to make it with (``given``).

    It decides within the reference engine, which hands it to backtrader (``simulate_backtrader``).
    """

    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def written(self) -> type[Any]:
        """The class itself."""
        written: type[Any] = self.strategy
        return written

    @property
    def fields(self) -> dict[str, Any]:
        """Its ``params``, as declared and as given."""
        return backtrader_defaults(self.strategy) | dict(self.given)

    @property
    def set_values(self) -> Mapping[str, Any]:
        """What was given of its ``params``."""
        return self.given

    def read(self, names: Iterable[str]) -> tuple[Any, ...]:
        """Return the values of some of its ``params``."""
        fields = self.fields
        return tuple(fields[name] for name in names)

    def with_parameters(self, parameters: Mapping[str, Any]) -> BacktraderAdapter:
        """Return the same class with some parameters changed."""
        return BacktraderAdapter(self.strategy, {**self.given, **parameters})

    def first_session(
        self,
        panel: Panel,
        start: date | None = None,
        last: int | None = None,
        values: Floats | None = None,
    ) -> int:
        """Return the row of ``start``, or the first that can be: it warms up by itself."""
        return max(1, panel.row(start)) if start else 1


ADAPTERS: Mapping[str, type[Adapter]] = MappingProxyType(
    {"scores": ScoreAdapter, "target_weights": WeightAdapter, "decide": SessionAdapter}
)
"""By the method that a strategy has."""


def adapt(strategy: Strategy | Adapter) -> Adapter:
    """Return the adapter of a strategy; an adapter as it is.

    StrategyError for what is no strategy: no dataclass, none of the methods, two of them, or one that cannot
    be called as it will be.
    """
    if isinstance(strategy, Adapter):
        return strategy
    if isinstance(strategy, type):
        if is_backtrader(strategy):
            return BacktraderAdapter(strategy)
        raise UsageError(
            f"{strategy.__name__} is a class, not yet a strategy", hint=f"Make one: {strategy.__name__}()."
        )
    return adapter_of(type(strategy))(strategy)


@cache
def adapter_of(strategy: type[Any], name: str = "") -> type[Adapter]:
    """Return the adapter for strategies of a class that is called ``name``; errors are those of ``adapt``."""
    name = name or strategy.__name__
    if is_backtrader(strategy):
        return BacktraderAdapter
    if not dataclasses.is_dataclass(strategy):
        raise no_dataclass(name)
    found = methods_of(strategy)
    if not found:
        raise StrategyError(
            f"{name} has none of the methods of a strategy",
            limit=", ".join(METHODS),
            hint="`etflow strategies new NAME` writes one that runs.",
        )
    if len(found) > 1:
        raise StrategyError(
            f"{name} has {len(found)} ways to decide",
            received=", ".join(found),
            limit=f"one of {', '.join(METHODS)}",
            hint="Keep the one that it decides by, and call the others something else.",
        )
    _check_complete(strategy, name)
    _check_signature(strategy, found[0], name)
    return ADAPTERS[found[0]]


def no_dataclass(name: str, own: Sequence[str] = ()) -> StrategyError:
    """Return the error that says that a class is no dataclass; ``own`` are fields that it means to have."""
    return StrategyError(
        f"{name} is not a dataclass",
        received=f"{', '.join(own)}, which no parameter comes of" if own else None,
        hint=f"Decorate it with {DATACLASS}; its fields are its parameters.",
    )


def methods_of(strategy: type[Any]) -> tuple[str, ...]:
    """Return which of the methods of a strategy a class has."""
    return tuple(method for method in METHODS if callable(getattr(strategy, method, None)))


def is_backtrader(strategy: type[Any]) -> bool:
    """Return whether a class derives from ``backtrader.Strategy``, without importing that library."""
    # It can only do so if the user's file imported it.
    return any(base.__module__ == "backtrader.strategy" for base in strategy.__mro__)


def backtrader_defaults(strategy: type[Any]) -> dict[str, Any]:
    """Return the ``params`` that a backtrader strategy declares."""
    return dict(strategy.params._getitems())


def targets_of_weights(name: str, rows: NDArray[np.int64], weights: Floats) -> Targets:
    """Return weights (K, S) as the targets of the sessions ``rows``; StrategyError if they cannot be that."""
    if (weights < 0.0).any():
        raise StrategyError(
            f"{name} returned a negative weight", received=f"{weights.min():g}", limit="0 to 1"
        )
    if (weights.sum(axis=1) > 1.0 + TOLERANCE).any():
        raise StrategyError(
            f"{name} returned weights that add up to more than one",
            received=f"{weights.sum(axis=1).max():.6g}",
            limit="1, all of equity",
        )
    return Targets.of_weights(rows, weights)


def _check_complete(strategy: type[Any], name: str) -> None:
    """Raise StrategyError for a class that lacks what its base asks for, or that forgot its decorator."""
    lacking = sorted(getattr(strategy, "__abstractmethods__", ()))
    if lacking:
        meanings = [inspect.getdoc(getattr(strategy, each)) or "" for each in lacking]
        about = "; ".join(
            f"`{each}`: {(text.splitlines() or [''])[0].rstrip('.')}"
            for each, text in zip(lacking, meanings, strict=True)
        )
        raise StrategyError(
            f"{name} is not complete",
            received=f"no {', '.join(lacking)}",
            hint=f"Add {about}. `etflow strategies new NAME` writes a class that has all.",
        )
    if "__dataclass_params__" not in vars(strategy):
        fields = {each.name for each in dataclasses.fields(strategy)}
        written = inspect.get_annotations(strategy)
        own = [each for each, kind in written.items() if "ClassVar" not in str(kind)]
        own += [each for each in vars(strategy) if each in fields and each not in written]
        if own:
            raise no_dataclass(name, own)


def _check_signature(strategy: type[Any], method: str, name: str) -> None:
    """Raise StrategyError unless a method can be called with what it is called with."""
    arguments = METHODS[method]
    static = inspect.getattr_static(strategy, method)
    bound = isinstance(static, staticmethod | classmethod) or not hasattr(static, "__get__")
    try:
        signature = inspect.signature(getattr(strategy, method))
    except ValueError:
        return  # of a built-in function, which does not tell
    try:
        signature.bind(*([] if bound else ["self"]), *arguments)
    except TypeError:
        wanted = f"{method}({', '.join(('self', *arguments))})"
        raise StrategyError(
            f"`{method}` of {name} cannot be called as it will be",
            received=f"{method}{signature}",
            limit=wanted,
            hint=f"Write `def {wanted}:`.",
        ) from None
