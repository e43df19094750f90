"""pyfolio's figures, drawn panel by panel on our canvas.

Each panel of its returns, position, transaction, round-trip and interesting-times sheets that applies becomes
a picture; what is left out is named, with the reason. What pyfolio gets wrong is put right in
``engine.report.pyfolio_inputs``; besides, months outside of the run are blank here (there: zero), and the
interesting period "Covid" lasts three months (there: until today). Where its definitions merely differ from
ours, the caption says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from engine.metrics import monthly_returns
from engine.report import canvas
from engine.report import pyfolio_panels as panels
from engine.report.canvas import Picture
from engine.report.pyfolio_door import pyfolio
from engine.report.pyfolio_inputs import FEWEST_ROUND_TRIPS, Inputs, corrected
from engine.report.pyfolio_panels import Panels
from engine.report.pyfolio_shorter import HALF_YEAR
from engine.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EPISODES = {
    "Covid, 2020": ("2020-02-11", "2020-04-30"),
    "A-share sell-off, spring 2022": ("2022-03-01", "2022-04-29"),
    "Small-cap rout, early 2024": ("2024-01-02", "2024-02-08"),
    "Policy rally, autumn 2024": ("2024-09-24", "2024-10-31"),
    "DeepSeek, early 2025": ("2025-01-24", "2025-02-28"),
    "Tariff shock, April 2025": ("2025-04-02", "2025-04-30"),
}
"""Interesting times after pyfolio's list ends (in 2018; its "Covid" has no end): first and last day."""


def pyfolio_pictures(result: Result, inputs: Inputs) -> tuple[list[Picture], list[str]]:
    """Return the panels of pyfolio that apply, and a sentence about each that does not."""
    left_out = [
        "Transaction times: daily bars have no time of day.",
        "Long and short holdings: the run is long only; total holdings show the same.",
    ]
    sheet = Panels(result.sessions_per_year)
    if not inputs.drawable:
        return [], ["There is nothing to draw: it takes two sessions and a purchase."]
    with corrected(result.sessions_per_year):
        _returns_sheet(sheet, result, inputs, left_out)
        _position_sheet(sheet, inputs)
        _transaction_sheet(sheet, inputs)
        _round_trip_sheet(sheet, inputs, left_out)
        _interesting_times_sheet(sheet, result, inputs, left_out)
    return sheet.pictures, left_out


def _returns_sheet(sheet: Panels, result: Result, inputs: Inputs, left_out: list[str]) -> None:
    plotting = pyfolio().plotting

    returns, benchmark = inputs.returns, inputs.benchmark
    sheet.add(
        "Cumulative returns",
        "Growth of one unit of money.",
        lambda axes: plotting.plot_rolling_returns(returns, factor_returns=benchmark, ax=axes),
    )
    sheet.add(
        "Cumulative returns, logarithmic",
        "Equal distances are equal growth.",
        lambda axes: panels.plain_log(
            plotting.plot_rolling_returns(returns, factor_returns=benchmark, logy=True, ax=axes)
        ),
    )
    if benchmark is None:
        left_out.append("Volatility-matched returns and rolling beta: there is no benchmark.")
    elif returns.std() > 0.0:
        sheet.add(
            "Cumulative returns, volatility matched",
            "Returns scaled to the standard deviation of the benchmark.",
            lambda axes: plotting.plot_rolling_returns(
                returns, factor_returns=benchmark, volatility_match=True, ax=axes
            ),
        )
    sheet.add(
        "Returns by session",
        "Not compounded.",
        lambda axes: plotting.plot_returns(returns, ax=axes),
        percent=True,
    )
    _rolling(sheet, inputs, left_out)
    sheet.add(
        "Top 5 drawdown periods",
        "From the initial capital (pyfolio: from the first session's close).",
        lambda axes: plotting.plot_drawdown_periods(inputs.anchored, top=5, ax=axes),
    )
    sheet.add(
        "Underwater",
        "Fall from the highest level so far, the initial capital included.",
        lambda axes: plotting.plot_drawdown_underwater(inputs.anchored, ax=axes),
    )
    outside = monthly_returns(result).dropna(axis="columns", how="all").isna().to_numpy()
    sheet.add(
        "Returns by month, %",
        "Compounded; the first and the last month are as long as the run is in them.",
        lambda axes: panels.readable(
            plotting.plot_monthly_returns_heatmap(returns, ax=axes, mask=outside, fmt=".1f")
        ),
        dated=False,
    )
    sheet.add(
        "Returns by year",
        "The dashed line is the mean of the bars, incomplete years included.",
        lambda axes: panels.exact_ticks(plotting.plot_annual_returns(returns, ax=axes)),
        dated=False,
    )
    sheet.add(
        "Distribution of monthly returns",
        "The dashed line is the mean.",
        lambda axes: _monthly_distribution(axes, returns),
        dated=False,
    )
    sheet.add(
        "Quantiles of returns",
        "Boxes: quartiles; whiskers: 1.5 times their range.",
        lambda axes: plotting.plot_return_quantiles(returns, ax=axes),
        dated=False,
        percent=True,
    )


