"""One command under test: disturbed, and what is there held against before, after and the end."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers import moments
from tests.helpers.box import Picture, between, differences, picture
from tests.kills.commands import COUNTED, Command
from tests.kills.processes import ended, forked, interpreted, killed_after, said

KINDS = ("kill", "random", "process", "interrupt", "terminate", "full", "read-only", "beside")
KILLS = KINDS[:3]
HOUR = 3600.0
SHOWN = 200
# What each kind befalls a process with, and how it may end but for well.
BEFALL = {
    "kill": (moments.killed, -signal.SIGKILL),
    "interrupt": (moments.signalled(signal.SIGINT), 130),
    "terminate": (moments.signalled(signal.SIGTERM), 143),
    "full": (moments.full, 2),
    "read-only": (moments.read_only, 2),
}
RECORD = "state/record/record.jsonl"


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
        """Run a command, which must end well."""
        code = ended(forked(self.box, words))
        text = said(self.box)
        if code not in (codes or (0,)):
            raise RuntimeError(f"{words}: exit {code}\n{text}")

    def fresh(self) -> None:
        """Put the box where it was before the command."""
        shutil.rmtree(self.box, ignore_errors=True)
        shutil.copytree(self.template, self.box, symlinks=True)

    def begin(self) -> None:
        """Make what is there before, run the command undisturbed, and load what it loaded."""
        self._make_before()
        self.fresh()
        self.before = picture(self.box)
        self.calls = self._scout()
        self.after = picture(self.box)
        if self.after.left:
            self.found.append(f"undisturbed: left {', '.join(self.after.left)}")
        self.fresh()
        started = time.perf_counter()
        self.must(self.command.words, self.command.code)
        self.seconds = time.perf_counter() - started
        if wrong := differences(self.after, picture(self.box)):
            self.found.append(f"twice undisturbed: other {', '.join(wrong)}")
        if self.command.other:
            self.ends = [self._both(other_first=each) for each in (False, True)]
            return
        self._go_on("undisturbed")

    def _make_before(self) -> None:
        """Do the steps before the command, or take the box of another command that had the same."""
        names = [getattr(step, "__name__", step) for step in self.command.before]
        kept = self.scratch / "made" / hashlib.sha256(json.dumps(names).encode()).hexdigest()
        if not kept.exists():
            shutil.rmtree(self.box, ignore_errors=True)
            shutil.copytree(self.scratch / "base", self.box, symlinks=True)
            for step in self.command.before:
                step(self.box) if callable(step) else self.must(step)
            shutil.copytree(self.box, kept, symlinks=True)
        self.template = kept

    def _scout(self) -> list[str]:
        """Run the command once, load all that it loaded, and return its calls that change files."""
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

        code = ended(forked(self.box, self.command.words, tell))
        text = said(self.box)
        if code != self.command.code:
            raise RuntimeError(f"{self.command.name}: exit {code}\n{text}")
        scouted = json.loads(report.read_text())
        for name in scouted["modules"]:
            if name not in sys.modules and not name.startswith(("__main__", "tushare", "requests")):
                try:
                    __import__(name)
                except Exception:  # some are there only once another is
                    continue
        return list(scouted["names"])

    def _both(self, *, other_first: bool) -> Picture:
        """Return what the two commands of a pair leave one after the other, both done again."""
        self.fresh()
        words = [self.command.words, self.command.other]
        for each in (*(reversed(words) if other_first else words), *self._again):
            self.must(each, *self.command.allowed)
        return picture(self.box)

    @property
    def _again(self) -> tuple[str, ...]:
        """What is done once more after two commands met."""
        again = self.command.again or self.command.words
        return (again, self.command.other, *([self.command.then] if self.command.then else []))

    def note(self, how: str, text: str) -> None:
        """Note what was found wrong."""
        self.found.append(f"{how}: {text}")

    def disturb(self, kind: str, count: int) -> None:
        """Disturb the command in one way so often, or at all of its calls if they are fewer."""
        calls = len(self.calls)
        if kind in ("random", "process"):
            for _ in range(count):
                self._at_random(whole=kind == "process")
            return
        # One more is after the last: the command is done.
        every = range(1, calls + 1 if kind == "beside" else calls + 2)
        for number in sorted(self.draw.sample(every, min(count, len(every)))):
            if kind == "beside":
                self._beside(number)
            else:
                self._at_call(kind, number)

    def _at_call(self, kind: str, number: int) -> None:
        self.fresh()
        name = self.calls[number - 1] if number <= len(self.calls) else "after"
        moment = moments.Moment(self.box, number, BEFALL[kind][0])
        code = ended(forked(self.box, self.command.words, lambda: moments.watch(moment)))
        self._judge(kind, f"{kind} at call {number} of {len(self.calls)} ({name})", code)

    def _at_random(self, *, whole: bool) -> None:
        """Kill the command at a moment drawn at random, its interpreter from its start on if ``whole``."""
        begin = interpreted if whole else forked
        if whole and not hasattr(self, "whole_seconds"):
            self.fresh()
            started = time.perf_counter()
            ended(begin(self.box, self.command.words))
            self.whole_seconds = time.perf_counter() - started
            said(self.box)
        self.fresh()
        wait = self.draw.uniform(0.0, 1.1) * (self.whole_seconds if whole else self.seconds)
        code = killed_after(begin(self.box, self.command.words), wait)
        kind = "process" if whole else "random"
        self._judge(kind, f"{kind} kill after {wait:.3f} s", code)

    def _judge(self, kind: str, how: str, code: int | None) -> None:
        """Hold what is there against before and after, go on, and hold it against the end."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        text = said(self.box)
        if code not in (BEFALL.get(kind, BEFALL["kill"])[1], self.command.code):
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
        self._go_on(how)

    def _go_on(self, how: str) -> None:
        """Do the command again, or go on with it, and hold what is there against the end."""
        for words in filter(None, (self.command.again or self.command.words, self.command.then)):
            code = ended(forked(self.box, words))
            text = said(self.box)
            if code not in self.command.allowed:
                self.note(how, f"again: exit {code}: {text[-700:]}")
                return
        now = picture(self.box)
        if wrong := differences(self.after, now):
            self.note(how, f"again: other {', '.join(wrong)}{_changed(self.after, now)}")
        if now.left:
            self.note(how, f"again: left {', '.join(now.left)}")

    def _beside(self, number: int) -> None:
        """Run another command at call ``number``, and both once more: nothing is lost, and nobody fails."""
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
        # Who waits for a lock does not end until the first goes on.
        codes = [ended(other, 10.0, kill=False)]
        os.write(answered, b".")
        codes = [ended(one), ended(other) if codes[0] is None else codes[0]]
        for end in (asked, answer, answered):
            os.close(end)
        text = said(self.box)
        if not set(codes) <= {0, 2, self.command.code} or "Traceback" in text or codes[0] == 2 == codes[1]:
            self.note(how, f"exits {codes}: {text[-900:]}")
        looks = len(_looks(picture(self.box))) - len(_looks(self.before))
        if self.command.name in COUNTED and looks != codes.count(0):
            self.note(how, f"{looks} looks on record of {codes.count(0)}")
        for words in self._again:
            code = ended(forked(self.box, words))
            text = said(self.box)
            if code not in self.command.allowed:
                self.note(how, f"again: exit {code}: {text[-700:]}")
        now = picture(self.box)
        wrong = min((self._differ(end, now) for end in self.ends), key=len)
        if wrong:
            ends = min(self.ends, key=lambda end: len(self._differ(end, now)))
            self.note(how, f"again: other {', '.join(wrong)}{_changed(ends, now)}")
        if now.left:
            self.note(how, f"again: left {', '.join(now.left)}")

    def _differ(self, end: Picture, now: Picture) -> list[str]:
        record = self.command.record_varies
        return [each for each in differences(end, now) if not (record and each.endswith("record.jsonl"))]


