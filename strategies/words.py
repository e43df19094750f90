"""Words for what happens to a fund, as the press says it: ``inflow_streak >= 5 and units_record``.

Each word is a number or a yes-or-no for every session and fund, on what was public before the open of the
session. ``{n}`` stands for a number of sessions. A value that is not known leaves open what a comparison with
it says. Words of an evening's brief have the same names here, and the same values on the next session.

- A *streak* counts sessions in a row on which something was published and went the same way. Sessions on
which the fund was halted are left out. A number that covers more than one session, since others are
missing, begins it anew: nobody knows what each of them did.
- A *record* is the highest value since the first one on file, equalled or beaten; not known before there are
  twenty. ``{n}`` looks back no further than so many sessions.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.errors import UsageError
from data.expression import Condition, parse_condition
from data.numeric.shared import shared
from strategies.cross_section import ranks_in_group, row_means
from strategies.index_leader import family_strength
from strategies.share_inflow import flow_ratio
from strategies.windows import change, rolling_max, rolling_mean, rolling_reach, rolling_sum

if TYPE_CHECKING:
    from data.panel.known import Known

Floats = NDArray[np.float64]

MOST_SESSIONS = 1000
# Values that a record is the highest of, at least.
FEWEST_FOR_RECORD = 20
# Sessions after which a streak that nothing was added to is not known any more, as levels are not.
STALE = 10


@dataclass(frozen=True)
class Word:
    """A word, what it is measured in, what it means, and its values (D, S), given its number of sessions.

    ``yes_or_no``: values are 1, 0 or NaN. ``endless``: they depend on all sessions since the first.
    """

    name: str
    unit: str
    meaning: str
    values: Callable[[Known, int], Floats]
    yes_or_no: bool = False
    endless: bool = False


def inflow_streak(known: Known, sign: int = 1) -> Floats:
    """Return for how many sessions in a row units were created (``sign`` 1) or redeemed (-1), net."""
    return streak_of(sign * known.unit_change, known.volume == 0.0)


def financing_streak(known: Known) -> Floats:
    """Return for how many sessions in a row the financing balance rose."""
    return streak_of(known.net_financing, known.volume == 0.0)


def streak_of(changes: Floats, halted: NDArray[np.bool_]) -> Floats:
    """Return the length of the streak of changes above zero that each row ends, (D, S); NaN: not known.

    NaN in ``changes``: nothing was published. A change after such a row covers both, and begins a streak.
    """
    result = np.full(changes.shape, np.nan)
    length = np.full(changes.shape[1], np.nan)
    silent = np.full(changes.shape[1], STALE)
    for row, values in enumerate(changes):
        new, counts = np.isfinite(values), ~halted[row]
        going_on = np.where(silent == 0, np.nan_to_num(length) + 1.0, 1.0)
        length = np.where(new & counts, np.where(values > 0.0, going_on, 0.0), length)
        silent = np.where(counts, np.where(new, 0, silent + 1), silent)
        result[row] = np.where(silent < STALE, length, np.nan)
    return result


def record(level: Floats, n: int) -> Floats:
    """Return 1 where a level is at least as high as all known ones before it, 0 where not, NaN: not known.

    ``n``: of the last n rows; 0: of all.
    """
    if n:
        highest = rolling_max(level, n, min(FEWEST_FOR_RECORD, n))
    else:
        highest = np.fmax.accumulate(level, axis=0)
        enough = np.cumsum(np.isfinite(level), axis=0) >= FEWEST_FOR_RECORD
        highest = np.where(enough, highest, np.nan)
    return np.where(np.isfinite(highest) & np.isfinite(level), level >= highest, np.nan)


def net_inflow(known: Known, n: int) -> Floats:
    """Return the money that entered over ``n`` sessions, at VWAP; NaN unless all of them are covered."""
    covered = rolling_reach(known.flow_sessions("vwap"), n)
    return np.where(covered >= n, rolling_sum(known.flow("vwap"), n, 1), np.nan)


def sessions_with_inflow(known: Known, n: int) -> Floats:
    """Return on how many of ``n`` sessions units were created, net; NaN unless each has a count."""
    changes = known.unit_change
    return rolling_sum(np.where(np.isfinite(changes), changes > 0.0, np.nan), n)


def premium(known: Known) -> Floats:
    """Return the close over the fund's value less one: as published, or over NAV of the same session."""
    return np.where(np.isfinite(known.premium), known.premium, known.nav_premium)


