"""A spec: everything that determines a run, as plain values that go into a manifest and come out of a file.

The command line, a spec file (``engine.commands.spec_file``) and a notebook all make one; ``runs reproduce``
makes it again from a manifest. What belongs to neither strategy nor data are its :class:`Conditions`, which
the engine hands on as one.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from functools import cache, cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from data.days import parse_day
from data.errors import UsageError, check_choice
from data.facts.symbols import CURRENCIES
from data.panel.panel import Panel
from engine.choices import ENGINES, FILLS
from engine.installed import version
from engine.kernel.costs import Costs

if TYPE_CHECKING:
    from engine.strategy.adapter import Adapter

# Shares are counted in 64 bits, money in doubles: beyond this neither is exact to a share or a cent.
MOST_CASH = 1e15
# Whoever wants to hold more cash than that says so in weights.
MOST_RESERVE = 0.5
# What every generator of random numbers takes.
HIGHEST_SEED = 2**32 - 1

VERSIONED = ("backtrader", "numpy", "pandas", "empyrical-reloaded", "pyfolio-reloaded")


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Under which conditions a strategy is tried: when, with how much money, at what costs, against what.

    UsageError for what cannot be: a `start` after the `end`, no money, an unknown fill or engine.

    Attributes
    ----------
    start, end : first and last session, both included; None: as early and as late as the data allow
    cash : money at the start
    costs : see :class:`engine.kernel.costs.Costs`
    reserve : fraction of equity that target weights leave in cash
    fill : point of the session at which orders fill: open, vwap or close
    benchmark : an index code of the panel, or ``equal_weight``; None: equal weight
    engine : reference or batch
    seed : for whatever draws by chance
    """

    start: date | None = None
    end: date | None = None
    cash: float = 1_000_000.0
    costs: Costs = field(default_factory=Costs)
    reserve: float = 0.0025
    fill: str = "open"
    benchmark: str | None = None
    engine: str = "reference"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            day = getattr(self, name)
            if day is not None and not isinstance(day, date):
                raise UsageError(f"`{name}` is not a day", received=repr(day), limit="a datetime.date")
        if self.start and self.end and self.start > self.end:
            raise UsageError(
                "`start` is after `end`",
                received=f"{self.start} and {self.end}",
                hint="Exchange the two.",
            )
        cash = _number(self.cash)
        seed: Any = self.seed
        if not 0.0 < cash <= MOST_CASH:
            raise UsageError(
                "`cash` is out of bounds", received=self.cash, limit=f"above 0, up to {MOST_CASH:,.0f}"
            )
        if not 0.0 <= _number(self.reserve) <= MOST_RESERVE:
            raise UsageError(
                "`reserve` is out of bounds",
                received=self.reserve,
                limit=f"0 to {MOST_RESERVE:g}, a fraction of equity",
            )
        if not (isinstance(seed, Integral) and 0 <= int(seed) <= HIGHEST_SEED):
            raise UsageError(
                "`seed` is out of bounds", received=seed, limit=f"a whole number, 0 to {HIGHEST_SEED}"
            )
        check_choice("fill", self.fill, FILLS)
        check_choice("engine", self.engine, ENGINES)

    @classmethod
    def of(cls, *, costs: Costs | Mapping[str, Any] | None = None, **given: Any) -> Conditions:
        """Return the conditions that a call in a notebook names; ``costs`` may be costs by name."""
        if costs is None or isinstance(costs, Mapping):
            costs = Costs.from_words(costs or {})
        if not isinstance(costs, Costs):
            raise UsageError(
                "`costs` is not a table of costs",
                received=repr(costs),
                hint='For instance {"commission_rate": 0.0001}.',
            )
        for name in ("start", "end"):
            given[name] = _plain_day(given.get(name))
        return cls(costs=costs, **given)


def _number(value: Any) -> float:
    """Return a number as a float; NaN for what is none, infinity for a whole number beyond all floats."""
    try:
        return float(value) if isinstance(value, Real) else float("nan")
    except OverflowError:
        return float("inf")


DEFAULT = Conditions()

# What the settings of a spec must be, in a file, in a manifest, and from the command line.
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("strategy", "data", "universe", "benchmark", "currency"), ((str,), "text")),
    **dict.fromkeys(("engine", "fill", "availability"), ((str,), "text")),
    **dict.fromkeys(("symbols", "allow"), ((list, tuple), "a list of texts")),
    **dict.fromkeys(("start", "end"), ((date, str), "a day as 2025-08-20")),
    **dict.fromkeys(("parameters", "costs", "lags"), ((Mapping,), "a table of names and values")),
    **dict.fromkeys(("cash", "reserve"), ((int, float), "a number")),
    "seed": ((int,), "a whole number"),
}


