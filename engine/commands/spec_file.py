"""A spec file: what to run, and what a command is to do with it, in one file.

Its settings are those of a :class:`Spec`; a table named like a command (``[tune]``, ``[audit]``,
``[compare]``) has the options of that command by their names. It is written by hand, as TOML; or it is what
etflow wrote of a run (``manifest.json``) or of a search (``study.jsonl``), so that whatever is on disk can be
made again, or made otherwise. Of a study, a hold-out that it kept shut is shut again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import UsageError, check_choice
from data.facts.dated import read_toml
from engine.results.runs import MANIFEST
from engine.spec import Spec, require_settings
from engine.strategy.trusted import require_trust

SUFFIXES = (".toml", ".json", ".jsonl")
STUDY = "study.jsonl"

Kind = tuple[tuple[type, ...], str]
_TEXT: Kind = (str,), "text"
_TEXTS: Kind = (list,), "a list of texts"
_NUMBER: Kind = (int,), "a whole number"

TABLES: Mapping[str, Mapping[str, Kind]] = {
    "tune": {
        "param": ((Mapping, list), "a table of names and values"),
        **dict.fromkeys(("where", "objective", "constraint"), _TEXTS),
        **dict.fromkeys(("method", "phases", "holdout", "splits"), _TEXT),
        **dict.fromkeys(("trials", "batch"), _NUMBER),
        **dict.fromkeys(("train_size", "test_size", "folds", "purged_size", "embargo_size"), _NUMBER),
    },
    "audit": {"only": _TEXTS, "draws": _NUMBER},
    "compare": {"strategies": _TEXTS},
}
"""By command: the options that a spec file may have of it, and what each must be."""


@dataclass(frozen=True)
class SpecFile:
    """What a spec file says: settings of a spec, and options by command."""

    origin: str = "options"
    settings: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> SpecFile:
        """Return what the file at ``path`` says; UsageError names what is unknown, or of another kind.

        What etflow wrote names the strategy's file as somebody else may have named it: UsageError if that is
        one that this user has never run.
        """
        if path.name == MANIFEST:
            from engine.results.loading import read_manifest

            made = cls(str(path), _settings_of(read_manifest(path.parent)["spec"]))
        elif path.name == STUDY:
            made = _of_study(path)
        elif path.suffix == ".toml":
            raw = read_toml(path, "the spec ")
            tables = {name: _table(raw.pop(name), name, str(path)) for name in TABLES if name in raw}
            require_settings(raw, str(path), TABLES)
            return cls(str(path), raw, tables)
        else:
            raise UsageError(
                "not a spec file",
                received=path,
                limit=f"a TOML file, {MANIFEST} of a run, or {STUDY} of a study",
            )
        hint = "Read the file, and run the strategy by its name once."
        require_trust(made.settings["strategy"], {}, made.origin, trust=False, hint=hint)
        return made


def is_spec_file(word: str) -> bool:
    """Whether a word that may be a strategy's name is the name of a spec file."""
    return word.endswith(SUFFIXES)


def _settings_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a spec as a manifest or a study has them, those that were set."""
    spec = Spec.from_document(document, "spec")
    return {name: value for name, value in spec.to_dict().items() if value is not None} | {
        "reserve": spec.reserve
    }


def _of_study(path: Path) -> SpecFile:
    from engine.tuning.study import Study

    header = Study.load(path.parent).header
    settings = _settings_of(header["spec"])
    table = {
        "param": header["space"],
        "where": header["where"],
        "method": header["method"],
        "objective": header["objectives"],
        "constraint": header["constraints"],
        **{name: header[name] for name in ("trials", "batch", "phases") if header.get(name) is not None},
    }
    held_out = header.get("holdout")
    if held_out:
        table["holdout"] = f"{held_out['start']}:"
        settings.pop("end", None)
        settings |= {"end": held_out["end"]} if held_out.get("end") else {}
    return SpecFile(str(path), settings, {"tune": table})


def _table(raw: object, command: str, origin: str) -> dict[str, Any]:
    where = f"{origin}, [{command}]"
    if not isinstance(raw, dict):
        raise UsageError(
            f"{where} is not a table", received=repr(raw), hint=f"Write its options under [{command}]."
        )
    for name, value in raw.items():
        check_choice("option", name, TABLES[command], where)
        kinds, wanted = TABLES[command][name]
        right = isinstance(value, kinds) and not isinstance(value, bool)
        if right and isinstance(value, list):
            right = all(isinstance(each, str) for each in value)
        if not right:
            raise UsageError(f"{where}: `{name}` must be {wanted}", received=repr(value))
    return raw
