"""A paper account held against the backtest of its sessions on the data as they are now.

Without revisions there is no difference, to the bit. What differs is of two kinds: *data*, which neither cash
nor holdings can have changed (scores, prices before the open and at the close), and what that did: holdings,
fills, rejections, equity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from data.panel.panel import Panel
from engine.accounts.lines import Account, Session
from engine.result import Result

BASIS_POINTS = 10_000


@dataclass(frozen=True)
class Change:
    """Something of one session and fund (none: of the account) that was one thing and is another now."""

    day: date
    symbol: str | None
    what: str
    then: Any
    now: Any


@dataclass(frozen=True)
class AccountDifference:
    """How an account differs from the backtest of its sessions; nothing in it: to the bit in nothing.

    ``data`` are data that changed, ``effects`` what else differs, both in the order of time. ``first_day`` is
    that of the first difference. ``basis_points`` is what the account has more at the last close than the
    backtest, of the backtest's equity.
    """

    sessions: int
    first_day: date | None
    basis_points: float
    data: tuple[Change, ...]
    effects: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.first_day is None


def difference(account: Account, result: Result, panel: Panel) -> AccountDifference:
    """Return how ``account`` differs from ``result``, the backtest of its sessions on ``panel``."""
    fills = _by_day(result.fills, result)
    rejections = _by_day(result.rejections, result)
    row_of = {day: row for row, day in enumerate(result.days.tolist())}
    data: list[Change] = []
    effects: list[Change] = []
    for session in account.sessions:
        data += _data(session, result, panel)
        row = row_of.get(session.day)
        if row is None:
            effects.append(Change(session.day, None, "session", "in the account", "not in the backtest"))
            continue
        now = {
            "equity": float(result.equity[row]),
            "cash": float(result.cash[row]),
            "receivable": float(result.receivable[row]),
            "interest": float(result.interest[row]),
            "dividend": float(result.dividend[row]),
        }
        effects += [
            Change(session.day, None, name, getattr(session, name), value)
            for name, value in now.items()
            if getattr(session, name) != value
        ]
        held = dict(zip(result.symbols, result.shares[row].tolist(), strict=True))
        effects += _each(session.day, "shares", session.shares, {k: v for k, v in held.items() if v})
        for what, then, rows in (
            ("fill", session.fills, fills.get(session.day, [])),
            ("rejection", session.rejections, rejections.get(session.day, [])),
        ):
            if [tuple(each) for each in then] != rows:
                effects += _each(session.day, what, _grouped(then), _grouped(rows))
    last = account.sessions[-1]
    end = row_of.get(last.day)
    ratio = last.equity / float(result.equity[end]) - 1.0 if end is not None else math.nan
    days = [each.day for each in (*data, *effects)]
    return AccountDifference(
        len(account.sessions), min(days, default=None), ratio * BASIS_POINTS, tuple(data), tuple(effects)
    )


def _data(session: Session, result: Result, panel: Panel) -> Iterator[Change]:
    """Yield the data of a session that were others when it was done."""
    row = panel.row(session.day)
    if row == len(panel.days) or panel.days[row].item() != session.day:
        return
    column = {symbol: place for place, symbol in enumerate(panel.symbols)}
    known = {
        "price before the open": (session.references, panel.market.reference[row]),
        "price at the close": (session.marks, panel.market.mark[row]),
    }
    decided = np.flatnonzero(result.decision_days == np.datetime64(session.day, "D"))
    if session.decision is not None and len(decided):
        known["score"] = (session.decision["scores"], result.scores[decided[0]])
    for what, (then, now) in known.items():
        for symbol, value in then.items():
            today = float(now[column[symbol]]) if symbol in column else math.nan
            if today != value:
                yield Change(session.day, symbol, what, value, today if math.isfinite(today) else None)
    if (session.decision is None) != (not len(decided)):
        yield Change(
            session.day, None, "decision", *(("due", "none")[:: 1 if session.decision is not None else -1])
        )


def _by_day(frame: Any, result: Result) -> dict[date, list[tuple[Any, ...]]]:
    rows: dict[date, list[tuple[Any, ...]]] = {}
    for day, *values in frame.itertuples(index=False, name=None):
        rows.setdefault(day.date(), []).append(tuple(values))
    return rows


def _grouped(rows: Any) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for symbol, *values in rows:
        found.setdefault(symbol, []).append(tuple(values))
    return found


def _each(day: date, what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for symbol in sorted({*then, *now}):
        if then.get(symbol) != now.get(symbol):
            yield Change(day, symbol, what, then.get(symbol), now.get(symbol))
