"""``doctor``: is everything that a run needs as it should be, and which command mends what is not."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from data.atomic import try_folder
from data.checks import blocking, run_checks
from data.errors import EtflowError
from data.facts.calendars import COMMAND, SOON, calendar_for, market_names
from data.facts.symbols import market_of
from data.folders import CACHE_VARIABLE, STATE_VARIABLE, cache_folder, state_folder
from data.numeric.compiled import compiled
from data.source import open_source, renewal
from data.store.spans import spans_of
from data.store.tables import TABLES
from data.words import count
from engine.installed import DISTRIBUTION, version
from engine.record.record import Record
from engine.results.loading import load, read_metrics
from engine.results.runs import runs_in
from engine.results.sums import SUMS
from engine.sweeps.sweep import must_compile

# What is imported only when it is needed, so that a broken one would show late.
IMPORTED = ("numpy", "pandas", "pyarrow", "numba", "scipy", "backtrader", "empyrical", "exchange_calendars")
LITTLE_BYTES, FEW_BYTES = 2**30, 2**27
# Data that end so many sessions ago are likely not what the user thinks they are.
STALE_SESSIONS = 5

State = Literal["ok", "remark", "fault"]


@dataclass(frozen=True)
class Diagnosis:
    """What an examination found: ``mend`` is the command, or what else to do; empty where all is well."""

    name: str
    state: State
    text: str
    mend: str = ""


@dataclass(frozen=True)
class Patient:
    """What is examined: data by name or folder, None for the demo market, and the folder of results."""

    data: str | None
    out: Path


Found = Iterator[tuple[State, str, str]]


def examine(data: str | None = None, out: str | Path = "results") -> list[Diagnosis]:
    """Examine the installation, the user's folders, the data and the results; never raises for what it finds.

    An examination that cannot be made is a fault itself.
    """
    found = []
    for name, exam in EXAMS.items():
        try:
            found += [Diagnosis(name, *each) for each in exam(Patient(data, Path(out)))]
        except (EtflowError, OSError) as error:
            hint = getattr(error, "hint", "") or ""
            found.append(Diagnosis(name, "fault", str(error).removesuffix(f" {hint}"), hint))
    return found


def _installation(_patient: Patient) -> Found:
    broken = []
    for name in IMPORTED:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever a library that was built for another one raises
            broken.append(f"{name} ({type(error).__name__}: {error})")
    again = "Install again in an empty environment, as the README says."
    if broken:
        yield "fault", f"cannot be imported: {'; '.join(broken)}", again
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        yield "remark", "runs from its folder, without being installed", "pip install -e . in that folder"
        return
    unfit = list(_unfit(wanted))
    if unfit:
        yield "fault", f"not what it was built for: {', '.join(unfit)}", again
    elif not broken:
        python = ".".join(map(str, sys.version_info[:3]))
        yield "ok", f"version {version()} on Python {python}, with all that it needs", ""


def _core(wanted: list[str]) -> list[Any]:
    from packaging.requirements import Requirement

    each = (Requirement(text) for text in wanted)
    return [one for one in each if one.marker is None or one.marker.evaluate({"extra": ""})]


def _unfit(wanted: list[str]) -> Iterator[str]:
    for each in _core(wanted):
        try:
            version = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            yield f"{each.name} is missing"
            continue
        if not each.specifier.contains(version, prereleases=True):
            yield f"{each.name} {version}, where {each.specifier} is asked for"


def _folders(patient: Patient) -> Found:
    for what, folder, variable in (
        ("record and trust", state_folder(), STATE_VARIABLE),
        ("machine code and the demo market", cache_folder(), CACHE_VARIABLE),
        ("results", patient.out, "--out"),
    ):
        mend = f"Name a folder that you may write: {variable}."
        if folder is None:
            yield "fault", f"there is no place for {what}: you have no home folder", mend
        elif not _writable(folder):
            yield "fault", f"{folder} cannot be written, where {what} belong", mend
        else:
            yield "ok", f"{what} go to {folder}", ""


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _writable(folder: Path) -> bool:
    try:
        try_folder(_existing(folder))
    except OSError:
        return False
    return True


def _disk(patient: Patient) -> Found:
    folders = [each for each in (state_folder(), cache_folder(), patient.out) if each is not None]
    disks = {os.stat(_existing(folder)).st_dev: folder for folder in reversed(folders)}
    for folder in disks.values():
        free = shutil.disk_usage(_existing(folder)).free
        text = f"{free / 2**30:,.1f} GB free where {folder} lies"
        if free < FEW_BYTES:
            yield "fault", text, "Make room: what does not fit is not written."
        else:
            yield "ok" if free >= LITTLE_BYTES else "remark", text, ""


def _twice(value: float) -> float:
    return value + value


def _machine_code(_patient: Patient) -> Found:
    if compiled(_twice)(2.0) != 4.0:
        yield "fault", "the compiler makes code that counts wrong", "Install numba again."
        return
    folder = cache_folder()
    kept = [] if folder is None else list((folder / "compiled").rglob("*.nb[ic]"))
    size = sum(path.stat().st_size for path in kept) / 2**20
    text = f"{size:,.0f} MB are kept in {folder}" if kept else "none is kept yet"
    if must_compile():
        yield "remark", f"{text}; the first search compiles for about ten seconds", ""
    else:
        yield "ok", text, ""


def _calendars(_patient: Patient) -> Found:
    for market in market_names():
        last = calendar_for(market).last_day
        left = (last - date.today()).days
        state: State = "fault" if left < 0 else "remark" if left < SOON else "ok"
        text = f"sessions of {market} are known through {last}"
        yield state, text, "" if state == "ok" else f"Import the exchange's notice: {COMMAND}."


def _data(patient: Patient) -> Found:
    source = open_source(patient.data or "demo")
    # Reading holds what is on the disk against its seals.
    rows = {name: number for name in TABLES if (number := len(source.read(name)))}
    for beside in ("revisions", "arrivals"):
        getattr(source, beside, lambda: None)()
    if not rows.get("bars"):
        yield "fault", f"`{source.name}` has no bars", renewal(source)
        return
    tables = ", ".join(f"{table} {number:,}" for table, number in rows.items())
    yield "ok", f"every page of `{source.name}` is as it was written: {tables}", ""
    errors = blocking(run_checks(source, again=False))
    if errors:
        checks = ", ".join(sorted({finding.check for finding in errors}))
        yield (
            "fault",
            f"`{source.name}` fails its checks: {checks}",
            f"etflow data check --data {patient.data or 'demo'}",
        )
    if source.synthetic:
        yield "remark", f"`{source.name}` is made up: what it shows is no evidence", ""
        return
    spans = spans_of(source, "bars")
    for market in dict.fromkeys(map(market_of, spans)):
        last = max(each.last for name, each in spans.items() if market_of(name) == market and each.last)
        behind = _sessions_since(last, market)
        text = f"bars of {market} end on {last}, {count(behind, 'session')} ago"
        if behind > STALE_SESSIONS:
            yield "remark", text, renewal(source)
        else:
            yield "ok", text, ""


def _sessions_since(last: date, market: str) -> int:
    calendar = calendar_for(market)
    today = min(date.today(), calendar.last_day)
    return len(calendar.sessions(last, today)) - 1 if calendar.first_day <= last < today else 0


def _record(patient: Patient) -> Found:
    source = open_source(patient.data or "demo")
    record = Record(getattr(source, "folder", None))
    contents = record.read()
    if contents.damaged:
        yield (
            "fault",
            f"{count(contents.damaged, 'line')} of the record damaged, missing or moved: "
            "verdicts are withheld",
            "Restore record.jsonl from a copy, and record.jsonl.last with it.",
        )
    for place in record.places:
        if not _writable(place.parent):
            yield (
                "fault",
                f"{place} cannot be written: what is looked at would not count",
                "Make it writable.",
            )
            break
    else:
        if not contents.damaged:
            yield "ok", f"what was looked at is kept in {', '.join(map(str, record.places))}", ""


def _results(patient: Patient) -> Found:
    folders, damaged = runs_in(patient.out), []
    for folder in folders:
        try:
            load(folder)
            read_metrics(folder)
        except (EtflowError, OSError):
            damaged.append(folder.name)
    if damaged:
        names = ", ".join(damaged[:3]) + (f" and {len(damaged) - 3} more" if len(damaged) > 3 else "")
        yield "fault", f"damaged in {patient.out}: {names}", "Make them again, or delete their folders."
    else:
        unsealed = sum(not (folder / SUMS).is_file() for folder in folders)
        told = f"; {unsealed} without {SUMS}, of an earlier version" if unsealed else ""
        yield "ok", f"{count(len(folders), 'run')} in {patient.out}, none damaged{told}", ""


EXAMS: dict[str, Callable[[Patient], Found]] = {
    "installation": _installation,
    "folders": _folders,
    "disk": _disk,
    "machine code": _machine_code,
    "calendars": _calendars,
    "data": _data,
    "record": _record,
    "results": _results,
}
"""What is examined, in this order."""