def _monthly_distribution(axes: Axes, returns: pd.Series) -> None:
    panels.exact_ticks(pyfolio().plotting.plot_monthly_returns_dist(returns, ax=axes))
    canvas.whole_numbers(axes)


def _rolling(sheet: Panels, inputs: Inputs, left_out: list[str]) -> None:
    plotting = pyfolio().plotting

    returns, benchmark = inputs.returns, inputs.benchmark
    if len(returns) <= HALF_YEAR:
        left_out.append(f"Rolling statistics: they need more than {HALF_YEAR} sessions.")
        return
    annual = f"Over {HALF_YEAR} sessions; annualised on {sheet.sessions_per_year:g} sessions (pyfolio: 252)."
    if benchmark is not None:
        sheet.add(
            f"Rolling beta to {benchmark.name}",
            f"Over {HALF_YEAR} and {2 * HALF_YEAR} sessions.",
            lambda axes: plotting.plot_rolling_beta(returns, benchmark, ax=axes),
        )
    sheet.add(
        "Rolling volatility, 6 months",
        annual,
        lambda axes: plotting.plot_rolling_volatility(
            returns, None if benchmark is None else benchmark.dropna(), ax=axes
        ),
        percent=True,
    )
    sheet.add(
        "Rolling Sharpe ratio, 6 months", annual, lambda axes: plotting.plot_rolling_sharpe(returns, ax=axes)
    )


def _position_sheet(sheet: Panels, inputs: Inputs) -> None:
    plotting, pos = pyfolio().plotting, pyfolio().pos

    returns, positions = inputs.returns, inputs.positions
    shares = pos.get_percent_alloc(positions)
    held = shares.loc[:, (shares != 0.0).any() | (shares.columns == "cash")]
    sheet.add(
        "Exposure",
        "Money in funds over equity, at the close.",
        lambda axes: plotting.plot_exposures(returns, positions, ax=axes),
        percent=True,
    )
    sheet.add(
        "Gross leverage",
        "The same as exposure, and never above one: the run is long only and does not borrow.",
        lambda axes: plotting.plot_gross_leverage(returns, positions, ax=axes),
        percent=True,
    )
    sheet.add(
        "Ten largest holdings",
        "Share of equity; of the funds held the ten with the highest share on any day.",
        lambda axes: panels.legend_below(
            plotting.show_and_plot_top_positions(returns, held, show_and_plot=0, legend_loc="best", ax=axes)
        ),
        percent=True,
        wide=True,
    )
    sheet.add(
        "Largest and median position",
        "Share of equity of the largest and of the median fund held.",
        lambda axes: panels.relabelled(plotting.plot_max_median_position_concentration(positions, ax=axes)),
        percent=True,
    )
    sheet.add(
        "Total holdings",
        "Number of funds held.",
        lambda axes: plotting.plot_holdings(returns, shares, ax=axes),
    )