def turnover_rank(known: Known, n: int) -> Floats:
    """Return the rank of a fund's turnover over ``n`` sessions among the funds of its index, 1 = highest."""
    tracked = [index or symbol for index, symbol in zip(known.tracked, known.symbols, strict=True)]
    return ranks_in_group(rolling_mean(known.amount, n), tracked, known.symbols)


def _of_listed(known: Known, values: Floats) -> Floats:
    return np.where(known.listed, values, np.nan)


def _for_all(known: Known, values: Floats) -> Floats:
    """Return a column (D, 1) for every fund."""
    return np.broadcast_to(values, known.listed.shape)


WORDS = (
    Word(
        "inflow_streak",
        "sessions",
        "of net creation in a row",
        lambda known, _: inflow_streak(known),
        endless=True,
    ),
    Word(
        "outflow_streak",
        "sessions",
        "of net redemption in a row",
        lambda known, _: inflow_streak(known, -1),
        endless=True,
    ),
    Word("inflow_sessions_{n}", "sessions", "of n with net creation", sessions_with_inflow),
    Word("net_inflow_{n}", "money", "that entered over n sessions, at VWAP", net_inflow),
    Word(
        "net_inflow_{n}_ratio",
        "fraction",
        "the same over AUM before",
        lambda known, n: flow_ratio(known, n, "vwap", 1.0),
    ),
    Word("units", "units", "fund units, as published", lambda known, _: known.units),
    Word(
        "units_record",
        "yes or no",
        "units at a record",
        lambda known, _: record(known.units_adjusted, 0),
        yes_or_no=True,
        endless=True,
    ),
    Word(
        "units_record_{n}",
        "yes or no",
        "units at their highest of n sessions",
        lambda known, n: record(known.units_adjusted, n),
        yes_or_no=True,
    ),
    Word("aum", "money", "units at NAV, or at the close without one", lambda known, _: known.aum),
    Word(
        "aum_record",
        "yes or no",
        "AUM at a record",
        lambda known, _: record(known.aum, 0),
        yes_or_no=True,
        endless=True,
    ),
    Word(
        "financing_streak",
        "sessions",
        "of net financing purchases in a row",
        lambda known, _: financing_streak(known),
        endless=True,
    ),
    Word(
        "net_financing_{n}",
        "money",
        "financing bought less repaid over n sessions",
        lambda known, n: rolling_sum(known.net_financing, n),
    ),
    Word("margin_balance", "money", "financing balance", lambda known, _: known.margin_balance),
    Word(
        "margin_growth_{n}",
        "fraction",
        "growth of the balance over n sessions",
        lambda known, n: change(known.margin_balance, n),
    ),
    Word(
        "margin_balance_record",
        "yes or no",
        "financing balance at a record",
        lambda known, _: record(known.margin_balance, 0),
        yes_or_no=True,
        endless=True,
    ),
    Word("close", "price", "closing price, unadjusted", lambda known, _: known.close),
    Word(
        "return_{n}",
        "fraction",
        "total return over n sessions",
        lambda known, n: change(known.adjusted_close, n),
    ),
    Word(
        "price_record",
        "yes or no",
        "adjusted price at a record",
        lambda known, _: record(known.adjusted_close, 0),
        yes_or_no=True,
        endless=True,
    ),
    Word(
        "price_record_{n}",
        "yes or no",
        "adjusted price at its highest of n sessions",
        lambda known, n: record(known.adjusted_close, n),
        yes_or_no=True,
    ),
    Word("premium", "fraction", "close over NAV less one", lambda known, _: premium(known)),
    Word(
        "adtv_{n}",
        "money",
        "turnover a session over n sessions",
        lambda known, n: rolling_mean(known.amount, n),
    ),
    Word("adtv_{n}_rank", "rank", "its rank among funds of the same index", turnover_rank),
    Word(
        "family_return_{n}",
        "fraction",
        "mean total return of its index family",
        lambda known, n: family_strength(known, n),
    ),
    Word(
        "family_lead_{n}",
        "fraction",
        "the same less that of the average fund",
        lambda known, n: family_strength(known, n) - row_means(family_strength(known, n)),
    ),
    Word(
        "market_return_{n}",
        "fraction",
        "mean total return of all listed funds",
        lambda known, n: _for_all(known, row_means(_of_listed(known, change(known.adjusted_close, n)))),
    ),
    Word(
        "market_margin_growth_{n}",
        "fraction",
        "growth of the whole market's financing balance",
        lambda known, n: _for_all(known, change(known.market_margin, n)[:, None]),
    ),
    Word(
        "capex_growth_{n}",
        "fraction",
        "growth of hyperscalers' capital expenditure",
        lambda known, n: _for_all(known, change(known.macro("capex"), n)[:, None]),
    ),
    Word(
        "sessions_listed",
        "sessions",
        "since listing, within the data",
        lambda known, _: np.where(known.listed, known.sessions_listed, np.nan),
        endless=True,
    ),
)


