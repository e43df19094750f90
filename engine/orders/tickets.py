"""Tickets: orders that can be sent as they are, of those that a backtest would send.

A backtest sends market orders and learns at the open what became of them. Before the open nothing of that is
known, so that each order is made one that cannot fail for want of cash, and cannot trade at any price:

1. it gets a limit price: the reference price and a band around it, on the tick, within the price limits;
2. it is cut to the participation rate of the usual volume, the median of the last 20 sessions;
3. sales come first; their money counts, at their limit prices, since it pays for purchases of the same
   session once they have traded, in China as in America. A purchase that needs it says so (``after_sales``);
4. purchases are cut to the whole lots that cash pays for at the limit price, commission and fee included.

Of two markets the one that opens first comes first, with sales and purchases of its own: what the other sells
is not there yet. Prices are in the currency of the fund, as a broker wants them, money in that of the
account, at the rate that was public before the open.

Cutting is that of the engine's own fills (``engine.kernel.fills``), at the limit price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import UsageError
from data.facts.symbols import MARKETS, market_of
from data.numeric.arithmetic import round_half_up
from data.panel.panel import Panel
from engine.kernel.costs import COMMISSION, Costs
from engine.kernel.fills import REASONS, Quote, fill_order, terms_of
from engine.orders.next_open import Line, Signal
from engine.simulation.commissions import commissions

USUAL_SESSIONS = 20
BAND = 0.01


@dataclass(frozen=True)
class Ticket:
    """An order to send before the open of ``Signal.day``.

    ``shares`` are signed, ``wanted`` those that the backtest would send. Money is at the ``limit_price``, and
    in the currency of the account, the price in that of the fund.
    ``cut`` are shares that are not sent, by reason (``engine.kernel.fills``). ``after_sales``: send it once
    the sales have traded, whose money it needs. ``usual_volume`` is in shares a session; None: not known.
    """

    symbol: str
    shares: int
    wanted: int
    limit_price: float
    notional: float
    commission: float
    fee: float
    after_sales: bool
    usual_volume: float | None
    volume_share: float | None
    cut: tuple[tuple[str, int], ...]
    why: str


@dataclass(frozen=True)
class Tickets:
    """Tickets in the order in which they are sent, what was cut to nothing, and cash if all fill."""

    sent: tuple[Ticket, ...]
    dropped: tuple[Ticket, ...]
    cash_after: float


def tickets_of(signal: Signal, panel: Panel, costs: Costs, band: float = BAND) -> Tickets:
    """Return the orders of ``signal`` as they can be sent; ``panel`` is that of the signal.

    ``band`` is the fraction by which a price may be worse than the reference. UsageError outside 0 to 1.
    """
    if not 0.0 <= band < 1.0:
        raise UsageError("the band of limit prices is out of bounds", received=band, limit="0 to below 1")
    market, row = panel.market, len(panel.days) - 1
    local, worth = market.local, market.known_money[row].tolist()
    buying, selling = market.fee_rates(costs.fx_fee_rate)
    # At the limit price nothing is worse than the price itself.
    terms = terms_of(costs)._replace(slippage_rate=0.0, impact=0.0)
    charged = commissions(panel, costs)
    at_hand = cash = signal.cash
    made: list[Ticket] = []
    place = 0
    for line in sorted(signal.orders, key=lambda line: place_of(line.symbol)):
        if place_of(line.symbol) != place:
            place, at_hand = place_of(line.symbol), cash  # the market before has closed
        column, order = panel.symbols.index(line.symbol), line.order_shares
        reference, tick = float(local.reference[row, column]), float(local.tick[row, column])
        highest, lowest = float(local.limit_up[row, column]), float(local.limit_down[row, column])
        price = round_half_up(reference * (1.0 + band if order > 0 else 1.0 - band), tick)
        price = min(max(price, lowest, tick), highest)
        usual = _usual_volume(panel, column)
        paid, rate = price * worth[column], worth[column]
        quote = Quote(
            paid,
            paid,
            paid,
            usual or 0.0,
            highest * rate,
            lowest * rate,
            tick * rate,
            int(market.lot[row, column]),
            0.0,
            float(buying[row, column]),
            float(selling[row, column]),
            *(float(charged[name][row, column]) for name in COMMISSION),
        )
        filled = fill_order(order, quote, terms if usual else terms._replace(participation_rate=0.0), cash)
        cash = filled.cash
        if order > 0:
            at_hand -= filled.notional + filled.commission + filled.fee
        over = {"participation": filled.over_participation, "cash": filled.over_cash}
        made.append(
            Ticket(
                line.symbol,
                filled.shares,
                order,
                price,
                filled.notional,
                filled.commission,
                filled.fee,
                bool(order > 0 and filled.shares and at_hand < 0.0),
                usual,
                abs(filled.shares) / usual if usual else None,
                tuple((reason, shares) for reason, shares in over.items() if shares),
                why(line),
            )
        )
    return Tickets(
        tuple(each for each in made if each.shares), tuple(each for each in made if not each.shares), cash
    )


def place_of(symbol: str) -> int:
    """Return the place of a fund's market in the order in which markets open on a day."""
    return MARKETS.index(market_of(symbol))


def why(line: Line) -> str:
    """Return why an order is sent, in words: target weight or stop, rank, score and flow of its fund."""
    if line.waited:
        return "waited for the money of a sale in New York"
    parts = [f"sold by {line.stop}" if line.stop else f"target {line.weight or 0.0:.1%}"]
    if line.rank is not None:
        parts.append(f"rank {line.rank}")
    if line.score is not None:
        parts.append(f"score {line.score:.6g}")
    if line.flow is not None:
        parts.append(f"inflow {line.flow:+.2%} of assets in 20 sessions")
    return ", ".join(parts)


def cut_text(ticket: Ticket) -> str:
    """Return what of an order is not sent, in words; empty if all of it is."""
    return "; ".join(f"{abs(shares):,} shares not sent: {REASONS[reason]}" for reason, shares in ticket.cut)


def _usual_volume(panel: Panel, column: int) -> float | None:
    """Return the median volume of the last sessions on which a fund traded, in shares of the next one."""
    row, market = len(panel.days) - 1, panel.market
    span = slice(max(row - USUAL_SESSIONS, 0), row)
    volume = (
        market.volume[span, column] * market.split_factor[row, column] / market.split_factor[span, column]
    )
    traded = volume[volume > 0.0]
    return float(np.median(traded)) if len(traded) else None
