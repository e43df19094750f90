"""Our figures: the rotation and its flows, and equity against the naive alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.report import canvas
from engine.report.canvas import Picture
from engine.report.entry_figures import entry_pictures
from engine.result import Floats, Result
from engine.results.trades import Holding
from engine.statistics.paths import underwater

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

RGB = (0x2F / 255, 0x6F / 255, 0xD0 / 255)  # canvas.RUN
FAINT = 1e-9
MOST_COLOURS = 8  # more funds than this are a heat map, because nobody tells their colours apart


def growth(returns: Floats) -> Floats:
    """Return the growth of one unit of money, (D,); NaN before the first known return, flat across gaps."""
    known = ~np.isnan(returns)
    curve = np.cumprod(1.0 + np.where(known, returns, 0.0))
    return np.where(np.maximum.accumulate(known), curve, np.nan)


def drawdown(returns: Floats) -> Floats:
    """Return the fall from the highest growth so far, the initial capital included, (D,)."""
    return underwater(np.concatenate(([1.0], growth(returns))))[1:]


def our_pictures(result: Result, held: list[Holding]) -> list[Picture]:
    """Return the pictures that apply to a result, by name; the page decides where each goes."""
    if len(result.days) < 2:
        return []
    pictures = [_equity(result)]
    if held:
        pictures.append(_weights(result))
        pictures += entry_pictures(result, held)
    if len(result.fills):
        pictures += [_turnover(result), _costs(result)]
    if len(result.rejections):
        pictures.append(_rejections(result))
    return pictures


def _equity(result: Result) -> Picture:
    def draw(figure: Figure | SubFigure) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.6, 1.0))
        curves = [
            (str(result.manifest["strategy"]), result.returns, canvas.RUN, 1.6),
            (
                f"benchmark {result.manifest.get('benchmark') or ''}".strip(),
                result.benchmark_return,
                canvas.BENCHMARK,
                1.2,
            ),
            ("equal weight, no cost", result.equal_weight_return, canvas.EQUAL_WEIGHT, 1.2),
        ]
        if np.array_equal(result.benchmark_return, result.equal_weight_return, equal_nan=True):
            del curves[1]
        for label, returns, colour, width in reversed(curves):
            if np.isnan(returns).all():
                continue
            curve = growth(returns)
            above.plot(
                result.days, curve, color=colour, linewidth=width, label=f"{label}  {curve[-1] - 1:+.1%}"
            )
            if colour != canvas.EQUAL_WEIGHT:
                below.plot(result.days, drawdown(returns), color=colour, linewidth=0.9)
        below.fill_between(
            result.days, drawdown(result.returns), 0.0, color=canvas.RUN, alpha=0.2, linewidth=0
        )
        if result.phase_band is not None:
            low, high = result.phase_band / result.initial_cash
            above.fill_between(
                result.days,
                low,
                high,
                color=canvas.RUN,
                alpha=0.2,
                linewidth=0,
                label=f"all phases of its cycle  {low[-1] - 1:+.1%} to {high[-1] - 1:+.1%}",
            )
        above.axhline(1.0, color=canvas.BENCHMARK, linewidth=0.7, linestyle=":")
        above.legend(loc="best", reverse=True)
        above.set_title("Growth of one unit of money")
        below.set_title("Drawdown")
        canvas.percent_axis(below)
        canvas.date_axis(below)
        below.set_xlim(result.days[0], result.days[-1])

    return Picture(
        "equity",
        "Equity against benchmark and equal weight",
        "Growth after all costs, from the initial capital; equal weight is the mean of the funds that "
        "traded, at no cost. "
        + (
            ""
            if result.phase_band is None
            else "The band lies between the lowest and the highest of the same strategy on all phases of its "
            "cycle, which differ in nothing but the day on which it rebalances. "
        )
        + "Below: the fall from the highest level so far.",
        draw,
        wide=True,
        height=4.6,
    )


def _weights(result: Result) -> Picture:
    weights = result.held_weights
    columns = [int(column) for column in np.flatnonzero((weights > 0.0).any(axis=0))]
    cash = 1.0 - weights.sum(axis=1)
    few = len(columns) <= MOST_COLOURS

    def stacked(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        axes.stackplot(
            result.days,
            [*(weights[:, column] for column in columns), cash],
            labels=[*(result.symbols[column] for column in columns), "cash"],
            colors=[*canvas.SERIES[: len(columns)], canvas.CASH],
            linewidth=0,
            step="post",
        )
        axes.set_ylim(0.0, 1.0)
        axes.set_xlim(result.days[0], result.days[-1])
        canvas.percent_axis(axes)
        canvas.date_axis(axes)
        axes.set_title("Weights at the close")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=5)

    def heat_map(figure: Figure | SubFigure) -> None:
        from matplotlib.colors import LinearSegmentedColormap

        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(len(columns), 3))
        colours = LinearSegmentedColormap.from_list("weights", [(*RGB, 0.12), (*RGB, 1.0)])
        table = np.where(weights > FAINT, weights, np.nan)[:, columns].T
        image = above.imshow(table, aspect="auto", interpolation="nearest", cmap=colours, vmin=0.0)
        names = [result.symbols[column] for column in columns]
        above.set_yticks(range(len(names)), names, fontsize="small")
        above.grid(visible=False, axis="y")
        above.set_title("Weights at the close")
        bar = figure.colorbar(image, ax=above, pad=0.01, aspect=40)
        bar.outline.set_visible(False)
        canvas.percent_axis(bar.ax)
        below.fill_between(
            range(len(cash)), 1.0 - cash, color=canvas.RUN, alpha=0.35, linewidth=0, step="mid"
        )
        below.set_ylim(0.0, 1.0)
        below.set_title("Invested")
        canvas.percent_axis(below)
        rows, labels = _year_ticks(result.days)
        below.set_xticks(rows, labels, ha="left")

    return Picture(
        "weights",
        "Weights over time",
        "Share of equity in each fund at the close of each session; only funds that were ever held."
        + ("" if few else " Below: all of them together; the rest is cash."),
        stacked if few else heat_map,
        wide=True,
        height=3.6 if few else 2.2 + 0.17 * len(columns),
    )


def _year_ticks(days: NDArray[np.datetime64]) -> tuple[list[int], list[str]]:
    """Rows at which a year (or, in a short run, a month) starts, and their labels."""
    unit = "Y" if days[-1] - days[0] > np.timedelta64(700, "D") else "M"
    periods = days.astype(f"datetime64[{unit}]")
    rows = [0, *(int(row) + 1 for row in np.flatnonzero(periods[1:] != periods[:-1]))]
    step = -(-len(rows) // 12)
    return rows[::step], [str(periods[row]) for row in rows[::step]]


def _months(result: Result, days: NDArray[np.datetime64]) -> tuple[NDArray[np.datetime64], NDArray[np.intp]]:
    """All months of the run, and the place of each day among them."""
    months = np.unique(result.days.astype("datetime64[M]"))
    return months, np.searchsorted(months, days.astype("datetime64[M]"))


def _month_bars(axes: Axes, months: NDArray[np.datetime64], heights: list[tuple[str, str, Floats]]) -> None:
    """Stacked bars by month on a time axis; heights are (label, colour, one number a month)."""
    base = np.zeros(len(months))
    left = months.astype("datetime64[D]")
    width = (months + np.timedelta64(1, "M")).astype("datetime64[D]") - left
    for label, colour, height in heights:
        axes.bar(
            left,
            height,
            width=width * 0.86,
            bottom=base,
            align="edge",
            color=colour,
            label=label,
            linewidth=0,
        )
        base = base + height
    canvas.date_axis(axes)


def _turnover(result: Result) -> Picture:
    months, place = _months(result, result.fills["day"].to_numpy())
    traded = np.bincount(place, result.fills["notional"].to_numpy(np.float64), len(months))
    _, of_session = _months(result, result.days)
    equity = np.bincount(of_session, result.equity) / np.bincount(of_session)

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        _month_bars(axes, months, [("turnover", canvas.RUN, 0.5 * traded / equity)])
        canvas.percent_axis(axes)
        axes.set_title("Turnover by month, one way")

    return Picture(
        "turnover",
        "Turnover by month",
        "Half of all purchases and sales over the month's mean equity: replacing everything once is 100 %.",
        draw,
    )


def _costs(result: Result) -> Picture:
    rows = np.searchsorted(result.days, result.fills["day"].to_numpy().astype(result.days.dtype))
    kinds = (("slippage", canvas.EQUAL_WEIGHT), ("commission", canvas.RUN), ("fee", canvas.LOSS))
    paid = {
        kind: np.cumsum(np.bincount(rows, result.fills[kind].to_numpy(np.float64), len(result.days)))
        for kind, _ in kinds
    }
    shown = [(kind, colour) for kind, colour in kinds if paid[kind][-1] > 0.0]

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        axes.stackplot(
            result.days,
            [paid[kind] / result.initial_cash for kind, _ in shown],
            labels=[f"{kind}  {paid[kind][-1]:,.0f}" for kind, _ in shown],
            colors=[colour for _, colour in shown],
            linewidth=0,
            alpha=0.85,
        )
        axes.set_xlim(result.days[0], result.days[-1])
        axes.legend(loc="upper left", reverse=True)
        canvas.percent_axis(axes)
        canvas.date_axis(axes)
        axes.set_title("Costs so far, of the initial capital")

    return Picture(
        "costs", "Costs over time", "Added up over the run; the legend gives the totals in money.", draw
    )


def _rejections(result: Result) -> Picture:
    months, place = _months(result, result.rejections["day"].to_numpy())
    reasons = result.rejections["reason"].to_numpy().astype(str)
    names, counts = np.unique(reasons, return_counts=True)
    order = [str(name) for name in names[np.argsort(-counts, kind="stable")]]

    def draw(figure: Figure | SubFigure) -> None:
        axes = figure.subplots()
        bars = [
            (
                reason,
                canvas.SERIES[index % len(canvas.SERIES)],
                np.bincount(place[reasons == reason], minlength=len(months)).astype(float),
            )
            for index, reason in enumerate(order)
        ]
        _month_bars(axes, months, bars)
        axes.set_title("Orders that did not trade, by month")
        axes.set_ylabel("Orders")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=6)

    return Picture(
        "rejections",
        "Rejections over time",
        "Whole orders and parts of orders, by reason.",
        draw,
        wide=True,
        height=2.8,
    )
