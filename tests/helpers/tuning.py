"""A strategy's fields, a made-up response to its parameters, and studies over them, without any market."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.spec import Spec
from engine.strategy.parameter import Parameter
from engine.tuning.methods import DEFAULT_BATCH, WITH_OPTUNA
from engine.tuning.objective import Goal, Leaderboard
from engine.tuning.outcome import Outcome, Parameters
from engine.tuning.samplers import make_sampler
from engine.tuning.space import Space
from engine.tuning.study import Plan, study_header
from engine.tuning.tune import Pace, tune
from engine.tuning.writer import open_study


def field(name: str, *kinds: Any, low=None, high=None, choices=None, default=None) -> Parameter:
    return Parameter(name, kinds, default, low, high, choices, "", "")


FIELDS = (
    field("lookback", int, low=1, high=1000, default=20),
    field("z_window", int, low=2, high=1000, default=60),
    field("margin_weight", float, low=0.0, high=100.0, default=1.0),
    field("excess_of_momentum", bool, default=False),
    field("top", int, low=0, high=1000, default=3),
    field("rebalance", int, str, low=1, high=1000, choices=("weekly", "monthly", "once"), default=5),
    field("threshold", float, type(None)),
    field("cap", float, low=0.01, high=1.0, default=1.0),
    field("weighting", str, choices=("equal", "score"), default="equal"),
)
# Seven sets a chunk, whatever the clock says.
STEADY = Pace(7, 0.0)
DEFAULTS = {each.name: each.default for each in FIELDS}
FASTEST = ("top", "rebalance", "threshold", "weighting", "cap", "hysteresis", "otherwise")


def space_of(*words: str, where: Sequence[str] = (), given: Sequence[str] = ()) -> Space:
    fixed = {name: value for name, value in DEFAULTS.items() if name not in {w.split("=")[0] for w in words}}
    return Space.from_words(words, where, FIELDS, fixed=fixed, given=given, fastest=FASTEST)


def goal_of_words(*objectives: str, constraints: Sequence[str] = ()) -> Goal:
    return Goal.from_words(objectives, constraints)


def evaluate(sets: Sequence[Parameters]) -> list[Outcome]:
    """Return outcomes that depend on the parameters alone; a lookback of 7 fails, one of 9 is undefined."""
    return [_outcome(parameters) for parameters in sets]


def _outcome(parameters: Parameters) -> Outcome:
    if parameters.get("lookback") == 7:
        return Outcome({}, "ValueError: seven\nis not lucky: 七")
    # Digits of a hash: a number with a long fraction, so that rounding would show.
    digest = hashlib.sha256(repr(sorted(parameters.items())).encode()).digest()
    noise = int.from_bytes(digest[:6], "big") / 2**48
    lookback, top = parameters.get("lookback", 20), parameters.get("top", 3)
    sharpe = None if lookback == 9 else 1.0 - ((lookback - 12) / 10) ** 2 + noise / 10
    return Outcome(
        {
            "sharpe_ratio": sharpe,
            "turnover": 10.0 / (top + 1) + noise,
            "max_drawdown": -0.05 * top - noise / 50,
            "annual_return": noise / 3,
        }
    )


def header_of(space: Space, goal: Goal, method: str, trials: int | None, **changes: Any) -> dict[str, Any]:
    panel = SimpleNamespace(
        name=changes.pop("data", "demo"),
        synthetic=True,
        fingerprint=changes.pop("fingerprint", "f00d"),
        filled={},
        currency=None,
        markets={},
        days=["2024-01-02", "2024-12-31"],
        symbols=["157001.SZ"],
    )
    files: Mapping[str, str] = changes.pop("files", {})
    batch = changes.pop("batch", DEFAULT_BATCH) if method in WITH_OPTUNA else None
    spec = Spec(changes.pop("strategy", "momentum"), **changes)
    return study_header(spec, space, goal, Plan(method, trials, batch), panel, files)


def search_in(
    out: Path,
    space: Space,
    goal: Goal,
    method: str,
    trials: int | None = None,
    *,
    resume: bool = False,
    evaluator=evaluate,
    pace: Pace = STEADY,
    progress=lambda _state: None,
    rows: int = 10,
    **changes: Any,
) -> tuple[Path, Leaderboard]:
    """Search as the command does, and return the study's file and its leaderboard."""
    header = header_of(space, goal, method, trials, **changes)
    search = make_sampler(method, space, goal, seed=header["seed"], batch=header["batch"] or DEFAULT_BATCH)
    with open_study(out, header, resume=resume) as study:
        leaderboard = tune(
            search, evaluator, study, goal, trials=trials, pace=pace, progress=progress, rows=rows
        )
        return study.folder / "study.jsonl", leaderboard
