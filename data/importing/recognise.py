"""Which ready map a file is for, by its columns, and by its name where that holds the code or the day."""

from __future__ import annotations

from collections.abc import Callable

from data.errors import DataError
from data.importing.file_names import is_abroad
from data.importing.map_files import ready_maps
from data.importing.maps import FileMap
from data.importing.matrix import is_day, looks_like_a_matrix
from data.importing.sheet import Sheet

# A file that lacks more than half of what a map looks for is not a spoilt file of that kind.
_NEAR = 0.5
_NAMED = 3
_EASILY_MENDED = ("a file name", "a unit of measure")
_LISTED = 40
# What the column of days is called besides Date where bars may as well be of minutes.
_DAYS = ("datetime", "timestamp", "time", "day", "时间")
_OF_HOLDINGS = {
    "shares held",
    "% of net assets",
    "market value ($)",
    "shares/par value",
    "market value",
    "占净值比例",
}
# A time of the day that is not its beginning.
_TIME = r"[ T](?!0?0:00)\d{1,2}:\d\d"
_PRICES = ({"open", "high", "low", "close"}, {"开盘", "最高", "最低", "收盘"})


class UnknownColumns(DataError):
    """No ready map fits a file, or several do; ``near`` tells whether one of them almost does."""

    near = True


def recognise(sheet: Sheet) -> FileMap:
    """Return the ready map that fits a table, the one that knows the most of its columns.

    Raises UnknownColumns, naming the columns found and the closest maps, if none or several fit.
    """
    lacking = {each: each.lacks(sheet) for each in ready_maps().values() if each.recognise}
    fitting = [each for each, (lacks, _) in lacking.items() if not lacks]
    if not fitting:
        raise _unknown(sheet, lacking)
    fitting = [each for each in fitting if not each.general] or fitting
    # What a line above the header says is surer than what the columns say.
    fitting = [each for each in fitting if any(part.above for part in each.tables)] or fitting
    known = {each: sum(name in sheet.headers for name in each.known_columns()) for each in fitting}
    best = [each for each in fitting if known[each] == max(known.values())]
    if len(best) > 1:
        raise UnknownColumns(
            f"{sheet.origin} could be several things",
            received=listed(sheet),
            limit=", ".join(f"`{each.name}` ({each.title})" for each in best),
            hint="Name one of them, or a map file of your own, with --map.",
        )
    return best[0]


def listed(sheet: Sheet) -> str:
    """Return the headers of a table for a message."""
    names = [str(name) or "(no name)" for name in sheet.cells.columns]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _unknown(sheet: Sheet, lacking: dict[FileMap, tuple[list[str], int]]) -> UnknownColumns:
    for fits, words in _KNOWN_PROBLEMS:
        if fits(sheet):
            return UnknownColumns(
                f"no ready map knows the columns of {sheet.origin}", received=listed(sheet), hint=words
            )
    # A file in which the columns are right, and its name or a unit of measure is not, is the closest.
    share = {
        each: sum(0.5 if lack.startswith(_EASILY_MENDED) else 1.0 for lack in lacks) / wanted
        for each, (lacks, wanted) in lacking.items()
        if each.skip is None
    }
    closest = sorted(share, key=lambda each: (share[each], each.name))
    near = [each for each in closest if share[each] <= _NEAR][:_NAMED]
    named = "; ".join(f"`{each.name}` lacks {', '.join(lacking[each][0][:_NAMED])}" for each in near)
    error = UnknownColumns(
        f"no ready map knows the columns of {sheet.origin}",
        received=listed(sheet),
        hint=(f"Closest: {named}. " if near else "")
        + "Say in a map file (--map) which columns are which, or name a ready map.",
    )
    error.near = bool(near)
    return error


def _is_bars_of_anybody(sheet: Sheet) -> bool:
    names = {"date" if str(name).lower() in _DAYS else str(name).lower() for name in sheet.cells.columns}
    return (
        {"date", "open", "high", "low", "close", "volume"}
        >= names
        >= {"date", "open", "high", "low", "close"}
    )


def _is_bars_of_funds(sheet: Sheet) -> bool:
    names = {str(name).lower() for name in sheet.cells.columns}
    symbols = names & {"symbol", "code", "ticker", "vt_symbol"}
    days = names & {"date", *_DAYS}
    return bool(symbols and days) and names - symbols - days == {"open", "high", "low", "close", "volume"}


def _has_lots_for_money(sheet: Sheet) -> bool:
    names = {str(name).lower() for name in sheet.cells.columns}
    return names == {"date", "open", "close", "high", "low", "amount"}


def _is_closes(sheet: Sheet) -> bool:
    names = {str(name).lower() for name in sheet.cells.columns}
    return {"date", "close", "adj close", "ticker", "symbol"} >= names >= {"date", "close"}


def _is_dividends(sheet: Sheet) -> bool:
    names = {str(name).lower() for name in sheet.cells.columns}
    return {"date", "dividends", "ticker", "symbol", "capital gains"} >= names >= {"date", "dividends"}


def _is_holdings(sheet: Sheet) -> bool:
    names = {str(name).lower() for name in sheet.cells.columns}
    return bool(names & _OF_HOLDINGS and names & {"ticker", "holding ticker", "股票代码"})


