"""The final hold-out: sessions that a search never saw, opened once, and the day of that written down.

``tune --holdout 2025-01-01:`` ends the data of the search before that day. ``validate STUDY --open-holdout``
runs the study's best trial on what was held out, once, from its first session on with fresh money, and adds
a line to the study: when it was opened, what came out, and what had looked at those sessions before, by
whatever command. After that it is no hold-out any more; one that was seen before confirms nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from data.days import parse_day
from data.errors import DataError, UsageError
from data.source import open_source, spans_of
from data.words import number, percent
from engine.metrics import compute_metrics
from engine.pipeline import OpenMarket, Watch, execute, open_market, strategy_of
from engine.record.chain import read_lines
from engine.record.journal import Journal
from engine.record.record import new_id
from engine.results.folder import save
from engine.results.runs import is_run, writing
from engine.spec import Spec
from engine.tuning.reopen import Reopened
from engine.tuning.study import STUDY_FILE

Witness = Callable[[OpenMarket, str, object, object, str], tuple[str, ...]]
"""Of a market, a study, the first and the last session, and the id of this opening."""

KEY = "holdout"
# Noted before the record knows of it, so that after a kill it is known whose opening that was.
OPENING = "opening"
METRICS = ("cum_returns_final", "annual_return", "sharpe_ratio", "max_drawdown", "turnover")


@dataclass(frozen=True)
class Opened:
    """A hold-out that was opened: when, which trial ran over which days, its run, and its metrics.

    ``seen`` are the looks into it before that, in words, and what cannot be known of them.
    """

    at: str
    trial: int
    first_day: str
    last_day: str
    run_id: str
    metrics: Mapping[str, float | None]
    seen: tuple[str, ...] = ()

    @property
    def when(self) -> str:
        """When it was opened, as people read it."""
        return _read(self.at)

    @property
    def looks(self) -> tuple[str, ...]:
        """What ``seen`` says, with times as people read them."""
        shown = (each.partition(" ") for each in self.seen)
        return tuple(
            f"{_read(first) if parse_day(first[:10]) else first}{space}{rest}" for first, space, rest in shown
        )


def shut(spec: Spec, text: str) -> tuple[Spec, dict[str, str | None]]:
    """Return the spec of a search that leaves out what begins on the day in ``text``, and what that is.

    ``text`` is a day with or without a colon behind it. UsageError if it is none, or not within the period.
    """
    first = parse_day(text.strip().removesuffix(":"))
    if first is None:
        raise UsageError(
            "--holdout needs the day on which it begins", received=text, limit="a day as 2025-01-01:"
        )
    spans = spans_of(open_source(spec.data), "bars").values()
    first_bar = min(each.first for each in spans if each.first)
    last_bar = max(each.last for each in spans if each.last)
    begin, end = spec.start or first_bar, min(spec.end or date.max, last_bar)
    if not begin < first <= end:
        raise UsageError(
            "the hold-out is not within the period of the search",
            received=first,
            limit=f"after {begin}, up to {end}",
        )
    held_out = {"start": str(first), "end": str(spec.end) if spec.end else None}
    return spec.with_(end=first - timedelta(days=1)), held_out


def opened(folder: Path) -> Opened | None:
    """Return the opened hold-out of the study in a folder; None while it is shut."""
    found = None
    for _, line in read_lines(folder / STUDY_FILE):
        if KEY in line and "kind" not in line:
            found = Opened(**{**line[KEY], "seen": tuple(line[KEY].get("seen", ()))})
    return found


def _read(at: str) -> str:
    """Return a time as people read it: 2025-09-01T10:00:12+08:00 is ``2025-09-01 10:00 +08:00``."""
    return f"{at[:10]} {at[11:16]} {at[19:]}".rstrip()


def told(held_out: Mapping[str, Any] | None, found: Opened | None) -> str:
    """Return in words that a search has a hold-out, and whether it is shut, or else what came out.

    Empty where it has none.
    """
    if not held_out:
        return ""
    end = f"to {held_out['end']}" if held_out.get("end") else "on"
    state = "shut" if found is None else f"opened on {found.at[:10]}: {_outcome(found)}"
    return f"hold-out from {held_out['start']} {end}, {state}"


def _outcome(found: Opened) -> str:
    """Return in words what came out of a hold-out, and whether that confirms anything."""
    earned, ratio = found.metrics["cum_returns_final"], found.metrics["sharpe_ratio"]
    seen = "; seen before, it confirms nothing" if found.seen else ""
    return f"total return {percent(earned)}, Sharpe ratio {number(ratio)}{seen}"


def holdout_text(folder: Path, header: Mapping[str, Any]) -> str:
    """Return the same of the study in a folder."""
    return told(header.get(KEY), opened(folder))


def open_holdout(
    reopened: Reopened, strategies: Mapping[str, type[Any]], out: Path, watch: Watch, witness: Witness
) -> Opened:
    """Run the best trial on the hold-out, write its run under ``out``, and write down that it is open.

    ``witness`` puts on record that it is, and says what had looked into it. What a kill left undone is done.
    UsageError if the study has no hold-out, has no best trial, or if it was opened before; DataError if the
    data have no session in it.
    """
    study, folder = reopened.study, reopened.study.folder
    held_out = study.header.get(KEY)
    if not held_out:
        raise UsageError(
            f"the study {folder} has no hold-out",
            hint="Search again with --holdout DAY: to keep some sessions shut.",
        )
    with writing(folder):
        journal = Journal(folder / STUDY_FILE)
    with journal:
        before = opened(folder)
        if before is not None and is_run(out / before.run_id):
            raise _opened_already(folder, before)
        best = study.best if before is None else study.trials[before.trial]
        if best is None:
            raise UsageError(f"the study {folder} has no trial to try on the hold-out")
        spec = reopened.spec.with_(
            parameters={**reopened.spec.parameters, **best.parameters},
            start=date.fromisoformat(held_out["start"]),
            end=date.fromisoformat(held_out["end"]) if held_out["end"] else None,
            engine="reference",
        )
        market = open_market(spec, watch)
        if str(market.panel.days[-1]) < held_out["start"]:
            raise DataError(
                "the data have no session in the hold-out",
                received=f"up to {market.panel.days[-1]}",
                limit=f"from {held_out['start']} on",
                hint="Import later data.",
            )
        with watch("simulation"):
            result = execute(spec, strategy_of(spec, strategies), market)
        metrics = compute_metrics(result)
        if before is not None:
            if result.name != before.run_id:
                raise _opened_already(folder, before)
            save(result, metrics, out / result.name)  # which a kill had prevented
            return before
        opening = _opening(folder)
        if opening is None:
            opening = new_id()
            journal.append([{OPENING: opening}])
        found = Opened(
            at=datetime.now().astimezone().isoformat(timespec="seconds"),
            trial=best.number,
            first_day=str(result.days[0]),
            last_day=str(result.days[-1]),
            run_id=result.name,
            metrics={name: metrics[name] for name in METRICS},
            seen=witness(market, str(study.header["study_id"]), result.days[0], result.days[-1], opening),
        )
        # Written down before anybody sees the result: whoever has seen it has opened it.
        journal.append([{KEY: vars(found)}])
        save(result, metrics, out / result.name)
    return found


def _opening(folder: Path) -> str | None:
    """Return the id under which this study began to open its hold-out; None if it did not."""
    return next((str(line[OPENING]) for _, line in read_lines(folder / STUDY_FILE) if OPENING in line), None)


def _opened_already(folder: Path, before: Opened) -> UsageError:
    return UsageError(
        f"the hold-out of {folder} was opened on {before.at} already, with trial {before.trial}",
        received=", ".join(f"{name} {_text(value)}" for name, value in before.metrics.items()),
        limit="once",
        hint="What is chosen from here on needs sessions that nobody has looked at.",
    )


def _text(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4g}"
