"""The purity audit: the same answer in another process, on another day, in another place.

The strategy is asked in two processes that know nothing of each other or of this one
(``engine.audits.apart``): with another seed of hashes, at two ends of the earth, where the date is never the
same, in another locale, without any cache or home. It is impure where they do not agree to the last bit, or
where it asks for what nobody gave it: a file that it does not declare, network, clock, environment, the
market itself.

The second process is first asked about a market whose future is noise, so that what a module keeps of its
first panel is found, and again with the inputs that are declared cut off at a day: what it says of the days
up to that one must not change, which it would if it used rows of a later date. The date of a row is in the
first column that holds days alone (CSV, ISO 8601; of a month its last day). A file without one counts as
known at all times.
"""

from __future__ import annotations

import csv
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from data.errors import StrategyError
from data.folders import CACHE_VARIABLE, cache_folder
from engine.audits.answers import Answer, Cells, first_difference
from engine.audits.apart import Ask, Reply, Request
from engine.audits.audited import Audited
from engine.audits.opinion import Opinion
from engine.strategy.adapter import AtOnceAdapter
from engine.strategy.loader import Place

NAME = "purity"
LONGEST = 1800
"""Seconds that a process may take."""

PLACES: tuple[Mapping[str, str], ...] = (
    {"PYTHONHASHSEED": "1", "TZ": "AAA+12", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"},
    {"PYTHONHASHSEED": "2", "TZ": "BBB-14", "LC_ALL": "C", "LANG": "C"}
    | {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
)
"""The environments: 26 hours apart, so that the date is never the same."""

WORDS = {
    "file": "opens {}, which it does not declare as an input",
    "network": "asks the network ({})",
    "process": "starts a process ({})",
    "clock": "asks the clock ({})",
    "environment": "reads the environment ({})",
    "market": "loads the market itself ({})",
    "chance": "draws by chance without a seed ({})",
}


def purity(audited: Audited) -> Opinion:
    """Return whether a strategy says the same wherever and whenever it is asked, of what it is given alone.

    ``details``: ``seen`` with what it asked for besides, by kind; ``inputs`` that it declares; on failure of
    a comparison ``day``, ``symbol``, ``what`` and both numbers.
    """
    name, inputs = audited.strategy.name, audited.strategy.input_files
    place = Place.of(audited.strategy)
    if place is None:
        return Opinion(NAME, None, f"{name} is in no file, so that no other process can ask it.")
    row = (audited.first() + 2 * audited.last) // 3
    with tempfile.TemporaryDirectory() as folder:
        cut = cut_inputs(inputs, audited.panel.days[row].item(), Path(folder))
        asks = (Ask(),), (Ask(row), Ask(), *([Ask(None, cut)] if cut else []))
        one, two = _ask(audited, place, asks, Path(folder))
    seen = _besides(audited, (*one.seen, *two.seen), cut.values())
    details: dict[str, Any] = {"seen": seen, "inputs": sorted(inputs)}

    def impure(first: str, kinds: Iterable[str], more: Mapping[str, Any] = MappingProxyType({})) -> Opinion:
        said = [first, *(WORDS[kind].format(", ".join(seen[kind])) for kind in kinds)]
        sentence = "; it ".join(each for each in said if each)
        return Opinion(NAME, False, f"{name} is impure: it {sentence}.", {**details, **more})

    if one.error or two.error:
        which = "" if one.error == two.error else ", but not in every one"
        return impure(f"raises in another process{which}: {(one.error or two.error).rstrip('.')}", seen)
    found = _first(audited, one.answers[0], two.answers[1], audited.last)
    if found is not None:
        return impure(f"does not say the same in two processes: {found[0]}", seen, found[1])
    ahead = ["when what follows is noise", f"without the later rows of {', '.join(inputs)}"]
    for again, how in zip((two.answers[0], *two.answers[2:]), ahead, strict=False):
        found = _first(audited, one.answers[0], again, row)
        if found is not None:
            return Opinion(NAME, False, f"{name} looks ahead: {found[0]} {how}.", details | found[1])
    # Chance that changes nothing, as a name for a file that is not kept, is no matter.
    if besides := [kind for kind in seen if kind != "chance"]:
        return impure("", besides)
    also = f"; of {', '.join(inputs)} it uses no row before its date" if cut else ""
    same = f"{name} says the same in another process, in another place and on another day{also}."
    return Opinion(NAME, True, same, details)


def _first(audited: Audited, whole: Answer, again: Answer, row: int) -> tuple[str, dict[str, Any]] | None:
    """Return the first difference of two answers up to a row in words, and as details."""
    strategy, panel = audited.strategy, audited.panel
    what = strategy.what if isinstance(strategy, AtOnceAdapter) else ""
    found, _ = first_difference(whole, again, Cells.of(panel, panel, row), what, exact=True)
    if found is None:
        return None
    name, cell = found
    words = f"its {name} of {cell.symbol} on {cell.day} is {cell.whole:.9g} and {cell.altered:.9g}"
    return words, {"what": name, **cell.details("one", "other")}


def _besides(
    audited: Audited, seen: Iterable[tuple[str, str]], copies: Iterable[str]
) -> dict[str, list[str]]:
    """Return what was asked for besides declared inputs, their copies and files that parameters name."""
    strategy = audited.strategy
    named = [each for each in strategy.fields.values() if isinstance(each, str) and os.path.isfile(each)]
    allowed = [*map(str, strategy.input_files.values()), *named, *copies]
    given = {str(Path(each).resolve()) for each in allowed}
    found: dict[str, list[str]] = {}
    for kind, name in dict.fromkeys(seen):
        if kind != "file" or str(Path(name).resolve()) not in given:
            found.setdefault(kind, []).append(name)
    return found


def _ask(audited: Audited, place: Place, asks: tuple[tuple[Ask, ...], ...], folder: Path) -> list[Reply]:
    """Return the replies of processes that run at the same time, one to a list of questions."""
    running = []
    for number, each in enumerate(asks):
        home = folder / f"home{number}"
        home.mkdir()
        request = Request(
            place, audited.panel.ingredients, audited.conditions, audited.first(), audited.last, each
        )
        (folder / f"request{number}").write_bytes(pickle.dumps(request))
        command = [sys.executable, "-m", "engine.audits.apart"]
        running.append(
            subprocess.Popen(
                [*command, str(folder / f"request{number}"), str(folder / f"reply{number}")],
                env=_environment(PLACES[number], home),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        )
    replies = []
    try:
        for number, process in enumerate(running):
            _, said = process.communicate(timeout=LONGEST)
            reply = folder / f"reply{number}"
            if not reply.is_file():
                last = (said.strip().splitlines() or [f"it ended with {process.returncode}"])[-1]
                replies.append(Reply((), f"{audited.strategy.name} raised; received {last}.", ()))
                continue
            replies.append(pickle.loads(reply.read_bytes()))
    except subprocess.TimeoutExpired as error:
        raise StrategyError(
            f"{audited.strategy.name} does not end in a process of its own", limit=f"{LONGEST} seconds"
        ) from error
    finally:
        for process in running:
            process.kill()
            process.wait()
    return replies


def _environment(place: Mapping[str, str], home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "PYTHON"))}
    own = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR", "ETFLOW_STATE")}
    cache = cache_folder()
    compiled = {CACHE_VARIABLE: str(cache)} if cache else {}
    path = {"PYTHONPATH": os.pathsep.join(each or os.getcwd() for each in sys.path)}
    return {**kept, **own, **compiled, **path, **place}


def cut_inputs(inputs: Mapping[str, Path], day: date, folder: Path) -> dict[str, str]:
    """Write the inputs that have dates without rows after a day; return them by the paths of the others."""
    written = {}
    for number, path in enumerate(inputs.values()):
        rows = list(_rows(path))
        column = _dated(rows)
        if column is None:
            continue
        kept = [row for n, row in enumerate(rows) if n == 0 or (_day(row[column]) or day) <= day]
        place = folder / f"input{number}{path.suffix}"
        with place.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(kept)
        written[str(path)] = str(place)
    return written


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
    except (UnicodeDecodeError, csv.Error):
        return  # no text of rows


def _dated(rows: list[list[str]]) -> int | None:
    """Return the first column that holds days alone, below the first row; None without one."""
    body = [row for row in rows[1:] if row]
    if not body:
        return None
    for column in range(min(map(len, body))):
        if all(_day(row[column]) is not None for row in body):
            return column
    return None


def _day(text: str) -> date | None:
    """Return a day as 2025-08-20, 20250820, 2025-08 (its last day) or with a time; None where it is none."""
    text = text.strip().replace("/", "-")
    try:
        if len(text) == 7:
            following = np.datetime64(text, "M") + 1
            last: date = (following.astype("datetime64[D]") - 1).item()
            return last
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
