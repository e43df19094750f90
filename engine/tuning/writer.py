"""The writing side of a study: it is begun or resumed, and every finished chunk of trials goes to the disk.

1. ``open_study`` takes the lock, cuts off what a kill left torn, and holds the header against the command:
   a study that exists is only gone on with if asked, and only if nothing that decides its trials changed.
2. ``recorded`` gives the trials that are there; ``append`` adds some.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import UsageError
from engine.record.journal import Journal
from engine.results.runs import writing
from engine.tuning.objective import Trial
from engine.tuning.study import (
    STUDY_FILE,
    count_trials,
    differences,
    read_header,
    read_trials,
    studies_in,
    trials_wanted,
)


@dataclass
class StudyWriter:
    """A study open for writing; ``trials`` is how many it has, ``ahead`` is told before it has more."""

    folder: Path
    header: Mapping[str, Any]
    trials: int
    _journal: Journal
    ahead: Callable[[int], object] = lambda _trials: None

    def recorded(self) -> Iterator[Trial]:
        """Yield the trials that were there when the study was opened."""
        for trial, _ in zip(read_trials(self.folder / STUDY_FILE), range(self.trials), strict=False):
            yield trial

    def append(self, trials: Sequence[Trial]) -> None:
        """Write trials, all or none; UsageError where the disk does not take them."""
        self.ahead(self.trials + len(trials))
        try:
            self._journal.append([_line(trial) for trial in trials])
            self.trials += len(trials)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise UsageError(
                f"cannot write the study {self.folder}; its {self.trials} trials are kept",
                received=error.strerror or error,
                hint=("Make room on the disk" if full else "Make the folder writable")
                + ", then go on with --resume.",
            ) from error


@contextmanager
def open_study(out: Path, header: Mapping[str, Any], *, resume: bool) -> Iterator[StudyWriter]:
    """Yield the study with this header under ``out``, begun now, or with ``resume`` as far as it is.

    Raises UsageError where it exists already, where what is resumed is another one (naming the difference),
    where another process writes to it, and where the disk does not allow it.
    """
    folder = out / str(header["study_id"])
    if resume and not (folder / STUDY_FILE).is_file():
        _refuse_another(out, header)
    with writing(out):
        folder.mkdir(parents=True, exist_ok=True)
        journal = Journal(folder / STUDY_FILE)
    with journal:
        if journal.empty:
            with writing(out):
                journal.append([header])
        else:
            _go_on(folder, header, journal, resume=resume)
        yield StudyWriter(folder, header, count_trials(folder / STUDY_FILE), journal)


def id_to_resume(out: Path, header: Mapping[str, Any]) -> str:
    """Return the id of the study with this header under ``out``; another one where a former version named it.

    Former versions called the study of a strategy in a file by the file's whole path.
    """
    own = str(header["study_id"])
    if not (out / own / STUDY_FILE).is_file():
        for folder in studies_in(out):
            other = read_header(folder)
            if other is not None and other["study_id"] == folder.name and not differences(other, header):
                return folder.name
    return own


def _go_on(folder: Path, header: Mapping[str, Any], journal: Journal, *, resume: bool) -> None:
    """Refuse a study that is not to be gone on with; note where more trials are wanted of it."""
    then = read_header(folder) or {}
    wanted, done = trials_wanted(folder, then), count_trials(folder / STUDY_FILE)
    changes = differences(then, header)
    if not resume:
        raise UsageError(
            f"the study {folder} exists already",
            received=f"{done} trials" + (f" of {wanted}" if wanted is not None else ""),
            hint="Choose another --out or --seed."
            if changes
            else "Go on with --resume, or choose another --out or --seed.",
        )
    if changes:
        raise UsageError(
            f"the study {folder} cannot be resumed: something has changed since",
            received="; ".join(changes),
            hint="Restore that, or begin a new study with another --out or --seed.",
        )
    now = header["trials"]
    if wanted is not None and now is not None and now != wanted:
        if now < wanted:
            raise UsageError(
                f"--trials of the study {folder} can be raised only",
                received=now,
                limit=f"at least {wanted}",
            )
        with writing(folder):
            journal.append([{"trials": now}])


def _refuse_another(out: Path, header: Mapping[str, Any]) -> None:
    """Raise UsageError if there are studies of this strategy, but not this one, naming what differs least."""
    candidates = []
    for folder in studies_in(out):
        other = read_header(folder)
        if other is not None and other["strategy"] == header["strategy"]:
            candidates.append((differences(other, header), folder))
    if candidates:
        changes, folder = min(candidates, key=lambda each: len(each[0]))
        raise UsageError(
            f"there is no such study to resume in {out}; the closest is {folder.name}",
            received="; ".join(changes),
            hint="Give the same options as before, or leave out --resume to begin a new study.",
        )


def _line(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "parameters": trial.parameters,
        "metrics": trial.outcome.metrics,
        "failure": trial.outcome.failure,
    }
