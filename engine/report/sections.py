"""Tables of the tear sheet that are ours: summary, rotation, rejections, costs, drawdowns, calendar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from data.words import NOT_AVAILABLE, count, number, percent
from engine.kernel.fills import MET_BY_ALL, REASONS
from engine.metrics import (
    Metrics,
    drawdowns,
    extreme_days,
    monthly_returns,
    trailing_returns,
    win_rates,
    yearly_returns,
)
from engine.metrics.declared import ALTERNATIVES, METRICS, in_group
from engine.metrics.intervals import CONFIDENCE, Interval
from engine.metrics.metric import TITLES, Group, Metric, Unit, is_percent
from engine.report.html import Safe, coded, join, shaded, table, tag, total
from engine.report.run_charts import name_of
from engine.result import Result
from engine.results.trades import Holding, by_family

SHOWN_WARNINGS = 3  # warnings about the data shown before the rest is folded away
LATEST = 15  # entries shown before the rest is folded away
REPEATED = 0.002  # annual returns by sessions and by calendar that differ by more are both shown

CARDS = ("cum_returns_final", "annual_return", "sharpe_ratio", "max_drawdown", "turnover", "cost_share")
BELOW: tuple[Group, ...] = ("shape", "benchmark", "trading")  # tables of the run alone


def in_unit(value: float | None, unit: Unit) -> str:
    """Return the value of a metric as the number that its unit asks for, without the unit."""
    if is_percent(unit):
        return number(None if value is None else value * 100.0)
    return number(value, 0 if unit in ("money", "count") else 2)


def unit_name(unit: Unit, money: str) -> str:
    """Return the unit of a metric for people."""
    return {
        "percent": "%",
        "percent a year": "% a year",
        "ratio": "",
        "times a year": "times a year",
        "money": money,
        "count": "",
    }[unit]


def facts(result: Result) -> str:
    """Return what was run on what, as one line."""
    manifest = result.manifest
    known = [
        f"{result.days[0]} to {result.days[-1]}",
        count(len(result.days), "session"),
        count(len(result.symbols), "fund"),
        f"benchmark {result.benchmark}",
        f"data {manifest['data'].get('name', 'unnamed')}",
    ]
    if result.name != manifest["strategy"]:
        known.append(f"run {result.name}")
    return " · ".join(known)


def data_warnings(said: Sequence[str]) -> Safe:
    """Return what there is to know of the data before a page is believed; nothing where there is nothing."""
    if not said:
        return Safe("")
    shown, rest = said[:SHOWN_WARNINGS], said[SHOWN_WARNINGS:]
    parts = [tag("ul", *(tag("li", text) for text in shown))]
    if rest:
        parts.append(
            tag(
                "details",
                tag("summary", count(len(rest), "more warning")),
                tag("ul", *(tag("li", text) for text in rest)),
            )
        )
    title = count(len(said), "warning") + " about the data"
    return tag("div", tag("b", title), *parts, class_="caution", role="note")


def cards(metrics: Metrics, money: str, intervals: Mapping[str, Interval | None]) -> Safe:
    """Return the headline numbers, with those of the benchmark and of equal weight below.

    ``intervals`` are those of metrics by name, None where one is not known.
    """
    made = []
    for name in CARDS:
        metric = METRICS[name]
        label = (metric.short or metric.label) + (f", {money}" if metric.unit == "money" else "")
        others = [
            tag("small", tag("i", word.lower()), _on_card(metrics[prefix + name], metric.unit))
            for prefix, word in ALTERNATIVES.items()
            if metrics.values.get(prefix + name) is not None
        ]
        interval = intervals.get(name)
        if interval is not None:
            low, high = (_on_card(end, metric.unit) for end in interval)
            others.insert(0, tag("small", tag("i", f"{CONFIDENCE:.0%} CI"), f"{low} to {high}"))
        value = tag("b", _on_card(metrics[name], metric.unit))
        made.append(tag("div", tag("span", label), value, *others, class_="card"))
    return tag("div", *made, class_="cards")


def _on_card(value: float | None, unit: Unit) -> str:
    """Return a value with its sign, where the unit has one."""
    if is_percent(unit):
        return percent(value)
    return in_unit(value, unit) + (" ×" if unit == "times a year" and value is not None else "")


def summary(result: Result, metrics: Metrics) -> Safe:
    """Return the tables of all metrics, why some are missing, and what to know about annual figures."""
    money = result.currency

    def rows(shown: Iterable[Metric], prefixes: Iterable[str]) -> list[tuple[str, ...]]:
        return [
            (
                each.label,
                unit_name(each.unit, money),
                *(in_unit(metrics[prefix + each.name], each.unit) for prefix in prefixes),
            )
            for each in shown
        ]

    compared = table(
        (TITLES["alternatives"], "Unit", "Run", *ALTERNATIVES.values()),
        rows(in_group("alternatives"), ("", *ALTERNATIVES)),
        text_columns=2,
    )
    others = [
        tag(
            "div",
            table((TITLES[group], "Unit", "Run"), rows(_shown(group, metrics), ("",)), text_columns=2),
        )
        for group in BELOW
    ]
    notes = [
        f"{count(len(result.days), 'session')}, annualised on {result.sessions_per_year:g} sessions a year, "
        "the exchange's real count. Net of all costs; the risk-free rate is zero."
    ]
    if len(result.days) < result.sessions_per_year / 4:
        notes.append("The run is shorter than three months: its annual figures are extrapolations.")
    why: dict[str, list[str]] = {}
    for name, reason in metrics.reasons.items():
        if name in METRICS:
            why.setdefault(reason, []).append(METRICS[name].label)
    if why:
        told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in why.items())
        notes.append(f"Not available: {told}.")
    return join(
        compared, tag("div", *others, class_="columns"), *(tag("p", note, class_="note") for note in notes)
    )


def _shown(group: Group, metrics: Metrics) -> list[Metric]:
    """Return the metrics of a group, and first those that repeat another one with another number."""

    def differs(each: Metric) -> bool:
        one, other = metrics[each.name], metrics[each.repeats]
        return one is not None and other is not None and abs(one - other) > REPEATED

    again = [each for each in METRICS.values() if each.group == group and each.repeats and differs(each)]
    return again + in_group(group)


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
                        each.won,
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
    parts: list[Safe] = [tag("h3", "Purchases"), table(head, rows[:LATEST], text_columns=3, sort=True)]
    if len(rows) > LATEST:
        earlier = table(head, rows[LATEST:], text_columns=3, sort=True)
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
    head = ("Reason", "", "Orders", "Purchases", "Sales", f"Value, {result.currency}", "Of all that traded")
    never = [name for name in MET_BY_ALL if name not in names]
    note = tag("p", f"Never: {', '.join(never)}.", class_="note") if never else Safe("")
    return join(table(head, rows, text_columns=2, sort=True), note)


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


def trailing_table(result: Result) -> Safe:
    """Return compounded returns of the latest months and years."""
    found = trailing_returns(result)
    rows = [
        (name.capitalize(), *(percent(found.loc[name, column]) for column in found.columns))
        for name in found.index
    ]
    caption = f"Returns up to {result.days[-1]}, compounded; n/a where the run is shorter"
    return table(("", "Run", *ALTERNATIVES.values()), rows, caption=caption)


def days_table(result: Result) -> Safe:
    """Return the best and the worst days."""
    rows = [
        (row["day"].date(), *(percent(row[name]) for name in ("run", "benchmark", "equal_weight")))
        for row in extreme_days(result).to_dict("records")
    ]
    head = ("Day", "Run", *ALTERNATIVES.values())
    return table(head, rows, caption="Best and worst days", sort=True) if rows else Safe("")


def win_table(result: Result, held: list[Holding]) -> Safe:
    """Return how often the run gained, and how often it beat its benchmark."""
    found = win_rates(result)
    rows = [
        (
            f"{name.capitalize()}",
            f"{found.loc[name, 'won']:,.0f} of {found.loc[name, 'of']:,.0f}",
            percent(found.loc[name, "won"] / found.loc[name, "of"], 0),
            percent(found.loc[name, "beat"], 0),
        )
        for name in found.index
    ]
    if held:
        won = sum(family.won for family in by_family(result, held))
        rows.append(("Holdings", f"{won:,} of {len(held):,}", percent(won / len(held), 0), NOT_AVAILABLE))
    return table(("", "Gained", "Share", "Above the benchmark"), rows, caption="How often it gained")


def reproduction(result: Result) -> Safe:
    """Return how somebody else gets the same numbers."""
    manifest = result.manifest
    versions = manifest.get("versions", {})
    rows = [
        ("Command", tag("td", tag("code", f"etflow runs reproduce {result.name}"), class_="text")),
        (
            "Data",
            f"{manifest['data'].get('name', 'unnamed')}, fingerprint {manifest['data'].get('fingerprint')}",
        ),
    ]
    if versions:
        rows.append(("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    note = tag(
        "p",
        "It runs the manifest of the results folder again, on the same data, and compares every file. The "
        "numbers of this page are in that folder as CSV and JSON.",
        class_="note",
    )
    return join(table(("", ""), rows, text_columns=2, class_="wrap"), note)
