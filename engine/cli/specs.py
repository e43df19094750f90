"""From the words of a command line to a spec: a spec file where one is given, overridden by options."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from data.errors import UsageError
from engine.cli.options import assignments, symbol_words

if TYPE_CHECKING:
    from engine import Spec, SpecFile

# What the options of a spec file are called within a command, where that differs.
IN_COMMAND = {"param": "params", "objective": "objectives", "constraint": "constraints"}

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


def make_spec(strategy: str | None, given: Mapping[str, Any], *, searched: Collection[str] = ()) -> Spec:
    """Return the spec of what ``run_options`` collected: that of a file, overridden by what was given.

    ``strategy`` may be the name of the file. ``--set``, ``--cost`` and ``--lag`` override one name each; what
    ``strategy`` carries wins over all. A parameter that is ``searched`` needs no value, so that one in the
    file is left out; to give it by ``--set`` as well stays a contradiction.
    """
    from engine import Spec

    strategy, file = spec_file_of(strategy, given)
    values = dict(file.settings)
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
    parameters = {each: value for each, value in parameters.items() if each not in searched}
    values["parameters"] = {**parameters, **assignments(given["settings"], "--set"), **own}
    values["costs"] = {**values.get("costs", {}), **assignments(given["costs"], "--cost")}
    values["lags"] = {**values.get("lags", {}), **_lags(given["lags"])}
    return Spec.from_dict(values, origin=file.origin)


def spec_file_of(strategy: str | None, given: Mapping[str, Any]) -> tuple[str | None, SpecFile]:
    """Return the strategy that was named, None where a spec file is in its place; and what the file says."""
    from engine import SpecFile, is_spec_file

    path: Path | None = given["spec_file"]
    if strategy is None or not is_spec_file(strategy):
        return strategy, SpecFile.read(path) if path else SpecFile()
    if path is not None:
        raise UsageError("there are two spec files", received=f"{strategy} and {path}", hint="Give one.")
    return None, SpecFile.read(Path(strategy))


def options_in_file(command: str, strategy: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a command that its spec file has, without those that were typed.

    ``param`` is what is left of the searched parameters: a typed one overrides that of its name.
    """
    _, file = spec_file_of(strategy, given)
    context = click.get_current_context()
    parameters = {each.name: each for each in context.command.params}
    found: dict[str, Any] = {}
    for name, value in file.tables.get(command, {}).items():
        parameter = parameters[IN_COMMAND.get(name, name)]
        if name == "param":
            typed = {word.partition("=")[0].strip() for word in given["params"]}
            words = param_words(value)
            found[name] = [word for word in words if word.partition("=")[0].strip() not in typed]
        elif context.get_parameter_source(str(parameter.name)) is not ParameterSource.COMMANDLINE:
            where = f"{file.origin}, [{command}]: `{name}`"
            found[name] = value if isinstance(value, list) else _as_typed(parameter, value, context, where)
    return found


def _as_typed(parameter: click.Parameter, value: Any, context: click.Context, where: str) -> Any:
    """Return a value as the option takes it from the command line; UsageError where it does not."""
    try:
        return parameter.type_cast_value(context, value)
    except click.BadParameter as error:
        raise UsageError(f"{where} cannot be that", received=repr(value), limit=error.message) from None


def param_words(params: Mapping[str, Any] | Sequence[str]) -> list[str]:
    """Return searched parameters as they are typed; a list of values may be one of TOML."""
    if not isinstance(params, Mapping):
        return list(params)
    return [f"{name}={_typed(values)}" for name, values in params.items()]


def _typed(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_typed, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


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
