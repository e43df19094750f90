"""Bring spoilt inputs through the doors: ``python -m tests.fuzz --count 1000000``; see ``tests.fuzz.doors``.

An input is taken, rightly, or refused in words (exit code 2 or 3): no traceback, no hang, no value that
nobody wrote, nothing half-written. Each has a door and a number, and is made of them alone: ``--door NAME
--seed NUMBER`` brings it through again, prints it, and lets the traceback be seen.

A door is opened in a process of its own, some thousand inputs after each other; one that dies (outside
software can bring a process down) is begun again behind the input that did it. Prints a line for each input
that failed, and at the end a table: inputs, taken, refused, failed, seconds.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import resource
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.door import WAITED, Hang, Ready
from tests.fuzz.doors import DOORS

ROOT = Path(__file__).resolve().parents[2]
# Files in memory, where there are such: a store flushes everything that it writes.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# Of addresses, of which compiled code and Arrow take more than they use.
MOST_BYTES = 8 << 30
PIECE = 5_000
TOLD = ("taken", "refused", "failed")


def main() -> int:
    """Read the command line; return 1 if an input failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000, help="inputs over all doors, by their shares")
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each door")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--door", action="append", choices=DOORS, help="this door alone; repeatable")
    parser.add_argument("--seed", type=int, help="one input of --door, by its number")
    parser.add_argument("--piece", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.piece:
        door, first, end, place = given.piece
        bring(door, int(first), int(end), Path(place))
        return 0
    names = given.door or [*DOORS]
    if given.seed is not None:
        show(names[0], given.seed)
        return 0
    whole = sum(DOORS[name].share for name in names)
    pieces = [
        (name, begin, min(PIECE, end - begin))
        for name in names
        for end in [given.first + max(1, given.count * DOORS[name].share // whole)]
        for begin in range(given.first, end, PIECE)
    ]
    told = {name: Counter[str]() for name in names}
    with ThreadPoolExecutor(given.jobs) as pool:
        for (name, _, _), found in zip(pieces, pool.map(lambda piece: watch(*piece), pieces), strict=True):
            told[name].update(found)
    report(told)
    return 1 if any(found["failed"] for found in told.values()) else 0


def report(told: dict[str, Counter[str]]) -> None:
    """Print what became of the inputs of each door."""
    print(f"{'door':<12}{'inputs':>10}" + "".join(f"{name:>10}" for name in (*TOLD, "seconds")))
    whole: Counter[str] = Counter()
    for found in told.values():
        whole.update(found)
    for name, found in (*told.items(), ("together", whole)):
        cells = [sum(found[each] for each in TOLD), *(found[each] for each in TOLD), round(found["ms"] / 1e3)]
        print(f"{name:<12}" + "".join(f"{cell:>10,}" for cell in cells))


def watch(name: str, first: int, count: int) -> Counter[str]:
    """Bring inputs through a door in a process of its own, and in another one if it dies."""
    found, begun = Counter[str](), time.monotonic()
    stretches = [(first, first + count)]
    while stretches:
        begin, end = stretches.pop()
        with TemporaryDirectory(dir=MEMORY) as scratch:
            place = Path(scratch, "at")
            words = [sys.executable, "-m", "tests.fuzz", "--piece", name, str(begin), str(end), str(place)]
            process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            out, complained = process.communicate()
            for line in out.splitlines():
                told = json.loads(line)
                begin = told["next"]
                found.update(told["told"])
                for failure in told["failures"]:
                    print(f"{name} {failure}", flush=True)
            if process.returncode != 0:
                print(f"{name}: died with {process.returncode}\n{complained[-3_000:]}", flush=True)
                found["failed"] += 1
                at = place.read_text() if place.is_file() else ""
                if not at:  # no example could be made
                    break
                died = int(at)
                print(f"{name} {died}: the input that it died of", flush=True)
                stretches += [(died + 1, end), (begin, died)]
                stretches = [each for each in stretches if each[0] < each[1]]
    found["ms"] += round(1e3 * (time.monotonic() - begun))
    return found


def bring(name: str, first: int, end: int, place: Path) -> None:
    """Bring inputs through a door; print what became of each hundred as a line of JSON.

    ``place`` is a file that says which of them it is at.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    faulthandler.enable()
    at = os.open(place, os.O_RDWR | os.O_CREAT)
    with prepared(name) as door:
        told, failures = Counter[str](), list[str]()
        for number in range(first, end):
            os.pwrite(at, f"{number:<20}".encode(), 0)
            faulthandler.dump_traceback_later(WAITED, exit=True)
            try:
                told["taken" if door.attempt(number) else "refused"] += 1
            except (Exception, Hang) as error:
                told["failed"] += 1
                failures.append(f"{number}: {described(error)}")
            if number % 100 == 99 or number == end - 1:
                print(json.dumps({"next": number + 1, "told": told, "failures": failures}), flush=True)
                told, failures = Counter(), []
        faulthandler.cancel_dump_traceback_later()


def described(error: BaseException) -> str:
    """Return an error in a line: its kind, its words, and where it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if str(ROOT) in frame.filename]
    where = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    words = " ".join(str(error).split())
    shown = words if len(words) < 600 else f"{words[:150]} ... {words[-450:]}"
    return f"{type(error).__name__} {Path(where.filename).name}:{where.lineno} {shown}"


def show(name: str, number: int) -> None:
    """Bring one input through, with its traceback."""
    with prepared(name) as door:
        kind, content = door.input(number)
        print(f"{name} {number}: {kind}, {len(content):,} bytes\n{content[:4_000]!r}\n")
        try:
            print("taken" if door.attempt(number) else "refused")
        except (Exception, Hang):
            traceback.print_exc(file=sys.stdout)


@contextmanager
def prepared(name: str) -> Iterator[Ready]:
    """Yield a door, its examples made in a folder that vanishes; the user's folders are others meanwhile."""
    warnings.simplefilter("ignore")
    with TemporaryDirectory(dir=MEMORY) as scratch:
        os.environ["ETFLOW_STATE"] = str(Path(scratch, "state"))
        os.environ.setdefault("ETFLOW_CACHE", str(Path(scratch, "cache")))
        for variable in ("CALENDAR", "RULES", "THEMES"):
            os.environ.pop(f"ETFLOW_{variable}", None)
        place = Path(scratch, name)
        place.mkdir()
        yield Ready(name, *DOORS[name].prepare(place), DOORS[name].spoil)


if __name__ == "__main__":
    sys.exit(main())
