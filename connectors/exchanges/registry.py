"""The exchanges: those that are built in, and through ccxt all that it knows.

To build one in is to add one file and one line here.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

from connectors.exchanges.interface import Exchange

EXCHANGES = {
    "binance": "connectors.exchanges.binance:Binance",
    "binanceusdm": "connectors.exchanges.binance_usdm:BinanceUsdm",
    "bitunix": "connectors.exchanges.bitunix:Bitunix",
    "coinbase": "connectors.exchanges.coinbase:Coinbase",
    "kraken": "connectors.exchanges.kraken:Kraken",
}


def exchange(name: str, *, socket_url: str | None = None, rest_url: str | None = None) -> Exchange:
    """The exchange of this name, at its own addresses or, for one that is built in, at others.

    >>> exchange("binance").to_exchange("BTC/USDT")
    'BTCUSDT'

    Raises ValueError for a name that is not known.
    """
    if name in EXCHANGES:
        module, _, kind = EXCHANGES[name].partition(":")
        found: type[Exchange] = getattr(import_module(module), kind)
        return found(socket_url=socket_url, rest_url=rest_url)
    if socket_url or rest_url:
        raise ValueError(f"{name} is reached through ccxt, which has its own addresses")
    if name not in by_ccxt():
        close = get_close_matches(name, [*EXCHANGES, *by_ccxt()], n=1)
        hint = f"did you mean {close[0]}?" if close else "penstock exchanges list has all of them"
        raise ValueError(f"no exchange is named {name!r}; {hint}")
    from connectors.exchanges.by_ccxt import ByCcxt

    return ByCcxt(name)


def by_ccxt() -> list[str]:
    """The names of those that are only known by ccxt; some of them have no streams there. Takes a second."""
    import ccxt

    return [name for name in ccxt.exchanges if name not in EXCHANGES]
