"""The same commands under other circumstances leave the same bytes. ``python -m tests.circumstances``.

Locale, encoding, time zone, hash seed, umask, working folder, number of workers, and the order in which the
system lists a folder: none of them may be seen in a result. What differs by intent is the time at which
something was made, the ids of lines on record, and, of another umask, who may read a file.
"""

from __future__ import annotations

import csv
import locale
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.helpers.box import Picture, differences, picture
from tests.kills.files import make_files
from tests.kills.processes import ROOT

# Name -> variables of the environment, which are taken away where they are empty; those that begin with a dot
# are told to ``played`` and ``play`` themselves.
CIRCUMSTANCES: dict[str, dict[str, str]] = {
    "plain": {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"},
    "Shanghai": {
        "LC_ALL": "zh_CN.GBK",
        "TZ": "Asia/Shanghai",
        "PYTHONHASHSEED": "1",
        "PYTHONIOENCODING": "gbk",
        ".order": "reversed",
    },
    "Kiritimati": {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "2"},
    "ASCII": {"LC_ALL": "C", "TZ": "America/New_York", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "private": {"PYTHONHASHSEED": "3", ".umask": "077"},
    "one core": {"PYTHONHASHSEED": "4", ".cores": "1", "OMP_NUM_THREADS": "1", "TZ": "Asia/Kathmandu"},
    "elsewhere": {"PYTHONHASHSEED": "5", ".folder": "elsewhere", "COLUMNS": "40", "NO_COLOR": "1"},
    "threads": {
        "PYTHONHASHSEED": "6",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "2"),
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    },
    "no home": {"PYTHONHASHSEED": "7", "HOME": "", "USER": "", "LOGNAME": "", "XDG_STATE_HOME": ""},
    "other temporary folder": {"PYTHONHASHSEED": "8", "TMPDIR": "{box}/other tmp", "TZ": "Europe/London"},
    "through a link": {"PYTHONHASHSEED": "9", ".link": "real"},
    "人工智能 and spaces": {"PYTHONHASHSEED": "10", "PYTHONIOENCODING": "gbk", ".box": "人工 智能 box"},
    "other columns": {"PYTHONHASHSEED": "11", ".columns": "reversed"},
}

IMPORT = ("data", "import", "{box}/files/first", "--data", "{box}/store")
COMMANDS: tuple[Sequence[str], ...] = (
    IMPORT,
    ("data", "import", "{box}/files/more", "--data", "{box}/store"),
    *(
        (command, *strategies, "--data", "{box}/store", "--allow", "all", "--out", "{box}/results")
        for command, *strategies in (
            ("run", "share_inflow"),
            ("compare", "share_inflow", "momentum", "equal_weight"),
            ("factor", "momentum"),
            ("signal", "momentum", "--cash", "100000", "--allow-stale"),
            ("tune", "share_inflow", "--param", "top=1,2", "--param", "lookback=5:10:5"),
            (
                "tune",
                "momentum",
                "--param",
                "lookback=3:12",
                "--method",
                "tpe",
                "--trials",
                "20",
                "--no-verdict",
            ),
        )
    ),
    ("account", "new", "{box}/desk", "momentum", "--data", "{box}/store", "--start", "2024-10-08"),
    ("account", "step", "{box}/desk"),
)


def play(box: Path, commands: Sequence[Sequence[str]], given: Mapping[str, str]) -> None:
    """Run commands one after the other, in this process; ``given`` are the circumstances that it can make."""
    if umask := given.get(".umask"):
        os.umask(int(umask, 8))
    if cores := given.get(".cores"):
        os.sched_setaffinity(0, list(os.sched_getaffinity(0))[: int(cores)])
    if given.get(".order"):
        reverse_folders()
    import run_backtest
    from engine.cli.main import main

    for words in commands:
        code = main(run_backtest.load_catalogue, [word.replace("{box}", str(box)) for word in words])
        if code:
            sys.exit(f"{' '.join(words)}: exit {code}")


def reorder_columns(file: Path) -> None:
    """Write the columns of a CSV file in the other order."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = [list(reversed(row)) for row in csv.reader(lines)]
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(rows)


def reverse_folders() -> None:
    """Let the system list folders in the other order."""
    listdir, scandir = os.listdir, os.scandir

    class Scan:
        def __init__(self, *words: object) -> None:
            with scandir(*words) as found:  # type: ignore[call-overload]
                self.entries = iter(sorted(found, key=lambda each: each.name, reverse=True))

        def __iter__(self) -> Scan:
            return self

        def __next__(self) -> object:
            return next(self.entries)

        def __enter__(self) -> Scan:
            return self

        def __exit__(self, *_: object) -> None: ...

        def close(self) -> None: ...

    os.listdir = lambda *words: sorted(listdir(*words), reverse=True)  # type: ignore[assignment]
    os.scandir = Scan  # type: ignore[assignment,misc]


def played(
    scratch: Path, name: str, commands: Sequence[Sequence[str]] = COMMANDS, compiled: Path | None = None
) -> Picture:
    """Return what commands leave under the circumstances of a name, in a process of their own."""
    given = CIRCUMSTANCES[name]
    box = scratch / given.get(".box", "box")
    folder = scratch / given[".folder"] if ".folder" in given else box
    for place in (box, scratch / given.get(".link", "box")):
        place.unlink() if place.is_symlink() else shutil.rmtree(place, ignore_errors=True)
    if ".link" in given:
        (scratch / given[".link"]).mkdir()
        box.symlink_to(scratch / given[".link"])
    shutil.copytree(scratch / "files", box / "files")
    (box / "tmp").mkdir()
    (box / "other tmp").mkdir()
    folder.mkdir(exist_ok=True)
    if ".columns" in given:
        for file in (box / "files").rglob("*.csv"):
            reorder_columns(file)
    if compiled is not None:
        (box / "cache").mkdir()
        (box / "cache" / "compiled").symlink_to(compiled)
    own = {name: value.replace("{box}", str(box)) for name, value in given.items() if name[0] != "."}
    environment = {name: value for name, value in os.environ.items() if name not in ("LANG", "LC_ALL", "TZ")}
    environment |= {"ETFLOW_CACHE": str(box / "cache"), "ETFLOW_STATE": str(box / "state")}
    environment |= {"TMPDIR": str(box / "tmp"), "PYTHONPATH": str(ROOT)} | own
    environment = {name: value for name, value in environment.items() if value}
    words = f"Path({str(box)!r}), {commands!r}, {given!r}"
    script = f"from pathlib import Path; from tests.circumstances import play; play({words})"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr.decode(errors='replace')}")
    return picture(box)


def installed(name: str) -> bool:
    """Return whether the system has a locale; where it has not, C's takes its place."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return True


def main() -> None:
    """Play all commands under all circumstances, and print what differs."""
    from data.folders import cache_folder

    compiled = (cache_folder() or Path(tempfile.gettempdir())) / "compiled"
    compiled.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="circumstances-") as folder:
        make_files(Path(folder) / "files")
        first: Picture | None = None
        for name in CIRCUMSTANCES:
            found = played(Path(folder), name, compiled=compiled)
            first = first or found
            other = differences(first, found)
            wrong += len(other)
            there = installed(CIRCUMSTANCES[name].get("LC_ALL", ""))
            print(
                f"{name:<12} {len(found.whole)} parts, other: {', '.join(other) or 'none'}"
                f"{'' if there else '; its locale is not installed, its encoding is'}",
                flush=True,
            )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