def _is_intraday(sheet: Sheet) -> bool:
    names = {str(name).lower(): name for name in sheet.cells.columns}
    times = [names[name] for name in (*_DAYS, "date", "日期") if name in names]
    return any({*names} >= each for each in _PRICES) and any(
        sheet.cells[name].astype("str").str.contains(_TIME, regex=True).any() for name in times
    )


def _is_adjusted(sheet: Sheet) -> bool:
    names = " ".join(map(str, sheet.cells.columns))
    return any(word in names for word in ("前复权", "后复权", "(qfq)", "(hfq)"))


def _is_of_a_terminal(sheet: Sheet) -> bool:
    exported = {"日期", "开盘", "最高", "最低", "收盘", "成交量", "成交额"}
    return exported <= {*map(str, sheet.cells.columns)} <= {*exported, "时间"}


def _has_no_header(sheet: Sheet) -> bool:
    return sum(is_day(str(name)) for name in sheet.cells.columns) == 1


def _has(*wanted: str) -> Callable[[Sheet], bool]:
    """Return whether a table has all of some columns."""
    return lambda sheet: all(name in sheet.headers for name in wanted)


# Tables that show what they are, and not what is needed besides, with the way to say it.
_KNOWN_PROBLEMS = (
    (
        lambda sheet: is_abroad(sheet.stem),
        "The name of the file is that of a listing in another country: only funds of Shanghai, Shenzhen and "
        "the United States are known here.",
    ),
    (
        lambda sheet: looks_like_a_matrix(sheet.cells.columns),
        "It is a matrix of funds and days, and does not say of what: name the map `wide-units` (in single "
        'units), `wide-nav` or `wide-margin`, or write a map file (--map) with wide = "units" and measures. '
        "Bars need a file with open, high, low, close and volume.",
    ),
    (
        _has_no_header,
        "The first row is no header: name the map `tdx` (TongDaXin: date, open, high, low, close, volume, "
        'amount), or write a map file (--map) with header = ["day", …].',
    ),
    (
        _has_lots_for_money,
        "It looks like Tencent's bars of AKShare before 1.18.74 (stock_zh_a_hist_tx), whose `amount` is the "
        "volume in lots: update AKShare, and save them again.",
    ),
    (
        _is_closes,
        "Closes alone are no bars: those need open, high, low, close and volume, as traded. As levels of an "
        "index they can be imported by a map file (--map) with the table `index_bars`.",
    ),
    (
        _is_dividends,
        "Dividends of Yahoo (also EODHD's CSV) are on the basis of later splits, which are not in the file: "
        "save `actions` of yfinance's ticker, which has both, or EODHD's JSON with unadjustedValue.",
    ),
    (
        _is_holdings,
        "It lists what a fund holds: neither its units outstanding nor its NAV. They are on the fund's page: "
        "a CSV of Date, Ticker, NAV and Shares Outstanding is known (`issuer-shares`).",
    ),
    (
        _has("publisher_id", "instrument_id"),
        "Bars of Databento are those of one venue and of days of UTC, trades before and after the session "
        "included: their open and close are not those of the exchange, and prices may be counted in 10^-9.",
    ),
    (
        _has("average", "barCount"),
        "Bars of Interactive Brokers are adjusted for splits, and older programs count their volume in lots: "
        'write a map file (--map) with adjusted = "splits" and the unit of `volume`.',
    ),
    (
        _has("adjOpen", "adjClose"),
        "FMP answers so both for prices as traded (non-split-adjusted) and for those without dividends "
        "(dividend-adjusted): say which in a map file (--map).",
    ),
    (
        _has("央行中间价"),
        "It does not say of which currency it is: name the map `boc-sina-usd` if it is of the dollar.",
    ),
    (
        _has("realtime_start", "observation_start"),
        "FRED's JSON does not name its series: save it as CSV (fredgraph.csv?id=DEXCHUS).",
    ),
    (
        _has("observation_date"),
        "Of the series of FRED only DEXCHUS is an exchange rate that is used. Another one becomes a macro "
        'series by a map file (--map): table = "macro", constants = { series = "…" }, columns = { period = '
        '"observation_date", value = "…" }, and `known_at`, the day on which it was published.',
    ),
    (
        _has("成交股数"),
        "It looks like a file of the Taiwan exchange, whose funds are not known here.",
    ),
    (
        _is_adjusted,
        "Its headers say that prices are adjusted (复权): orders, price limits and flows need them as traded "
        "(不复权). To import them all the same, write a map file (--map) with adjusted.",
    ),
    (
        _is_intraday,
        "Its rows have times, as bars of minutes or hours do: import daily bars. If they are daily, say in a "
        "map file (--map) which column is the day.",
    ),
    (
        _is_of_a_terminal,
        "It looks like an export of TongDaXin: export daily bars that are not adjusted, with the title line "
        "that says so (159363 … 日线 不复权). If the rows are that, name the map `tdx`.",
    ),
    (
        _is_bars_of_funds,
        "Such headers do not say whether prices are adjusted, or volume is in lots. If prices are as traded "
        "and volume counts shares, call the columns symbol, day, open, high, low, close, volume "
        "(`tidy-bars`); else write a map file (--map).",
    ),
    (
        _is_bars_of_anybody,
        "Such headers do not say whether prices are adjusted, or volume is in lots: name the map "
        "`yfinance-download` (prices adjusted by Yahoo), `akshare-sina` (as traded, volume in shares), or "
        "write a map file (--map).",
    ),
)
