"""The trading session a third time: plain Python, for a reader with a pencil.

Written from `docs/assumptions.md`, "One session, in order" and "Phases and tranches", never from the engines,
and imports nothing of theirs. Rounding to a tick or a cent is done in decimals; everything else is float
arithmetic from left to right, so that an engine that obeys the same description gives *equal* numbers.

One session *d*, and the function that does each step:

 0. Money of another currency: by the rate before the open until it, by that of the day from then on.
 1. Before the open.
    a. Corporate actions since the last session: dividends, splits, merges, ends.      `corporate_actions`
    b. Receivables whose pay day has come become cash.                                 `collect`
    c. Reference price: the exchange's own, else the adjusted last mark, else the NAV. `reference_price`
    d. Limit prices: reference plus and minus the rate, rounded half up to the tick.   `history`
 2. On a decision day: orders from target weights, at reference prices, in whole lots;
    weights that would use up the reserve are scaled down.                             `size`
 3. Sells in symbol order, then buys in rank order.                                    `trade`
    a. A halted fund does not trade.
    b. No buy at the upper limit, no sell at the lower one.
    c. An order beyond its part of the volume is capped.
    d. Price: base plus or minus slippage and impact, never beyond the limit.          `fill_price`
    e. Commission (minimum, rounded half up) and fee.                                  `charges`
    f. A buy is cut to the lots that cash pays for.                                    `affordable`
 4. Interest on the cash that lay there since the last close.                          `simulate`
 5. Marks and equity at the close.                                                     `equity`

In tranches a sleeve is an account of its own beside the account: what happens to its part happens to both.
After a session on which all decide, the account is divided anew.                      `divide`
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise


# --- What goes in -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bar:
    open: float
    high: float
    low: float
    close: float
    volume: float
    amount: float
    pre_close: float | None = None  # the exchange's reference price, where the source has it


@dataclass(frozen=True)
class Action:
    kind: str  # dividend, split, merge or liquidation
    ex_day: date
    ratio: float = math.nan  # of a split: new shares for one old; of a merge: the successor's for one
    cash: float = math.nan  # of the others: money a share; of a merge: for a whole share, pays the fraction
    pay_day: date | None = None
    successor: str = ""


@dataclass(frozen=True)
class Terms:
    """What the exchange asks of whoever trades a fund."""

    lot: int = 100
    tick: float = 0.001
    buy_fee_rate: float = 0.0
    sell_fee_rate: float = 0.0
    price_limit: float | None = None


@dataclass(frozen=True)
class Fund:
    symbol: str
    bars: Mapping[date, Bar]  # no bar, or one without volume: halted
    navs: Mapping[date, float] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    listed: date | None = None  # None: from the first bar
    delisted: date | None = None  # the first day on which it is listed no more
    price_limit: float | None = None
    terms: Mapping[date, Terms] = field(default_factory=dict)  # of its own, from a day on

    def terms_on(self, day: date, usual: Terms) -> Terms:
        """Return the terms of a session: the latest of its own, else those of all funds and its own limit."""
        own = [since for since in sorted(self.terms) if since <= day]
        return self.terms[own[-1]] if own else replace(usual, price_limit=self.price_limit)


@dataclass(frozen=True)
class Costs:
    commission_rate: float = 0.00025
    commission_min: float = 5.0
    commission_tick: float = 0.01
    slippage_rate: float = 0.0005
    participation_rate: float = 0.1
    impact: float = 0.0
    cash_rate: float = 0.0


@dataclass(frozen=True)
class Commission:
    """In the currency of the fund."""

    rate: float
    least: float
    tick: float


@dataclass(frozen=True)
class Decision:
    weights: Mapping[str, float]
    rank: tuple[str, ...]  # every fund with a weight, in the order in which it is bought
    tranches: int = 1
    sleeve: int | None = None  # whose decision it is; None: that of all, who are so many from now on
    only: tuple[str, ...] | None = None  # no decision: these are sold, and nothing else is touched

    @classmethod
    def by_weight(cls, weights: Mapping[str, float]) -> Decision:
        wanted = [symbol for symbol in sorted(weights) if weights[symbol] > 0]
        return cls(weights, tuple(sorted(wanted, key=lambda symbol: -weights[symbol])))


@dataclass(frozen=True)
class Scenario:
    days: tuple[date, ...]
    funds: tuple[Fund, ...]  # in symbol order
    decisions: Mapping[date, Decision]
    cash: float = 1e6
    costs: Costs = Costs()
    fill: str = "open"  # or vwap, or close
    first: date | None = None  # first session of the run; None: the second day, which has a day before it
    lot: int = 100
    tick: float = 0.001
    buy_fee_rate: float = 0.0
    sell_fee_rate: float = 0.0
    foreign: frozenset[str] = frozenset()  # the funds that are traded in another currency than the account's
    rates: Mapping[date, float] = field(default_factory=dict)  # dated: what one unit of it is worth
    fx_fee_rate: float = 0.0  # of an order in such a fund
    foreign_commission: Commission | None = None  # of such a fund; None: that of all
    reserve: float = 0.0  # fraction of equity that is to stay in cash

    @property
    def terms(self) -> Terms:
        """What holds for funds that have no terms of their own."""
        return Terms(self.lot, self.tick, self.buy_fee_rate, self.sell_fee_rate)


# --- What comes out ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Fill:
    day: date
    symbol: str
    shares: int  # signed
    price: float
    notional: float
    commission: float
    fee: float
    slippage: float
    reference: float


@dataclass(frozen=True)
class Rejection:
    day: date
    symbol: str
    shares: int  # signed: what did not trade
    reason: str


@dataclass(frozen=True)
class Session:
    day: date
    cash: float
    receivable: float
    equity: float
    interest: float
    shares: Mapping[str, int]
    mark: Mapping[str, float | None]  # this and the next: funds listed on the day; None: it has none
    reference: Mapping[str, float | None]
    limits: Mapping[str, tuple[float, float]]  # lower, upper; zero and infinity where there is none


@dataclass(frozen=True)
class Outcome:
    sessions: tuple[Session, ...]
    fills: tuple[Fill, ...]
    rejections: tuple[Rejection, ...]


# --- Rounding ---------------------------------------------------------------------------------------------
def decimal(number: float) -> Decimal:
    """The number as one would write it: the float without its binary noise."""
    return Decimal(f"{number:.14g}")


def half_up(number: Decimal, tick: float) -> float:
    """To the nearest tick, halves upwards."""
    return float((number / decimal(tick)).to_integral_value(ROUND_HALF_UP) * decimal(tick))


# --- The market -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Quote:
    """What the market of one fund was in one session."""

    bar: Bar | None
    listed: bool
    traded: bool
    due: tuple[Action, ...]  # since the session before
    reference: float | None
    down: float
    up: float
    mark: float | None
    volatility: float
    terms: Terms
    last: float | None = None  # the mark before, adjusted, also where the fund is over
    rate: float = 1.0  # what the bar is to be multiplied by
    known: float = 1.0  # the same as it was before the open
    fx_fee_rate: float = 0.0
    foreign: bool = False


ENDS = ("merge", "liquidation")


def in_the_account(scenario: Scenario, symbol: str, quotes: dict[date, Quote]) -> dict[date, Quote]:
    """What was built in a fund's own currency, in that of the account."""
    if symbol not in scenario.foreign:
        return quotes
    result = {}
    for day, quote in quotes.items():
        before = [scenario.rates[each] for each in sorted(scenario.rates) if each < day]
        until = [scenario.rates[each] for each in sorted(scenario.rates) if each <= day]
        if not before:
            continue
        known, rate = before[-1], until[-1]
        result[day] = replace(
            quote,
            due=tuple(
                # What a merge pays for a fraction is a price of the successor, in its currency.
                action if action.kind == "merge" else replace(action, cash=action.cash * known)
                for action in quote.due
            ),
            reference=None if quote.reference is None else quote.reference * known,
            down=quote.down * rate,
            up=quote.up * rate,
            mark=None if quote.mark is None else quote.mark * rate,
            last=None if quote.last is None else quote.last * known,
            rate=rate,
            known=known,
            fx_fee_rate=scenario.fx_fee_rate,
            foreign=True,
        )
    return result


