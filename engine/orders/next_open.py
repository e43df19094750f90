"""What to hold at the next open, as orders: what a backtest would send there, from what is public by then.

1. The panel of the data is extended by the session after the last one on file (``next_panel``), without
   bars, so that its known row and its reference prices exist; nothing else tells it from a backtest's. Of two
   markets it is the next on which both are open, with what one of them traded alone until then.
2. The strategy decides as it does in a run (``engine.simulation.backtest.decisions_of``): by its rebalancing
   rule counted from ``start``, or as the first decision of a run that begins at this open.
3. The account goes through the corporate actions of the session and is sized into orders by the same
   :class:`engine.simulation.books.Books`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.errors import DataError, UsageError
from data.facts.actions import Event
from data.facts.calendars import COMMAND
from data.facts.common_sessions import calendar_of
from data.facts.symbols import markets_of
from data.load import load_panel
from data.panel.currency import Converted
from data.panel.panel import Panel
from data.panel.watched import watched
from data.source import Span, spans_of
from engine.kernel.costs import COMMISSION, Costs, commission
from engine.kernel.fills import REASONS
from engine.kernel.schedule import decision_rows
from engine.kernel.targets import EXITS, STOP_FIELDS, Targets
from engine.simulation.backtest import decisions_of, flows_at
from engine.simulation.books import Books
from engine.simulation.commissions import commissions
from engine.simulation.decisions import Decision, OwnOrders, follow, orders_of
from engine.simulation.engines import require_rates
from engine.simulation.ledger import total_equity
from engine.simulation.standing import Past, Standing, remind
from engine.spec import DEFAULT, Conditions
from engine.strategy.adapter import Adapter
from engine.strategy.adapters import BacktraderAdapter, adapt
from engine.strategy.protocol import Strategy

if TYPE_CHECKING:
    from data.source import DataSource

DATA = ("price", "flow", "nav", "margin")


@dataclass(frozen=True)
class Line:
    """One fund before the open: what is wanted, what is held, and the order between the two.

    ``shares`` are held after the corporate actions of the session, ``order_shares`` are signed. Money is
    estimated at the ``reference`` price: ``notional``, ``commission``, ``fee``, in the currency of the
    account; prices are in that of the fund. ``volume_share`` is the order over the volume of the session
    before; ``ages`` are sessions from the datum to the decision (1: of the session before). ``rank`` is the
    place by score, 1 the highest, and ``flow`` the net inflow of 20 sessions over assets. None: not known, or
    none. ``remark`` says why a wanted fund gets no order, ``stop`` which stop sells it.
    """

    symbol: str
    weight: float | None
    score: float | None
    rank: int | None
    flow: float | None
    shares: int
    order_shares: int
    reference: float | None
    notional: float
    commission: float
    fee: float
    volume_share: float | None
    limit_up: float | None
    limit_down: float | None
    ages: Mapping[str, int | None]
    remark: str
    stop: str | None

    @property
    def target_shares(self) -> int:
        """Shares after the order."""
        return self.shares + self.order_shares

    @property
    def waited(self) -> bool:
        """Whether it is the purchase of an earlier decision, for which the money is there now."""
        return self.order_shares > 0 and self.weight is None


@dataclass(frozen=True)
class Signal:
    """The decision before the open of ``day``, and its orders in the order in which they are sent.

    ``decides`` is False where the rule counted from ``start`` has no decision on ``day``; then there are no
    orders but the sales of stops, and ``next_decision`` is the day of the next one as far as the calendar
    goes. ``equity`` is at
    reference prices, ``cash_after`` what is left if every order fills at them. ``actions`` are the
    corporate actions that the session brings to what is held. ``reads`` are the fact tables that the strategy
    read to decide (``data.panel.watched``), bars first.
    """

    day: date
    last_day: date
    start: date | None
    decides: bool
    next_decision: date | None
    cash: float
    equity: float
    cash_after: float
    lines: tuple[Line, ...]
    orders: tuple[Line, ...]
    actions: tuple[str, ...]
    reads: tuple[str, ...]


class _Ahead:
    """A source that ends before ``day``, a session on which nothing traded yet."""

    def __init__(self, source: DataSource, day: date) -> None:
        self._source = source
        self._day = day
        self.name = source.name
        self.synthetic = source.synthetic
        self.default_benchmark = source.default_benchmark

    def read(self, table: str, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a table; of bars those before the session, and empty ones on it."""
        frame = self._source.read(table, symbols)
        if table != "bars" or frame.empty:
            return frame
        # One for each fund, so that those whose bars begin later are still in the panel.
        empty = frame.drop_duplicates("symbol", keep="last").assign(day=pd.Timestamp(self._day))
        empty[frame.select_dtypes("number").columns] = np.nan
        frame = frame[frame["day"] < pd.Timestamp(self._day)]
        return pd.concat([frame, empty], ignore_index=True)

    def spans(self, table: str) -> Mapping[str, Span]:
        """Return the series of a table and their days."""
        spans = spans_of(self._source, table)
        if table != "bars":
            return spans
        return {
            name: Span(min(span.first or self._day, self._day), self._day) for name, span in spans.items()
        }