@dataclass(frozen=True)
class Spec:
    """What to run, all of it.

    Attributes
    ----------
    strategy : a built-in name, or ``path/to/file.py:ClassName``
    parameters : what was set of its fields; the rest are defaults
    data : ``demo``, or the folder of a store
    symbols, universe : funds that may be held; neither: all of the data
    start, end : first and last session; None: as early and as late as the data allow
    cash : money at the start
    benchmark : an index code or symbol of the data; None: that of the data, or equal weight
    engine, fill : how it is simulated
    costs : see :class:`engine.kernel.costs.Costs`
    reserve : fraction of equity that target weights leave in cash
    availability, lags : ``normal`` or ``strict``, and sessions added to it by table
    allow : data checks that the run goes on over
    seed : for whatever draws by chance
    currency : in which the account is kept, CNY or USD; None: that of the funds, CNY where they have both
    """

    strategy: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: str = "demo"
    symbols: tuple[str, ...] = ()
    universe: str | None = None
    start: date | None = DEFAULT.start
    end: date | None = DEFAULT.end
    cash: float = DEFAULT.cash
    benchmark: str | None = DEFAULT.benchmark
    engine: str = DEFAULT.engine
    fill: str = DEFAULT.fill
    costs: Costs = field(default_factory=Costs)
    reserve: float = DEFAULT.reserve
    availability: str = "normal"
    lags: Mapping[str, int] = field(default_factory=dict)
    allow: tuple[str, ...] = ()
    seed: int = DEFAULT.seed
    currency: str | None = None

    def __post_init__(self) -> None:
        if self.currency is not None:
            check_choice("currency", self.currency, sorted(CURRENCIES.values()))
        _ = self.conditions  # refuses what cannot be
        if self.symbols and self.universe:
            raise UsageError("give `symbols` or `universe`, not both", received=self.universe)

    @cached_property
    def conditions(self) -> Conditions:
        """The conditions among its settings."""
        return Conditions(**{each.name: getattr(self, each.name) for each in fields(Conditions)})

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as JSON types: all but a currency that nobody set and a reserve of 0."""
        values = asdict(self)
        values["start"] = self.start.isoformat() if self.start else None
        values["end"] = self.end.isoformat() if self.end else None
        if self.currency is None:
            del values["currency"]  # it came later
        if self.reserve == 0.0:
            del values["reserve"]  # so did this: before, there was none
        lists = {"symbols": list(self.symbols), "allow": list(self.allow)}
        return values | lists | {"costs": self.costs.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], origin: str = "spec") -> Spec:
        """Return the spec of what :meth:`to_dict` gave, or a file says, once all is of its kind.

        UsageError names ``origin``, the setting, and what it must be.
        """
        given = {name: value for name, value in values.items() if value is not None}
        require_settings(given, origin)
        if "strategy" not in given:
            raise UsageError(f"{origin}: `strategy` is missing", hint="Name the strategy to run.")
        for name in ("start", "end"):
            if isinstance(given.get(name), str):
                given[name] = _day(given[name], f"{origin}: `{name}`")
        for name in ("symbols", "allow"):
            given[name] = tuple(given.get(name, ()))
        if isinstance(given.get("costs"), Mapping):
            given["costs"] = Costs.from_words(given["costs"])
        return cls(**given)

    @classmethod
    def from_document(cls, values: Mapping[str, Any], origin: str) -> Spec:
        """Return the spec of a manifest or a study: where no ``reserve`` is written there was none."""
        return cls.from_dict({"reserve": 0.0, **values}, origin)

    def with_(self, **changes: Any) -> Spec:
        """Return a copy with some settings changed."""
        return replace(self, **changes)


def manifest_of(spec: Spec, panel: Panel, strategy: Adapter) -> dict[str, Any]:
    """Return what a result carries about its making: the spec, the data it saw, and versions."""
    return {
        "strategy": spec.strategy,
        "idea": strategy.idea,
        "parameters": strategy.stated,
        "engine": spec.engine,
        "spec": spec.to_dict(),
        "data": data_block(panel),
        "versions": versions(),
    }


def data_block(panel: Panel) -> dict[str, Any]:
    """Return what every document says of its data; ``filled`` is what etflow's own facts added to them."""
    block: dict[str, Any] = {
        "name": panel.name,
        "synthetic": panel.synthetic,
        "fingerprint": panel.fingerprint,
        "first_day": str(panel.days[0]),
        "last_day": str(panel.days[-1]),
        "symbols": list(panel.symbols),
    }
    if panel.filled:
        block["filled"] = dict(panel.filled)
    if panel.currency is not None:
        block["currency"] = panel.currency
    if panel.markets:
        block["sessions"] = f"those on which {' and '.join(panel.markets)} both are open"
    return block


def versions() -> dict[str, str]:
    """Return the versions of this program, its interpreter and the libraries that numbers go through."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    libraries = {name: importlib.metadata.version(name) for name in VERSIONED}
    return {"python": platform.python_version(), "etflow": version(), **libraries}


def _plain_day(day: Any) -> Any:
    """Return a time of datetime, pandas or numpy as the day it is on; anything else as it is."""
    if isinstance(day, np.datetime64):
        return day.astype("datetime64[D]").item()
    return day.date() if isinstance(day, datetime) else day


def require_settings(settings: Mapping[str, Any], origin: str, others: Iterable[str] = ()) -> None:
    """Raise UsageError, which names ``origin``, for an unknown setting or one that is of another kind.

    ``others`` are names that would have been known too.
    """
    for name, value in settings.items():
        check_choice("setting", name, (*_KINDS, *others), origin)
        kinds, wanted = _KINDS[name]
        right = isinstance(value, kinds) and not isinstance(value, bool | datetime)
        right = right and not (isinstance(value, str) and "\0" in value)  # which no name of a file can have
        if right and isinstance(value, list | tuple):
            right = all(isinstance(each, str) for each in value)
        if not right:
            raise UsageError(f"{origin}: `{name}` must be {wanted}", received=repr(value))


def _day(text: str, where: str) -> date:
    found = parse_day(text)
    if found is None:
        raise UsageError(f"{where} is not a date", received=text, limit="a day as 2025-08-20")
    return found