def history(fund: Fund, days: tuple[date, ...], usual: Terms) -> dict[date, Quote]:
    """Reference, limits and mark of every session, each from the session before.

    ``usual`` are the terms of a fund that has none of its own.
    """
    listing = fund.listed or min(fund.bars, default=date.max)
    quotes: dict[date, Quote] = {}
    mark: float | None = None
    returns: list[float] = []
    before = date.min
    for day in days:
        navs = [fund.navs[published] for published in sorted(fund.navs) if published < day]
        bar = fund.bars.get(day)
        traded = bar is not None and bar.volume > 0
        due = tuple(action for action in fund.actions if before < action.ex_day <= day)
        over = any(action.kind in ENDS and action.ex_day <= day for action in fund.actions)
        terms = fund.terms_on(day, usual)
        last = reference_price(bar, mark, due, navs, terms.tick)
        reference = None if over else last
        down, up = 0.0, math.inf
        if terms.price_limit is not None and reference is not None:
            down = half_up(decimal(reference) * (1 - decimal(terms.price_limit)), terms.tick)
            up = half_up(decimal(reference) * (1 + decimal(terms.price_limit)), terms.tick)
        mark = bar.close if traded and not over else reference
        listed = listing <= day and (fund.delisted is None or day < fund.delisted) and not over
        volatility = sample_deviation(returns[-20:])
        quotes[day] = Quote(bar, listed, traded, due, reference, down, up, mark, volatility, terms, last)
        if traded and reference is not None:
            returns.append(bar.close / reference - 1)
        before = day
    return quotes


