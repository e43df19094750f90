"""Why engines differ: what theirs does and what ours does, by rule and engine of ``benchmarks.engines``."""

from __future__ import annotations

from collections.abc import Mapping

_SIZED = "sizes an order at the price at which it fills, which nobody knows when he sends it"
_OURS_SIZED = "sizes at the reference price, which is known before the open"
_BEYOND = "refuses the whole of a purchase that cash does not cover at the open"
_CUT = "cuts a purchase to the lots that cash pays for, and says so"
_NO_VOLUME = "knows no limit by volume"
_VOLUME = "trades a tenth of the session's volume; the rest expires, with a reason"
_STALE = "fills a halted fund at its last price"
_HALTED = "trades nothing in a halted fund, and says so"
_NO_LIMIT = "knows no price limits, and buys at the upper one"
_LIMIT = "does not buy at the upper limit nor sell at the lower, and says so"
_NO_ACTIONS = "knows no dividends and splits: a split of one into two is half of the money lost"
_ACTIONS = "books them, from the table of actions"

REASONS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("everywhere", "akquant"): (
        "values what it bought at the price paid until the next close, if a later name was sold; "
        "the money is right, drawdown and volatility are not",
        "values every fund at the close",
    ),
    ("gaps", "bt"): (_SIZED, _OURS_SIZED),
    ("close", "bt"): (_SIZED, _OURS_SIZED),
    ("invested", "bt"): (f"{_SIZED}; so that cash always suffices", f"{_OURS_SIZED}, and {_CUT}"),
    ("invested", "vectorbt"): (
        "buys the smallest order first, and cuts the last one",
        "buys the largest weight first, equal ones by symbol, and cuts the last one",
    ),
    ("invested", "akquant"): (_BEYOND, _CUT),
    ("invested", "backtrader"): (_BEYOND, _CUT),
    ("lots", "bt"): (
        "rounds down with the sign: a sale of 1.2 lots sells 2",
        "rounds towards zero: it sells 1",
    ),
    ("commission", "bt"): (
        "takes the commission of a purchase out of its amount, and sells more for that of a sale",
        "pays the commission out of cash",
    ),
    ("least", "bt"): (
        "sales are rounded up and commissions taken out of amounts, as above",
        "rounds towards zero, and pays out of cash",
    ),
    ("least", "vectorbt"): ("knows a rate and a fixed fee, no minimum", "the larger of rate and minimum"),
    ("slippage", "bt"): (
        "takes half of the spread out of the amount of an order, as a commission",
        "fills at a worse price, and pays out of cash",
    ),
    ("volume", "bt"): (_NO_VOLUME, _VOLUME),
    ("volume", "vectorbt"): (_NO_VOLUME, _VOLUME),
    ("volume", "akquant"): (
        "has the limit; the rest of an order waits, and meets the orders of the next decision",
        _VOLUME,
    ),
    ("volume", "backtrader"): (f"{_NO_VOLUME} (a filler of one's own can have one)", _VOLUME),
    ("halts", "bt"): (_STALE, _HALTED),
    ("halts", "vectorbt"): (_STALE, _HALTED),
    ("halts", "akquant"): (
        "does not trade it either; the whole of a purchase that this sale was to pay for is refused",
        f"{_HALTED}; the purchase is cut",
    ),
    ("halts", "backtrader"): (_STALE, _HALTED),
    ("limits", "bt"): (f"{_NO_LIMIT}; {_SIZED}", _LIMIT),
    ("limits", "vectorbt"): (_NO_LIMIT, _LIMIT),
    ("limits", "akquant"): (_NO_LIMIT, _LIMIT),
    ("limits", "backtrader"): (_NO_LIMIT, _LIMIT),
    ("actions", "vectorbt"): (_NO_ACTIONS, _ACTIONS),
    ("actions", "akquant"): (_NO_ACTIONS, _ACTIONS),
    ("actions", "backtrader"): (_NO_ACTIONS, _ACTIONS),
    ("late", "backtrader"): (
        "adds up a price that is not there: equity is NaN until all funds are listed",
        "counts what is held; a fund without a price is not bought",
    ),
}
