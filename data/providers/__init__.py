"""Network providers: vendors' libraries asked over the network, their answers as rows of our tables.

``PROVIDERS`` is the list. A provider says what to ask for which table, asks, and tells what an error means
(``data.providers.provider``). The same for all are patience and the files of answers
(``data.providers.asking``), second sources (``data.providers.answers``), other providers
(``data.providers.joining``), what becomes of answers (``data.providers.fetching``), and going on from what
is on file (``data.providers.updating``). Names and units of measure of columns are in the ready maps of
``data.importing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from data.errors import check_choice
from data.providers.asking import Connection
from data.providers.fetching import Fetched, FetchReport, fetch
from data.providers.joining import Gap
from data.providers.provider import NoAnswer, Piece, Provider, Request, Verdict, Wanted
from data.providers.updating import update

__all__ = [
    "PROVIDERS",
    "Connection",
    "FetchReport",
    "Fetched",
    "Gap",
    "NoAnswer",
    "Piece",
    "Provider",
    "Request",
    "Verdict",
    "Wanted",
    "fetch",
    "load_provider",
    "update",
]


def _akshare() -> Provider:
    from data.providers.akshare import AkShare

    return AkShare()


def _tushare() -> Provider:
    from data.providers.tushare import Tushare

    return Tushare()


def _yfinance() -> Provider:
    from data.providers.yfinance import YFinance

    return YFinance()


PROVIDERS: Mapping[str, Callable[[], Provider]] = {
    "akshare": _akshare,
    "tushare": _tushare,
    "yfinance": _yfinance,
}


def load_provider(name: str) -> Provider:
    """Return the provider called ``name``, its library imported.

    UsageError with close matches if there is none, and telling what to install or to set if it is not ready.
    """
    check_choice("provider", name, PROVIDERS)
    return PROVIDERS[name]()
