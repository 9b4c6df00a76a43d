from collections.abc import Callable
from typing import Any

from connectors.exchanges.binance import Binance
from connectors.exchanges.registry import EXCHANGES

Run = Callable[..., Any]


def test_the_built_in_exchanges_are_listed_and_those_through_ccxt_named(penstock: Run) -> None:
    result = penstock("exchanges", "list")
    assert result.code == 0, result.err
    table, others = result.out.split("\n\n")
    lines = [line.split() for line in table.splitlines()]
    assert [line[0] for line in lines] == ["name", *EXCHANGES]
    assert lines[2][-1] == "contiguous"
    words = others.replace(",", "").split()
    assert {"bybit", "okx"} < set(words)
    assert not set(EXCHANGES) & set(words)
    assert words[:2] == ["Through", "ccxt"]
    assert int(words[2]) == len(words) - 4


def test_an_exchange_is_described_with_its_limits_and_traps(penstock: Run) -> None:
    result, beat = penstock("exchanges", "describe", "binance"), Binance.heartbeat
    assert result.code == 0, result.err
    assert result.out.splitlines()[:10] == [
        "Binance spot (binance)",
        "",
        "streams      trades, quotes, candles",
        "candles      streamed: 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w",
        "             history:  1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w",
        "trade ids    contiguous",
        "a socket     300 symbols, 4 messages of ours a second",
        f"             dead after {beat.silence_s} s of silence, a ping of ours every {beat.ping_s} s, "
        "closed by the exchange after 24 h",
        "requests     a weight of 6,000 a minute",
        "             a page of history: 1,000 candles, 1,000 trades",
    ]
    flat = " ".join(result.out.split())
    assert all(trap in flat for trap in Binance.traps)
    assert all(page in flat for page in Binance.pages)


def test_an_exchange_of_ccxt_is_described_too(penstock: Run) -> None:
    result = penstock("exchanges", "describe", "bybit")
    assert result.code == 0, result.err
    assert result.out.startswith("Bybit, by ccxt (bybit)\n\nstreams      trades, quotes, candles\n")


def test_an_unknown_exchange_gets_a_suggestion(penstock: Run) -> None:
    result = penstock("exchanges", "describe", "binanse")
    assert (result.code, result.err) == (2, "penstock: no exchange is named 'binanse'; did you mean binance?\n")
