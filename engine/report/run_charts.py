"""The charts of a run: equity, drawdown, flow and holdings on one axis; each fund; turnover, costs."""

from __future__ import annotations

import numpy as np

from engine.report.charts import SERIES, Chart, Kind, Panel, Series
from engine.report.entry_charts import entry_charts
from engine.result import Floats, Result
from engine.results import curves
from engine.results.trades import Holding

FAINT = 1e-9
MOST_FUNDS = 40  # rows of a ribbon, and funds with a chart of their own
COLOURS = {"slippage": "equal", "commission": "run", "fee": "fall"}


def name_of(result: Result, symbol: str) -> str:
    """Return the name of a fund, empty where it has none."""
    return "" if result.context is None else result.context.names.get(symbol, "")


def called(result: Result, symbol: str) -> str:
    """Return the code of a fund with its name behind it."""
    return f"{symbol} {name_of(result, symbol)}".strip()


def run_charts(result: Result, held: list[Holding]) -> list[Chart]:
    """Return the charts that apply to a result; the page decides where each goes."""
    if len(result.days) < 2:
        return []
    charts = [_equity(result, held)]
    if held:
        charts += entry_charts(result, held)
    if len(result.fills):
        charts += [_turnover(result), _costs(result)]
    if held and (exposed := curves.exposure(result)):
        charts.append(_exposure(result, exposed))
    if len(result.rejections):
        charts.append(_rejections(result))
    return charts


def _equity(result: Result, held: list[Holding]) -> Chart:
    panels = [_growth(result), _drawdown(result)]
    said = [
        "Growth after all costs, from the initial capital; equal weight is the mean of the funds that "
        "traded, at no cost."
    ]
    if result.phase_band is not None:
        said.append(
            "The band lies between the lowest and the highest of the same strategy on all phases of its "
            "cycle, which differ in nothing but the day on which it rebalances."
        )
    if result.luck_band is not None:
        said.append(
            "The grey band holds the middle 90% of random rotations: funds drawn by lot, bought and sold "
            "when the run bought and sold, with its weights and its costs."
        )
        if result.context and (beaten := result.context.luck_beaten) is not None:
            said.append(f"{beaten:.1%} of them ended below the run.")
    said.append("Drawdown is the fall from the highest level so far.")
    flow = curves.chosen_flow(result)
    if np.isfinite(flow).any():
        rows = np.searchsorted(result.days, result.decision_days)
        panels.append(
            Panel(
                "Flow of what was chosen, 20 sessions, of AUM",
                (Series("flow", "bars", "rise", flow, rows),),
                height=70,
            )
        )
        said.append(
            "Flow is net money known to have entered the funds over the 20 sessions before each decision, "
            "relative to their assets, weighted by the targets."
        )
    if held:
        panels.append(_ribbon(result))
        said.append(
            "Each row of the weights is a fund that was held: the stronger, the larger its share of equity."
        )
    return Chart(
        "equity",
        "Equity, drawdown, flow and holdings",
        " ".join(said),
        result.days,
        tuple(panels),
        wide=True,
        zoom=True,
    )


def _growth(result: Result) -> Panel:
    benchmark = f"benchmark {result.manifest.get('benchmark') or ''}".strip()
    lines = [
        (str(result.manifest["strategy"]), result.returns, "run"),
        (benchmark, result.benchmark_return, "benchmark"),
        ("equal weight, no cost", result.equal_weight_return, "equal"),
    ]
    if np.array_equal(result.benchmark_return, result.equal_weight_return, equal_nan=True):
        del lines[1]
    series = []
    for label, returns, colour in lines:
        if not np.isnan(returns).all():
            curve = curves.growth(returns)
            series.append(Series(f"{label}  {curve[-1] - 1:+.1%}", "line", colour, curve))
    if result.phase_band is not None:
        low, high = result.phase_band / result.initial_cash
        name = f"all phases of its cycle  {low[-1] - 1:+.1%} to {high[-1] - 1:+.1%}"
        series.insert(0, Series(name, "band", "run", high, low=low))
    if result.luck_band is not None:
        low, high = result.luck_band / result.initial_cash
        name = f"random rotations, 90%  {low[-1] - 1:+.1%} to {high[-1] - 1:+.1%}"
        series.insert(0, Series(name, "band", "benchmark", high, low=low))
    return Panel("Growth of one unit of money", tuple(series), scale="number", height=230, log=True)


def _drawdown(result: Result) -> Panel:
    series = [Series(str(result.manifest["strategy"]), "area", "run", curves.drawdown(result.returns))]
    if not np.isnan(result.benchmark_return).all():
        series.append(Series("benchmark", "line", "benchmark", curves.drawdown(result.benchmark_return)))
    return Panel("Drawdown", tuple(series), height=80)


def _ribbon(result: Result) -> Panel:
    weights = result.held_weights
    columns = np.flatnonzero((weights > FAINT).any(axis=0))
    title = "Weights at the close"
    if len(columns) > MOST_FUNDS:
        title += f", the {MOST_FUNDS} of {len(columns)} funds with the largest"
        total = weights[:, columns].sum(axis=0)
        columns = np.sort(columns[np.argsort(-total, kind="stable")[:MOST_FUNDS]])
    shown = np.where(weights > FAINT, weights, np.nan)[:, columns]
    labels = tuple(called(result, result.symbols[column]) for column in columns)
    return Panel(title, (Series("weight", "ribbon", "run", shown, labels=labels),))


