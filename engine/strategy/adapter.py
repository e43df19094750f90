"""A strategy as the engine sees it: what it is, what it says of itself, and what it decides.

The engine talks to an :class:`Adapter` and never asks what a strategy has; ``engine.strategy.adapters`` has
one for each way to decide, and chooses it once. What a strategy raises comes as StrategyError, apart from our
own errors, which pass.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError, EtflowError, StrategyError, UsageError
from engine.strategy.mistakes import raised, source_of

if TYPE_CHECKING:
    from data.panel.panel import Panel
    from engine.kernel.targets import Targets

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the engine asks of any strategy; ``strategy`` is what the user wrote."""

    strategy: Any

    # --- what it is

    @property
    def written(self) -> type[Any]:
        """The class that the user wrote, which has the description and declares the parameters."""
        return type(self.strategy)

    @property
    def name(self) -> str:
        """What it is called: by its own ``catalogued`` name if it has one, else as its class is."""
        return str(vars(self.written).get("catalogued") or self.class_name)

    @property
    def class_name(self) -> str:
        """What its class is called, by which it is on record."""
        return self.written.__name__

    @property
    def idea(self) -> str:
        """The first paragraph of its description on one line; empty if it has none."""
        text = inspect.cleandoc(self.written.__dict__.get("__doc__") or "")
        paragraph = " ".join(text.partition("\n\n")[0].replace("`", "").split())
        # What a dataclass without a description gets is its own signature.
        return "" if paragraph.startswith(f"{self.class_name}(") else paragraph

    @property
    def fields(self) -> dict[str, Any]:
        """Its parameters as they are."""
        return {each.name: getattr(self.strategy, each.name) for each in dataclasses.fields(self.written)}

    @property
    def set_values(self) -> Mapping[str, Any]:
        """What its class is called with to make it."""
        fields = dataclasses.fields(self.written)
        return {each.name: getattr(self.strategy, each.name) for each in fields if each.init}

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters as JSON types; what is of none as text."""
        plain = (bool, int, float, str, types.NoneType)
        return {name: each if isinstance(each, plain) else str(each) for name, each in self.fields.items()}

    @property
    def stated(self) -> dict[str, Any]:
        """Its parameters as documents and the ids of runs state them.

        A parameter that came after others is left out while it is at its default, which is how it was before.
        """
        declared = dataclasses.fields(self.written) if dataclasses.is_dataclass(self.written) else ()
        values = self.parameters
        unsaid = {each.name: each.default for each in declared if each.metadata.get("later")}
        return {name: each for name, each in values.items() if name not in unsaid or each != unsaid[name]}

    def read(self, names: Iterable[str]) -> tuple[Any, ...]:
        """Return the values of some of its parameters."""
        return tuple([getattr(self.strategy, name) for name in names])

    def with_parameters(self, parameters: Mapping[str, Any]) -> Adapter:
        """Return the same strategy with some parameters changed."""
        return type(self)(self.asked(dataclasses.replace, self.strategy, **parameters))

    # --- what it says of itself

    @property
    def declared_warmup(self) -> int | None:
        """Sessions before a decision that it can depend on, as it says; None where it says nothing."""
        said = self._said("warmup")
        return None if said is None else self.asked(int, said)

    @property
    def warmup(self) -> int:
        """Sessions before its first decision; one at least, because orders are sized with a close."""
        return max(1, self.declared_warmup or 0)

    @property
    def needs_all_history(self) -> bool:
        """Whether it says that its decisions depend on all sessions since the first."""
        said = self._said("history")
        if said not in (None, "all"):
            raise StrategyError(
                f"`history` of {self.name} is no word that is known",
                received=repr(said),
                limit='"all"',
                hint="Leave it out, and let `warmup` say how many sessions it depends on.",
            )
        return said is not None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Paths of the files that it reads, as it declares them."""
        said = self._said("inputs") or ()
        return (said,) if isinstance(said, str) else tuple(map(str, said))

    @property
    def input_files(self) -> Mapping[str, Path]:
        """The files that it reads, by what they are declared as; UsageError for one that is not there.

        Looked for beside the file of the strategy, then in the current folder.
        """
        found = {}
        for name in self.inputs:
            beside = Path(inspect.getsourcefile(self.written) or "").parent / name
            place = next((each for each in (beside, Path(name)) if each.is_file()), None)
            if place is None:
                raise UsageError(
                    f"{self.name} declares an input that is not there",
                    received=name,
                    hint="A path counts from the folder of the strategy's file, or from the current one.",
                )
            found[name] = place.resolve()
        return found

    @property
    def rebalance(self) -> int | str | None:
        """How often it decides; None where it does not say."""
        said: int | str | None = self._said("rebalance")
        return said

    @property
    def phase(self) -> int:
        """On which session of its cycle it decides; 0 where it does not say."""
        return int(self._said("phase") or 0)

    @property
    def tranches(self) -> int:
        """Sleeves of the account that rebalance in turn; 1 where it does not say."""
        return int(self._said("tranches") or 1)

    def _said(self, name: str) -> Any:
        def say() -> Any:
            try:
                return getattr(self.strategy, name)
            except AttributeError:
                # A property that raises says something wrong; only what is not there says nothing.
                if inspect.getattr_static(self.strategy, name, None) is None:
                    return None
                raise

        return self.asked(say)

    # --- what it decides

    def first_session(
        self,
        panel: Panel,
        start: date | None = None,
        last: int | None = None,
        values: Floats | None = None,
    ) -> int:
        """Return the row of the first session on which it decides, from ``start`` on if there is one.

        ``values`` are those on the panel (``AtOnceAdapter.values_on``), computed if they are not given.
        DataError if it can decide on no session up to the row ``last`` (None: of the panel).
        """
        last = len(panel.days) - 1 if last is None else last
        rows = np.flatnonzero(self._can_decide(panel, values)[: last + 1])
        if not len(rows):
            raise self._undecided(panel, last, values)
        if start is None:
            return int(rows[0])
        if panel.row(start) > last:
            raise DataError(
                "the period has no session with data",
                received=f"from {start} on",
                limit=f"up to {panel.days[last]}",
            )
        return max(1, panel.row(start))

    def _can_decide(self, panel: Panel, values: Floats | None) -> Bools:
        """Return on which sessions it can decide, (D,)."""
        return np.arange(len(panel.days)) >= self.warmup

    def _undecided(self, panel: Panel, last: int, _values: Floats | None) -> DataError:
        """Return the error that says why there is no such session up to the row ``last``."""
        from engine.strategy.undecided import undecided

        return undecided(self.name, self.warmup, panel, last)

    def asked(self, question: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """Return what a function of the strategy answers; StrategyError if it raises."""
        try:
            return question(*arguments, **named)
        except EtflowError:
            raise
        except Exception as error:
            raise raised(self.name, error, source_of(self.written)) from error


class AtOnceAdapter(Adapter, ABC):
    """A strategy that decides on all sessions at once, so that the batch engine can run it."""

    __slots__ = ()

    what: ClassVar[str]
    """What its values are called."""

    @abstractmethod
    def values(self, known: Any) -> Floats:
        """Return what it computes from the known face of a panel, or a view of it; it should be (D, S)."""

    @abstractmethod
    def decisions(
        self, panel: Panel, first: int, last: int, values: Floats | None = None, *, fill: str = "open"
    ) -> Targets:
        """Return the targets that it decides from session ``first`` to ``last``, both included.

        ``fill`` is the point of a session at which orders will fill, which decides what stops measure from.
        """

    def values_on(self, panel: Panel) -> Floats:
        """Return what it computes on a panel, (D, S); StrategyError if it has another shape."""
        values = self.values(panel.known)
        shape = (len(panel.days), len(panel.symbols))
        if values.shape != shape:
            raise StrategyError(
                f"{self.name} returned an array of the wrong shape",
                received=values.shape,
                limit=f"{shape}, sessions by symbols",
                hint="Return one number for each session and symbol, NaN where a fund does not qualify.",
            )
        return values

    def _can_decide(self, panel: Panel, values: Floats | None) -> Bools:
        values = self.values_on(panel) if values is None else values
        known = panel.known
        decided = (np.isfinite(values) & known.listed).any(axis=1)
        if self._said("cash_without_score") and decided.any():
            decided = (np.isfinite(known.close) & known.listed).any(axis=1)
        result: Bools = decided & super()._can_decide(panel, values)
        return result

    def _undecided(self, panel: Panel, last: int, values: Floats | None) -> DataError:
        from engine.strategy.undecided import undecided

        values = self.values_on(panel) if values is None else values
        return undecided(self.name, self.warmup, panel, last, self.what, values, self.values)

    def _floats(self, method: Callable[[Any], Any], known: Any) -> Floats:
        def answer() -> Floats:
            return np.asarray(method(known), dtype=np.float64)

        floats: Floats = self.asked(answer)
        return floats