def reference_price(
    bar: Bar | None, mark: float | None, due: Iterable[Action], navs: list[float], tick: float
) -> float | None:
    if bar is not None and bar.pre_close is not None:
        return bar.pre_close
    if mark is None:
        first_trade = bar is not None and bar.volume > 0
        return half_up(decimal(navs[-1]), tick) if first_trade and navs else None
    dividends = [action.cash for action in due if action.kind == "dividend"]
    splits = [action.ratio for action in due if action.kind == "split"]
    if not dividends and not splits:
        return mark
    adjusted = decimal(mark)
    for cash in dividends:
        adjusted -= decimal(cash)
    for ratio in splits:
        adjusted /= decimal(ratio)
    return half_up(adjusted, tick)


def sample_deviation(returns: list[float]) -> float:
    """Volatility that impact is charged for; too short a history counts as two per cent a day."""
    if len(returns) < 5:
        return 0.02
    mean = add(returns) / len(returns)
    return math.sqrt(add((value - mean) * (value - mean) for value in returns) / (len(returns) - 1))


def add(numbers: Iterable[float]) -> float:
    """From left to right; the built-in `sum` compensates its rounding from Python 3.12 on."""
    total = 0.0
    for number in numbers:
        total += number
    return total


# --- The account ------------------------------------------------------------------------------------------
@dataclass
class Account:
    cash: float
    shares: dict[str, int]
    receivables: list[tuple[date, float]] = field(default_factory=list)

    @property
    def receivable(self) -> float:
        return add(amount for _, amount in self.receivables)

    def credit(self, amount: float, day: date, pay_day: date | None) -> None:
        if pay_day is None or pay_day <= day:
            self.cash += amount
        else:
            self.receivables.append((pay_day, amount))