def fund_charts(result: Result, held: list[Holding]) -> list[Chart]:
    """Return a chart of each fund that was traded: price with what was done and what befell it, flow below.

    Those that brought or cost most come first; no more than MOST_FUNDS.
    """
    if len(result.days) < 2:
        return []
    profit = dict.fromkeys(result.symbols, 0.0)
    for each in held:
        profit[each.symbol] += each.profit
    found = sorted(curves.fund_curves(result), key=lambda each: (-abs(profit[each.symbol]), each.symbol))
    return [_fund(result, each) for each in found[:MOST_FUNDS]]


def _fund(result: Result, fund: curves.FundCurve) -> Chart:
    def marks(name: str, kind: Kind, colour: str, trades: tuple[tuple[int, float], ...]) -> list[Series]:
        rows = np.array([row for row, _ in trades], dtype=np.intp)
        prices = np.array([price for _, price in trades], dtype=np.float64)
        return [Series(name, kind, colour, prices, rows)] if trades else []

    series: list[Series] = []
    if fund.halts:
        first = np.array([row for row, _ in fund.halts], dtype=np.intp)
        last = np.array([row for _, row in fund.halts], dtype=np.float64)
        series.append(Series("halted", "shade", "benchmark", np.zeros(len(first)), first, low=last))
    series.append(Series("close", "line", "run", fund.price))
    if fund.splits:
        rows = np.array([row for row, _ in fund.splits], dtype=np.intp)
        labels = tuple(f"split 1:{ratio:g}" for _, ratio in fund.splits)
        series.append(Series("split", "flags", "equal", np.zeros(len(rows)), rows, labels=labels))
    if fund.merges:
        rows = np.array([row for row, _ in fund.merges], dtype=np.intp)
        labels = tuple(said for _, said in fund.merges)
        series.append(Series("merged", "flags", "fall", np.zeros(len(rows)), rows, labels=labels))
    if fund.renames:
        rows = np.array([row for row, _ in fund.renames], dtype=np.intp)
        labels = tuple(f"until here {former}" for _, former in fund.renames)
        series.append(Series("renamed", "flags", "benchmark", np.zeros(len(rows)), rows, labels=labels))
    series += marks("bought", "up", "rise", fund.bought) + marks("sold", "down", "fall", fund.sold)
    series += marks("sold by a stop", "down", "equal", fund.stopped)
    panels = [Panel(f"{called(result, fund.symbol)}, price in today's shares", tuple(series), "number", 170)]
    rows = np.flatnonzero(np.isfinite(fund.flow))
    if len(rows):
        flow = Series("flow", "bars", "rise", fund.flow[rows], rows)
        panels.append(Panel("Net flow of 20 sessions, of AUM, at decisions", (flow,), height=60))
    return Chart(
        f"fund-{fund.symbol}",
        called(result, fund.symbol),
        "",
        result.days,
        tuple(panels),
        wide=True,
        zoom=True,
    )


def _exposure(result: Result, exposed: dict[str, Floats]) -> Chart:
    names = list(exposed)
    shown = names if len(names) <= SERIES else names[: SERIES - 1]
    rest = sum((exposed[name] for name in names[len(shown) :]), np.zeros(len(result.days)))
    curves_of = {name: exposed[name] for name in shown}
    if rest.any():
        curves_of["all others"] = rest
    series = tuple(
        Series(f"{name}  {curve.mean():.0%} on average", "area", f"s{number}", curve, stack=True)
        for number, (name, curve) in enumerate(curves_of.items(), start=1)
    )
    by_theme = bool(result.context and result.context.themes)
    said = (
        "Funds whose index has dated weights count by the themes of its constituents, as they could be known "
        "on the day; the others count whole, as their index family."
        if by_theme
        else "Each fund counts whole, as its index family: the data have no dated weights of constituents."
    )
    title = "Exposure to themes" if by_theme else "Exposure to index families"
    # One curve has no legend, which would name it.
    head = f"Exposure to {names[0]}" if len(series) == 1 else title
    return Chart(
        "exposure",
        title,
        f"{said} What is missing to 100% is cash.",
        result.days,
        (Panel(f"{head}, of equity at the close", series, height=190),),
        wide=True,
        zoom=True,
    )


def _turnover(result: Result) -> Chart:
    months = curves.Months.of(result)
    bars = Series("turnover", "bars", "run", curves.turnover_by_month(result, months))
    return Chart(
        "turnover",
        "Turnover by month",
        "Half of all purchases and sales over the month's mean equity: replacing everything once is 100%.",
        months.names,
        (Panel("Turnover by month, one way", (bars,), height=190),),
    )


def _costs(result: Result) -> Chart:
    paid = curves.costs_so_far(result)
    series = tuple(
        Series(f"{kind}  {curve[-1] * result.initial_cash:,.0f}", "area", COLOURS[kind], curve, stack=True)
        for kind, curve in paid.items()
    )
    return Chart(
        "costs",
        "Costs over time",
        "Added up over the run; the legend gives the totals in money.",
        result.days,
        (Panel("Costs so far, of the initial capital", series, height=190),),
    )


def _rejections(result: Result) -> Chart:
    months = curves.Months.of(result)
    series = tuple(
        Series(reason, "bars", f"s{index % SERIES + 1}", counts, stack=True)
        for index, (reason, counts) in enumerate(curves.rejections_by_month(result, months).items())
    )
    return Chart(
        "rejections",
        "Rejections over time",
        "Whole orders and parts of orders, by reason.",
        months.names,
        (Panel("Orders that did not trade, by month", series, "count", 150),),
        wide=True,
    )
