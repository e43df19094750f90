"""Run an oracle's scenario through an engine, and hold the two outcomes against each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np

from tests import invariants, oracle
from tests.oracle import Fill, Outcome, Rejection, Scenario, Session


def run_engine(scenario: Scenario, engine: str) -> Outcome:
    """What one of our engines makes of the scenario, in the oracle's words; every ledger is checked."""
    panel = panel_of(scenario)
    first = 1 if scenario.first is None else scenario.days.index(scenario.first)
    return outcome_of(scenario, panel, targets_of(scenario, first), engine)


def outcome_of(scenario: Scenario, panel: Any, targets: Any, engine: str, *, checked: bool = True) -> Outcome:
    """What one of our engines makes of other targets in the market of a scenario."""
    ledger = ledger_of(scenario, panel, targets, engine)
    if checked:
        invariants.check(ledger)
        invariants.check_trading(ledger, panel, scenario.costs.participation_rate)
    return Outcome(
        sessions=tuple(sessions_of(ledger, panel)),
        fills=tuple(Fill(**row) for row in rows_of(ledger.fills)),
        rejections=tuple(Rejection(**row) for row in rows_of(ledger.rejections)),
    )


IMPLEMENTATIONS = {
    "oracle": oracle.simulate,
    "reference": partial(run_engine, engine="reference"),
    "batch": partial(run_engine, engine="batch"),
}


def panel_of(scenario: Scenario) -> Any:
    from data.facts.actions import Action
    from data.facts.rules import RuleArrays
    from data.panel.panel import Panel

    def grid(value_of: Any) -> np.ndarray:
        values = [[value_of(fund, day) for fund in scenario.funds] for day in scenario.days]
        return np.array([[math.nan if v is None else v for v in row] for row in values], dtype=np.float64)

    def bars(name: str) -> np.ndarray:
        return grid(lambda fund, day: getattr(fund.bars[day], name) if day in fund.bars else None)

    names = ["open", "high", "low", "close", "volume", "amount"]
    if any(bar.pre_close is not None for fund in scenario.funds for bar in fund.bars.values()):
        names.append("pre_close")
    panel = Panel.from_events(
        np.array(scenario.days, dtype="datetime64[D]"),
        [fund.symbol for fund in scenario.funds],
        bars={name: bars(name) for name in names},
        nav=grid(lambda fund, day: fund.navs.get(day)) if any(fund.navs for fund in scenario.funds) else None,
        actions=[
            Action(
                symbol=fund.symbol,
                kind=action.kind,
                ex_day=action.ex_day,
                ratio=action.ratio,
                cash=action.cash,
                pay_day=action.pay_day,
                successor=action.successor,
            )
            for fund in scenario.funds
            for action in fund.actions
        ],
        listed=[fund.listed for fund in scenario.funds],
        delisted=[fund.delisted for fund in scenario.funds],
        price_limit=[math.nan if fund.price_limit is None else fund.price_limit for fund in scenario.funds],
        lot=scenario.lot,
        tick=scenario.tick,
        buy_fee_rate=scenario.buy_fee_rate,
        sell_fee_rate=scenario.sell_fee_rate,
        fx={"USDCNY": [scenario.rates.get(day, math.nan) for day in scenario.days]}
        if scenario.rates
        else None,
        currency="CNY" if scenario.foreign else None,
    )
    if not any(fund.terms for fund in scenario.funds):
        return panel

    def rule(name: str) -> np.ndarray:
        return grid(lambda fund, day: getattr(fund.terms_on(day, scenario.terms), name))

    rules = {name: rule(name) for name in vars(scenario.terms)}
    rules["lot"] = rules["lot"].astype(np.int64)
    return replace(panel.ingredients, rules=RuleArrays(**rules)).build()


def ledger_of(scenario: Scenario, panel: Any, targets: Any, engine: str) -> Any:
    from engine.simulation.engines import simulate

    first = 1 if scenario.first is None else scenario.days.index(scenario.first)
    return simulate(panel, targets, first, len(panel.days) - 1, conditions_of(scenario, engine))


