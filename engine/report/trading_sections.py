"""Tables of what was held and why, of what it brought, of orders that did not trade, and of costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.words import count, number, percent
from engine.kernel.fills import MET_BY_ALL, REASONS
from engine.metrics import Metrics
from engine.report.html import Safe, coded, join, shaded, table, tag, total
from engine.report.run_charts import name_of
from engine.result import Result
from engine.results.trades import Holding, by_family

LATEST = 15  # entries shown before the rest is folded away


def by_fund(result: Result, held: list[Holding]) -> Safe:
    """Return what each fund contributed, with all other sources of profit, up to the total."""
    money = result.currency
    gained = float(result.equity[-1]) - result.initial_cash
    of_fund: dict[str, list[Holding]] = {}
    for holding in held:
        of_fund.setdefault(holding.symbol, []).append(holding)
    weights = result.held_weights
    profits = {symbol: sum(holding.profit for holding in mine) for symbol, mine in of_fund.items()}
    most = max((abs(profit) for profit in profits.values()), default=1.0)
    rows: list[Sequence[object] | Safe] = []
    for symbol in sorted(of_fund, key=lambda symbol: (-profits[symbol], symbol)):
        mine, profit = of_fund[symbol], profits[symbol]
        share = weights[:, result.symbols.index(symbol)]
        rows.append(
            (
                coded(symbol, name_of(result, symbol)),
                len(mine),
                sum(holding.sessions for holding in mine),
                percent(float(share[share > 0.0].mean()) if (share > 0.0).any() else None, 1),
                percent(float(np.mean([holding.profit > 0.0 for holding in mine])), 0),
                percent(float(np.mean([holding.price_return for holding in mine]))),
                shaded(profit, number(profit, 0), full=most),
            )
        )
    interest = float(result.interest.sum())
    rest = gained - sum(profits.values()) - interest
    others = (("Interest on idle cash", interest), ("Dividends, liquidation gains", rest))
    rows += [total(name, *[""] * 5, number(profit, 0)) for name, profit in others if abs(profit) >= 0.5]
    rows.append(total(tag("b", "Total"), *[""] * 5, tag("b", number(gained, 0))))
    head = (
        "Fund",
        "Holdings",
        "Sessions held",
        "Mean weight",
        "With a profit",
        "Mean return",
        f"Profit, {money}",
    )
    caption = "What each fund brought, after commission, fees and slippage"
    parts = [table(head, rows, caption=caption, sort=True)]
    families = by_family(result, held)
    if len(families) > 1:
        parts.append(
            table(
                ("Index family", "Funds", "Holdings", "With a profit", f"Profit, {money}"),
                [
                    (
                        each.name,
                        each.funds,
                        each.holdings,
                        percent(each.won / each.holdings, 0),
                        shaded(
                            each.profit, number(each.profit, 0), full=max(abs(one.profit) for one in families)
                        ),
                    )
                    for each in families
                ],
                caption="The same by index family",
                sort=True,
            )
        )
    return join(*parts)


def entries(result: Result, held: list[Holding]) -> Safe:
    """Return what was bought, on which score and flow, and what became of it; the latest first."""
    head = (
        "Bought",
        "Fund",
        "Until",
        "Weight",
        "Score",
        "Flow, 20 sessions, of AUM",
        "Sessions held",
        "Return",
        f"Profit, {result.currency}",
    )
    rows = [
        (
            result.days[holding.entry],
            coded(holding.symbol, name_of(result, holding.symbol)),
            _until(result, holding),
            percent(holding.weight, 1),
            number(holding.score, 4),
            percent(holding.flow),
            holding.sessions,
            shaded(holding.price_return, percent(holding.price_return), full=0.2),
            number(holding.profit, 0),
        )
        for holding in reversed(held)
    ]
    note = tag(
        "p",
        "Weight, score and flow are those of the decision to buy; flow is net money known to have entered "
        "the fund, relative to its assets. Return is the fund's, from the first purchase to the last sale or "
        "mark, adjusted for splits, without dividends.",
        class_="note",
    )
    parts: list[Safe] = [tag("h3", "Purchases"), table(head, rows[:LATEST], text_columns=3, sort=True)]
    if len(rows) > LATEST:
        earlier = table(head, rows[LATEST:], text_columns=3, sort=True)
        parts.append(tag("details", tag("summary", count(len(rows) - LATEST, "earlier purchase")), earlier))
    return join(*parts, note)


def _until(result: Result, holding: Holding) -> str:
    """Return the day of the last sale, and the stop that it was for."""
    if holding.exit is None:
        return "still held"
    stop = f", {holding.stop.replace('_', ' ')}" if holding.stop else ""
    return f"{result.days[holding.exit]}{stop}"


def rejected(result: Result) -> Safe:
    """Return the orders that did not trade by reason: counts, money at the session's mark, what they cost."""
    frame = result.rejections
    rows_of = np.searchsorted(result.days, frame["day"].to_numpy().astype(result.days.dtype))
    column = {symbol: index for index, symbol in enumerate(result.symbols)}
    columns = [column[symbol] for symbol in frame["symbol"]]
    shares = frame["shares"].to_numpy(np.float64)
    value = np.abs(shares) * np.nan_to_num(result.mark[rows_of, columns])
    reasons = frame["reason"].to_numpy().astype(str)
    known = {} if result.context is None else result.context.rejection_costs
    names, counts = np.unique(reasons, return_counts=True)
    rows = []
    for name, orders in sorted(zip(names, counts, strict=True), key=lambda pair: (-pair[1], pair[0])):
        chosen = reasons == name
        rows.append(
            (
                coded(name, REASONS.get(name, "")),
                number(int(orders), 0),
                number(int((shares[chosen] > 0).sum()), 0),
                number(int((shares[chosen] < 0).sum()), 0),
                number(float(value[chosen].sum()), 0),
                percent(float(value[chosen].sum()) / max(float(result.fills["notional"].sum()), 1.0)),
                number(None if (cost := known.get(name)) is None else cost * 1e4, 1),
            )
        )
    head = (
        "Reason",
        "Orders",
        "Purchases",
        "Sales",
        f"Value, {result.currency}",
        "Of all that traded",
        "Cost, bp a year",
    )
    notes = [
        "Cost is how much higher the annual return would be had the same decisions met no such rule: what "
        "cash does not pay for is owed, an order beyond the volume trades whole, a halted fund trades at its "
        "reference price. Below zero the rule saved money. It is not known where there was no price, or the "
        "strategy orders by itself."
    ]
    never = [name for name in MET_BY_ALL if name not in names]
    if never:
        notes.append(f"Never: {', '.join(never)}.")
    return join(table(head, rows, sort=True), *(tag("p", note, class_="note") for note in notes))


def costs(result: Result, metrics: Metrics) -> Safe:
    """Return what trading cost, by kind."""
    money = result.currency
    traded = float(result.fills["notional"].sum())
    years = len(result.days) / result.sessions_per_year
    paid = {kind: float(result.fills[kind].sum()) for kind in ("commission", "fee", "slippage")}
    paid["total"] = sum(paid.values())
    rows = [
        (
            kind.capitalize(),
            number(amount, 0),
            number(amount / traded * 1e4 if traded else None),
            percent(amount / float(result.equity.mean()) / years),
        )
        for kind, amount in paid.items()
    ]
    head = ("", f"Paid, {money}", "Basis points of traded value", "Of mean equity a year")
    note = (
        f"{count(len(result.fills), 'fill')} worth {number(traded, 0)} {money}; one-way turnover "
        f"{number(metrics['turnover'])} times a year. Slippage includes market impact."
    )
    return join(table(head, rows), tag("p", note, class_="note"))
