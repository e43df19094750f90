"""Files that a strategy reads, by their content: another version of one makes another trial.

Those that a parameter names are part of the set, those that the strategy declares besides of its code.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from data.errors import EtflowError
from engine.strategy.adapter import Adapter

DIGITS = 16


def named_files(adapter: Adapter, values: Iterable[object]) -> dict[str, str]:
    """Return hashes of the files that values name, looked for as declared inputs are."""
    words = sorted({each for each in values if isinstance(each, str) and each})
    if not words:
        return {}
    try:
        folder = os.path.dirname(inspect.getsourcefile(adapter.written) or "")
    except TypeError:  # a class in a notebook
        folder = ""
    found = {}
    for word in words:
        for place in (os.path.join(folder, word), word):
            if os.path.isfile(place):  # a long text is none, for `Path` an error
                found[word] = _hash(Path(place))
                break
    return found


def declared_files(adapter: Adapter) -> dict[str, str]:
    """Return hashes of the inputs that a strategy declares and no parameter names; none where one is gone."""
    try:
        declared = adapter.input_files
    except (EtflowError, TypeError):
        return {}
    values = {str(each) for each in adapter.fields.values()} if declared else set()
    return {name: _hash(place) for name, place in declared.items() if name not in values}


def version_with(source: str, files: Mapping[str, str]) -> str:
    """Return the hash of a strategy's code together with the files that it declares."""
    said = json.dumps([source, dict(files)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:DIGITS]


def _hash(place: Path) -> str:
    try:
        return hashlib.sha256(place.read_bytes()).hexdigest()[:DIGITS]
    except OSError:
        return ""