def simulate(scenario: Scenario) -> Outcome:
    days, costs = scenario.days, scenario.costs
    funds = {fund.symbol: fund for fund in scenario.funds}
    quotes = {symbol: history(fund, days, scenario.terms) for symbol, fund in funds.items()}
    quotes = {symbol: in_the_account(scenario, symbol, each) for symbol, each in quotes.items()}
    account = Account(scenario.cash, dict.fromkeys(funds, 0))
    sleeves: list[Account] = []
    sessions: list[Session] = []
    fills: list[Fill] = []
    rejections: list[Rejection] = []
    waiting: dict[str, int] = {}  # purchases in China that America's sales pay for on the next session
    whose: int | None = None
    for yesterday, day in pairwise(days):
        if scenario.first is not None and day < scenario.first:
            continue
        today = {symbol: quotes[symbol][day] for symbol in funds}
        overnight = [each.cash if sessions else 0.0 for each in (account, *sleeves)]
        corporate_actions(account, sleeves, funds, today, day)
        for each in (account, *sleeves):
            collect(each, day)
        waiting = {symbol: after_actions(today[symbol], shares) for symbol, shares in waiting.items()}
        decision = scenario.decisions.get(day)
        sequence: list[str] = []
        if decision is not None:
            alone = decision.sleeve is not None
            buyers = [account, sleeves[decision.sleeve]] if alone else [account]
            lots = {symbol: quote.terms.lot for symbol, quote in today.items()}
            if not alone:
                lots = {symbol: lot * decision.tranches for symbol, lot in lots.items()}
            orders, unlisted = size(buyers[-1], today, decision, lots, scenario.reserve)
            if decision.only is not None:
                orders = {symbol: order for symbol, order in orders.items() if symbol in decision.only}
            if alone:
                orders = {
                    symbol: whole(buyers, symbol, order, lots[symbol]) for symbol, order in orders.items()
                }
            rejections += [Rejection(day, symbol, 0, "not_listed") for symbol in unlisted]
            sells = [symbol for symbol in funds if orders.get(symbol, 0) < 0]
            buys = [symbol for symbol in decision.rank if orders.get(symbol, 0) > 0]
            sequence = sorted(sells + buys, key=lambda symbol: symbol in scenario.foreign)
        if decision is not None and decision.only is None and decision.sleeve in (None, whose):
            waiting = {}
        for symbol, shares in waiting.items():
            quote = today[symbol]
            shares = shares // quote.terms.lot * quote.terms.lot
            out = decision is not None and symbol in (decision.only or ())
            if symbol not in sequence and not out and shares and quote.listed and quote.reference is not None:
                sleeve = [account] if whose is None else [account, sleeves[whose]]
                fill, refused = trade(sleeve, scenario, quote.terms.lot, day, symbol, quote, shares)
                fills += fill
                rejections += refused
        waiting = {}
        abroad = any(symbol in scenario.foreign and orders[symbol] < 0 for symbol in sequence)
        for symbol in sequence:
            fill, refused = trade(buyers, scenario, lots[symbol], day, symbol, today[symbol], orders[symbol])
            fills += fill
            rejections += refused
            cut = sum(each.shares for each in refused if each.reason == "cash" and each.shares > 0)
            if cut and abroad and symbol not in scenario.foreign and (alone or decision.tranches == 1):
                waiting[symbol], whose = cut, decision.sleeve
        nights = (day - yesterday).days if sessions else 0
        interest = [cash * costs.cash_rate * nights / 365 for cash in overnight]
        for each, earned in zip((account, *sleeves), interest, strict=True):
            each.cash += earned
        if decision is not None and decision.sleeve is None:
            sleeves = divide(account, decision.tranches, today)
        require_shares_to_add_up(account, sleeves)
        sessions.append(close(account, today, day, interest[0]))
    return Outcome(tuple(sessions), tuple(fills), tuple(rejections))


def after_actions(quote: Quote, shares: int) -> int:
    """A purchase that waits, after what became of its fund."""
    for action in quote.due:
        if action.kind == "split":
            shares = math.floor(shares * action.ratio + 1e-6)
        elif action.kind != "dividend":
            shares = 0
    return shares


