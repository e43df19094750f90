"""From the words of a command line to a spec: a spec file where one is given, overridden by options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import UsageError
from engine.cli.options import assignments, symbol_words

if TYPE_CHECKING:
    from engine import Spec

# Options that are settings of a spec under the same name, each replaced as a whole.
_SAME_NAME = (
    "data",
    "universe",
    "start",
    "end",
    "cash",
    "reserve",
    "benchmark",
    "engine",
    "fill",
    "availability",
    "seed",
    "currency",
)

# A strategy and its own settings: momentum:top=2, my/file.py:Mine:top=2,lookback=60
_WITH_SETTINGS = re.compile(r"(?P<name>.+?\.py(?::\w+(?=:|$))?|[^:]+)(?::(?P<settings>.*))?")


def make_spec(strategy: str | None, given: Mapping[str, Any]) -> Spec:
    """Return the spec of what ``run_options`` collected: that of a file, overridden by what was given.

    ``--set``, ``--cost`` and ``--lag`` override one name each; what ``strategy`` carries wins over all.
    """
    from engine import Spec

    file: Path | None = given["spec_file"]
    values = Spec.settings_in(file) if file else {}
    parameters = values.get("parameters", {})
    own: dict[str, str] = {}
    if strategy is not None:
        name, own = split_settings(strategy)
        parameters = parameters if values.get("strategy", name) == name else {}
        values["strategy"] = name
    elif "strategy" not in values:
        raise UsageError("name a strategy to run, or a spec file", hint="See `etflow strategies list`.")
    values |= {name: given[name] for name in _SAME_NAME if given[name] is not None}
    if given["symbols"] is not None:
        values["symbols"] = symbol_words(given["symbols"])
        values["universe"] = given["universe"]
    elif given["universe"] is not None:
        values["symbols"] = []
    if given["allow"]:
        values["allow"] = list(given["allow"])
    values["parameters"] = {**parameters, **assignments(given["settings"], "--set"), **own}
    values["costs"] = {**values.get("costs", {}), **assignments(given["costs"], "--cost")}
    values["lags"] = {**values.get("lags", {}), **_lags(given["lags"])}
    return Spec.from_dict(values, origin=str(file or "options"))


def _lags(words: tuple[str, ...]) -> dict[str, int]:
    lags: dict[str, int] = {}
    for table, sessions in assignments(words, "--lag").items():
        try:
            lags[table] = int(sessions)
        except ValueError:
            raise UsageError(f"--lag {table} needs a whole number of sessions", received=sessions) from None
    return lags


def split_settings(word: str) -> tuple[str, dict[str, str]]:
    """Return a strategy's name, and the settings that follow it: ``momentum:lookback=60,top=2``."""
    match = _WITH_SETTINGS.fullmatch(word)
    if match is None:
        raise UsageError("no strategy's name", received=word, hint="Write NAME or NAME:parameter=value,...")
    settings = match["settings"]
    return match["name"], assignments(tuple(settings.split(",")), match["name"]) if settings else {}
