"""What the record says of a search: what is to be tried, how far it came, and in the end what was.

1. Before its first set the search is noted with all that it is to try: of a grid the sets, else their number.
2. How far it is stands in a small file beside the record (`engine.record.reached`) before the study says it.
3. In the end, stopped or not, the note is replaced by what was looked at. What other runs of the same search
   came to counts too: those that were killed before, and those that run at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from data.atomic import to_the_end
from engine.commands.job import Job
from engine.commands.looks import body_of_panel, note_look, record_of, sets_of
from engine.commands.order import Order
from engine.record.lines import Look, next_run
from engine.record.reached import Reached, reached
from engine.record.record import ID_DIGITS, new_id
from engine.record.sets import ParameterSets
from engine.tuning.families import family_of
from engine.tuning.writer import StudyWriter


def grid_of(order: Order) -> ParameterSets | None:
    """Return all sets of a grid; None for another search."""
    return sets_of(order.space, None) if order.plan.method == "grid" else None


class SearchLooks:
    """The looks of one run of a search over ``days``, the first and the last session, at its sets."""

    def __init__(self, order: Order, job: Job, days: tuple[object, object], study: str) -> None:
        self._order, self._job, self._days = order, job, days
        self._grid = grid_of(order)
        self._look = _id_of(order, job, days, study)
        self._run = ""
        self._before: ParameterSets | None = None
        self._come = 0
        self._noted: Look | None = None
        self._came: dict[str, int] = {}

    @contextmanager
    def noted(self, study: StudyWriter) -> Iterator[None]:
        """Put on record what is to be tried, how far it is before the study is, and in the end what was."""
        come = self._look_back()
        try:
            self._plan(study)
            come.note(max(self._come, study.trials))
            study.ahead = lambda trials: come.note(max(self._come, trials))
            yield
        finally:
            try:
                self._note(study)
            finally:
                to_the_end(come.end)

    def _plan(self, study: StudyWriter) -> None:
        """Put on record what is to be tried: of a grid the sets, else those there are, and how many more."""
        sets = self._grid or self._tried(study)
        left = 0 if self._grid else max(max(self._order.sets or 0, self._come) - len(sets), 0)
        self._note_look(sets, planned=left, begun=True)

    def _look_back(self) -> Reached:
        """Find on record what runs of this search before came to, and return where this one says it.

        Runs of one search try the same sets in the same order, in whichever folder: what this one finds on
        record of those before are sets and a number. Of a run that was killed that is how far it came, or,
        where nobody knows, all that it was to try.
        """
        record = record_of(self._job.market)
        noted, self._came = record.read(Look).look(self._look), reached(record.places, self._look)
        self._run = next_run("" if noted is None else noted.run, new_id())
        if noted is not None:
            known = noted.begun and noted.run in self._came
            self._count(noted, max(self._came.values()) if known else len(noted.sets) + noted.planned)
        self._noted = noted
        return Reached(record.places, self._look, self._run)

    def _look_beside(self) -> None:
        """Count too what others that search the same at once came to; all, where one may yet come to more."""
        record, before = record_of(self._job.market), self._noted
        noted, came = record.read(Look).look(self._look), reached(record.places, self._look)
        if noted is not None and noted.run != self._run and noted != before:
            self._count(noted, len(noted.sets) + noted.planned)
        elif before is not None and any(came.get(run, 0) > sets for run, sets in self._came.items()):
            self._count(before, len(before.sets) + before.planned)

    def _count(self, noted: Look, come: int) -> None:
        """Count of another run of this search what it noted, and that it came to so many sets."""
        self._come = max(self._come, come)
        if not (noted.begun and self._grid):
            self._before = noted.sets if self._before is None else self._before.united(noted.sets)

    def _note(self, study: StudyWriter) -> None:
        """Put on record what was tried, as far as the search ever came, in place of what was planned."""
        self._look_beside()
        come, space = max(study.trials, self._come), self._order.space
        if self._grid is not None and come == space.size:
            sets = self._grid
        else:
            sets = self._tried(study)
            if self._grid is not None and come > study.trials:
                sets = sets.united(sets_of(space, islice(space.sets(), come)))
        self._note_look(sets, planned=max(come - len(sets), 0))

    def _note_look(self, sets: ParameterSets, **more: Any) -> None:
        note_look("tune", self._job, *self._days, sets=sets, look=self._look, run=self._run, **more)

    def _tried(self, study: StudyWriter) -> ParameterSets:
        """Return the sets of a study, and those on record of the same search in another folder."""
        space = self._order.space
        tried = ParameterSets(space.fixed, names=space.names)
        if study.trials:
            tried = sets_of(space, (trial.parameters for trial in study.recorded()))
        return tried if self._before is None else tried.united(self._before)


def _id_of(order: Order, job: Job, days: tuple[object, object], study: str) -> str:
    """Return the id of a search as a look: the same when it is gone on with, of the same code and files."""
    made = family_of(job.strategy).source, *sorted(order.files.items())
    said = (study, body_of_panel(job.market.panel).name, *days, *made)
    return hashlib.sha256(" ".join(map(str, said)).encode()).hexdigest()[:ID_DIGITS]
