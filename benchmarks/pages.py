"""What a page costs a run: ``python -m benchmarks.pages [--quantstats PYTHON] [--repeat 5]``.

Each command in a process of its own, in turns, in CPU seconds: ``run`` on the demo market without a page,
with it, with pyfolio's figures. With a Python that has quantstats, its own report of the same returns stands
beside the page of a finished run (``report last``). Ratios of medians of one run are what counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.store import ROOT, Measure

QUANTSTATS = """
import sys
import pandas as pd, quantstats
run = pd.read_csv(sys.argv[1], parse_dates=["day"]).set_index("day")
ours, theirs = run["return"], run["benchmark_return"]
quantstats.reports.html(ours, benchmark=theirs, output=sys.argv[2], periods_per_year=242)
"""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--quantstats", metavar="PYTHON", help="a Python in which quantstats is installed")
    words.add_argument("--repeat", type=int, default=5)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ETFLOW_STATE"] = f"{folder}/state"
        etflow = [sys.executable, str(ROOT / "run_backtest.py")]
        run = [*etflow, "run", "share_inflow", "--quiet", "--out", f"{folder}/out"]
        commands = {
            "`run --no-report`": Measure([*run, "--no-report"]),
            "`run`": Measure(run),
            "`run --pyfolio`": Measure([*run, "--pyfolio"]),
            "`report last`": Measure([*etflow, "report", "last", "--out", f"{folder}/out"]),
        }
        Measure(run).run()
        (sheet,) = Path(folder).glob("out/*/tearsheet.html")
        sizes = {"`report last`": sheet.stat().st_size}
        if given.quantstats:
            theirs = Path(folder) / "quantstats.html"
            call = [given.quantstats, "-c", QUANTSTATS, str(sheet.with_name("equity.csv")), str(theirs)]
            commands["quantstats, the same returns"] = Measure(call)
            commands["quantstats, the same returns"].run()
            sizes["quantstats, the same returns"] = theirs.stat().st_size
        for _ in range(given.repeat):
            for measure in commands.values():
                measure.run()
        first = statistics.median(commands["`run --no-report`"].seconds)
        print("| command | CPU seconds | of a run without a page | page |\n|---|---|---|---|")
        for name, measure in commands.items():
            median = statistics.median(measure.seconds)
            size = f"{sizes[name] / 1e6:.1f} MB" if name in sizes else ""
            print(f"| {name} | {median:.2f} | × {median / first:.2f} | {size} |")


if __name__ == "__main__":
    main()
