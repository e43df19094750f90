"""The files of a run's folder: their names, and the types of their columns.

================ ===================================================================================
file             holds
================ ===================================================================================
manifest.json    everything that determines the run: spec, data, versions; and what no table can hold
metrics.json     statistics by name; null where undefined, and `reasons` by name
equity.csv       day, equity, cash, return, benchmark_return, receivable, interest, dividend, ...
positions.csv    day, symbol, shares, value: what was held at the close
weights.csv      day, symbol, weight, score, flow: decided before the open of that day
fills.csv        ``FILL_COLUMNS``
rejections.csv   ``REJECTION_COLUMNS``
marks.csv        day, then the mark of every fund: what positions are valued at
merges.csv       ``MERGE_COLUMNS``: where a fund that was held became another
exits.csv        ``EXIT_COLUMNS``: where a stop sold a fund
phases.csv       day, lowest, highest: equity over all phases of the cycle; where a tear sheet was made
luck.csv         day, lowest, highest: equity that 5 % and 95 % of random rotations are below; likewise
context.json     names of funds, their splits, halts, renames and themes, the verdict of the search that
                 the run came from, what rejections cost; likewise
SHA256SUMS       checksums of all of these, as ``sha256sum --check`` reads them
audit.*          what the audit said; where one was asked
tearsheet.*      for people; written by the report, not needed to load
================ ===================================================================================

Numbers are written with as many digits as tell them apart from all others, so that nothing is lost and the
same run gives the same bytes.
"""

from __future__ import annotations

from engine.results.runs import MANIFEST, TEARSHEET

METRICS = "metrics.json"
NOT_KNOWN = "the version that made the run did not have it"
REASONS = "reasons"
EXACT_FILES = (
    MANIFEST,
    METRICS,
    "equity.csv",
    "positions.csv",
    "weights.csv",
    "fills.csv",
    "rejections.csv",
    "marks.csv",
)

PHASES = "phases.csv"
LUCK = "luck.csv"
MERGES = "merges.csv"
EXITS = "exits.csv"
# Of the numbers too, and there only where there is a row.
WHERE_ANY = (MERGES, EXITS)
CONTEXT = "context.json"
REPORTS = (TEARSHEET, "tearsheet.pdf", "tearsheet.png", PHASES, LUCK, CONTEXT, "audit.json", "audit.html")

DAY_TYPE = "datetime64[us]"
TEXT_COLUMNS = ("symbol", "reason", "successor")
COUNT_COLUMNS = ("shares", "received")
