"""``runs``: one shown; two told apart; one made again, byte for byte."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import DataError, ValidationError
from data.synthetic import notice_of
from data.words import count
from engine.commands.job import open_job
from engine.commands.run import Run, run_job
from engine.commands.study import study_document
from engine.pipeline import Watch
from engine.results.differences import differing, first_difference, other_files
from engine.results.folder import write
from engine.results.runs import find, finished
from engine.results.settings import note_on, worded
from engine.spec import Spec
from engine.strategy.trusted import require_trust
from engine.tuning.objective import Leaderboard
from engine.tuning.study import find_study, leaderboard_of, read_header


@dataclass(frozen=True)
class StoredStudy:
    """A study as it lies on disk: its header, and its best trials."""

    folder: Path
    header: Mapping[str, Any]
    leaderboard: Leaderboard

    def document(self) -> dict[str, Any]:
        """Return the document that ``runs show --json`` prints of a study."""
        found = study_document(self.folder, self.header, self.leaderboard, None)
        return {**found, "spec": self.header["spec"]}


@dataclass(frozen=True)
class RunDifference:
    """How two runs differ: settings and metrics, name and both values; the first day of other equity.

    ``about`` says of each on which data and over which sessions it is; ``synthetic``: one is on made-up ones.
    """

    names: tuple[str, str]
    currencies: tuple[str, str]
    settings: tuple[tuple[str, Any, Any], ...]
    metrics: tuple[tuple[str, Any, Any], ...]
    first_day: str | None
    about: tuple[str, str] = ("", "")
    synthetic: bool = False

    @property
    def settings_once(self) -> tuple[tuple[str, Any, Any], ...]:
        """The settings without what was asked for where what was set says it too."""
        names = {name for name, _, _ in self.settings}
        return tuple(
            each
            for each in self.settings
            if not (each[0].startswith("spec.") and each[0].removeprefix("spec.") in names)
        )

    @property
    def settings_told(self) -> tuple[tuple[str, str, str, str], ...]:
        """The same in words: name, both values, and what it means, as pages have them."""
        return tuple(
            (short, worded(one), worded(two), note_on(short))
            for name, one, two in self.settings_once
            if (short := name.removeprefix("spec."))
        )

    @property
    def metrics_once(self) -> tuple[tuple[str, Any, Any], ...]:
        """The metrics without those of a benchmark that is equal weight, which has its own."""
        twins = [
            (name.replace("equal_weight_", "benchmark_"), *of)
            for name, *of in self.metrics
            if name.startswith("equal_weight_")
        ]
        return tuple(each for each in self.metrics if each not in twins)

    def document(self) -> dict[str, Any]:
        """Return the document that ``runs diff --json`` prints."""
        return {
            "runs": list(self.names),
            "settings": [{"name": name, "values": [a, b]} for name, a, b in self.settings],
            "metrics": [{"name": name, "values": [a, b]} for name, a, b in self.metrics],
            "first_day_of_other_equity": self.first_day,
            **notice_of(self.synthetic),
        }


def show_run(word: str, out: str | Path = "results", *, rows: int = 10) -> tuple[Path, Run | StoredStudy]:
    """Return the folder and what is in it: a run (an id, the beginning of one, a folder, last), or a study.

    UsageError where there is none; DataError where it is damaged.
    """
    study = None if finished(word, Path(out)) else find_study(word, Path(out))
    if study is not None:
        header = read_header(study)
        if header is None:
            raise DataError(f"the study in {study} has no header", hint="Begin it again with tune --resume.")
        return study, StoredStudy(study, header, leaderboard_of(study, header, rows))
    folder = find(word, Path(out))
    return folder, Run.load(folder)


def diff_runs(first: str, second: str, out: str | Path = "results") -> RunDifference:
    """Tell two runs apart: settings, metrics, the first day on which equity differs."""
    one, two = (Run.load(find(word, Path(out))) for word in (first, second))
    settings = [each for each in differing(one.manifest, two.manifest) if each[0] != "run_id"]
    metrics = differing(one.metrics.values, two.metrics.values)
    left, right = (dict(zip(each.days.tolist(), each.equity.tolist(), strict=True)) for each in (one, two))
    days = sorted({*left, *right})
    first_day = next((str(day) for day in days if left.get(day) != right.get(day)), None)
    return RunDifference(
        (one.name, two.name),
        (one.currency, two.currency),
        tuple(settings),
        tuple(metrics),
        first_day,
        (_about(one), _about(two)),
        one.synthetic or two.synthetic,
    )


def _about(run: Run) -> str:
    days, name = run.days, run.manifest["data"].get("name", "unnamed")
    return f"{name}, {days[0]} to {days[-1]}, {count(len(days), 'session')}"


def reproduce(
    word: str,
    catalogue: Mapping[str, type[Any]],
    out: str | Path = "results",
    *,
    data: str | None = None,
    allow: Sequence[str] = (),
    trust: bool = False,
    watch: Watch | None = None,
) -> tuple[Path, Run]:
    """Make a run again from its manifest, and return its folder and the new one, which is the same.

    ``data`` says where its data are now, ``allow`` which checks of them may fail besides; ``trust`` lets it
    run a strategy's file that this user has never run by its name, which is a UsageError otherwise.
    ValidationError names the first difference: of a file of the run, its strategy or its weights, or of a
    number.
    """
    folder = find(word, Path(out))
    before = Run.load(folder, balanced=False)  # what was changed is named as drift
    spec = Spec.from_document(before.manifest["spec"], origin=f"{folder}/manifest.json")
    changes = list(other_files(before.manifest.get("files", {})))
    if changes:
        raise ValidationError(
            f"run {before.name} does not reproduce: {', '.join(changes)}",
            hint="Put the files back as they were, and call this from the folder where the run was made.",
        )
    require_trust(spec.strategy, catalogue, f"the run {before.name}", trust=trust)
    watch = watch or Watch()
    # Its numbers are known already, so that a hold-out on its sessions is seen.
    now = spec.with_(data=data or spec.data, allow=(*spec.allow, *allow))
    job = open_job(now, catalogue, watch, break_seal=True).as_of(spec)
    again = run_job(job, watch, command="reproduce")
    with tempfile.TemporaryDirectory() as place:
        write(again, again.metrics, Path(place))
        difference = first_difference(folder, Path(place))
    if difference is not None:
        now, then = again.manifest["versions"], before.manifest["versions"]
        changed = [f"{name} {then.get(name)} -> {now[name]}" for name in now if now[name] != then.get(name)]
        raise ValidationError(
            f"run {before.name} does not reproduce: {difference}",
            hint=f"Versions changed: {', '.join(changed)}." if changed else "Versions are the same.",
        )
    return folder, again
