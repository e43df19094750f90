"""Look at what ``make run`` printed and wrote; the argument is the file with its output."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

COMMAND = [sys.executable, "run_backtest.py"]
COLUMNS = {
    "equity.csv": "day,equity,cash,return,benchmark_return",
    "positions.csv": "day,symbol,shares,value",
    "weights.csv": "day,symbol,weight,score",
    "fills.csv": "day,symbol,shares,price,notional,commission",
    "rejections.csv": "day,symbol,shares,reason",
}
LARGEST_SHEET = 5_000_000
WRONG = {  # words of a command line -> its exit code
    ("run", "no_such_strategy"): 2,
    ("run", "share_inflow", "--set", "no_such_parameter=1"): 2,
    ("run", "share_inflow", "--start", "2031-01-01"): 3,
    ("run", "{broken}"): 4,
    ("--help",): 0,
}


def check(holds: bool, what: str) -> None:
    """Print what was looked at, and stop with 1 if it does not hold."""
    print(f"{'ok    ' if holds else 'FAILED'}  {what}")
    if not holds:
        sys.exit(1)


def main() -> None:
    """Check the output, the folder, its tear sheet, and the exit codes."""
    printed = Path(sys.argv[1]).read_text(encoding="utf-8")
    folders = [folder for folder in Path("results").iterdir() if folder.is_dir()]
    check(len(folders) == 1, "one results folder and nothing half-written")
    folder = folders[0]
    check(str(folder / "tearsheet.html") in printed, "the tear sheet's place is printed")
    check("SYNTHETIC" in printed, "the table says SYNTHETIC")

    for name, columns in COLUMNS.items():
        header = (folder / name).read_text(encoding="utf-8").partition("\n")[0]
        check(header.startswith(columns), f"{name} has the promised columns")
    with (folder / "equity.csv").open(encoding="utf-8", newline="") as file:
        check(len(list(csv.DictReader(file))) > 200, "equity.csv has more than 200 sessions")
    for name in ("manifest.json", "metrics.json"):
        document = json.loads((folder / name).read_text(encoding="utf-8"), parse_constant=_no_constant)
        check(isinstance(document, dict), f"{name} is JSON without NaN or infinity")

    sheet = (folder / "tearsheet.html").read_text(encoding="utf-8")
    outside = re.findall(r"""(?:src|href)\s*=\s*["'](?:https?:)?//[^"']*|url\(\s*["']?https?:[^)]*""", sheet)
    check(not outside, f"the tear sheet loads nothing from the network {outside[:3] or ''}")
    check("SYNTHETIC" in sheet, "the tear sheet says SYNTHETIC")
    check(
        len(sheet.encode()) < LARGEST_SHEET, f"the tear sheet has {len(sheet.encode()):,} bytes, under 5 MB"
    )

    with tempfile.TemporaryDirectory() as place:
        document = _json_of_a_run(place)
    check(document["run_id"] == folder.name, "the same run has the same id")
    check(document["data"]["synthetic"] is True, "run --json is one document and says synthetic")
    check(_code("runs", "reproduce", folder.name) == 0, "runs reproduce gives the same bytes")
    with tempfile.TemporaryDirectory() as place:
        broken = Path(place) / "broken.py"
        broken.write_text("def broken(:\n", encoding="utf-8")
        for words, code in WRONG.items():
            got = _code(*(word.format(broken=broken) for word in words))
            check(got == code, f"exit code {code}: etflow {' '.join(words)}")


def _json_of_a_run(out: str) -> dict[str, dict[str, object]]:
    words = [*COMMAND, "run", "share_inflow", "--json", "--no-report", "--out", out]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    document: dict[str, dict[str, object]] = json.loads(printed, parse_constant=_no_constant)
    return document


def _code(*words: str) -> int:
    return subprocess.run([*COMMAND, *words], capture_output=True, check=False).returncode


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


if __name__ == "__main__":
    main()