def _looks(found: Picture) -> list[str]:
    return [line for line in found.lines.get(RECORD, ()) if '"sets"' in line]


def _changed(expected: Picture, found: Picture) -> str:
    """Return the lines of files that grow that are not there, and those that are too many, cut short."""
    told = []
    for name in sorted({*expected.lines, *found.lines}):
        one, two = (each.lines.get(name, []) for each in (expected, found))
        for sign, lines in (("-", set(one) - set(two)), ("+", set(two) - set(one))):
            told += [f"\n        {name} {sign} {line[:SHOWN]}" for line in sorted(lines)]
    return "".join(told)


def try_command(
    command: Command, scratch: Path, kinds: Sequence[tuple[str, int]], seed: str
) -> dict[str, Any]:
    """Disturb one command in each of the ways so often; return counts, what was found, and times."""
    trials = Trials(command, scratch, random.Random(seed))
    started = time.perf_counter()
    try:
        trials.begin()
        for kind, count in kinds:
            trials.disturb(kind, count)
    except Exception:
        trials.found.append(f"the trial itself failed: {traceback.format_exc()}")
    return {
        "counts": trials.counts,
        "found": trials.found,
        "calls": len(getattr(trials, "calls", ())),
        "seconds": getattr(trials, "seconds", 0.0),
        "took": time.perf_counter() - started,
    }
