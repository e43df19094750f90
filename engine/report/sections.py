"""Tables of the tear sheet that are ours: summary, rotation, rejections, costs, drawdowns, calendar."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.kernel.fills import REASONS
from engine.metrics import (
    ALTERNATIVES,
    LABELS,
    OF_ALTERNATIVES,
    Metrics,
    Unit,
    drawdowns,
    monthly_returns,
    yearly_returns,
)
from engine.report.html import Safe, count, join, number, percent, shaded, table, tag
from engine.result import Result
from engine.results.trades import Holding

LATEST = 15  # entries shown before the rest is folded away
CALENDAR_GAP = 0.002  # annual returns by sessions and by calendar that differ by more are both shown

TO_BENCHMARK = ("alpha", "beta", "information_ratio", "up_capture", "down_capture")
OF_TRADING = ("exposure", "turnover", "costs", "cost_share")


def currency(result: Result) -> str:
    """Return the currency of the run's market, or "money" where it is mixed."""
    markets = {symbol.rpartition(".")[2] for symbol in result.symbols}
    if markets <= {"SH", "SZ"}:
        return "CNY"
    return "USD" if markets == {"US"} else "money"


def in_unit(value: float | None, unit: Unit) -> str:
    """Return the value of a metric as the number that its unit asks for, without the unit."""
    if unit.startswith("percent"):
        return number(None if value is None else value * 100.0)
    return number(value, 0 if unit == "money" else 2)


def unit_name(unit: Unit, money: str) -> str:
    """Return the unit of a metric for people."""
    return {
        "percent": "%",
        "percent a year": "% a year",
        "ratio": "",
        "times a year": "times a year",
        "money": money,
    }[unit]


def facts(result: Result) -> str:
    """Return what was run on what, as one line."""
    manifest = result.manifest
    known = [
        f"{result.days[0]} to {result.days[-1]}",
        count(len(result.days), "session"),
        count(len(result.symbols), "fund"),
        f"benchmark {manifest.get('benchmark') or 'none'}",
        f"data {manifest['data'].get('name', 'unnamed')}",
    ]
    if result.name != manifest["strategy"]:
        known.append(f"run {result.name}")
    return " · ".join(known)


def cards(metrics: Metrics, money: str) -> Safe:
    """Return the headline numbers, with those of the benchmark and of equal weight below."""
    made = []
    for label, name, show in (
        ("Total return", "cum_returns_final", percent),
        ("Annual return", "annual_return", percent),
        ("Sharpe ratio", "sharpe_ratio", number),
        ("Max drawdown", "max_drawdown", percent),
        ("Turnover a year", "turnover", lambda value: number(value) + (" ×" if value is not None else "")),
        (f"Costs, {money}", "costs", lambda value: number(value, 0)),
    ):
        others = [
            tag("small", tag("i", word.lower()), show(metrics[prefix + name]))
            for prefix, word in ALTERNATIVES.items()
            if metrics.values.get(prefix + name) is not None
        ]
        made.append(tag("div", tag("span", label), tag("b", show(metrics[name])), *others, class_="card"))
    return tag("div", *made, class_="cards")


def summary(result: Result, metrics: Metrics) -> Safe:
    """Return the tables of all metrics, why some are missing, and what to know about annual figures."""
    money = currency(result)
    by_sessions, by_calendar = metrics["annual_return"], metrics["calendar_annual_return"]
    gap = None if by_sessions is None or by_calendar is None else abs(by_sessions - by_calendar)

    def rows(names: Iterable[str], prefixes: Iterable[str]) -> list[tuple[str, ...]]:
        return [
            (
                LABELS[name][0],
                unit_name(LABELS[name][1], money),
                *(in_unit(metrics[prefix + name], LABELS[name][1]) for prefix in prefixes),
            )
            for name in names
        ]

    compared = table(
        ("Against the alternatives", "Unit", "Run", *ALTERNATIVES.values()),
        rows(OF_ALTERNATIVES, ("", *ALTERNATIVES)),
        text_columns=2,
    )
    shown = [name for name in LABELS if name not in OF_ALTERNATIVES and name != "calendar_annual_return"]
    if gap is not None and gap > CALENDAR_GAP:
        shown.insert(0, "calendar_annual_return")
    groups = {
        "Risk and shape": [name for name in shown if name not in TO_BENCHMARK and name not in OF_TRADING],
        "Against the benchmark": [name for name in shown if name in TO_BENCHMARK],
        "Trading": [name for name in shown if name in OF_TRADING],
    }
    others = [
        tag("div", table((title, "Unit", "Run"), rows(names, ("",)), text_columns=2))
        for title, names in groups.items()
    ]
    notes = [
        f"{count(len(result.days), 'session')}, annualised on {result.sessions_per_year:g} sessions a year, "
        "the exchange's real count. Net of all costs; the risk-free rate is zero."
    ]
    if len(result.days) < result.sessions_per_year / 4:
        notes.append("The run is shorter than three months: its annual figures are extrapolations.")
    why: dict[str, list[str]] = {}
    for name, reason in metrics.reasons.items():
        if name in LABELS:
            why.setdefault(reason, []).append(LABELS[name][0])
    if why:
        told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in why.items())
        notes.append(f"Not available: {told}.")
    return join(
        compared, tag("div", *others, class_="columns"), *(tag("p", note, class_="note") for note in notes)
    )


