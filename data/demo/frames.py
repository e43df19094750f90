"""The tables of the synthetic market, as a vendor would deliver them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from data.demo.margin import Margin, fund_margin, market_margin
from data.demo.plan import (
    CAPEX_FIRST_QUARTER,
    CAPEX_GROWTH,
    CAPEX_LAG_DAYS,
    CAPEX_SERIES,
    CAPEX_START,
    DIVIDENDS,
    FAMILIES,
    HALTS,
    LAST_DAY,
    LATE,
    LIQUIDATION_PAY_DAY,
    MISSING_UNITS,
    SPLITS,
    SYMBOLS,
    THEMES,
)
from data.demo.prices import Prices, build_prices
from data.demo.world import (
    INDICES,
    PLANS,
    STOCK_FAMILY,
    STOCK_THEME,
    Bools,
    Calendar,
    Days,
    Floats,
    Indices,
    base_returns,
    calendar_of,
    flow_effects,
    indices,
    normals,
    row_of,
    standardised_flows,
    stock_returns,
    unit_counts,
)
from data.store.tables import TABLES
from data.synthetic import SYNTHETIC

SOURCE = f"{SYNTHETIC} demo"
MARKET_CODE = "CN"

_INDEX_START = 1000.0
_INDEX_OPEN_SD, _INDEX_RANGE_SD = 0.0025, 0.0035
_LATE_HOUR = pd.Timedelta(hours=19)


def build_tables(seed: int, flow_effect: float, days: Days) -> dict[str, pd.DataFrame]:
    """Return all tables of the market that ``seed`` and ``flow_effect`` define, typed and sorted."""
    index = indices(seed, days, stock_returns(seed, days))
    calendar = calendar_of(days)
    base = base_returns(seed, index.returns)
    units = unit_counts(seed, calendar, base)
    effects = flow_effects(flow_effect, standardised_flows(units, calendar))
    prices = build_prices(seed, days, calendar, base + effects, units)
    margin = fund_margin(seed, days, base, units, prices)
    tables = {
        "bars": _bars(days, prices, _has_bar(days, calendar.listed)),
        "units": _units(days, units),
        "nav": _long(days, {"nav": prices.nav}, ~np.isnan(prices.nav)),
        "margin": _margin(days, margin, market_margin(seed, index.returns[:, -1])),
        "actions": _actions(days, prices),
        "index_bars": _index_bars(seed, days, index),
        "index_weights": _index_weights(days, index),
        "macro": _macro(seed),
        "funds": _funds(),
        "premium": _premium(days, prices, calendar),
    }
    made = {
        name: TABLES[name].validate(frame.assign(source=SOURCE), f"demo, {name}")
        for name, frame in tables.items()
    }
    return {name: table.empty() for name, table in TABLES.items()} | made


def _long(days: Days, fields: Mapping[str, Floats], present: Bools) -> pd.DataFrame:
    columns, rows = np.nonzero(present.T)
    values = {name: array[rows, columns] for name, array in fields.items()}
    return pd.DataFrame({"symbol": np.array(SYMBOLS)[columns], "day": days[rows], **values})


def _has_bar(days: Days, listed: Bools) -> Bools:
    present = listed.copy()
    for halt in HALTS:
        start = row_of(days, halt.first)
        present[start : start + halt.sessions, SYMBOLS.index(halt.symbol)] = halt.has_bar
    return present


def _bars(days: Days, prices: Prices, present: Bools) -> pd.DataFrame:
    fields = {name: getattr(prices, name) for name in ("open", "high", "low", "close", "volume", "amount")}
    return _long(days, {**fields, "pre_close": prices.reference}, present)


def _units(days: Days, units: Floats) -> pd.DataFrame:
    present = ~np.isnan(units)
    for symbol, day in MISSING_UNITS:
        present[row_of(days, day), SYMBOLS.index(symbol)] = False
    return _with_late_rows(_long(days, {"units": units}, present), "units", days)


def _premium(days: Days, prices: Prices, calendar: Calendar) -> pd.DataFrame:
    """Close over NAV less one to the basis point, where a fund traded; both on the basis before a split."""
    premium = np.rint((prices.close / (prices.nav * calendar.ratio) - 1.0) * 1e4) / 1e4
    return _long(days, {"premium": premium}, prices.volume > 0)


def _margin(days: Days, funds: Margin, market: Margin) -> pd.DataFrame:
    # SZSE publishes no repayments.
    at_sse = np.array([symbol.endswith(".SH") for symbol in SYMBOLS])
    fields = {
        "balance": funds.balance,
        "bought": funds.bought,
        "repaid": np.where(at_sse, funds.repaid, np.nan),
    }
    listed = ~np.isnan(funds.balance)
    whole = {"balance": market.balance, "bought": market.bought, "repaid": market.repaid}
    frame = pd.concat(
        [_long(days, fields, listed), pd.DataFrame({"symbol": MARKET_CODE, "day": days, **whole})],
        ignore_index=True,
    )
    return _with_late_rows(frame, "margin", days)


def _with_late_rows(frame: pd.DataFrame, table: str, days: Days) -> pd.DataFrame:
    """Say when the late rows became known; the others follow the availability table."""
    known_at = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
    for late in LATE:
        if late.table == table:
            row = (frame["symbol"] == late.symbol) & (frame["day"] == pd.Timestamp(late.day))
            published = days[row_of(days, late.day) + late.sessions]
            known_at[row] = pd.Timestamp(published) + _LATE_HOUR
    return frame.assign(known_at=known_at)


def _actions(days: Days, prices: Prices) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for split in SPLITS:
        ex_day = days[row_of(days, split.record_day) + 1].astype("O")
        rows.append({**_action(split.symbol, "split", split.record_day, ex_day), "ratio": split.ratio})
    for each in DIVIDENDS:
        action = _action(each.symbol, "dividend", each.record_day, each.ex_day)
        rows.append({**action, "cash": each.cash, "pay_day": each.pay_day})
    for column, fund in enumerate(PLANS):
        if fund.delisted is not None:
            last = row_of(days, fund.delisted) - 1
            action = _action(fund.symbol, "liquidation", days[last].astype("O"), fund.delisted)
            rows.append({**action, "cash": prices.nav[last, column], "pay_day": LIQUIDATION_PAY_DAY})
    frame = pd.DataFrame(rows)
    for name in ("ex_day", "record_day", "pay_day"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


def _action(symbol: str, kind: str, record_day: date, ex_day: date) -> dict[str, object]:
    return {"symbol": symbol, "kind": kind, "record_day": record_day, "ex_day": ex_day}


def _index_bars(seed: int, days: Days, index: Indices) -> pd.DataFrame:
    close = _INDEX_START * np.multiply.accumulate(1.0 + index.returns, axis=0)
    before = np.concatenate([np.full((1, len(INDICES)), _INDEX_START), close[:-1]])
    drawn = _INDEX_OPEN_SD * normals(seed, "index-opens", close.shape)
    opening = before * (1.0 + 0.3 * index.returns + drawn)
    above = before * _INDEX_RANGE_SD * np.abs(normals(seed, "index-highs", close.shape))
    below = before * _INDEX_RANGE_SD * np.abs(normals(seed, "index-lows", close.shape))
    fields = {
        "open": opening,
        "high": np.maximum(opening, close) + above,
        "low": np.minimum(opening, close) - below,
        "close": close,
    }
    cents = {name: (np.rint(array * 100.0) / 100.0).T.ravel() for name, array in fields.items()}
    codes = np.repeat(np.array(INDICES), len(days))
    return pd.DataFrame({"index": codes, "day": np.tile(days, len(INDICES)), **cents})


def _index_weights(days: Days, index: Indices) -> pd.DataFrame:
    """Weights at the last session of each complete month, in millionths that add up to one."""
    months = days.astype("datetime64[M]")
    month_ends = np.flatnonzero(months[1:] != months[:-1])
    weights = np.rint(index.weights[month_ends] * 1e6)
    rest = 1e6 - weights.sum(axis=2)
    np.put_along_axis(
        weights,
        largest := weights.argmax(axis=2)[:, :, None],
        np.take_along_axis(weights, largest, axis=2) + rest[:, :, None],
        axis=2,
    )
    number = np.arange(len(STOCK_FAMILY))
    stocks = np.array([f"SYN{FAMILIES[STOCK_FAMILY[k]].index[-1]}{k + 1:03d}" for k in number])
    ends, columns, held = np.nonzero(weights)
    return pd.DataFrame(
        {
            "index": np.array(INDICES)[columns],
            "day": days[month_ends[ends]],
            "constituent": stocks[held],
            "weight": weights[ends, columns, held] / 1e6,
            "theme": np.array(THEMES)[STOCK_THEME[held]],
        }
    )


def _macro(seed: int) -> pd.DataFrame:
    quarters = pd.date_range(CAPEX_FIRST_QUARTER, LAST_DAY, freq="QE")
    noise = normals(seed, "capex", (len(quarters),))
    value, values = CAPEX_START, []
    for quarter, drawn in zip(quarters, noise, strict=True):
        value *= 1.0 + CAPEX_GROWTH.get(quarter.year, 0.0) / 4.0
        values.append(round(value * (1.0 + 0.01 * float(drawn)), 1))
    known_at = quarters + pd.Timedelta(days=CAPEX_LAG_DAYS, hours=6)
    return pd.DataFrame({"series": CAPEX_SERIES, "period": quarters, "value": values, "known_at": known_at})


def _funds() -> pd.DataFrame:
    families = [FAMILIES[fund.family] for fund in PLANS]
    return pd.DataFrame(
        {
            "symbol": SYMBOLS,
            "name": [fund.name for fund in PLANS],
            "index": [family.index for family in families],
            "family": [family.name for family in families],
            "listed": pd.to_datetime([fund.listed for fund in PLANS]),
            "delisted": pd.to_datetime(pd.Series([fund.delisted for fund in PLANS])),
            "price_limit": [family.price_limit for family in families],
        }
    )
