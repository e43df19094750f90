"""``runs diff --explain``: a change of return between two runs, taken apart by running again.

The first run is turned into the second, one thing at a time and in this order; each step is a run, and its
change of return, in basis points of the initial capital, is the cause's:

1. *code*: the first run again, on its own data, by the code and rules of today;
2. *data*: on the data of the second run: revised values, later rows, another store;
3. *parameters*: with its strategy and parameters;
4. *costs*: with its costs and reserve;
5. *conditions*: with all else of its spec: funds, days, cash, fill, engine, availability;
6. *remainder*: the second run as it was recorded, where it is not what it is when it is run again.

The data that a run had are had again by undoing revisions of its store (``data.store.vintage``) until their
fingerprint is that of the run. Where none is, rows came or were removed since, or rules came, and *code* is
part of *data*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import EtflowError
from data.load import load_panel
from data.source import DataSource, open_source, renamed
from data.store.vintage import Vintage
from data.synthetic import notice_of
from engine.commands.run import Run
from engine.pipeline import OpenMarket, Watch, execute, strategy_of
from engine.result import Result
from engine.results.differences import other_files
from engine.results.runs import find
from engine.spec import Spec
from engine.strategy.trusted import require_trust

EXPLAINED: Mapping[str, str] = {
    "code": "the first run again, by the code and rules of today",
    "data": "on the data of the second run",
    "parameters": "with its strategy and parameters",
    "costs": "with its costs and reserve",
    "conditions": "with its funds, days, cash and all else",
    "remainder": "the second run as it was recorded, against what it is now",
}
BASIS_POINTS = 10_000
MOST_VINTAGES = 20
REVISED = ("table", "key", "column", "old", "new")
_NONE = pd.DataFrame(columns=[*REVISED, "replaced"])


@dataclass(frozen=True)
class Revision:
    """The values that a store replaced on one day, and what that did to the first run, in basis points."""

    day: date
    values: tuple[Mapping[str, str], ...]
    basis_points: float


@dataclass(frozen=True)
class Explanation:
    """A change of return in basis points of the initial capital: ``whole`` is the sum of ``causes``.

    A cause that could not be told from the next is None, and in that one. ``revisions`` are part of *data*.
    ``notes`` say what could not be run again, and why.
    """

    names: tuple[str, str]
    returns: tuple[float, float]
    whole: float
    causes: Mapping[str, float | None]
    revisions: tuple[Revision, ...]
    notes: tuple[str, ...]
    synthetic: bool = False

    def document(self) -> dict[str, Any]:
        """Return the document that ``runs diff --explain --json`` prints."""
        told = asdict(self)
        return told | notice_of(told.pop("synthetic"))


@dataclass(frozen=True)
class _Data:
    """The data of a run as far as they can be had again: what is undone of its store; ``exact`` or not."""

    source: DataSource
    undone: int
    groups: tuple[pd.DataFrame, ...]
    announced: date | None
    symbols: tuple[str, ...]
    last: date
    exact: bool

    def at(self, undone: int) -> _Data:
        """Return the same with another number of revisions undone."""
        return replace(self, undone=undone)

    def market(self, spec: Spec) -> OpenMarket:
        """Return the market on which a spec runs."""
        rows = pd.concat([_NONE, *self.groups[len(self.groups) - self.undone :]])
        source = renamed(Vintage(self.source, rows, self.announced))
        benchmark = spec.benchmark or source.default_benchmark
        panel = load_panel(
            source,
            self.symbols,
            end=self.last,
            availability=spec.availability,
            lags=spec.lags,
            benchmark=benchmark,
            currency=spec.currency,
        )
        return OpenMarket(panel, benchmark, source=source)


def explain_runs(
    first: str,
    second: str,
    catalogue: Mapping[str, type[Any]],
    out: str | Path = "results",
    *,
    data: str | None = None,
    trust: bool = False,
    watch: Watch | None = None,
) -> Explanation:
    """Return why the second run earned something else than the first; their folders stay as they are.

    ``data`` says where the data of both are now; ``trust`` lets it run files of strategies that this user has
    never run by name, which is a UsageError otherwise.
    """
    watch = watch or Watch()
    with watch("runs"):
        folders = [find(word, Path(out)) for word in (first, second)]
        one, two = (Run.load(folder) for folder in folders)
        specs = [
            Spec.from_document(run.manifest["spec"], f"{folder}/manifest.json")
            for run, folder in zip((one, two), folders, strict=True)
        ]
        for spec, run in zip(specs, (one, two), strict=True):
            require_trust(spec.strategy, catalogue, f"the run {run.name}", trust=trust)
    notes = [
        f"{run.name}: {text}" for run in (one, two) for text in other_files(run.manifest.get("files", {}))
    ]
    with watch("data"):
        now = [spec.with_(data=data) if data else spec for spec in specs]
        had = [_had(run, spec) for run, spec in zip((one, two), now, strict=True)]
    notes += [
        f"{run.name}: its data cannot be had again; rows came or were removed since, or rules came"
        for run, each in zip((one, two), had, strict=True)
        if not each.exact
    ]
    recorded = [_earned(one), _earned(two)]
    with watch("simulation"):
        try:
            steps, revisions = _steps(now[0], now[1], had[0], had[1], catalogue)
        except EtflowError as error:
            notes.append(f"cannot be run again: {error}")
            steps, revisions = dict.fromkeys(list(EXPLAINED)[:-1]), ()
    return _explained(one, two, recorded, steps, revisions, notes)


def _explained(
    one: Run,
    two: Run,
    recorded: list[Fraction],
    steps: Mapping[str, Fraction | None],
    revisions: tuple[Revision, ...],
    notes: list[str],
) -> Explanation:
    causes: dict[str, float | None] = {}
    before = recorded[0]
    for cause, after in [*steps.items(), ("remainder", recorded[1])]:
        causes[cause] = None if after is None else float((after - before) * BASIS_POINTS)
        before = before if after is None else after
    return Explanation(
        (one.name, two.name),
        (float(recorded[0]), float(recorded[1])),
        float((recorded[1] - recorded[0]) * BASIS_POINTS),
        causes,
        revisions,
        tuple(notes),
        one.synthetic or two.synthetic,
    )


def _steps(
    one: Spec, two: Spec, then: _Data, later: _Data, catalogue: Mapping[str, type[Any]]
) -> tuple[dict[str, Fraction | None], tuple[Revision, ...]]:
    """Return the total return after each step but the last, None where it could not be told from the next."""
    known: dict[Any, Fraction] = {}

    def run(spec: Spec, had: _Data) -> Fraction:
        key = (repr(spec), had.undone, had.announced, had.symbols, had.last)
        if key not in known:
            market = had.market(spec)
            known[key] = _earned(execute(spec, strategy_of(spec, catalogue), market))
        return known[key]

    moved = replace(later, symbols=then.symbols, last=then.last)
    here = one.with_(data=two.data)
    chosen = here.with_(strategy=two.strategy, parameters=two.parameters)
    charged = chosen.with_(costs=two.costs, reserve=two.reserve)
    steps: dict[str, Fraction | None] = {
        "code": run(one, then) if then.exact else None,
        "data": run(here, moved),
        "parameters": run(chosen, moved),
        "costs": run(charged, moved),
        "conditions": run(two, later),
    }
    revisions = []
    if then.exact and one.data == two.data:
        # Where the second run is the older one, revisions are undone, the last of them first.
        forward = then.undone >= later.undone
        for undone in (
            range(then.undone - 1, later.undone - 1, -1) if forward else range(then.undone, later.undone)
        ):
            group = then.groups[len(then.groups) - undone - 1]
            before, after = (undone + 1, undone) if forward else (undone, undone + 1)
            change = run(one, then.at(after)) - run(one, then.at(before))
            revisions.append(
                Revision(
                    group["replaced"].iloc[0].date(),
                    tuple({name: str(row[name]) for name in REVISED} for row in group.to_dict("records")),
                    float(change * BASIS_POINTS),
                )
            )
    return steps, tuple(revisions)


def _had(run: Run, spec: Spec) -> _Data:
    """Return the data of a run: those on file, with the fewest revisions undone that make its fingerprint."""
    about = run.manifest["data"]
    source = open_source(spec.data)
    revisions: Any = getattr(source, "revisions", None)
    frame = _NONE if revisions is None else revisions()
    groups = tuple(rows for _, rows in frame.groupby("replaced", sort=True))
    last = date.fromisoformat(about["last_day"])
    found = _Data(source, 0, groups, None, tuple(about["symbols"]), last, exact=False)
    for undone in range(min(len(groups), MOST_VINTAGES) + 1):
        for announced in (None, last):
            tried = replace(found.at(undone), announced=announced, exact=True)
            if tried.market(spec).panel.fingerprint == about["fingerprint"]:
                return tried
    return found


def _earned(result: Result) -> Fraction:
    return Fraction(float(result.equity[-1])) / Fraction(result.initial_cash) - 1
