"""What fills, at what price, or why not. Scalar kernels: numbers in, numbers out.

One order in one session, in order (``fill_order``):

1. an order in a halted fund, or against the limit, does not trade (``blocked``);
2. the shares are capped at the participation rate of the session's volume;
3. the price is that of the fill point, worse by slippage and impact, never beyond the limit;
4. a buy is cut to the largest whole number of lots that cash pays for, commission and fees included;
5. cash changes by the notional, then the commission, then the fee, in this order.

Whether the limit blocks is decided on the price of the fill point itself, before slippage: a fill pushed
onto the limit by slippage is a bad fill, not an impossible one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from data.numeric.compiled import inlined
from engine.kernel.costs import Costs, adverse_rate, commission

# Why an order, or a part of it, did not trade: numbers in the kernel, names in results, words for people. The
# names stand in the order of their numbers.
TRADES, HALTED, LIMIT_UP, LIMIT_DOWN, PARTICIPATION, CASH, NOT_LISTED = range(7)
# What only a strategy that sends its own orders can meet.
LOT, NOT_HELD, CANCELLED, ENDED, EXPIRED, GROUP, PARENT, RESALE = range(7, 15)
REASONS = {
    "halted": "the fund did not trade",
    "limit_up": "bought at the upper price limit: nobody sells",
    "limit_down": "sold at the lower price limit: nobody buys",
    "participation": "more than the allowed part of the session's volume",
    "cash": "not enough cash for the whole order",
    "not_listed": "not listed, or without a reference price yet",
    "lot": "no whole lot; an odd lot is sold with all that is held",
    "not_held": "sold more than was held: nothing is sold short",
    "cancelled": "taken back by the strategy before it could trade",
    "ended": "still waiting when the run ended",
    "expired": "still waiting when its validity ended",
    "group": "another order of its group traded or ended",
    "parent": "the order that it hangs on did not trade",
    "resale": "bought in the same session, and sold on a later one (T+1)",
}
REASON_NAMES = ("", *REASONS)
# What every strategy can meet.
MET_BY_ALL = REASON_NAMES[HALTED:LOT]


class Quote(NamedTuple):
    """One fund in one session, as a fill sees it."""

    base: float
    low: float
    high: float
    volume: float
    limit_up: float
    limit_down: float
    tick: float
    lot: int
    volatility: float
    buy_fee_rate: float
    sell_fee_rate: float
    commission_rate: float
    commission_min: float
    commission_tick: float


class Terms(NamedTuple):
    """The costs that all funds have in common; ``credit`` is what may be owed: nothing, or infinity."""

    slippage_rate: float
    participation_rate: float
    impact: float
    credit: float = 0.0


class Filled(NamedTuple):
    """Outcome of one order: what traded, at what cost, what is left in cash, what did not trade."""

    shares: int
    price: float
    notional: float
    commission: float
    fee: float
    cash: float
    over_participation: int
    over_cash: int


def terms_of(costs: Costs) -> Terms:
    """Return the costs that all funds have in common, as a fill sees them."""
    return Terms(
        costs.slippage_rate,
        costs.participation_rate,
        costs.impact,
    )


def blocked(order: int, quote: Quote, whole_session: bool) -> int:
    """Return why the market does not let ``order`` trade at all, or ``TRADES``.

    ``whole_session`` is for fills over the whole session (VWAP): they are blocked only if the price never
    left the limit.
    """
    if not quote.volume > 0.0:
        return HALTED
    if order > 0:
        price = quote.low if whole_session else quote.base
        return LIMIT_UP if at_limit_up(price, quote.limit_up, quote.tick) else TRADES
    price = quote.high if whole_session else quote.base
    return LIMIT_DOWN if at_limit_down(price, quote.limit_down, quote.tick) else TRADES


def at_limit_up(price: Any, limit: Any, tick: Any) -> Any:
    """Return whether a price is at the upper limit, to half a tick: of numbers, or of arrays of them."""
    return price >= limit - tick / 2.0


def at_limit_down(price: Any, limit: Any, tick: Any) -> Any:
    """Return whether a price is at the lower limit, to half a tick: of numbers, or of arrays of them."""
    return price <= limit + tick / 2.0


@inlined
def fill_order(order: int, quote: Quote, terms: Terms, cash: float) -> Filled:
    """Return what becomes of ``order`` (signed shares, not blocked) with ``cash`` at hand."""
    allowed = within_participation(abs(order), quote, terms)
    wanted = allowed if order > 0 else -allowed
    filled = charge(wanted, quote, terms, cash)
    if filled.cash < -terms.credit:
        filled = cut_to_cash(filled, quote, terms, cash)
    return Filled(
        filled.shares,
        filled.price,
        filled.notional,
        filled.commission,
        filled.fee,
        filled.cash,
        order - wanted,
        wanted - filled.shares,
    )


def within_participation(shares: int, quote: Quote, terms: Terms) -> int:
    """Return how many of ``shares`` may trade: whole lots of the permitted part of the session's volume."""
    # A lot below it no rounding matters, and most orders are far below.
    if terms.participation_rate == 0.0 or shares + quote.lot <= terms.participation_rate * quote.volume:
        return shares
    return min(shares, most_shares(quote, terms))


def most_shares(quote: Quote, terms: Terms) -> int:
    """Return the shares in whole lots that may trade at the participation rate of the session's volume."""
    return math.floor(terms.participation_rate * quote.volume / quote.lot) * quote.lot


def cut_to_cash(filled: Filled, quote: Quote, terms: Terms, cash: float) -> Filled:
    """Return the largest part of a fill that ``cash`` pays for: of a buy whole lots, of a sale nothing.

    What a lot costs only grows with their number.
    """
    enough, too_many = 0, filled.shares // quote.lot
    best = charge(0, quote, terms, cash)
    likely = math.floor(too_many * (cash / (cash - filled.cash)))
    while too_many - enough > 1:
        middle = likely if likely > enough else likely + 1
        if not enough < middle < too_many:
            middle = (enough + too_many) // 2
        part = charge(middle * quote.lot, quote, terms, cash)
        if part.cash < 0.0:
            too_many = middle
            likely = math.floor(middle * (cash / (cash - part.cash)))
        else:
            enough, best = middle, part
            # What is left is clearly too little for another lot, whatever its commission is rounded to.
            if part.cash < 0.99 * quote.lot * part.price:
                break
    return best


def charge(shares: int, quote: Quote, terms: Terms, cash: float) -> Filled:
    """Return the fill of ``shares`` (signed) at the quote, whatever is left of ``cash`` then."""
    if shares == 0:
        return Filled(0, quote.base, 0.0, 0.0, 0.0, cash, 0, 0)
    count = abs(shares)
    rate = adverse_rate(terms.slippage_rate, terms.impact, quote.volatility, count, quote.volume)
    if shares > 0:
        price = min(quote.base * (1.0 + rate), quote.limit_up)
        fee_rate = quote.buy_fee_rate
    else:
        # Impact has no bound of its own where there is no price limit; nobody sells below a tick.
        price = max(quote.base * (1.0 - rate), quote.limit_down, quote.tick)
        fee_rate = quote.sell_fee_rate
    notional = count * price
    charged = commission(notional, quote.commission_rate, quote.commission_min, quote.commission_tick)
    fee = fee_rate * notional
    after = (cash - notional if shares > 0 else cash + notional) - charged - fee
    return Filled(shares, price, notional, charged, fee, after, 0, 0)


def slippage_of(filled: Filled, quote: Quote) -> float:
    """Return what slippage and impact cost a fill, money: its distance from the price of the fill point."""
    return abs(filled.price - quote.base) * abs(filled.shares)
