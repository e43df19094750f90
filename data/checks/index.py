"""Checks of indices: levels from before they were published, false jumps, lists that lack constituents."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from data.checks.finding import Finding
from data.checks.inputs import Inputs
from data.checks.reading import grouped, records, worst
from data.words import count

# No Chinese stock moves by more, so no index of them does.
_LARGEST_MOVE = 0.20
# Fewer levels without an open than this are gaps, not a history that was computed later.
_COMPUTED_LEAST = 20
_WEIGHTS_TOLERANCE, _LIKELY_PERCENT = 0.05, 50.0
_LOST_PART = 0.20


def index_before_launch(data: Inputs) -> Iterator[Finding]:
    """Find index levels from before the index was published: computed later, with the winners known.

    1. Before the launch day, where `data/facts/indices.csv` has it.
    2. Else up to the last level without an open, if there are 20 or more and later ones all have it: an
       open is only there for sessions on which the index was published.
    """
    for index, rows in grouped(data.tables["index_bars"], "index"):
        launch = data.launches.get(str(index))
        if launch is not None:
            early = rows[rows["day"] < pd.Timestamp(launch)]
            message = f"{count(len(early), 'level')} from before the launch on {launch}"
        else:
            closed = rows["open"].isna()
            early = rows[rows["day"] <= rows.loc[closed, "day"].max()]
            if closed.sum() < _COMPUTED_LEAST or len(early) == len(rows):
                continue
            message = f"{int(closed.sum())} of the first {len(early)} levels have no open: computed later"
        if len(early):
            yield Finding.on(
                "index-before-launch",
                "warning",
                "index_bars",
                str(index),
                early["day"],
                message,
                "Use them as a benchmark only: what is ranked or tuned on them carries selection bias.",
            )


def index_jump(data: Inputs) -> Iterator[Finding]:
    """Find index levels that move by more than 20 % from row to row: a gap, a wrong row, another base."""
    steps = data.steps("index_bars").rename(columns={"index": "code"})
    for row in records(steps[(steps["ratio"] - 1).abs() > _LARGEST_MOVE]):
        gap = f", over {count(row.skipped, 'session')} without a row" if row.skipped else ""
        yield Finding.on(
            "index-jump",
            "warning",
            "index_bars",
            row.code,
            row.day,
            f"{row.before:g} on {row.before_day:%Y-%m-%d}, then {row.close:g} ({row.ratio - 1:+.1%}){gap}",
            "Leave out what lies before the gap, or import the missing levels.",
        )


def weights_sum(data: Inputs) -> Iterator[Finding]:
    """Find days on which the weights of an index do not sum to one.

    Members are missing, it is percent, or a share stands under two codes: Tencent's as 000700, which older
    imports made of it, and as 00700.
    """
    if data.tables["index_weights"].empty:
        return
    sums = data.tables["index_weights"].groupby(["index", "day"])["weight"].sum().reset_index()
    sums["off"] = sums["weight"] - 1
    for index, rows in grouped(sums[sums["off"].abs() > _WEIGHTS_TOLERANCE], "index"):
        row = worst(rows, "off")
        yield Finding.on(
            "weights-sum",
            "error",
            "index_weights",
            str(index),
            rows["day"],
            f"weights sum to {row.weight:.3f} on {row.day:%Y-%m-%d}"
            + (", as if in percent" if row.weight > _LIKELY_PERCENT else ""),
            "Import all constituents, with weights as fractions."
            if row.off < 0 or row.weight > _LIKELY_PERCENT
            else "A share may stand under two codes, as 000700 and 00700: take the weights out (`etflow data "
            "remove --tables index_weights`), and import them again.",
        )


def lost_constituents(data: Inputs) -> Iterator[Finding]:
    """Find lists of constituents that shrink by more than a fifth from one published day to the next."""
    if data.tables["index_weights"].empty:
        return
    counts = data.tables["index_weights"].groupby(["index", "day"]).size().rename("members").reset_index()
    counts["before"] = counts.groupby("index")["members"].shift()
    for index, rows in grouped(counts[counts["members"] < counts["before"] * (1 - _LOST_PART)], "index"):
        first = next(records(rows.drop(columns="index")))
        yield Finding.on(
            "lost-constituents",
            "error",
            "index_weights",
            str(index),
            rows["day"],
            f"{first.members} constituents on {first.day:%Y-%m-%d}, {first.before:.0f} on the list before",
            "Check that the file was not cut short. An index that truly shrank can be allowed by name.",
        )
