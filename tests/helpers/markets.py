"""Random small markets with everything that makes a session hard, as scenarios of the oracle."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from hypothesis import strategies as st

from tests.oracle import (
    Action,
    Bar,
    Commission,
    Costs,
    Decision,
    Fund,
    Quote,
    Scenario,
    Terms,
    decimal,
    history,
)

MONDAY = date(2024, 1, 1)
EVENTS = (
    *["calm"] * 12,
    *["flat", "open up", "open down", "locked up", "locked down", "open down", "beyond the limits"],
    *["no bar", "no volume"],
)
ACTIONS = (*[()] * 12, ("dividend",), ("split",), ("split",), ("split", "dividend"))
RATIOS = (2.0, 2.37, 1.0 / 3.0, 0.29, 1.0079, 0.5, 1.5, 0.1, 10.0)
DYADIC_RATIOS = (2.0, 4.0, 0.5, 0.25)
VOLUMES = (100_000_000, 100_000_000, 100_000_000, 1_000_000, 1_000_000, 40_000, 3_333, 290, 7)
AMERICAN = (Commission(0.0, 1.0, 0.01), Commission(0.0002, 0.35, 0.0), Commission(0.003, 0.0, 0.05))


# A market takes some hundred draws, and hypothesis looks at a strategy when it is new: half of the time.
@lru_cache(maxsize=None, typed=True)
def choice(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


@cache
def between(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


@st.composite
def scenarios(
    draw: st.DrawFn, *, exact: bool = False, whole_splits: bool = False, hard: bool = False
) -> Scenario:
    """Any market.

    ``exact``: one whose every sum and product is exact in binary, whatever the order. ``hard``: one that may
    be longer, with halts after which a price is unknown, and funds with terms of their own that change.
    """
    tick = 0.125 if exact else draw(choice(0.001, 0.01))
    lot = draw(choice(100, 1, 10))
    days = draw(calendars(longest=40 if hard else 15))
    names = [f"51000{number}.SH" for number in range(1, 1 + draw(between(3, 5)))]
    ratios = [2.0, 3.0] if whole_splits else DYADIC_RATIOS if exact else RATIOS
    funds = tuple(draw(fund_histories(name, days, tick, ratios, exact=exact, hard=hard)) for name in names)
    funds = tuple(draw(with_merge(fund, names, days, ratios)) for fund in funds)
    wanted = draw(st.lists(st.sampled_from(days), min_size=3, max_size=len(days), unique=True))
    return Scenario(
        days=days,
        funds=funds,
        decisions={day: draw(decisions(names, exact=exact)) for day in sorted(wanted)},
        cash=draw(choice(50_000.0, 1e6, 700.0, 5_000.25, 25e6)),
        reserve=draw(choice(*((0.0, 0.25) if exact else (0.0, 0.0025, 0.1)))),
        costs=draw(exact_costs() if exact else any_costs()),
        fill=draw(choice(*(("open", "close") if exact else ("open", "vwap", "close")))),
        first=draw(choice(None, None, days[3])),
        lot=lot,
        tick=tick,
        buy_fee_rate=0.0 if exact else draw(choice(0.0, 0.0000487)),
        sell_fee_rate=0.0 if exact else draw(choice(0.0, 0.0005, 0.0000278)),
    )


@st.composite
def calendars(draw: st.DrawFn, longest: int) -> tuple[date, ...]:
    """Six to fifteen sessions, or now and then the most, with weekends and a few holidays in between."""
    weekdays = [MONDAY + timedelta(days=number) for number in range(2 * longest) if number % 7 < 5]
    holidays = draw(st.sets(between(1, 15), max_size=3))
    sessions = [day for number, day in enumerate(weekdays) if number not in holidays]
    usual = draw(between(6, 15))
    return tuple(sessions[: usual if longest == 15 else draw(choice(usual, usual, usual, longest))])


@st.composite
def decisions(draw: st.DrawFn, names: list[str], *, exact: bool) -> Decision:
    if draw(choice(False, False, True)):
        return Decision({}, ())
    parts = {name: draw(choice(1, 0, 2, 0, 4)) for name in names}
    total = max(sum(parts.values()) + draw(choice(0, 0, 0, 1, 5)), 1)
    if exact:
        total = next(power for power in (1, 2, 4, 8, 16, 32) if power >= total)
    weights = {name: part / total for name, part in parts.items() if part > 0}
    return Decision(weights, tuple(draw(st.permutations(sorted(weights)))))


@st.composite
def any_costs(draw: st.DrawFn) -> Costs:
    participation_rate = draw(choice(0.1, 0.0, 0.25, 0.07))
    return Costs(
        commission_rate=draw(choice(0.00025, 0.0, 0.003)),
        commission_min=draw(choice(5.0, 0.0, 0.1)),
        commission_tick=draw(choice(0.01, 0.0, 0.05)),
        slippage_rate=draw(choice(0.0005, 0.0, 0.02)),
        participation_rate=participation_rate,
        impact=draw(choice(0.0, 0.0, 0.8)) if participation_rate > 0 else 0.0,
        cash_rate=draw(choice(0.0, 0.02)),
    )


@st.composite
def exact_costs(draw: st.DrawFn) -> Costs:
    """Powers of two, and nothing that divides by another number."""
    return Costs(
        commission_rate=draw(choice(2.0**-12, 0.0)),
        commission_min=draw(choice(5.0, 0.0)),
        commission_tick=draw(choice(2.0**-6, 0.0)),
        slippage_rate=draw(choice(2.0**-11, 0.0)),
        participation_rate=draw(choice(0.125, 0.0)),
    )


@st.composite
def fund_histories(
    draw: st.DrawFn,
    name: str,
    days: tuple[date, ...],
    tick: float,
    ratios: tuple[float, ...],
    *,
    exact: bool,
    hard: bool = False,
) -> Fund:
    """One fund from its listing to its end, session by session: actions first, then the bar."""
    begin = draw(choice(0, 0, 0, 0, 1, 4))
    end = draw(choice(None, None, None, None, 5, 8))
    end = end if end is not None and begin < end < len(days) else None
    price = draw(between(300, 4000))
    nav = price_of(price, tick) + draw(choice(0.0, 0.0005))
    known_nav = begin > 0 and not exact and draw(st.booleans())
    exchange_says = draw(st.booleans())
    fund = Fund(
        name,
        bars={},
        navs={days[begin - 1]: nav} if known_nav else {},
        listed=draw(choice(None, days[begin])),
        delisted=None if end is None else days[end],
        price_limit=None if exact else draw(choice(0.1, 0.2, 0.05, None)),
        terms=draw(own_terms(days, tick)) if hard else {},
    )
    halt = draw(choice(None, None, None, 2, 5)) if len(days) > 15 else None
    for number in range(begin, len(days) if end is None else end + 1):
        day = days[number]
        fund = draw(with_action(fund, days, number, tick, ratios))
        if number == end:
            return draw(with_liquidation(fund, days, end, price, tick))
        if halt is not None and halt <= number < halt + 12:
            continue
        quote = history(fund, days[: number + 1], Terms(tick=tick))[day]
        if quote.reference is not None:
            price = max(round(quote.reference / tick), 20)
        bar = draw(session_bars(quote, price, tick))
        if bar is not None:
            if exchange_says and quote.reference is not None:
                bar = replace(bar, pre_close=quote.reference + draw(choice(0, 0, 0, 1)) * tick)
            fund = replace(fund, bars={**fund.bars, day: bar})
    return fund


@st.composite
def own_terms(draw: st.DrawFn, days: tuple[date, ...], tick: float) -> dict[date, Terms]:
    """Perhaps terms of a fund alone, from the first session on or from a later one."""
    return {
        days[since]: Terms(
            lot=draw(choice(100, 1, 10, 30)),
            tick=draw(choice(tick, tick, price_of(10, tick))),
            buy_fee_rate=draw(choice(0.0, 0.0000487)),
            sell_fee_rate=draw(choice(0.0, 0.0005, 0.0000278)),
            price_limit=draw(choice(0.1, 0.2, 0.05, None)),
        )
        for since in draw(choice((), (), (0,), (4,), (0, 5)))
    }


@st.composite
def with_liquidation(
    draw: st.DrawFn, fund: Fund, days: tuple[date, ...], end: int, price: int, tick: float
) -> Fund:
    """The end of a fund: announced or not, on its last day or later, with or without a day of delisting."""
    if not draw(st.booleans()):
        return fund
    cash = price_of(max(price + draw(between(-20, 20)), 1), tick)
    ex_day = days[end] + timedelta(days=draw(choice(0, 0, 0, 1, 4)))
    pay_day = draw(choice(None, ex_day, days[-1], ex_day + timedelta(days=3)))
    return replace(
        fund,
        actions=(*fund.actions, Action("liquidation", ex_day, cash=cash, pay_day=pay_day)),
        delisted=draw(choice(fund.delisted, fund.delisted, None)),
    )


@st.composite
def with_merge(
    draw: st.DrawFn, fund: Fund, names: list[str], days: tuple[date, ...], ratios: tuple[float, ...]
) -> Fund:
    """Let a fund that ends, and of which nobody said how, perhaps go into another."""
    if fund.delisted is None or any(each.kind == "liquidation" for each in fund.actions):
        return fund
    if not draw(st.booleans()):
        return fund
    into = draw(choice(*(name for name in names if name != fund.symbol), "599998.SH"))
    merged = Action(
        "merge",
        fund.delisted,
        ratio=draw(choice(*ratios)),
        cash=draw(choice(math.nan, 1.25)),
        pay_day=draw(choice(None, fund.delisted, days[-1])),
        successor=into,
    )
    return replace(fund, actions=(*fund.actions, merged), delisted=draw(choice(fund.delisted, None)))


@st.composite
def with_action(
    draw: st.DrawFn, fund: Fund, days: tuple[date, ...], number: int, tick: float, ratios: tuple[float, ...]
) -> Fund:
    """Perhaps a dividend, a split or both, on the session or on one of the closed days before it."""
    kinds = draw(choice(*ACTIONS))
    if not kinds or number == 0:
        return fund
    ex_day = days[number] - timedelta(days=draw(between(0, (days[number] - days[number - 1]).days - 1)))
    acted = fund
    for kind in kinds:
        if kind == "split":
            action = Action("split", ex_day, ratio=draw(choice(*ratios)))
        else:
            wait = draw(choice(None, 0, 1, 3, 10))
            pay_day = None if wait is None else ex_day + timedelta(days=wait)
            cash = price_of(draw(between(1, 40)), tick)
            action = Action("dividend", ex_day, cash=cash, pay_day=pay_day)
        acted = replace(acted, actions=(*acted.actions, action))
    reference = history(acted, days[: number + 1], Terms(tick=tick))[days[number]].reference
    return acted if reference is None or 60 * tick <= reference <= 20_000 * tick else fund


@st.composite
def session_bars(draw: st.DrawFn, quote: Quote, price: int, tick: float) -> Bar | None:
    """A bar around a price in ticks, inside the limits unless it is meant to be outside."""
    event = draw(choice(*EVENTS))
    if event == "no bar":
        return None
    if event == "no volume":
        stale = price_of(price + draw(between(0, 1)), tick)
        return Bar(stale, stale, stale, stale, 0, 0.0)
    limited = quote.up < float("inf")
    up = round(quote.up / tick) if limited else price * 3
    down = max(round(quote.down / tick), 1) if limited else 1

    def inside(ticks: int) -> int:
        return max(down, min(up, ticks)) if event != "beyond the limits" else max(ticks, 1)

    opened = inside(price + round(price * draw(between(-60, 60)) / 1000))
    closed = inside(price + round(price * draw(between(-60, 60)) / 1000))
    if event == "flat":
        opened = closed = price
    if event == "beyond the limits":
        opened, closed = round(opened * 1.3) + 1, round(closed * 0.6) + 1
    if limited and event in ("open up", "locked up"):
        opened, closed = up, up if event == "locked up" else closed
    if limited and event in ("open down", "locked down"):
        opened, closed = down, down if event == "locked down" else closed
    spread = 0 if event in ("flat", "locked up", "locked down") else draw(between(0, 3))
    high, low = inside(max(opened, closed) + spread), inside(min(opened, closed) - spread)
    volume = draw(choice(*VOLUMES))
    amount = float(round(decimal(tick) * volume * (high + low) / 2, 2))
    return Bar(*(price_of(ticks, tick) for ticks in (opened, high, low, closed)), volume, amount)


@st.composite
def abroad(draw: st.DrawFn, *, hard: bool = False) -> Scenario:
    """Any market in which the later funds are American, with rates that are missing on some days."""
    scenario = draw(scenarios(hard=hard))
    names = [fund.symbol for fund in scenario.funds]
    new = {name: f"X{name[5]}.US".replace(name[5], "ABCDEFGH"[int(name[5])]) for name in names[2:]}

    def abroad_now(fund: Fund) -> Fund:
        actions = tuple(
            replace(each, successor=new.get(each.successor, each.successor)) for each in fund.actions
        )
        return replace(fund, symbol=new.get(fund.symbol, fund.symbol), actions=actions)

    def renamed(decision: Decision) -> Decision:
        weights = {new.get(name, name): weight for name, weight in decision.weights.items()}
        return replace(decision, weights=weights, rank=tuple(new.get(name, name) for name in decision.rank))

    decisions = {day: renamed(decision) for day, decision in scenario.decisions.items()}
    if draw(st.booleans()):  # in two tranches, which take turns
        in_run = [day for day in sorted(decisions) if day >= (scenario.first or scenario.days[1])]
        decisions = {
            day: replace(decisions[day], tranches=2, sleeve=turn % 2 if turn else None)
            for turn, day in enumerate(in_run)
        }
    most = len(scenario.days) if hard else 15
    steps = draw(st.lists(choice(-0.05, -0.001, 0.0, 0.003, 0.04), min_size=most, max_size=most))
    gone = draw(st.sets(between(1, 14), max_size=4))
    rates = {day: 7.1 + sum(steps[:number]) for number, day in enumerate(scenario.days) if number not in gone}
    return replace(
        scenario,
        funds=tuple(abroad_now(fund) for fund in scenario.funds),
        decisions=decisions,
        foreign=frozenset(new.values()),
        rates=rates,
        fx_fee_rate=draw(choice(0.0, 0.0003)),
        foreign_commission=draw(choice(None, *AMERICAN)),
    )


def price_of(ticks: int, tick: float) -> float:
    return float(Decimal(ticks) * decimal(tick))
