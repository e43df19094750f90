"""Commands that are disturbed: killed, interrupted, on a full disk. ``python -m tests.kills --count N``.

A command is run undisturbed first, and the calls counted by which it changes files. Then it is run again from
the same beginning, and disturbed at one of those calls, or killed at a moment drawn at random. Whatever is
there then must be as before, or as after, whole; the same command again, or gone on with, must end in what an
undisturbed one leaves, without leftovers. ``beside`` runs another command at that call, which is to lose
nothing either. Processes are forked from one that has loaded what they need. It takes seconds a disturbance,
so that it is no part of continuous integration.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VENDORS = ROOT / "tests" / "helpers" / "vendors"
SYMBOLS = "157001.SZ", "157003.SZ", "157005.SZ", "157021.SZ", "586012.SH", "586031.SH"
LAST = {"first": "2024-10-31", "more": "2024-11-29"}
HOUR = 3600.0
PATIENCE = 120.0


@dataclass(frozen=True)
class Command:
    """A command, what is there before, and how it is gone on with (``again``; the same words if empty)."""

    name: str
    words: str
    before: tuple[str | Callable[[Path], object], ...] = ()
    again: str = ""
    # It may answer with 2 that it is done already.
    refuses: bool = False
    code: int = 0
    # What another process does at the same time.
    other: str = ""


def halved(box: Path) -> None:
    """Leave a study as a kill in the middle would."""
    (file,) = box.glob("results/*-study-*/study.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[: len(lines) // 2]) + lines[len(lines) // 2][:20])
    for path in file.parent.iterdir():
        if path.name != file.name:
            path.unlink()


ON = "--data store --allow all"
SET = f"{ON} --set top=2 --set lookback=5"
IMPORT = "data import files/first --data store"
MORE = "data import files/more --data store"
REVISE = "data import files/revised --data store --accept-revision"
FETCH = (
    "data fetch --provider tushare --symbols 159363 --tables bars,units,nav --start 2025-08-19 "
    "--end 2025-08-19 --data fetched"
)
RUN, OTHER = f"run share_inflow {SET}", f"run momentum {SET}"
GRID = f"tune share_inflow {ON} --param top=1,2 --param lookback=5:10:5 --splits walkforward"
TPE = f"tune share_inflow {ON} --param top=1:4 --param lookback=3:12 --method tpe --trials 30 --no-verdict"
NEW, STEP = f"account new desk share_inflow {SET} --start 2024-10-08", "account step desk"

COMMANDS = (
    Command("import", IMPORT, other=IMPORT),
    Command("import more", MORE, (IMPORT,), other=REVISE),
    Command("import revision", REVISE, (IMPORT,)),
    Command("fetch", FETCH),
    Command("update", "data update --data fetched --on 2025-08-20", (FETCH,)),
    Command("calendar", "data calendar confirm --through 2027-06-30 --source notice", refuses=True),
    Command("run", RUN, (IMPORT,), other=OTHER),
    Command("run at once", RUN, (IMPORT,), other=RUN),
    Command("run again", RUN, (IMPORT, RUN), other=RUN),
    Command("compare", f"compare share_inflow momentum {ON}", (IMPORT,)),
    Command("report", "report last", (IMPORT, RUN)),
    Command("tune", GRID, (IMPORT,), f"{GRID} --resume"),
    Command("tune by tpe", TPE, (IMPORT,), f"{TPE} --resume", other=f"{TPE} --resume"),
    Command("tune resumed", f"{TPE} --resume", (IMPORT, TPE, halved)),
    Command("account new", NEW, (IMPORT,), refuses=True, other=NEW),
    Command("account step", STEP, (IMPORT, NEW), other=STEP),
    Command("signal", f"signal share_inflow {ON} --cash 100000 --allow-stale --out results", (IMPORT,)),
    Command("audit", f"audit share_inflow {SET}", (IMPORT, RUN)),
    Command("factor", f"factor share_inflow {ON}", (IMPORT,)),
    Command("strategies new", "strategies new my_idea", refuses=True),
    Command("record forget", "record forget --data store --yes", (IMPORT, RUN, OTHER)),
)
# Of these each call that ends well is one look on record.
COUNTED = ("run", "run at once", "run again")


def make_files(folder: Path) -> None:
    """Write the files that are imported: a part of the demo market, the month after it, and a revision."""
    import pandas as pd

    from data.demo import Demo

    for name, first, last in (("first", "2024-01-02", LAST["first"]), ("more", "2024-11-01", LAST["more"])):
        for table in ("bars", "units", "nav", "margin", "actions"):
            frame = Demo().read(table, None if table == "margin" else SYMBOLS)
            if table == "margin":
                frame = frame[frame["symbol"].isin([*SYMBOLS, "CN"])]
            day = "ex_day" if table == "actions" else "day"
            frame = frame[frame[day].between(pd.Timestamp(first), pd.Timestamp(last))].drop(columns="source")
            (folder / name).mkdir(parents=True, exist_ok=True)
            if len(frame):
                frame.to_csv(folder / name / f"{table}.csv", index=False)
    (folder / "revised").mkdir()
    units = pd.read_csv(folder / "first" / "units.csv")
    units.loc[100, "units"] *= 2
    units.to_csv(folder / "revised" / "units.csv", index=False)


# --- one process ----------------------------------------------------------------------------------


def forked(box: Path, words: str, begin: Callable[[], object] = lambda: None) -> int:
    """Begin a command in a process of its own, and return its number; what it says goes into ``box.said``."""
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        os.chdir(box)
        said = os.open(box.with_suffix(".said"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        begin()
        import run_backtest
        from engine.cli.main import main

        code = main(run_backtest.load_catalogue, words.split())
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        if isinstance(error, SystemExit) and isinstance(error.code, int):
            code = error.code
        else:
            traceback.print_exc()
    finally:
        os._exit(code)


def ended(number: int, patience: float = PATIENCE, *, kill: bool = True) -> int | None:
    """Wait for a process; return its exit code, that of a signal negative, or None where it goes on."""
    until = time.monotonic() + patience
    while True:
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            if not kill:
                return None
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
            return -99
        time.sleep(0.002)


def said(box: Path) -> str:
    """Return what the last processes said, and forget it."""
    file = box.with_suffix(".said")
    text = file.read_text(errors="replace") if file.exists() else ""
    file.unlink(missing_ok=True)
    return text


# --- one command ----------------------------------------------------------------------------------


@dataclass
class Trials:
    """A command under test, in the process that has loaded what it needs."""

    command: Command
    scratch: Path
    draw: random.Random
    found: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.box, self.template = self.scratch / "box", self.scratch / "before"

    def must(self, words: str, *codes: int) -> None:
        code = ended(forked(self.box, words))
        text = said(self.box)
        if code not in (codes or (0,)):
            raise RuntimeError(f"{words}: exit {code}\n{text}")

    def begin(self) -> None:
        """Make what is there before, run the command undisturbed, and load what it loaded."""
        from tests.helpers import moments
        from tests.helpers.box import differences, picture

        shutil.rmtree(self.box, ignore_errors=True)
        shutil.rmtree(self.template, ignore_errors=True)
        shutil.copytree(self.scratch / "base", self.box, symlinks=True)
        for step in self.command.before:
            step(self.box) if callable(step) else self.must(step)
        shutil.copytree(self.box, self.template, symlinks=True)
        self.before = picture(self.box)
        report = self.scratch / "scout.json"
        scout = moments.Moment(self.box, 0, moments.killed)

        def tell() -> None:
            moments.watch(scout)
            leave = os._exit

            def told(code: int) -> None:
                with moments._real_open(report, "w") as file:
                    json.dump({"names": scout.names, "modules": list(sys.modules)}, file)
                leave(code)

            os._exit = told  # type: ignore[assignment]

        started = time.perf_counter()
        code = ended(forked(self.box, self.command.words, tell))
        text = said(self.box)
        if code != self.command.code:
            raise RuntimeError(f"{self.command.name}: exit {code}\n{text}")
        scouted = json.loads(report.read_text())
        self.calls: list[str] = scouted["names"]
        for name in scouted["modules"]:
            if name not in sys.modules and not name.startswith(("__main__", "tushare", "requests")):
                try:
                    __import__(name)
                except Exception:  # some are there only once another is
                    continue
        self.after = picture(self.box)
        if self.after.left:
            self.found.append(f"undisturbed: left {', '.join(self.after.left)}")
        self.fresh()
        started = time.perf_counter()
        self.must(self.command.words, self.command.code)
        self.seconds = time.perf_counter() - started
        if wrong := differences(self.after, picture(self.box)):
            self.found.append(f"twice undisturbed: other {', '.join(wrong)}")
        self.must(self.command.again or self.command.words, *self.allowed)
        if wrong := differences(self.after, picture(self.box)):
            self.found.append(f"again undisturbed: other {', '.join(wrong)}")
        if self.command.other:
            self.fresh()
            self.must(self.command.words, self.command.code)
            self.must(self.command.other, *self.allowed)
            self.both = picture(self.box)

    @property
    def allowed(self) -> tuple[int, ...]:
        return (self.command.code, 2) if self.command.refuses else (self.command.code,)

    def fresh(self) -> None:
        shutil.rmtree(self.box)
        shutil.copytree(self.template, self.box, symlinks=True)

    def note(self, how: str, text: str) -> None:
        self.found.append(f"{how}: {text}")

    def disturbed(self, kind: str, number: int) -> None:
        """Disturb the command at call ``number``, and look at what is there, then and after going on."""
        from tests.helpers import moments

        self.fresh()
        befall = {
            "kill": moments.killed,
            "interrupt": moments.signalled(signal.SIGINT),
            "terminate": moments.signalled(signal.SIGTERM),
            "full": moments.full,
            "read-only": moments.read_only,
        }[kind]
        name = self.calls[number - 1] if number <= len(self.calls) else "after"
        how = f"{kind} at call {number} of {len(self.calls)} ({name})"
        moment = moments.Moment(self.box, number, befall)
        code = ended(forked(self.box, self.command.words, lambda: moments.watch(moment)))
        self.judge(kind, how, code)

    def beside(self, number: int) -> None:
        """Run another command at call ``number``, and both once more: nothing is lost, and nobody fails."""
        from tests.helpers import moments
        from tests.helpers.box import differences, picture

        self.fresh()
        self.counts["beside"] = self.counts.get("beside", 0) + 1
        how = f"beside at call {number} of {len(self.calls)} ({self.calls[number - 1]})"
        asked, ask = os.pipe()
        answer, answered = os.pipe()
        moment = moments.Moment(self.box, number, moments.meanwhile(ask, answer))
        one = forked(self.box, self.command.words, lambda: moments.watch(moment))
        os.close(ask)
        os.read(asked, 1)
        other = forked(self.box, self.command.other)
        codes = [ended(other, 10.0, kill=False)]
        os.write(answered, b".")
        codes = [ended(one), ended(other) if codes[0] is None else codes[0]]
        for end in (asked, answer, answered):
            os.close(end)
        text = said(self.box)
        if (
            not set(codes) <= {0, 2, self.command.code}
            or "Traceback" in text
            or self.command.code not in codes
        ):
            self.note(how, f"exits {codes}: {text[-900:]}")
        looks = [
            line for line in picture(self.box).lines.get("state/record/record.jsonl", ()) if '"sets"' in line
        ]
        before = [line for line in self.before.lines.get("state/record/record.jsonl", ()) if '"sets"' in line]
        if self.command.name in COUNTED and len(looks) != len(before) + codes.count(0):
            self.note(how, f"{len(looks) - len(before)} looks on record of {codes.count(0)}")
        for words in (self.command.again or self.command.words, self.command.other):
            code = ended(forked(self.box, words))
            if code not in self.allowed:
                self.note(how, f"again: exit {code}: {said(self.box)[-700:]}")
        said(self.box)
        now = picture(self.box)
        if wrong := differences(self.both, now):
            self.note(how, f"again: other {', '.join(wrong)}")
        if now.left:
            self.note(how, f"again: left {', '.join(now.left)}")

    def at_random(self) -> None:
        """Kill the command at a moment drawn at random."""
        self.fresh()
        wait = self.draw.uniform(0.0, 1.1) * self.seconds
        number = forked(self.box, self.command.words)
        until = time.monotonic() + wait
        code = None
        while code is None and time.monotonic() < until:
            done, status = os.waitpid(number, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if done else None
            time.sleep(0.0005)
        if code is None:
            os.kill(number, signal.SIGKILL)
            code = ended(number)
        self.judge("random", f"kill after {wait:.3f} s", code)

    def judge(self, kind: str, how: str, code: int) -> None:
        """Hold what is there against before and after, go on, and hold it against the end."""
        from tests.helpers.box import between, differences, picture

        self.counts[kind] = self.counts.get(kind, 0) + 1
        text = said(self.box)
        expected = {
            "kill": (-9, self.command.code),
            "random": (-9, self.command.code),
            "interrupt": (130, self.command.code),
            "terminate": (143, self.command.code),
            "full": (2, self.command.code),
            "read-only": (2, self.command.code),
        }[kind]
        if code not in expected:
            self.note(how, f"exit {code}: {text[-700:]}")
        elif "Traceback" in text or (code == 2 and "error:" not in text):
            self.note(how, f"said {text[-700:]}")
        try:
            now = picture(self.box)
        except Exception as error:
            self.note(how, f"cannot be read: {error!r}")
            return
        for wrong in between(self.before, self.after, now):
            self.note(how, wrong)
        if kind in ("interrupt", "terminate", "full") and now.left:
            self.note(how, f"left {', '.join(now.left)}")
        for name in now.left:
            path = self.box / name
            if path.exists():
                old = path.stat().st_mtime - HOUR
                os.utime(path, (old, old))
        code = ended(forked(self.box, self.command.again or self.command.words))
        text = said(self.box)
        if code not in self.allowed:
            self.note(how, f"again: exit {code}: {text[-700:]}")
            return
        now = picture(self.box)
        if wrong := differences(self.after, now):
            self.note(how, f"again: other {', '.join(wrong)}")
        if now.left:
            self.note(how, f"again: left {', '.join(now.left)}")


def try_command(
    command: Command, scratch: Path, kinds: Sequence[str], count: int, seed: str
) -> dict[str, Any]:
    """Disturb one command ``count`` times in each way, at all of its calls if they are fewer."""
    trials = Trials(command, scratch, random.Random(seed))
    started = time.perf_counter()
    try:
        trials.begin()
        for kind in kinds:
            kind, _, own = kind.partition("=")
            number_of = int(own or count)
            if kind == "random":
                for _ in range(number_of):
                    trials.at_random()
            elif kind == "beside":
                every = range(1, len(trials.calls) + 1) if command.other else range(0)
                for number in sorted(trials.draw.sample(every, min(number_of, len(every)))):
                    trials.beside(number)
            else:
                every = range(1, len(trials.calls) + 2)
                for number in sorted(trials.draw.sample(every, min(number_of, len(every)))):
                    trials.disturbed(kind, number)
    except Exception:
        trials.found.append(f"the trial itself failed: {traceback.format_exc()}")
    return {
        "counts": trials.counts,
        "found": trials.found,
        "calls": len(getattr(trials, "calls", ())),
        "seconds": getattr(trials, "seconds", 0.0),
        "took": time.perf_counter() - started,
    }


def apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do something in a process of its own, so that what it loads is in no other one."""
    reader, writer = os.pipe()
    number = os.fork()
    if number == 0:
        os.close(reader)
        result: dict[str, Any] = {}
        try:
            result = work()
        except BaseException:
            traceback.print_exc()
        finally:
            with os.fdopen(writer, "w") as file:
                json.dump(result, file)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    os.waitpid(number, 0)
    return dict(json.loads(text or "{}"))


