"""Every metric, declared once; whatever lists metrics, names them or documents them loops over this table.

``metrics.json``, the tables of the terminal, the tear sheet and the comparison, what a search may look for,
the pages of studies and ``docs/metrics.md`` follow from it, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.metrics import benchmark, returns, trading
from engine.metrics.metric import Group, Metric, Unit
from engine.result import Result

_DECLARED = (
    Metric(
        returns.cum_returns_final,
        returns.absent,
        label="Total return",
        unit="percent",
        better="larger",
        group="alternatives",
        of="returns",
        formula="Π(1 + *r*) − 1",
        compiled=True,
    ),
    Metric(
        returns.annual_return,
        returns.absent,
        label="Annual return (by sessions)",
        short="Annual return",
        unit="percent a year",
        better="larger",
        group="alternatives",
        of="returns",
        what="compound",
        formula="(1 + total)^(*f*/*n*) − 1",
        differs="*f* is 252 in pyfolio; empyrical counts sessions without a return in *n*",
        compiled=True,
    ),
    Metric(
        returns.calendar_annual_return,
        returns.absent,
        label="Annual return (by calendar)",
        unit="percent a year",
        better="larger",
        group="shape",
        of="days",
        what="compound",
        formula="(1 + total)^(365.25/days) − 1, first and last day included",
        differs="ours; the tear sheet shows it where it is more than 0.2 points off `annual_return`",
        repeats="annual_return",
    ),
    Metric(
        returns.annual_volatility,
        returns.short,
        label="Volatility",
        unit="percent a year",
        better="smaller",
        group="alternatives",
        of="returns",
        formula="std(*r*), *n* − 1 in the denominator, × √*f*",
        differs="*f*",
        compiled=True,
    ),
    Metric(
        returns.sharpe_ratio,
        returns.flat,
        label="Sharpe ratio",
        unit="ratio",
        better="larger",
        group="alternatives",
        of="returns",
        formula="mean(*r*) / std(*r*) × √*f*",
        differs="*f*; constant returns are infinite in empyrical, undefined here, also where they vary by "
        "rounding alone (std under 10⁻¹²)",
        compiled=True,
    ),
    Metric(
        returns.sortino_ratio,
        returns.no_loss,
        label="Sortino ratio",
        unit="ratio",
        better="larger",
        group="shape",
        of="returns",
        formula="mean(*r*) × *f* / (√mean(min(*r*, 0)²) × √*f*); the mean is over all sessions",
        differs="*f*; without a loss (up to 10⁻¹⁴ is rounding) infinite in empyrical, undefined here",
        compiled=True,
    ),
    Metric(
        returns.calmar_ratio,
        returns.no_loss,
        label="Calmar ratio",
        unit="ratio",
        better="larger",
        group="shape",
        of="returns",
        what="whole run",
        formula=r"`annual_return` / \|`max_drawdown`\|",
        differs="*f*",
        compiled=True,
    ),
    Metric(
        returns.max_drawdown,
        returns.absent,
        label="Maximum drawdown",
        short="Max drawdown",
        unit="percent",
        better="larger",
        loss=True,
        group="alternatives",
        of="returns",
        what="deepest fall from a peak, zero or less",
        formula="min(*W* / max so far − 1), *W* from the initial capital on",
        differs="pyfolio's drawdown table and figures begin at the first session's close, ours at the "
        "capital",
        compiled=True,
    ),
    Metric(
        returns.average_drawdown,
        returns.never_fell,
        label="Average drawdown",
        unit="percent",
        better="larger",
        loss=True,
        group="shape",
        of="returns",
        what="zero or less",
        formula="mean of the depths of all falls, from a peak until it is reached again or the run ends",
        differs="in neither; `AverageDrawdown` of R's PerformanceAnalytics, with the sign of `max_drawdown`; "
        "undefined where equity never fell",
        compiled=True,
    ),
    Metric(
        returns.ulcer_index,
        returns.unknown,
        label="Ulcer index",
        unit="percent",
        better="smaller",
        group="shape",
        of="returns",
        what="depth and length of falls in one number",
        formula="√mean((*W* / max so far − 1)²) over all sessions",
        differs="in neither; Martin and McCann (1989), who have it in percent",
        compiled=True,
    ),
    Metric(
        returns.omega_ratio,
        returns.no_loss,
        label="Omega ratio",
        unit="ratio",
        better="larger",
        group="shape",
        of="returns",
        what="gains over losses",
        formula="Σ max(*r*, 0) / Σ max(−*r*, 0)",
        compiled=True,
    ),
    Metric(
        returns.tail_ratio,
        returns.no_tail,
        label="Tail ratio",
        unit="ratio",
        better="larger",
        group="shape",
        of="returns",
        what="right tail over left",
        formula=r"\|P95\| / \|P5\| of *r*",
        differs="P5 = 0 is infinite in empyrical, undefined here",
    ),
    Metric(
        returns.value_at_risk,
        returns.absent,
        label="Value at risk, 5% of sessions",
        unit="percent",
        better="larger",
        loss=True,
        group="shape",
        of="returns",
        what="a loss is negative",
        formula="5th percentile of *r*, interpolated",
        differs='pyfolio\'s "Daily value at risk" is another number: mean − 2 std',
    ),
    Metric(
        returns.conditional_value_at_risk,
        returns.absent,
        label="Mean of the worst 5% of sessions",
        unit="percent",
        better="larger",
        loss=True,
        group="shape",
        of="returns",
        formula="mean of the int((*n* − 1) × 0.05) + 1 lowest *r*",
    ),
    Metric(
        returns.stability_of_timeseries,
        returns.no_trend,
        label="Stability (R² of log equity)",
        unit="ratio",
        better="larger",
        group="shape",
        of="returns",
        what="0 to 1",
        formula="R² of a line through cumulated log(1 + *r*)",
        differs="undefined where returns do not vary",
    ),
    Metric(
        returns.skew,
        returns.flat,
        label="Skewness",
        unit="ratio",
        better="larger",
        group="shape",
        of="returns",
        formula="m₃ / m₂^1.5, population moments",
        differs="undefined where returns do not vary",
        compiled=True,
    ),
    Metric(
        returns.kurtosis,
        returns.flat,
        label="Excess kurtosis",
        unit="ratio",
        better="smaller",
        group="shape",
        of="returns",
        what="0 for a normal law",
        formula="m₄ / m₂² − 3, population moments",
        differs="undefined where returns do not vary",
        compiled=True,
    ),
    Metric(
        benchmark.alpha,
        benchmark.flat,
        label="Alpha",
        unit="percent a year",
        better="larger",
        group="benchmark",
        of="benchmark",
        what="return that beta does not explain",
        formula="(1 + mean(*r* − β*b*))^*f* − 1, compounded",
        differs="*f*; a regression's alpha is arithmetic (× *f*)",
        compiled=True,
    ),
    Metric(
        benchmark.beta,
        benchmark.flat,
        label="Beta",
        unit="ratio",
        better="neutral",
        group="benchmark",
        of="benchmark",
        what="slope on the benchmark",
        formula="cov(*r*, *b*) / var(*b*)",
        compiled=True,
    ),
    Metric(
        benchmark.information_ratio,
        benchmark.equal,
        label="Information ratio",
        unit="ratio",
        better="larger",
        group="benchmark",
        of="benchmark",
        what="excess return over its risk",
        formula="mean(*r* − *b*) / std(*r* − *b*) × √*f*",
        differs="annual; `empyrical.excess_sharpe` is by session",
        compiled=True,
    ),
    Metric(
        benchmark.up_capture,
        benchmark.never_up,
        label="Up capture",
        unit="ratio",
        better="larger",
        group="benchmark",
        of="benchmark",
        what="compound return while the benchmark rose, over its own",
        formula="annualised growth of *r* where *b* > 0, over that of *b*",
        differs="*f*. Compounding over few sessions exaggerates: do not read it under 60",
    ),
    Metric(
        benchmark.down_capture,
        benchmark.never_down,
        label="Down capture",
        unit="ratio",
        better="smaller",
        group="benchmark",
        of="benchmark",
        what="the same where it fell",
        formula="*b* < 0",
        differs="*f*",
    ),
    Metric(
        trading.exposure,
        trading.absent,
        label="Mean share of equity invested",
        unit="percent",
        better="neutral",
        group="trading",
        of="trades",
        formula="mean(Σ shares × close / equity)",
        differs="ours",
        compiled=True,
    ),
    Metric(
        trading.turnover,
        trading.absent,
        label="Turnover, one way",
        short="Turnover a year",
        unit="times a year",
        better="smaller",
        group="trading",
        of="trades",
        formula="½ Σ notional / mean(equity) × *f*/*n*",
        differs='ours; pyfolio\'s "Daily turnover" is two-sided, over the invested book, and 200% on the '
        "first purchase",
        compiled=True,
    ),
    Metric(
        trading.costs,
        trading.always,
        label="Costs",
        unit="money",
        better="smaller",
        group="trading",
        of="trades",
        what="commission, fees and slippage (impact included)",
        formula="Σ",
        differs="ours",
        compiled=True,
    ),
    Metric(
        trading.cost_share,
        trading.no_profit,
        label="Costs over profit before costs",
        unit="percent",
        better="smaller",
        group="trading",
        of="trades",
        formula="costs / (last equity − initial cash + costs)",
        differs="ours; undefined where nothing is left of the profit",
        compiled=True,
    ),
    Metric(
        trading.fills,
        trading.always,
        label="Fills",
        unit="count",
        better="neutral",
        group="counts",
        of="trades",
        what="orders that traded, whole or in part",
        formula="count",
        differs="ours",
        compiled=True,
    ),
    Metric(
        trading.rejections,
        trading.always,
        label="Rejections",
        unit="count",
        better="smaller",
        group="counts",
        of="trades",
        what="orders, or parts of them, that did not trade",
        formula="count",
        differs="ours",
        compiled=True,
    ),
)

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _DECLARED}
"""Name -> metric."""

OF_RUN: Mapping[str, Metric] = {name: each for name, each in METRICS.items() if each.group != "counts"}
"""What ``metrics.json`` has."""

OF_ALTERNATIVES = tuple(name for name, each in METRICS.items() if each.group == "alternatives")

ALTERNATIVES: Mapping[str, str] = {"benchmark_": "Benchmark", "equal_weight_": "Equal weight"}
"""Prefix of a metric of something that the run is held against -> what to call it."""


SEARCHABLE = tuple(name for name, each in METRICS.items() if each.searchable)
"""What a search may look for, or hold against a constraint."""

OF_PATH = tuple(name for name, each in METRICS.items() if each.of in ("returns", "benchmark"))
"""What any sessions have, also ones that were picked out of a history."""


def in_group(group: Group) -> list[Metric]:
    """Return the metrics of a group that say something of their own."""
    return [each for each in METRICS.values() if each.group == group and not each.repeats]


def alternatives_to(result: Result) -> Mapping[str, str]:
    """Return ALTERNATIVES as columns beside a run: equal weight once where the benchmark is no other."""
    first, *others = ALTERNATIVES.items()
    return dict(others if result.against_equal_weight else (first, *others))


def label_of(name: str) -> str:
    """Return what to call a metric, of an alternative's too; its name where only another version knows it."""
    for prefix, alternative in ALTERNATIVES.items():
        metric = name.removeprefix(prefix)
        if metric != name and metric in METRICS:
            return f"{METRICS[metric].label}, {alternative.lower()}"
    return METRICS[name].label if name in METRICS else name


def unit_of(name: str) -> Unit:
    """Return the unit of a metric, of an alternative's too; ratio where only another version knows it."""
    for prefix in ALTERNATIVES:
        name = name.removeprefix(prefix)
    return METRICS[name].unit if name in METRICS else "ratio"
