"""Fixtures of the tests of providers: stand-ins for the vendors' libraries, and no way to a network."""

from __future__ import annotations

import importlib.util
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.helpers.vendor_bench import CASES, TOKEN, VENDORS, Bench

# What stands in besides: AKShare's pages that we ask for ourselves come through requests.
BESIDES = {"akshare": ("requests",)}


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection, but to this machine where a test is about that."""
    loopback = request.node.get_closest_marker("loopback") is not None
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def refuse(function: Callable, place: int) -> Callable:
        def checked(*words: object, **more: object) -> object:
            host = words[place][0] if isinstance(words[place], tuple) else words[place]
            if loopback and host == "127.0.0.1":
                return function(*words, **more)
            raise AssertionError(f"a test reached for the network: {host}")

        return checked

    monkeypatch.setattr(socket.socket, "connect", refuse(connect, 1))
    monkeypatch.setattr(socket, "getaddrinfo", refuse(getaddrinfo, 0))


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Return a function that puts a fresh stand-in in the place of a vendor's library."""
    monkeypatch.setenv("TUSHARE_TOKEN", TOKEN)

    def stand_in(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, VENDORS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setitem(sys.modules, name, module)
        for other in BESIDES.get(name, ()):
            stand_in(other)
        return module

    return stand_in


@pytest.fixture
def bench(vendor: Callable[[str], ModuleType], tmp_path: Path) -> Callable[[str], Bench]:
    return lambda name: Bench(vendor(name), name, tmp_path, [])


@pytest.fixture
def akshare(bench: Callable[[str], Bench]) -> Bench:
    return bench("akshare")


@pytest.fixture
def tushare(bench: Callable[[str], Bench]) -> Bench:
    return bench("tushare")


@pytest.fixture
def yfinance(bench: Callable[[str], Bench]) -> Bench:
    return bench("yfinance")


@pytest.fixture(params=CASES)
def any_bench(request: pytest.FixtureRequest, bench: Callable[[str], Bench]) -> Bench:
    return bench(request.param)
