"""The best trial of a search once more, on the reference engine: equal to the last bit, or an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.errors import ValidationError
from engine.metrics import compute_metrics
from engine.pipeline import execute
from engine.results.folder import save
from engine.spec import Spec
from engine.tuning.evaluate import Evaluator
from engine.tuning.objective import Trial


def check_best(spec: Spec, evaluate: Evaluator, best: Trial, out: Path) -> Path:
    """Run a trial on the reference engine, write its results folder under ``out``, and return that.

    Of a trial over phases it is the set as it stands, on its own phase.
    ValidationError names the first session on which its equity is not that of the batch engine.
    """
    again = spec.with_(
        parameters={**spec.parameters, **best.parameters},
        start=evaluate.day(evaluate.first),
        engine="reference",
    )
    result = execute(again, evaluate.strategy(best.parameters), evaluate.market)
    expected, received = result.equity, evaluate.own_path(best.parameters)
    other = np.flatnonzero(expected != received)
    if len(other):
        row = int(other[0])
        raise ValidationError(
            f"trial {best.number} is not the same on both engines from {result.days[row]} on",
            received=f"{received[row]!r} on the batch engine",
            limit=f"{expected[row]!r} on the reference engine",
            hint="This is a bug of ours; please report it with the command.",
        )
    folder = out / result.name
    save(result, compute_metrics(result), folder)
    return folder
