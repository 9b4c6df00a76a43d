"""The exchanges that are built in. To add one is to add one file and one line here."""

from __future__ import annotations

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
    """The exchange of this name, at its own addresses or at others.

    >>> exchange("binance").to_exchange("BTC/USDT")
    'BTCUSDT'

    Raises ValueError for a name that is not known.
    """
    if name not in EXCHANGES:
        raise ValueError(f"no exchange {name!r}: there are {', '.join(EXCHANGES)}")
    module, _, kind = EXCHANGES[name].partition(":")
    found: type[Exchange] = getattr(import_module(module), kind)
    return found(socket_url=socket_url, rest_url=rest_url)
