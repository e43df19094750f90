"""The rotations of a sweep by columns: many sets have few different ones.

What the shared fields of strategies come to, as rules and schedules, is found once for all sets that agree
on them (``Rotations``), and machine code reads it by number (``Rules``).
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.errors import EtflowError
from data.numeric.compiled import frozen
from data.numeric.keys import key_of
from engine.kernel.core import core_of
from engine.kernel.stops import stops_of
from engine.kernel.targets import BY_VOLATILITY, ROTATION_FIELDS, Rule, rule_of
from engine.strategy.adapters import ScoreAdapter
from engine.sweeps.layout import Layout
from engine.sweeps.ranking import reach_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_CORE = -1
# In place of a shared field that a strategy lacks: None is a value.
LACKING = object()

# A rotation as machine code reads it: the fields of its rule, and when it decides.
ROTATION = np.dtype(
    [
        *((name, np.float64 if name in ("threshold", "cap") else np.int64) for name in Rule._fields),
        ("reach", np.int64),
        ("schedule", np.int64),
        ("tranches", np.int64),
        ("core", np.int64),
        ("core_weight", np.float64),
    ]
)


class Rules(NamedTuple):
    """R different rotations, records as in ``ROTATION``, and the lists that these point into.

    ``reach`` is how much of a ranking a rotation looks at. Schedule j decides on the sessions
    ``sessions[starts[j]:starts[j + 1]]``, and ``rows`` of the panel; ``turns`` (K, 2) are as in
    :class:`engine.kernel.targets.Targets`. Core j, or ``NO_CORE``, has the columns
    ``cores[core_starts[j]:core_starts[j + 1]]``, of which those are held that are ``there`` (D, S) on the
    session. ``closes`` are rows of the panel, which weights by volatility come from. Both are (0, S) as long
    as no rotation needs them.
    """

    rotations: NDArray[Any]
    starts: Integers
    sessions: Integers
    rows: Integers
    turns: Integers
    core_starts: Integers
    cores: Integers
    there: Bools
    closes: Floats


class Rotations:
    """The different rotations that strategies of one class have, numbered as they were met.

    Of each, ``refused`` says why there is no rule to follow, empty where there is one, and ``apart`` that
    its rule is not all that decides: it has stops.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._table = np.zeros(16, dtype=ROTATION)  # doubled when it is full
        self._schedules: dict[tuple[int | str, int, int], int] = {}
        self._sessions: list[Integers] = []
        self._turns: list[Integers] = []
        self._cores: dict[tuple[int, ...], int] = {}
        self.refused: list[str] = []
        self.apart: list[bool] = []
        self.rules = self._arranged(None)

    def numbers(self, strategies: Sequence[Any]) -> Integers:
        """Return the number of the rotation of each strategy, (N,)."""
        known, before = self._numbers, len(self.apart)
        numbers = np.empty(len(strategies), dtype=np.int64)
        for place, strategy in enumerate(strategies):
            key = key_of(_shared_fields(strategy))
            if key not in known:
                known[key] = self._add(strategy)
            numbers[place] = known[key]
        if len(self.apart) > before:
            self.rules = self._arranged(self.rules)
        return numbers

    def decided(self, numbers: Integers) -> Bools:
        """Return on which sessions of the run any of these rotations decides, (D,)."""
        decided = np.zeros(len(self._layout.days), dtype=np.bool_)
        for schedule in set(self.rules.rotations["schedule"][numbers].tolist()):
            decided[self._sessions[schedule]] = True
        return decided

    def schedule(self, number: int) -> tuple[Integers, Integers]:
        """Return the sessions of the run on which a rotation decides, and whose turn each is."""
        schedule = self._table[number]["schedule"]
        return self._sessions[schedule], self._turns[schedule]

    def _add(self, strategy: Any) -> int:
        """Note a rotation that was not met before, and return its number."""
        number, refused, apart = len(self.apart), "", False
        if number == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        adapter = ScoreAdapter(strategy)
        try:
            apart = adapter.asked(stops_of, strategy) is not None
            self._table[number] = adapter.asked(self._record, adapter)
        except EtflowError as error:
            refused = str(error)
        self.refused.append(refused)
        self.apart.append(apart)
        return number

    def _record(self, strategy: ScoreAdapter) -> NDArray[Any]:
        layout, rotation, symbols = self._layout, strategy.rotation, self._layout.panel.symbols
        rule = rule_of(rotation, symbols)
        columns, weight = core_of(rotation, symbols) or ((), 0.0)
        core = self._cores.setdefault(tuple(columns), len(self._cores)) if columns else NO_CORE
        schedule = rotation.rebalance, strategy.phase, strategy.tranches
        if schedule not in self._schedules:
            rows, turns = strategy.turns(layout.panel, layout.first, layout.last)
            self._sessions.append(rows - layout.first)
            self._turns.append(turns)
            self._schedules[schedule] = len(self._schedules)
        reach = reach_of(rule, len(symbols))
        record = (*rule, reach, self._schedules[schedule], strategy.tranches, core, weight)
        return np.array(record, dtype=ROTATION)

    def _arranged(self, before: Rules | None) -> Rules:
        """Return the rotations so far; of ``before``, the rules without the last of them, what is the same.

        A search that learns adds a few rotations at a time to thousands.
        """
        rotations, layout = self._table[: len(self.apart)], self._layout
        if before is None or len(before.starts) != len(self._sessions) + 1:
            sessions, starts = _end_to_end(self._sessions)
            rows, turns = sessions + layout.first, np.concatenate([np.empty((0, 2), np.int64), *self._turns])
        else:
            sessions, starts, rows, turns = before.sessions, before.starts, before.rows, before.turns
        if before is None or len(before.core_starts) != len(self._cores) + 1:
            cores, core_starts = _end_to_end(list(self._cores))
        else:
            cores, core_starts = before.cores, before.core_starts
        by_volatility = bool((rotations["weighting"] == BY_VOLATILITY).any())
        return Rules(
            rotations=rotations,
            starts=starts,
            sessions=sessions,
            rows=rows,
            turns=turns,
            core_starts=core_starts,
            cores=cores,
            there=layout.there if len(cores) else layout.inputs.listed[:0],
            closes=layout.closes if by_volatility else frozen(np.empty((0, len(layout.panel.symbols)))),
        )


def _end_to_end(lists: Sequence[Sequence[int] | Integers]) -> tuple[Integers, Integers]:
    """Return lists one behind the other, and where each begins and the last ends."""
    joined = np.concatenate([np.empty(0, dtype=np.int64), *(np.asarray(each) for each in lists)])
    return joined.astype(np.int64), np.cumsum([0, *map(len, lists)], dtype=np.int64)


_read_all = attrgetter(*ROTATION_FIELDS)


def _shared_fields(strategy: Any) -> tuple[Any, ...]:
    """Return the values of the shared fields of a rotation; ``LACKING`` for one that the strategy lacks."""
    try:
        values: tuple[Any, ...] = _read_all(strategy)
    except AttributeError:
        values = tuple([getattr(strategy, name, LACKING) for name in ROTATION_FIELDS])
    return values
