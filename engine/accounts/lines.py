"""The lines of a paper account's file: one that says what it is, then one for each session.

The file is text, JSON lines, in the folder of the account (``account.jsonl``). It only grows; a line is
written whole and brought onto the disk before the session counts (``engine.record.journal``). Whatever a line
says stays, also when data are revised later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from data.days import parse_day
from data.errors import DataError, UsageError
from data.parsing import NUMBER, misfit
from engine.record.chain import DAMAGED, next_step, whole_lines
from engine.result import FILL_COLUMNS
from engine.simulation.standing import Due, Past, Standing

FILE = "account.jsonl"
FORMAT = 1
# Sums of the books and ours may have been added in another order.
ROUNDING = 1e-9

_HEADER = {
    "account": int,
    "spec": {"strategy": str, "start": str, "cash": NUMBER},
    "parameters": dict,
    "files": dict,
    "code": str,
    "data": {"fingerprint": str, "symbols": [str]},
}
_LINE = {
    "day": str,
    "data": {"fingerprint": str, "last_day": str},
    "decision?": {"weights": dict, "scores": dict},
    "exits?": dict,
    "orders": [list],
    "fills": [list],
    "rejections": [list],
    "interest": NUMBER,
    "dividend": NUMBER,
    "paid_out": NUMBER,
    "cash": NUMBER,
    "receivable": NUMBER,
    "equity": NUMBER,
    "shares": dict,
    "marks": dict,
    "references": dict,
    "due": [list],
    "waiting?": [list],
}
_WAITING = {"symbol": str, "shares": int}
_FILL = {name: str if name == "symbol" else NUMBER for name in FILL_COLUMNS if name != "day"}


@dataclass(frozen=True)
class Header:
    """What an account is: the spec of its strategy, all its parameters, and hashes of files and code.

    ``spec`` has the day from which on it trades as its ``start``. ``data`` is how they were when it began.
    """

    spec: Mapping[str, Any]
    parameters: Mapping[str, Any]
    files: Mapping[str, str]
    code: str
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the first line of the file."""
        return {"account": FORMAT, **asdict(self)}