def _transaction_sheet(sheet: Panels, inputs: Inputs) -> None:
    plotting, txn = pyfolio().plotting, pyfolio().txn

    returns, positions, transactions = inputs.returns, inputs.positions, inputs.transactions
    turnover = txn.get_turnover(positions, transactions)
    sheet.add(
        "Daily turnover",
        "pyfolio's definition: purchases plus sales over the mean book of two days. Two-sided, so that a "
        "full rotation is 200%, and so is the first purchase; ours is one way.",
        lambda axes: plotting.plot_turnover(returns, transactions, positions, ax=axes),
        percent=True,
    )
    sheet.add(
        "Distribution of daily turnover",
        "Of the sessions with a trade; the same definition.",
        panels.histogram(turnover[turnover > 0.0].to_numpy(), "Sessions", percent=True),
        dated=False,
    )
    sheet.add(
        "Daily trading volume",
        "Shares, restated for splits.",
        lambda axes: panels.engineering(plotting.plot_daily_volume(returns, transactions, ax=axes)),
    )


def _round_trip_sheet(sheet: Panels, inputs: Inputs, left_out: list[str]) -> None:
    plotting = pyfolio().plotting

    trades = inputs.trades
    if len(trades) < FEWEST_ROUND_TRIPS:
        left_out.append(f"Round trips: fewer than {FEWEST_ROUND_TRIPS}.")
        return
    sheet.add(
        "Round trips: lifetimes",
        "From purchase to sale, first in, first out; what is still held ends with the run.",
        lambda axes: _lifetimes(axes, trades),
        wide=True,
    )
    if 0 < (trades["pnl"] > 0.0).sum() < len(trades):
        sheet.add(
            "Probability of a profitable round trip",
            "Belief after the run, a beta distribution; the grey lines enclose 95%.",
            lambda axes: plotting.plot_prob_profit_trade(trades.copy(), ax=axes),
            dated=False,
        )
    for title, caption, numbers in (
        ("Round trips: days held", "Calendar days.", trades["duration"].dt.days),
        ("Round trips: profit", "Money, after slippage, before commission and fees.", trades["pnl"]),
    ):
        sheet.add(title, caption, panels.histogram(numbers.to_numpy(), "Round trips"), dated=False)
    sheet.add(
        "Round trips: return",
        "Of equity before the sale.",
        panels.histogram(trades["returns"].dropna().to_numpy(), "Round trips", percent=True),
        dated=False,
    )


def _lifetimes(axes: Axes, trades: pd.DataFrame) -> None:
    symbols = sorted(trades["symbol"].unique(), reverse=True)
    place = trades["symbol"].map(symbols.index)
    axes.hlines(place, trades["open_dt"], trades["close_dt"], color=canvas.RUN, linewidth=6, alpha=0.75)
    axes.set_yticks(range(len(symbols)), symbols, fontsize="small")
    axes.grid(visible=False, axis="y")


def _interesting_times_sheet(sheet: Panels, result: Result, inputs: Inputs, left_out: list[str]) -> None:
    periods = {} if result.synthetic else interesting_times(inputs)
    if not periods:
        reason = "the market is made up" if result.synthetic else "the run covers none of them"
        left_out.append(f"Interesting times: {reason}.")
    for title, table in periods.items():
        sheet.add(title, "Cumulative return.", _episode(table))


def _episode(table: pd.DataFrame) -> Callable[[Axes], object]:
    def draw(axes: Axes) -> None:
        growth = (1.0 + table.fillna(0.0)).cumprod() - 1.0
        for name, colour in (("run", canvas.RUN), ("benchmark", canvas.BENCHMARK)):
            if name in growth:
                axes.plot(
                    growth.index, growth[name], color=colour, label=f"{name}  {growth[name].iloc[-1]:+.1%}"
                )
        axes.legend()
        canvas.percent_axis(axes)

    return draw


def interesting_times(inputs: Inputs) -> dict[str, pd.DataFrame]:
    """Return returns in each period that the run covers from its first to its last day, by its name.

    The periods are pyfolio's, without the one that has no end, and ``EPISODES``.
    """
    timeseries = pyfolio().timeseries

    bounds = {name: period for name, period in timeseries.PERIODS.items() if name != "Covid"}
    for name, period in EPISODES.items():
        bounds[name] = tuple(pd.Timestamp(day, tz="UTC") for day in period)
    table = pd.DataFrame({"run": inputs.returns})
    if inputs.benchmark is not None:
        table["benchmark"] = inputs.benchmark
    first, last = table.index[0], table.index[-1]
    return {
        name: table.loc[start:end]
        for name, (start, end) in bounds.items()
        if first <= start and end <= last and len(table.loc[start:end]) > 2
    }