def next_session(symbols: Sequence[str], last: date) -> date:
    """Return the first day after ``last`` on which all markets of ``symbols`` are open.

    DataError past the days that the calendars have.
    """
    markets = markets_of(symbols)
    calendar = calendar_of(markets)
    # Longer than any holiday, and no longer than what is recorded.
    until = min(last + timedelta(days=31), calendar.last_day)
    days: list[date] = calendar.sessions(last + timedelta(days=1), until).tolist() if last < until else []
    if not days:
        raise DataError(
            f"the session after {last} is not known",
            limit=f"sessions of {' and '.join(markets)} are recorded through {calendar.last_day}",
            hint=f"Import the exchange's notice of closed days: {COMMAND}.",
        )
    return days[0]


def next_panel(source: DataSource, symbols: Sequence[str], last: date, **options: Any) -> Panel:
    """Return the panel of ``source`` to ``last`` and one session more, whose bars are unknown yet.

    ``options`` go to :func:`data.load.load_panel`.
    """
    return load_panel(_Ahead(source, next_session(symbols, last)), symbols, **options)


def decide_next(
    strategy: Strategy | Adapter,
    panel: Panel,
    conditions: Conditions = DEFAULT,
    *,
    holdings: Mapping[str, int] | None = None,
    cash: float | None = None,
    standing: Standing | None = None,
    past: Past = (),
) -> Signal:
    """Return what ``strategy`` sends before the open of the last session of ``panel`` (``next_panel``).

    ``holdings`` are shares by symbol at the close of the session before, ``cash`` what lies beside them (0 is
    allowed; None: that of ``conditions``); money that is announced but not paid yet is not known of
    them, and not counted. ``standing`` says all of it, of an account that is kept, and ``past`` its sessions,
    by which a strategy that is asked before each open remembers; without them its memory is empty. Where
    ``conditions`` have no ``start`` the session is a decision session.
    Raises UsageError for holdings that are not in the panel, DataError where one has no price.
    """
    adapter = adapt(strategy)
    if isinstance(adapter, BacktraderAdapter):
        raise UsageError(
            "a backtrader strategy has no signal: it decides from orders and positions of its own run",
            received=adapter.name,
            hint="Write it with `scores` or `decide`; see `etflow strategies new`.",
        )
    if adapter.tranches > 1:
        raise UsageError(
            "holdings do not say which sleeve of a strategy in tranches has what",
            received=f"tranches={adapter.tranches}",
            hint="Ask for one sleeve: tranches=1, its phase, and its own holdings and cash.",
        )
    row = len(panel.days) - 1
    day: date = panel.days[row].item()
    require_rates(panel, row, row)
    reads: dict[str, None] = {"bars": None}
    if isinstance(panel.market, Converted):
        reads["fx"] = None
    seen = watched(panel, reads)
    first, made = decisions_of(adapter, seen, conditions.start or day, row, fill=conditions.fill)
    assert not isinstance(made, OwnOrders)
    decide, past = (follow(made), ()) if isinstance(made, Targets) else (made, tuple(past))
    if past:  # of a panel that notes nothing: what was read on earlier evenings may be old
        remind(decide, Books(panel, first, row, conditions), past)
    books = Books(seen, first if past else row, row, conditions)
    books.row = row - 1
    standing = standing or Standing(float(conditions.cash if cash is None else cash), holdings or {})
    standing.put(books)
    before = list(books.shares)
    events = books.open_session()
    reference = panel.market.reference[row].tolist()
    equity = _equity(books, reference)
    decision = decide(books)
    sent = orders_of(books, decision)
    due = decision is not None and decision.sleeve != EXITS
    lines = _lines(panel, books, decision, dict(sent), conditions.costs)
    spent = sum(np.sign(line.order_shares) * line.notional + line.commission + line.fee for line in lines)
    return Signal(
        day=day,
        last_day=panel.days[row - 1].item(),
        start=conditions.start,
        decides=due,
        next_decision=None if due else _next_decision(adapter, panel, first),
        cash=books.cash,
        equity=equity,
        cash_after=books.cash - float(spent),
        lines=lines,
        orders=tuple(lines[column] for column, _ in sent),
        actions=tuple(
            f"{panel.symbols[event.column]}: {_told(event, panel)}, {before[event.column]} shares before it"
            for event in events
            if before[event.column]
        ),
        reads=tuple(reads),
    )


