"""Files besides the data that decide outcomes: a strategy's source, and what its parameters name."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.spec import Spec
from engine.strategy.loader import strategy_class
from engine.strategy.trusted import file_of
from engine.tuning.space import Space


def files_of(spec: Spec, space: Space, strategies: Mapping[str, type[Any]]) -> dict[str, str]:
    """Return hashes of the files by name; of a built-in strategy by the name of its module."""
    values = [*spec.parameters.values()]
    for dimension in space.dimensions:
        values += getattr(dimension, "values", ())
    places = {value: Path(value) for value in values if isinstance(value, str) and Path(value).is_file()}
    own = file_of(spec.strategy)
    strategy = strategy_class(spec.strategy, strategies)
    if own and Path(own).is_file():
        places[own] = Path(own)
    elif (source := inspect.getsourcefile(strategy)) is not None:
        # By the name of its module: where it is installed does not matter.
        places[strategy.__module__] = Path(source)
    return {name: hashlib.sha256(place.read_bytes()).hexdigest()[:16] for name, place in places.items()}
