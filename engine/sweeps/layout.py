"""What all sets of a sweep have in common, laid out once: market, costs, and what is measured against."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.numeric.compiled import frozen
from data.panel.panel import Panel
from engine.kernel.fills import Terms, terms_of
from engine.kernel.stops import entry_levels
from engine.simulation.alternatives import benchmark_return
from engine.simulation.tape import Tape, cells_of, tape_of
from engine.spec import Conditions

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EXTENSIONS = 3  # a grid has two or three rhythms


class Inputs(NamedTuple):
    """What machine code reads, the same for all sets.

    ``listed`` (D, S) and ``benchmark`` (D,) are by session of the run.
    """

    tape: Tape
    terms: Terms
    reserve: float
    cash_rate: float
    whole_session: bool
    initial_cash: float
    listed: Bools
    benchmark: Floats
    per_year: float


class Layout:
    """A panel over the sessions ``first`` to ``last``, of which the tape is as long as somebody decides.

    Whoever decides on new sessions has it laid out again; who sells by stops, or gives weights of its own,
    has new ones with almost every set. After ``EXTENSIONS`` times it has all sessions.
    """

    def __init__(self, panel: Panel, first: int, last: int, conditions: Conditions) -> None:
        span = slice(first, last + 1)
        self.panel = panel
        self.first, self.last = first, last
        self.days = panel.days[span]
        self.conditions = conditions
        self._decided = np.zeros(len(self.days), dtype=np.bool_)
        self._extensions = 0
        self._laying_out = threading.Lock()
        self.inputs = Inputs(
            tape=tape_of(panel, first, last, conditions, np.flatnonzero(self._decided)),
            terms=terms_of(conditions.costs),
            reserve=float(conditions.reserve),
            cash_rate=conditions.costs.cash_rate,
            whole_session=conditions.fill == "vwap",
            initial_cash=float(conditions.cash),
            listed=frozen(panel.known.listed[span]),
            benchmark=frozen(benchmark_return(panel, conditions, first, last)),
            per_year=panel.per_year(first, last),
        )

    def inputs_for(self, decided: Bools) -> Inputs:
        """Return the inputs, with a tape that has the sessions ``decided`` (D,) at least to order on."""
        with self._laying_out:
            if (decided > self._decided).any():
                self._extensions += 1
                self._decided |= decided if self._extensions <= EXTENSIONS else True
                sessions = np.flatnonzero(self._decided)
                cells, lines, rules = cells_of(self.panel, self.first, self.last, self.conditions, sessions)
                tape = self.inputs.tape._replace(cells=cells, lines=lines, rules=rules)
                self.inputs = self.inputs._replace(tape=tape)
            return self.inputs

    @cached_property
    def closes(self) -> Floats:
        """Known total-return prices by row of the panel, (D, S), which few rotations look at."""
        return frozen(self.panel.known.adjusted_close)

    @cached_property
    def there(self) -> Bools:
        """Which funds are listed and have a known price before the open of each session, (D, S)."""
        return frozen(self.inputs.listed & np.isfinite(self.closes[self.first : self.last + 1]))

    @cached_property
    def entries(self) -> Floats:
        """The levels of total return at the fill points of the panel, (D, S): what stops measure from."""
        return frozen(entry_levels(self.panel.market, self.conditions.fill))