def divide(account: Account, tranches: int, today: Mapping[str, Quote]) -> list[Account]:
    """Return equal parts of an account, shares in whole lots; the last one has what is no lot."""
    if tranches == 1:
        return []
    lots = {
        symbol: (today[symbol].terms.lot, held // today[symbol].terms.lot)
        for symbol, held in account.shares.items()
    }
    sleeves = [
        Account(
            account.cash / tranches,
            {
                symbol: (count * (number + 1) // tranches - count * number // tranches) * lot
                for symbol, (lot, count) in lots.items()
            },
            [(pay_day, amount / tranches) for pay_day, amount in account.receivables],
        )
        for number in range(tranches)
    ]
    for symbol, held in account.shares.items():
        sleeves[-1].shares[symbol] += held % today[symbol].terms.lot
    return sleeves


def require_shares_to_add_up(account: Account, sleeves: list[Account]) -> None:
    if sleeves:
        for symbol, held in account.shares.items():
            assert sum(each.shares[symbol] for each in sleeves) == held
        together = math.fsum(each.cash + each.receivable for each in sleeves)
        assert math.isclose(together, account.cash + account.receivable, rel_tol=1e-9, abs_tol=1e-6)
        assert all(each.cash >= 0 for each in sleeves)


def close(account: Account, today: Mapping[str, Quote], day: date, interest: float) -> Session:
    listed = {symbol: quote for symbol, quote in today.items() if quote.listed}
    return Session(
        day,
        account.cash,
        account.receivable,
        equity(account, {symbol: quote.mark for symbol, quote in today.items()}),
        interest,
        shares=dict(account.shares),
        mark={symbol: quote.mark for symbol, quote in listed.items()},
        reference={symbol: quote.reference for symbol, quote in listed.items()},
        limits={symbol: (quote.down, quote.up) for symbol, quote in listed.items()},
    )


def equity(account: Account, prices: Mapping[str, float | None]) -> float:
    positions = [held * prices[symbol] for symbol, held in account.shares.items() if held > 0]
    return add([account.cash, account.receivable, *positions])


def corporate_actions(
    account: Account,
    sleeves: list[Account],
    funds: Mapping[str, Fund],
    today: Mapping[str, Quote],
    day: date,
) -> None:
    for kind in ("dividend", "split", "merge", "liquidation"):
        for symbol, fund in funds.items():
            for action in (action for action in today[symbol].due if action.kind == kind):
                if kind == "split":
                    split(account, sleeves, symbol, action.ratio)
                    continue
                if kind == "merge":
                    if can_merge(action, funds, today, day):
                        merge(account, sleeves, symbol, action, today, day)
                    continue
                for each in (account, *sleeves):
                    if each.shares[symbol] > 0:
                        each.credit(each.shares[symbol] * action.cash, day, action.pay_day)
                    if kind == "liquidation":
                        each.shares[symbol] = 0
            closed = fund.delisted is not None and day >= fund.delisted
            terms = any(action.kind in ENDS for action in fund.actions)
            failed = any(
                action.kind == "merge" and not can_merge(action, funds, today, day)
                for action in today[symbol].due
            )
            if kind == "liquidation" and ((closed and not terms) or failed):
                for each in (account, *sleeves):
                    if each.shares[symbol] > 0:
                        each.credit(each.shares[symbol] * (today[symbol].last or 0.0), day, None)
                        each.shares[symbol] = 0


def can_merge(action: Action, funds: Mapping[str, Fund], today: Mapping[str, Quote], day: date) -> bool:
    """Whether the successor is among the funds, not over itself, and has a price."""
    successor = funds.get(action.successor)
    if successor is None or today[action.successor].reference is None:
        return False
    return successor.delisted is None or successor.delisted > day


def merge(
    account: Account,
    sleeves: list[Account],
    symbol: str,
    action: Action,
    today: Mapping[str, Quote],
    day: date,
) -> None:
    """Whole shares of the successor, and cash for the fraction, in proportion to what each sleeve had."""
    into = action.successor
    price = today[into].reference if math.isnan(action.cash) else action.cash * today[into].known
    before = [each.shares[symbol] for each in (account, *sleeves)]
    split(account, sleeves, symbol, action.ratio)
    fraction = max(before[0] * action.ratio - account.shares[symbol], 0.0)
    for each, held in zip((account, *sleeves), before, strict=True):
        if held > 0:
            part = fraction * price if each is account else held * (fraction * price / before[0])
            each.credit(part, day, action.pay_day)
        each.shares[into] += each.shares[symbol]
        each.shares[symbol] = 0


def split(account: Account, sleeves: list[Account], symbol: str, ratio: float) -> None:
    def after(shares: int) -> int:
        return math.floor(shares * ratio + 1e-6)

    account.shares[symbol] = after(account.shares[symbol])
    together = 0
    for each in sleeves:
        so_far = together + each.shares[symbol]
        each.shares[symbol] = after(so_far) - after(together)
        together = so_far


def collect(account: Account, day: date) -> None:
    for pay_day, amount in account.receivables:
        if pay_day <= day:
            account.cash += amount
    account.receivables = [(pay_day, amount) for pay_day, amount in account.receivables if pay_day > day]


# --- Trading ----------------------------------------------------------------------------------------------
def size(
    account: Account,
    today: Mapping[str, Quote],
    decision: Decision,
    lots: Mapping[str, int],
    reserve: float,
) -> tuple[dict[str, int], list[str]]:
    """Orders in shares, and the funds that are wanted but not to be had."""
    wealth = equity(account, {symbol: quote.reference for symbol, quote in today.items()})
    wanted = add(decision.weights[symbol] for symbol in decision.rank)
    if reserve > 0 and wanted > 1 - reserve:
        wealth = wealth * (1 - reserve) / wanted  # the weights are scaled down to what is left beside it
    orders: dict[str, int] = {}
    unlisted: list[str] = []
    for symbol, quote in today.items():
        weight, held = decision.weights.get(symbol, 0.0), account.shares[symbol]
        if weight > 0 and (not quote.listed or quote.reference is None):
            unlisted.append(symbol)
        elif weight > 0:
            lot = lots[symbol]
            orders[symbol] = math.trunc((weight * wealth / quote.reference - held) / lot) * lot
        elif quote.listed:
            orders[symbol] = -held  # odd lots included
    return orders, unlisted


def whole(buyers: list[Account], symbol: str, order: int, lot: int) -> int:
    """Return a sleeve's order; a sale of all it has in whole lots, while others hold the fund."""
    account, sleeve = buyers
    if order != -sleeve.shares[symbol] or account.shares[symbol] == sleeve.shares[symbol]:
        return order
    return -(sleeve.shares[symbol] // lot * lot)


def trade(
    buyers: list[Account], scenario: Scenario, lot: int, day: date, symbol: str, quote: Quote, order: int
) -> tuple[list[Fill], list[Rejection]]:
    costs, side = scenario.costs, 1 if order > 0 else -1
    if not quote.traded:
        return [], [Rejection(day, symbol, order, "halted")]
    bar = quote.bar
    base = {"open": bar.open, "vwap": bar.amount / bar.volume, "close": bar.close}[scenario.fill] * quote.rate
    lowest, highest = (
        (bar.low * quote.rate, bar.high * quote.rate) if scenario.fill == "vwap" else (base, base)
    )
    half_a_tick = quote.terms.tick * quote.rate / 2
    if side > 0 and lowest >= quote.up - half_a_tick:
        return [], [Rejection(day, symbol, order, "limit_up")]
    if side < 0 and highest <= quote.down + half_a_tick:
        return [], [Rejection(day, symbol, order, "limit_down")]

    rejections: list[Rejection] = []
    shares = abs(order)
    if costs.participation_rate > 0:
        cap = math.floor(costs.participation_rate * bar.volume / lot) * lot
        if shares > cap:
            rejections.append(Rejection(day, symbol, side * (shares - cap), "participation"))
            shares = cap
    cash = min(each.cash for each in buyers)
    paid_for = affordable(cash, scenario, lot, quote, base, side, shares)
    if paid_for < shares:
        rejections.append(Rejection(day, symbol, side * (shares - paid_for), "cash"))
    if paid_for == 0:
        return [], rejections

    shares = paid_for
    price = fill_price(scenario, quote, base, side, shares)
    notional = shares * price
    commission, fee = charges(scenario, quote, side, notional)
    for each in buyers:
        each.cash = each.cash - side * notional - commission - fee
        each.shares[symbol] += side * shares
    slippage = abs(price - base) * shares
    fill = Fill(day, symbol, side * shares, price, notional, commission, fee, slippage, quote.reference)
    return [fill], rejections


def affordable(
    cash: float, scenario: Scenario, lot: int, quote: Quote, base: float, side: int, shares: int
) -> int:
    """As many shares as leave no debt: whole lots of a buy; a sale goes whole or not at all."""

    def in_debt(count: int) -> bool:
        notional = count * fill_price(scenario, quote, base, side, count)
        commission, fee = charges(scenario, quote, side, notional)
        return cash - side * notional - commission - fee < 0

    if shares == 0 or not in_debt(shares):
        return shares
    if side < 0:
        return 0
    lots, too_many = 0, shares // lot
    while too_many - lots > 1:
        half = (lots + too_many) // 2
        lots, too_many = (lots, half) if in_debt(half * lot) else (half, too_many)
    return lots * lot


def fill_price(scenario: Scenario, quote: Quote, base: float, side: int, shares: int) -> float:
    costs = scenario.costs
    rate = costs.slippage_rate + costs.impact * quote.volatility * math.sqrt(shares / quote.bar.volume)
    return (
        min(base * (1 + rate), quote.up)
        if side > 0
        else max(base * (1 - rate), quote.down, quote.terms.tick * quote.rate)
    )


def charges(scenario: Scenario, quote: Quote, side: int, notional: float) -> tuple[float, float]:
    costs = scenario.costs
    rate, least, tick = costs.commission_rate, costs.commission_min, costs.commission_tick
    own = scenario.foreign_commission if quote.foreign else None
    if own is not None:
        rate, least, tick = own.rate, own.least * quote.rate, own.tick * quote.rate
    commission = max(least, rate * notional)
    if tick > 0:
        exact = max(decimal(least), decimal(rate) * decimal(notional))
        commission = half_up(exact, tick)
        if own is not None:  # whole ticks of the other currency, and a tick of it is no round number here
            count = round(commission / tick)
            commission = count / (1 / tick) if tick < 1 else count * tick
    fee_rate = quote.terms.buy_fee_rate if side > 0 else quote.terms.sell_fee_rate
    return commission, (fee_rate + quote.fx_fee_rate) * notional