def conditions_of(scenario: Scenario, engine: str = "reference") -> Any:
    """What a scenario says of money, costs and the fill point, in the engines' words."""
    from engine.kernel.costs import COMMISSION, Costs
    from engine.spec import Conditions

    own = scenario.foreign_commission
    given = zip(COMMISSION, (own.rate, own.least, own.tick), strict=True) if own else ()
    return Conditions(
        cash=scenario.cash,
        costs=Costs(
            **vars(scenario.costs),
            fx_fee_rate=scenario.fx_fee_rate,
            by_market=tuple((f"us.{name}", value) for name, value in given),
        ),
        reserve=scenario.reserve,
        fill=scenario.fill,
        engine=engine,
    )


def targets_of(scenario: Scenario, first: int) -> Any:
    from engine.kernel.targets import ALL, EXITS, Targets

    column = {fund.symbol: number for number, fund in enumerate(scenario.funds)}
    rows = [row for row, day in enumerate(scenario.days) if row >= first and day in scenario.decisions]
    weights = np.zeros((len(rows), len(column)))
    rank = np.full((len(rows), len(column)), -1, dtype=np.int64)
    exits = np.zeros(rank.shape, dtype=np.int64)
    turns = np.ones((len(rows), 2), dtype=np.int64)
    for k, row in enumerate(rows):
        decision = scenario.decisions[scenario.days[row]]
        for symbol, weight in decision.weights.items():
            weights[k, column[symbol]] = weight
        rank[k, : len(decision.rank)] = [column[symbol] for symbol in decision.rank]
        exits[k, [column[symbol] for symbol in decision.only or ()]] = 1
        turns[k] = decision.tranches, ALL if decision.sleeve is None else decision.sleeve
        if decision.only is not None:
            turns[k, 1] = EXITS
    return Targets(
        decisions=np.array(rows, dtype=np.int64),
        weights=weights,
        rank=rank,
        scores=np.full(weights.shape, math.nan),
        turns=turns,
        exits=exits,
    )


def sessions_of(ledger: Any, panel: Any) -> Iterable[Session]:
    first = int(np.searchsorted(panel.days, ledger.days[0]))
    for k, day in enumerate(ledger.days):
        market = {
            name: getattr(panel.market, name)[first + k] for name in ("reference", "limit_down", "limit_up")
        }
        listed = {s: i for i, s in enumerate(ledger.symbols) if panel.market.listed[first + k, i]}
        yield Session(
            day=day.item(),
            cash=float(ledger.cash[k]),
            receivable=float(ledger.receivable[k]),
            equity=float(ledger.equity[k]),
            interest=float(ledger.interest[k]),
            shares={symbol: int(ledger.shares[k, i]) for i, symbol in enumerate(ledger.symbols)},
            mark={symbol: number_or_none(ledger.mark[k, i]) for symbol, i in listed.items()},
            reference={symbol: number_or_none(market["reference"][i]) for symbol, i in listed.items()},
            limits={
                symbol: (
                    float(market["limit_down"][i]),
                    float(market["limit_up"][i]),
                )
                for symbol, i in listed.items()
            },
        )


def number_or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def rows_of(frame: Any) -> Iterable[Mapping[str, Any]]:
    names = list(frame.columns)
    columns = [frame[name].tolist() for name in names]
    for values in zip(*columns, strict=True):
        row = dict(zip(names, values, strict=True))
        yield {**row, "day": day_of(row["day"]), "shares": int(row["shares"])}


def day_of(value: Any) -> date:
    return np.datetime64(value, "D").item()


def assert_same(expected: Outcome, received: Outcome) -> None:
    """Equal to the last bit, session by session; the first difference is the one that is shown."""
    same("sessions", [each.day for each in expected.sessions], [each.day for each in received.sessions])
    for wanted, got in zip(expected.sessions, received.sessions, strict=True):
        for what in ("fills", "rejections"):
            of_day = [
                [row for row in getattr(side, what) if row.day == wanted.day] for side in (expected, received)
            ]
            same(f"{what} of {wanted.day}", *of_day)
        for name, value in vars(wanted).items():
            same(f"{name} of {wanted.day}", value, getattr(got, name))
    same("fills", expected.fills, received.fills)
    same("rejections", expected.rejections, received.rejections)


def same(what: str, expected: Any, received: Any) -> None:
    assert received == expected, f"{what}: expected {expected}, received {received}"