KINDS = ("kill", "random", "interrupt", "terminate", "full", "read-only", "beside")


def prepared(scratch: Path) -> None:
    """Make the beginning of all: files to import, and folders of the user."""
    from data.folders import cache_folder

    base = scratch / "base"
    for name in ("cache", "state", "home", "tmp"):
        (base / name).mkdir(parents=True)
    compiled = (cache_folder() or scratch) / "compiled"
    compiled.mkdir(parents=True, exist_ok=True)
    (base / "cache" / "compiled").symlink_to(compiled)
    apart(lambda: {"": make_files(base / "files")})
    box = scratch / "box"
    os.environ.update(
        ETFLOW_CACHE=str(box / "cache"),
        ETFLOW_STATE=str(box / "state"),
        HOME=str(box / "home"),
        TMPDIR=str(box / "tmp"),
        TUSHARE_TOKEN="token",
    )
    os.environ.pop("ETFLOW_CALENDAR", None)
    sys.path.insert(1, str(VENDORS))
    tempfile.tempdir = None
    apart(lambda: {"": warmed(scratch)})


def warmed(scratch: Path) -> None:
    """Fill the cache with what takes long to compute."""
    shutil.copytree(scratch / "base", scratch / "box", symlinks=True)
    for words in (IMPORT, RUN):
        if code := ended(forked(scratch / "box", words)):
            raise RuntimeError(f"{words}: exit {code}\n{said(scratch / 'box')}")
    shutil.rmtree(scratch / "base" / "cache")
    shutil.move(scratch / "box" / "cache", scratch / "base" / "cache")
    shutil.rmtree(scratch / "box")


def main() -> None:
    """Try commands, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="disturbances of a kind and command")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", default="", help="commands whose names have this")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="kills-"))
    total: dict[str, int] = {}
    found = 0
    try:
        prepared(scratch)
        for command in COMMANDS:
            if not any(each in command.name for each in options.only.split(",")):
                continue
            kinds = options.kinds.split(",")
            seed = f"{options.seed} {command.name}"
            result = apart(partial(try_command, command, scratch, kinds, options.count, seed))
            counts = result.get("counts", {})
            for kind, number in counts.items():
                total[kind] = total.get(kind, 0) + number
            told = ", ".join(f"{kind} {number}" for kind, number in counts.items())
            print(
                f"{command.name:<16}{result.get('calls', 0):>5} calls {result.get('seconds', 0):>6.2f} s"
                f"  {told}; {len(result.get('found', ()))} found; took {result.get('took', 0):.0f} s",
                flush=True,
            )
            for text in result.get("found", ["nothing came back"]):
                print(f"    {text}", flush=True)
            found += len(result.get("found", [1]))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{sum(total.values())} disturbances ({total}), {found} found")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
