"""Where runs lie: their ids, how one is found again, how a folder appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.atomic import try_folder
from data.errors import UsageError, did_you_mean
from engine.results.staging import staged

MANIFEST = "manifest.json"
TEARSHEET = "tearsheet.html"
LAST = "last"
ID_DIGITS = 8

_LAST = re.compile(rf"{LAST}(?:~(\d+))?")


def run_id(manifest: Mapping[str, Any]) -> str:
    """Return the id of a run: the strategy's name and eight digits of a hash of all that determines it.

    Where data, the strategy's file and files that parameters name lie on this machine does not count, what
    they contain does; nor does it count whether a parameter was set or is a default.
    """
    files = manifest.get("files", {})
    name = _own_name(str(manifest["strategy"]))
    spec = {key: value for key, value in manifest["spec"].items() if key not in ("data", "parameters")}
    content = {
        "spec": {**spec, "strategy": name},
        "parameters": {key: files.get(str(value), value) for key, value in manifest["parameters"].items()},
        "data": manifest["data"]["fingerprint"],
        "files": sorted(files.values()),
        "version": manifest["versions"]["etflow"],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{stem_of(name)}-{digest[:ID_DIGITS]}"


def stem_of(strategy: str) -> str:
    """Return what folders of a strategy's results begin with: its name, or that of its class or its file."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", _own_name(strategy))


def _own_name(strategy: str) -> str:
    own = strategy.rpartition(":")[2]
    return Path(own).stem if own.endswith(".py") else own


def comparison_id(names: Sequence[str]) -> str:
    """Return the id of a comparison of the runs called so; their order counts."""
    return f"compare-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:ID_DIGITS]}"


def is_run(folder: Path) -> bool:
    """Return whether ``folder`` is a results folder."""
    return (folder / MANIFEST).is_file()


def runs_in(parent: Path) -> list[Path]:
    """Return the results folders under ``parent``, the one written last at the end."""
    if not parent.is_dir():
        return []
    found = [folder for folder in parent.iterdir() if not folder.name.startswith(".") and is_run(folder)]
    return sorted(found, key=lambda folder: ((folder / MANIFEST).stat().st_mtime_ns, folder.name))


def finished(word: str, parent: Path) -> Path | None:
    """Return the folder of the run that ``word`` names in full: a path, an id, ``last``, ``last~2``."""
    for folder in (Path(word), parent / word):
        if is_run(folder):
            return folder
    if _LAST.fullmatch(word) is None:
        return None
    folders = runs_in(parent)
    found = last_of(word, folders)
    if found is None:
        raise UsageError(
            f"there is no run `{word}` in {parent}",
            limit=f"{len(folders)} run{' is' if len(folders) == 1 else 's are'} there",
        )
    return found


def last_of(word: str, folders: Sequence[Path]) -> Path | None:
    """Return what ``last``, or ``last~2``, names of folders, the newest at the end; None for no such one."""
    back = _LAST.fullmatch(word)
    number = len(folders) if back is None else int(back[1] or 0)
    return folders[-1 - number] if number < len(folders) else None


def find(word: str, parent: Path) -> Path:
    """Return the folder of a run as :func:`finished` does, or by the beginning of its id."""
    folder = finished(word, parent)
    if folder is not None:
        return folder
    names = [folder.name for folder in runs_in(parent)]
    matches = [name for name in names if name.startswith(word)]
    if len(matches) == 1:
        return parent / matches[0]
    if matches:
        raise UsageError(f"`{word}` fits several runs", received=", ".join(matches))
    raise UsageError(f"there is no run `{word}` in {parent}", hint=did_you_mean(word, names))


def check_writable(parent: Path) -> None:
    """Raise UsageError unless a results folder can be made under ``parent``; leaves nothing behind."""
    existing = parent.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    with writing(parent):
        try_folder(existing)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Make a UsageError of what the disk does not allow in the block, naming ``place``."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot write results to {place}",
            received=error.strerror or error,
            hint="Make room, get the right to write there, or choose another folder.",
        ) from error


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``folder`` if the block ends well, and vanishes otherwise.

    A folder that is already there is replaced. Raises UsageError where the disk does not allow it.
    """
    with writing(folder), staged(folder) as stage:
        yield stage