def by_fund(result: Result, held: list[Holding]) -> Safe:
    """Return what each fund contributed, with all other sources of profit, up to the total."""
    money = currency(result)
    total = float(result.equity[-1]) - result.initial_cash
    of_fund: dict[str, list[Holding]] = {}
    for holding in held:
        of_fund.setdefault(holding.symbol, []).append(holding)
    weights = result.values / result.equity[:, None]
    profits = {symbol: sum(holding.profit for holding in mine) for symbol, mine in of_fund.items()}
    most = max((abs(profit) for profit in profits.values()), default=1.0)
    rows: list[tuple[object, ...]] = []
    for symbol in sorted(of_fund, key=lambda symbol: (-profits[symbol], symbol)):
        mine, profit = of_fund[symbol], profits[symbol]
        share = weights[:, result.symbols.index(symbol)]
        rows.append(
            (
                symbol,
                len(mine),
                sum(holding.sessions for holding in mine),
                percent(float(share[share > 0.0].mean()) if (share > 0.0).any() else None, 1),
                percent(float(np.mean([holding.profit > 0.0 for holding in mine])), 0),
                percent(float(np.mean([holding.price_return for holding in mine]))),
                shaded(profit, number(profit, 0), full=most),
            )
        )
    interest = float(result.interest.sum())
    rest = total - sum(profits.values()) - interest
    others = (("Interest on idle cash", interest), ("Dividends, liquidation gains", rest))
    rows += [(name, *[""] * 5, number(profit, 0)) for name, profit in others if abs(profit) >= 0.5]
    rows.append((tag("b", "Total"), *[""] * 5, tag("b", number(total, 0))))
    head = (
        "Fund",
        "Holdings",
        "Sessions held",
        "Mean weight",
        "With a profit",
        "Mean return",
        f"Profit, {money}",
    )
    return table(head, rows, caption="What each fund brought, after commission, fees and slippage")


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
        f"Profit, {currency(result)}",
    )
    rows = [
        (
            result.days[holding.entry],
            holding.symbol,
            "still held" if holding.exit is None else result.days[holding.exit],
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
    parts: list[Safe] = [tag("h3", "Purchases"), table(head, rows[:LATEST], text_columns=3)]
    if len(rows) > LATEST:
        earlier = table(head, rows[LATEST:], text_columns=3)
        parts.append(tag("details", tag("summary", count(len(rows) - LATEST, "earlier purchase")), earlier))
    return join(*parts, note)


def rejected(result: Result) -> Safe:
    """Return the orders that did not trade by reason, with counts and money at the session's mark."""
    frame = result.rejections
    rows_of = np.searchsorted(result.days, frame["day"].to_numpy().astype(result.days.dtype))
    column = {symbol: index for index, symbol in enumerate(result.symbols)}
    columns = [column[symbol] for symbol in frame["symbol"]]
    shares = frame["shares"].to_numpy(np.float64)
    value = np.abs(shares) * np.nan_to_num(result.mark[rows_of, columns])
    reasons = frame["reason"].to_numpy().astype(str)
    names, counts = np.unique(reasons, return_counts=True)
    rows = []
    for name, orders in sorted(zip(names, counts, strict=True), key=lambda pair: (-pair[1], pair[0])):
        chosen = reasons == name
        rows.append(
            (
                name,
                REASONS.get(name, ""),
                number(int(orders), 0),
                number(int((shares[chosen] > 0).sum()), 0),
                number(int((shares[chosen] < 0).sum()), 0),
                number(float(value[chosen].sum()), 0),
                percent(float(value[chosen].sum()) / max(float(result.fills["notional"].sum()), 1.0)),
            )
        )
    head = ("Reason", "", "Orders", "Purchases", "Sales", f"Value, {currency(result)}", "Of all that traded")
    return table(head, rows, text_columns=2)


def costs(result: Result, metrics: Metrics) -> Safe:
    """Return what trading cost, by kind."""
    money = currency(result)
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


def drawdown_table(result: Result) -> Safe:
    """Return the five deepest drawdowns."""
    rows = [
        (
            percent(fall.depth),
            fall.peak or "start",
            fall.trough,
            fall.recovery or "open",
            fall.to_trough,
            fall.under_water,
        )
        for fall in drawdowns(result)
    ]
    head = ("Depth", "Peak", "Trough", "Recovered", "Sessions to trough", "Sessions under water")
    caption = "Five deepest drawdowns, from the initial capital"
    return table(head, rows, text_columns=0, caption=caption) if rows else tag("p", "Equity never fell.")


def calendar_tables(result: Result) -> Safe:
    """Return compounded returns by month and by year, as heat maps."""
    months, years = monthly_returns(result), yearly_returns(result)
    most = float(np.nanmax(np.abs(months.to_numpy())))
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    rows = [
        (
            str(year),
            *(shaded(value, number(value * 100.0, 1), full=most) for value in months.loc[year]),
            *(tag("td", number(years.loc[year, column] * 100.0, 1)) for column in years.columns),
        )
        for year in months.index
    ]
    head = ("", *names, "Year", *ALTERNATIVES.values())
    return table(head, rows, caption="Returns by month and by year, %, compounded", class_="heat")