@dataclass(frozen=True)
class Session:
    """One session of an account, as its books have it.

    ``data`` says on which data it was made. ``decision`` has target weights and scores of the funds that have
    any; None where none was due. ``exits`` are funds that a stop sells, and which. ``fills`` and
    ``rejections`` are as in a result, without the day. ``marks`` are those of the funds held at the close,
    ``references`` of the funds held or ordered before the open, ``due`` is money that is owed: symbol, kind
    and day of the action, amount; ``waiting`` are purchases that wait for the next session.
    """

    day: date
    data: Mapping[str, str]
    decision: Mapping[str, Mapping[str, float]] | None
    exits: Mapping[str, str]
    orders: tuple[tuple[str, int], ...]
    fills: tuple[tuple[Any, ...], ...]
    rejections: tuple[tuple[str, int, str], ...]
    interest: float
    dividend: float
    paid_out: float
    cash: float
    receivable: float
    equity: float
    shares: Mapping[str, int]
    marks: Mapping[str, float]
    references: Mapping[str, float]
    due: tuple[tuple[str, str, str, float], ...]
    waiting: tuple[tuple[str, int], ...] = ()

    @property
    def standing(self) -> Standing:
        """How the account stands at the close."""
        due = (Due(symbol, kind, date.fromisoformat(day), amount) for symbol, kind, day, amount in self.due)
        return Standing(self.cash, self.shares, tuple(due), self.waiting)

    def renamed(self, current: Callable[[str], str]) -> Session:
        """Return the same under the symbols of ``current``."""

        def each(values: Mapping[str, Any]) -> dict[str, Any]:
            return {current(symbol): value for symbol, value in values.items()}

        def rows(given: Iterable[tuple[Any, ...]]) -> Any:
            return tuple((current(symbol), *rest) for symbol, *rest in given)

        decision = self.decision
        return replace(
            self,
            decision=None if decision is None else {name: each(of) for name, of in decision.items()},
            exits=each(self.exits),
            orders=rows(self.orders),
            fills=rows(self.fills),
            rejections=rows(self.rejections),
            shares=self.standing.renamed(current).shares,
            marks=each(self.marks),
            references=each(self.references),
            due=rows(self.due),
            waiting=rows(self.waiting),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the line of the session."""
        line = asdict(self) | {"day": self.day.isoformat()}
        return line if self.waiting else {name: each for name, each in line.items() if name != "waiting"}


@dataclass(frozen=True)
class Account:
    """A paper account as it stands in its file."""

    folder: Path
    header: Header
    sessions: tuple[Session, ...]

    @property
    def last_day(self) -> date | None:
        """The last session that is done; None before the first."""
        return self.sessions[-1].day if self.sessions else None

    def standing(self, at: date | None = None) -> Standing:
        """Return how it stands at its last close, or at the close of the session ``at``.

        DataError where that session is not the last one that it has done by then, unless it begins later.
        """
        done = [each for each in self.sessions if at is None or each.day <= at]
        begins = date.fromisoformat(self.header.spec["start"])
        if at is not None and (done[-1].day != at if done else at >= begins):
            raise DataError(
                f"the account in {self.folder} has not done the session of {at}",
                received=f"the account is at {self.last_day}" if done else f"it begins on {begins}",
                hint=f"Go on with it first: `etflow account step {self.folder} --until {at}`.",
            )
        return done[-1].standing if done else self._begun

    def renamed(self, current: Callable[[str], str]) -> Account:
        """Return the same under the symbols of ``current``; the file keeps those of then."""
        return replace(self, sessions=tuple(each.renamed(current) for each in self.sessions))

    def past(self, at: date | None = None) -> Past:
        """Return its sessions, up to ``at`` if given, each with how it stood at the close before."""
        days = [each.day for each in self.sessions if at is None or each.day <= at]
        return tuple(zip(days, [self._begun, *(each.standing for each in self.sessions)], strict=False))

    @property
    def _begun(self) -> Standing:
        return Standing(float(self.header.spec["cash"]))


def exists(folder: Path) -> bool:
    """Return whether there is an account, one whose beginning is on the disk, damaged or not."""
    file = folder / FILE
    return file.is_file() and any(True for _ in whole_lines(file))


def read_account(folder: Path) -> Account:
    """Return the account in ``folder``; a last line that a kill has torn does not count.

    UsageError where there is none, DataError where a line is damaged, sessions are out of order, or the books
    do not balance.
    """
    if not exists(folder):
        raise UsageError(
            f"there is no account in {folder}", hint=f"Begin one: `etflow account new {folder} STRATEGY`."
        )
    lines = _lines(folder / FILE)
    _, first = next(lines)
    wrong = misfit(first, _HEADER)
    if wrong is None and parse_day(first["spec"]["start"]) is None:
        wrong = "spec.start"
    if wrong is not None:
        raise _damaged(folder / FILE, 1, wrong)
    if first["account"] > FORMAT:
        raise DataError(
            f"{folder / FILE} was written by a newer version of etflow",
            received=f"format {first['account']}",
            limit=f"format {FORMAT}",
            hint="Update etflow.",
        )
    header = Header(**{name: first[name] for name in ("spec", "parameters", "files", "code", "data")})
    sessions: list[Session] = []
    for number, line in lines:
        session = _session(line, folder / FILE, number)
        if sessions and session.day <= sessions[-1].day:
            raise _damaged(folder / FILE, number, "day")
        sessions.append(session)
    account = Account(folder, header, tuple(sessions))
    _check_books(account)
    return account


def _check_books(account: Account) -> None:
    """Raise DataError unless equity is what cash and shares make it, and money moves as fills say."""
    before = account._begun
    owed, precision = 0.0, ROUNDING * before.cash
    for number, each in enumerate(account.sessions, start=2):
        moved, earned = dict(before.shares), each.interest + each.dividend
        for symbol, shares, _price, notional, commission, fee, *_ in each.fills:
            moved[symbol] = moved.get(symbol, 0) + shares
            earned -= math.copysign(notional, shares) + commission + fee
        worth = each.cash + each.receivable + sum(n * each.marks[symbol] for symbol, n in each.shares.items())
        right = {"equity": worth}
        # Where shares came or went without a fill, a fund was split or wound up, which may pay as well.
        if {symbol: n for symbol, n in moved.items() if n} == {s: n for s, n in each.shares.items() if n}:
            right["cash"] = before.cash + owed + earned - each.receivable
        for name, value in right.items():
            if not math.isclose(getattr(each, name), value, rel_tol=ROUNDING, abs_tol=precision):
                raise _damaged(account.folder / FILE, number, f"{name}: the books make it {value:,.2f}")
        before, owed = each.standing, each.receivable


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(whole_lines(file), start=1):
        if isinstance(line, str):
            raise _damaged(file, number, wrong=line)
        yield number, line


def _session(line: dict[str, Any], file: Path, number: int) -> Session:
    wrong = misfit(line, _LINE)
    day = parse_day(str(line.get("day")))
    if wrong is not None or day is None:
        raise _damaged(file, number, wrong or "day")
    for symbol, shares in line["shares"].items():
        if misfit([shares, line["marks"].get(symbol)], [NUMBER]) is not None or shares != int(shares):
            raise _damaged(file, number, f"shares.{symbol}")
    for each in line["fills"]:
        if len(each) != len(_FILL) or misfit(dict(zip(_FILL, each, strict=True)), _FILL) is not None:
            raise _damaged(file, number, "fills")
    if any(len(each) != 4 or parse_day(str(each[2])) is None for each in line["due"]):
        raise _damaged(file, number, "due")
    for each in line.get("waiting") or ():
        if len(each) != 2 or misfit(dict(zip(_WAITING, each, strict=True)), _WAITING) or each[1] <= 0:
            raise _damaged(file, number, "waiting")
    money = ("interest", "dividend", "paid_out", "cash", "receivable", "equity")
    plain: dict[str, Any] = {name: line[name] for name in ("data", "shares", "marks", "references")}
    plain |= {name: float(line[name]) for name in money}
    try:
        return Session(
            day=day,
            decision=line.get("decision"),
            exits=line.get("exits") or {},  # they came later
            orders=tuple((str(symbol), int(shares)) for symbol, shares in line["orders"]),
            fills=tuple(tuple(each) for each in line["fills"]),
            rejections=tuple((str(a), int(b), str(c)) for a, b, c in line["rejections"]),
            due=tuple((str(a), str(b), str(c), float(d)) for a, b, c, d in line["due"]),
            waiting=tuple((str(symbol), int(shares)) for symbol, shares in line.get("waiting") or ()),
            **plain,
        )
    except (TypeError, ValueError) as error:
        raise _damaged(file, number, str(error)) from None


def _damaged(file: Path, number: int, where: str | None = None, wrong: str = DAMAGED) -> DataError:
    without = "begin a new account from the same day, and step it again"
    return DataError(f"{file}: line {number} {wrong}", received=where, hint=next_step(file, wrong, without))