@lru_cache(maxsize=64)
def parse_event(text: str) -> tuple[Condition, dict[str, tuple[Word, int]]]:
    """Return the condition that ``text`` says, and of each name in it the word and its sessions (0: none).

    UsageError for an unknown word, a condition that names none, and a number of sessions out of bounds.
    """
    named = dict(_named(text))
    known = named or {word.name.format(n=5) for word in WORDS}
    condition = parse_condition(text, known, "an event", "inflow_streak >= 5 and units_record")
    if not condition.names:
        raise UsageError(
            "an event says nothing of a fund",
            received=repr(text),
            hint='Use a word of `etflow event --words`, as in "inflow_streak >= 5".',
        )
    for name in _asserted(ast.parse(condition.text, mode="eval").body):
        if name in named and not named[name][0].yes_or_no:
            raise UsageError(
                f"`{name}` is a number, and neither true nor false",
                received=repr(text),
                hint=f'Compare it with something, as in "{name} > 0".',
            )
    return condition, {name: named[name] for name in sorted(condition.names)}


def _asserted(node: ast.expr) -> Iterator[str]:
    """Yield the names that a condition asks a yes or no of."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from _asserted(part)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _asserted(operand)


def _named(text: str) -> Iterator[tuple[str, tuple[Word, int]]]:
    """Yield every name in the text that is a word."""
    for name in re.findall(r"[A-Za-z_]\w*", text):
        for word in WORDS:
            pattern = re.escape(word.name).replace(re.escape("{n}"), r"(\d{1,9})")
            if (match := re.fullmatch(pattern, name)) is None:
                continue
            sessions = int(match[1]) if match.groups() else 0
            if match.groups() and not 1 <= sessions <= MOST_SESSIONS:
                raise UsageError(
                    f"`{name}` covers too few or too many sessions",
                    received=sessions,
                    limit=f"1 to {MOST_SESSIONS}",
                )
            yield name, (word, sessions)


def reach(text: str) -> int:
    """Return the sessions that the longest window of a condition covers, that of a plain record included."""
    named = parse_event(text)[1].values()
    return max(FEWEST_FOR_RECORD if word.endless else max(sessions, 1) for word, sessions in named)


def is_endless(text: str) -> bool:
    """Return whether a condition depends on all sessions since the first, as a streak or a record does."""
    return any(word.endless for word, _ in parse_event(text)[1].values())


@shared
def answers(known: Known, text: str) -> Floats:
    """Return (D, S): 1 where the condition holds, 0 where it does not, NaN where that cannot be told."""
    condition, named = parse_event(text)
    columns: list[list[float | None]] = []
    for word, sessions in named.values():
        values = word.values(known, sessions)
        cells: list[float] = np.asarray(values, dtype=np.float64).ravel().tolist()
        columns.append(
            [None if math.isnan(each) else bool(each) if word.yes_or_no else each for each in cells]
        )
    found = [condition.answer(dict(zip(named, cell, strict=True))) for cell in zip(*columns, strict=True)]
    return np.array([np.nan if each is None else float(each) for each in found]).reshape(known.listed.shape)


@shared
def events(known: Known, text: str) -> NDArray[np.bool_]:
    """Return where a condition begins to hold, (D, S): it does, the session before it did not, both known."""
    held = answers(known, text)
    result = np.zeros(held.shape, dtype=np.bool_)
    result[1:] = (held[1:] == 1.0) & (held[:-1] == 0.0)
    return result & known.listed


def spans(known: Known, text: str, rows: slice) -> dict[str, tuple[float, float]]:
    """Return the least and the largest value that each word of a condition takes on these rows, listed funds.

    What is yes or no is left out, and so is what is never known.
    """
    found = {}
    for name, (word, sessions) in parse_event(text)[1].items():
        values = np.asarray(word.values(known, sessions), dtype=np.float64)[rows][known.listed[rows]]
        finite = values[np.isfinite(values)]
        if not word.yes_or_no and len(finite):
            found[name] = float(finite.min()), float(finite.max())
    return found