def _told(event: Event, panel: Panel) -> str:
    """Return what an action is, in words."""
    if event.kind == "merge":
        return f"merge into {panel.symbols[event.into]} of {event.ratio:g}"
    return f"{event.kind} of {event.ratio if event.kind == 'split' else event.cash:g}"


def _equity(books: Books, reference: list[float]) -> float:
    for column, shares in enumerate(books.shares):
        if shares and reference[column] != reference[column]:
            raise DataError(
                f"{books.panel.symbols[column]} is held, and has no price before this open",
                received=f"{shares} shares",
                hint="Import its bars, or leave it out of the holdings if it was liquidated.",
            )
    equity = total_equity(books.cash, books.receivable, books.shares, reference)
    if not 0.0 < equity < float("inf"):
        raise UsageError(
            "there is nothing to invest", received=f"equity {equity:g}", hint="Give --cash or --holdings."
        )
    return equity


def _lines(
    panel: Panel, books: Books, decision: Decision | None, orders: Mapping[int, int], costs: Costs
) -> tuple[Line, ...]:
    market, row = panel.market, len(panel.days) - 1
    local, worth = market.local, market.known_money[row].tolist()
    buying, selling = market.fee_rates(costs.fx_fee_rate)
    volume, charges = _last_volume(panel), commissions(panel, costs)
    ages = {name: row - panel.known.session_of(name)[row] for name in DATA}
    refused = {symbol: REASONS[reason] for _, symbol, _, reason in books.diary.rejections}
    flows = flows_at(panel, np.array([row]))[0].tolist()
    places = _places(decision.scores) if decision else {}
    exits = (decision.exits if decision else []) or [0] * len(panel.symbols)
    lines = []
    for column, symbol in enumerate(panel.symbols):
        order = orders.get(column, 0)
        reference = float(local.reference[row, column])
        notional = abs(order) * reference * worth[column] if order else 0.0
        rates = buying if order > 0 else selling
        charged = commission(notional, *(float(charges[name][row, column]) for name in COMMISSION))
        lines.append(
            Line(
                symbol=symbol,
                weight=decision.weights[column] if decision and decision.sleeve != EXITS else None,
                score=_number(decision.scores[column]) if decision else None,
                rank=places.get(column),
                flow=_number(flows[column]),
                shares=books.shares[column],
                order_shares=order,
                reference=_number(reference),
                notional=notional,
                commission=charged if order else 0.0,
                fee=float(rates[row, column]) * notional,
                volume_share=_number(abs(order) / volume[column]) if order and volume[column] > 0 else None,
                limit_up=_number(float(local.limit_up[row, column])),
                limit_down=float(local.limit_down[row, column]) or None,
                ages={name: int(age[column]) if age[column] <= row else None for name, age in ages.items()},
                remark=refused.get(symbol, ""),
                stop=STOP_FIELDS[exits[column] - 1] if exits[column] else None,
            )
        )
    return tuple(lines)


def _places(scores: list[float]) -> dict[int, int]:
    """Return the place of each column that has a score, 1 the highest; of equal ones the first by symbol."""
    scored = [column for column, score in enumerate(scores) if np.isfinite(score)]
    return {column: place for place, column in enumerate(sorted(scored, key=lambda c: (-scores[c], c)), 1)}


def _last_volume(panel: Panel) -> list[float]:
    """Return the volume of the session before, in shares as they are after the splits of this one."""
    row = len(panel.days) - 1
    volume: list[float] = panel.market.volume[row - 1].tolist()
    for event in panel.market.events:
        if event.row == row and event.kind == "split":
            volume[event.column] *= event.ratio
    return volume


def _next_decision(adapter: Adapter, panel: Panel, first: int) -> date | None:
    """Return the next decision session of the rule counted from ``first``; None where none is known."""
    if adapter.rebalance is None:
        return None
    day: date = panel.days[-1].item()
    calendar = calendar_of(markets_of(panel.symbols))
    later = calendar.sessions(day, calendar.last_day)
    days = np.concatenate([panel.days, later[1:]])
    rows = decision_rows(adapter.rebalance, days, first, len(days) - 1, adapter.phase)
    following = days[rows[rows >= len(panel.days)]]
    return following[0].item() if len(following) else None


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
