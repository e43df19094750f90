"""`data check`: what raw market data get wrong, found before a backtest believes it.

Each check is a small pure function over the tables; the table `CHECKS` lists them all. A finding of severity
"error" stops a run (exit code 3) unless the user allows its check by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from data.checks import (
    announced,
    beside_funds,
    complete,
    grids,
    index,
    jumps,
    kept,
    margin,
    nav,
    net_assets,
    prices,
    ranges,
    rates,
    recorded_actions,
    scales,
    sessions,
    stale,
    successors,
    tape,
    units,
)
from data.checks.finding import SEVERITIES, Check, Finding
from data.checks.parts import Parts
from data.checks.reading import OF_INDEX
from data.errors import check_choice
from data.source import Readable

__all__ = ["CHECKS", "OF_INDEX", "Check", "Finding", "blocking", "examine", "run_checks"]

_ALL: Sequence[Check] = (
    Check(
        "unrecorded-split", "a split, merge or large dividend that is not recorded", jumps.unrecorded_split
    ),
    Check("split-ratio", "a recorded split that prices or units contradict", recorded_actions.split_ratio),
    Check(
        "announced-split", "a split on file that is missing, or recorded otherwise", announced.announced_split
    ),
    Check("dividend-cash", "a recorded dividend that prices contradict", recorded_actions.dividend_cash),
    Check("merge-terms", "a recorded merge that prices contradict", across=successors.merge_terms),
    Check("announced-rename", "a symbol that a fund has given up", successors.announced_rename),
    Check("another-index", "history of a fund from before its index", successors.another_index),
    Check("unit-jump", "units that double or halve without a split", jumps.unit_jump),
    Check("lots-for-shares", "volume in lots, in a whole series or a part of it", scales.lots_for_shares),
    Check("amount-scale", "amount in thousands, 10^4 or 10^8", scales.amount_scale),
    Check("adjusted-prices", "prices adjusted by the vendor", prices.adjusted_prices),
    Check("no-cents", "American closes that are no whole cents", grids.no_cents),
    Check(
        "split-adjusted",
        "prices adjusted for a split that is not recorded",
        grids.split_adjusted,
        grids.said_split_adjusted,
    ),
    Check("price-grid", "Chinese prices in whole cents, American ones in whole dollars", grids.price_grid),
    Check("partial-tape", "American bars of one venue only", tape.thin_volume, tape.single_prints),
    Check("vwap-outside-bar", "a VWAP outside the low and high of its bar", prices.vwap_outside_bar),
    Check("price-spike", "an impossible close that the next open takes back", prices.price_spike),
    Check("beyond-limit", "prices beyond the price limit", prices.beyond_limit),
    Check("wild-range", "an open, high or low far from the closes around it", ranges.wild_range),
    Check("swapped-prices", "open and close in each other's column", ranges.swapped_prices),
    Check("copied-prices", "opens that are the close before, or bars of one price", ranges.copied_prices),
    Check("reference-price", "a reference price that nothing explains: dividends", prices.reference_price),
    Check("volume-consistency", "a range without volume, or volume alone", prices.volume_consistency),
    Check("nav-premium", "closes that are far from NAV", nav.nav_premium),
    Check("nav-shifted", "NAV that is dated a session or two late or early", nav.nav_shifted),
    Check("premium-sign", "premiums that are discounts, or in percent", nav.premium_sign),
    Check("implausible-value", "numbers beyond what is usual of their column", scales.implausible_value),
    Check("phantom-session", "rows on days without a session", sessions.phantom_session),
    Check("beyond-calendar", "rows after the last session that is known", sessions.beyond_calendar),
    Check("not-daily", "bars, NAV or index levels that are weekly or monthly", sessions.not_daily),
    Check("missing-session", "sessions without a row", sessions.missing_session),
    Check("ends-early", "tables, or exchanges in them, that end before the bars", across=complete.ends_early),
    Check("outside-listing", "bars before listing or after delisting", sessions.outside_listing),
    Check("frozen-series", "values that repeat for too long", stale.frozen_series),
    Check("lost-members", "lists of funds that lose members silently", across=stale.lost_members),
    Check("date-as-number", "a date read as a number of units", units.date_as_number),
    Check(
        "implausible-units",
        "too few or too many units for a fund",
        units.implausible_units,
        units.creation_steps,
    ),
    Check("units-scale", "units that change their unit of measure", units.units_scale),
    Check("net-assets", "units times NAV that are not the published net assets", net_assets.net_assets),
    Check("units-gap", "sessions without a unit count, whose flows are merged", units.units_gap),
    Check("margin-scale", "balances that change their unit of measure", margin.margin_scale),
    Check("margin-identity", "balances that do not follow from purchases", margin.margin_identity),
    Check("margin-gap", "sessions without a margin balance", margin.margin_gap),
    Check("exchange-rate", "exchange rates of another pair, for 100, or that jump", rates.exchange_rate),
    Check("index-before-launch", "index levels computed before the launch", index.index_before_launch),
    Check("index-jump", "index levels that move more than 20%", index.index_jump),
    Check(
        "index-shift",
        "index levels that shift against the funds that track them",
        across=beside_funds.index_shift,
    ),
    Check("weights-sum", "index weights that do not sum to one", index.weights_sum),
    Check("lost-constituents", "lists of constituents that shrink", index.lost_constituents),
)
CHECKS: dict[str, Check] = {each.name: each for each in _ALL}


def run_checks(
    source: Readable,
    symbols: Sequence[str] | None = None,
    start: date | None = None,
    end: date | None = None,
    *,
    again: bool = True,
) -> tuple[Finding, ...]:
    """Check the tables of a data source and return what was found, errors first.

    Parameters
    ----------
    source : data source
        Anything with ``read(table, symbols) -> DataFrame``, such as a store or the demo.
    symbols : sequence of str, optional
        Leave out other funds; index levels, weights and the market's margin are always checked.
    start, end : date, optional
        Leave out findings that lie wholly before or after. Pass the first day that is read, warm-up
        included, as ``start``.
    again : bool
        False: take the answer that the same tables had before, if it is kept (``data.checks.kept``).
    """
    place = kept.place_of(source, symbols)
    found = None if again or place is None else kept.load(place)
    if found is None:
        found = examine(source, symbols)
        if place is not None:
            kept.save(place, found)
    return tuple(
        finding
        for finding in found
        if (start is None or finding.last >= start) and (end is None or finding.first <= end)
    )


def examine(source: Readable, symbols: Sequence[str] | None = None) -> tuple[Finding, ...]:
    """Run all checks; findings by severity, then in the order of `CHECKS`, then by symbol and day."""
    parts = Parts(source, symbols)
    found = [finding for part in parts for check in CHECKS.values() for finding in check.find(part)]
    outline = parts.outline(found)
    found += [finding for check in CHECKS.values() for finding in check.across(outline)]
    order = list(CHECKS)
    return tuple(
        sorted(
            found,
            key=lambda each: (
                SEVERITIES.index(each.severity),
                order.index(each.check),
                each.table,
                each.symbol,
                each.first,
            ),
        )
    )


def blocking(findings: Iterable[Finding], allowed: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Return the errors that stop a run: those of checks not ``allowed`` by name; "all" allows everything.

    A name that is no check raises UsageError with close matches.
    """
    names = set(allowed)
    for name in sorted(names):
        check_choice("check", name, [*CHECKS, "all"])
    if "all" in names:
        return ()
    return tuple(each for each in findings if each.severity == "error" and each.check not in names)


def allowing(stopping: Iterable[Finding], allowed: Iterable[str] = ()) -> str:
    """Return the options with which a command goes on over ``stopping``, and what was ``allowed`` already."""
    return " ".join(f"--allow {name}" for name in sorted({*allowed, *(each.check for each in stopping)}))
