"""Downloads from simulated exchanges on loopback, within this process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import ccxt.pro
import pyarrow.parquet
import pytest

from cli.downloading import Download
from connectors.exchanges.by_ccxt import ByCcxt
from connectors.exchanges.interface import Exchange
from connectors.exchanges.registry import exchange
from connectors.feed.wall import Wall
from schemas.timeframe import to_millis
from sinks.candle_history import CandleHistory
from tests.exchange.past import Past, past
from tests.exchange.server import PROTOCOLS, Mischief
from tests.exchange.tape import MINUTE, START, Tape, longer, simulated
from tests.exchange.test_protocols import MARKETS

DAY = 86_400_000
MINUTES = 1_440
FIELDS = ("open", "high", "low", "close", "volume", "quote_volume", "count", "taker_buy_volume", "vwap")


@pytest.fixture(scope="module")
def tapes() -> dict[str, Tape]:
    """A day of each exchange's market."""
    return {name: simulated([symbol], MINUTES, every_ms=5_000) for name, symbol in MARKETS.items()}


class Hasty(Wall):
    """Waits a thousandth of what it should."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 1_000)


def download(at: Exchange, folder: Path, symbols: list[str], since: int, until: int, timeframe: str = "1m") -> Download:
    """Download what is missing."""
    histories = {
        symbol: CandleHistory(folder / f"{symbol.replace('/', '_')}.parquet", (at.id, symbol, timeframe))
        for symbol in symbols
    }
    work = Download(at, histories, timeframe, since, until)
    asyncio.run(work.run(Hasty()))
    return work


def rows(path: Path) -> list[tuple[Any, ...]]:
    """Open time and what there is of a candle, of each row of a file."""
    table = pyarrow.parquet.read_table(path)
    opened = table["date"].cast("int64").to_pylist()
    columns = [table[name].to_pylist() if name in table.column_names else [None] * len(opened) for name in FIELDS]
    return list(zip(opened, *columns, strict=True))


def told(name: str, tape: Tape, timeframe: str, since: int, until: int) -> list[tuple[Any, ...]]:
    """The same, of what an exchange has."""
    length = to_millis(timeframe)
    some = [PROTOCOLS[name]().told(one) for one in longer(tape.candles(), MARKETS[name], timeframe)]
    return [
        (one.ts - length, *(getattr(one, field) for field in FIELDS))
        for one in some
        if since <= one.ts - length < until
    ]


@pytest.mark.parametrize("timeframe", ["1m", "5m"])
@pytest.mark.parametrize("name", ["binance", "bitunix", "coinbase"])
def test_all_pages_of_an_exchange_become_one_file(
    name: str, timeframe: str, tapes: dict[str, Tape], tmp_path: Path
) -> None:
    since, until = START + 15 * MINUTE, START + DAY - 40 * MINUTE
    with past(tapes[name]) as there:
        at = exchange(name, **there.addresses(name))
        work = download(at, tmp_path, [MARKETS[name]], since, until, timeframe)
        page = at.limits.candles_per_request
    (history,) = work.histories.values()
    assert work.failed == {}
    assert rows(history.path) == told(name, tapes[name], timeframe, since, until)
    assert history.covered == [(since, until)]
    assert work.done == work.asked == until - since
    assert len(there.asked) == -(-(until - since) // to_millis(timeframe) // page)
    assert [path.name for path in tmp_path.iterdir()] == [history.path.name]


def test_kraken_has_its_last_720_candles_and_the_rest_is_a_gap(tapes: dict[str, Tape], tmp_path: Path) -> None:
    tape, until = tapes["kraken"], START + DAY
    with past(tape) as there:
        work = download(exchange("kraken", **there.addresses("kraken")), tmp_path, ["BTC/USD"], START, until)
    (history,) = work.histories.values()
    last = told("kraken", tape, "1m", START, until)[-720:]
    assert rows(history.path) == last
    assert history.gaps(START, until)[0] == (START, last[0][0])
    assert len(there.asked) == 1


def test_only_what_is_missing_is_asked_for(tapes: dict[str, Tape], tmp_path: Path) -> None:
    hour = 60 * MINUTE
    with past(tapes["binance"]) as there:
        at = exchange("binance", **there.addresses("binance"))
        for since, until in ((5, 8), (5, 8), (5, 9), (3, 8), (1, 2), (1, 12)):
            work = download(at, tmp_path, ["BTC/USDT"], START + since * hour, START + until * hour)
    asked = [
        ((int(one["startTime"]) - START) / hour, (int(one["endTime"]) + 1 - START) / hour) for _, one in there.asked
    ]
    assert asked == [(5, 8), (8, 9), (3, 5), (1, 2), (2, 3), (9, 12)]
    (history,) = work.histories.values()
    assert history.covered == [(START + hour, START + 12 * hour)]
    assert rows(history.path) == told("binance", tapes["binance"], "1m", START + hour, START + 12 * hour)


@pytest.mark.parametrize(("name", "most"), [("coinbase", 8), ("bitunix", 12)])
def test_the_time_before_a_market_began_takes_few_requests(
    name: str, most: int, tapes: dict[str, Tape], tmp_path: Path
) -> None:
    with past(tapes[name]) as there:
        at = exchange(name, **there.addresses(name))
        work = download(at, tmp_path, [MARKETS[name]], START - 500 * DAY, START + 2 * 60 * MINUTE)
    (history,) = work.histories.values()
    assert rows(history.path) == told(name, tapes[name], "1m", START, START + 2 * 60 * MINUTE)
    assert len(there.asked) <= most  # 2,400 pages of Coinbase, 3,600 of Bitunix
    assert work.done == work.asked


def test_an_exchange_that_is_too_busy_or_broken_is_asked_again(tapes: dict[str, Tape], tmp_path: Path) -> None:
    with past(
        tapes["binance"], [Mischief(START, "429", 2), Mischief(START, "5xx", 2), Mischief(START, "checksum")]
    ) as there:
        at = exchange("binance", **there.addresses("binance"))
        work = download(at, tmp_path, ["BTC/USDT"], START, START + 100 * MINUTE)
    assert work.failed == {}
    assert len(there.asked) == 6


def test_what_came_before_an_exchange_broke_is_kept(tapes: dict[str, Tape], tmp_path: Path) -> None:
    with past(tapes["coinbase"]) as there:
        at, symbols = exchange("coinbase", **there.addresses("coinbase")), ["BTC/USD", "NONE/USD"]
        there.break_after(3)
        work = download(at, tmp_path, symbols[:1], START, START + DAY)
        words = str(work.failed["BTC/USD"])
        assert words == "coinbase: status 500: simulated (tried 8 times)"
        (history,) = work.histories.values()
        assert history.covered == [(START, START + 900 * MINUTE)]
        assert [path.name for path in tmp_path.iterdir()] == ["BTC_USD.parquet.partial"]
        there.mend()
        there.asked.clear()
        work = download(at, tmp_path, symbols, START, START + DAY)
    assert list(map(str, work.failed.values())) == ["coinbase: valid product_id is required"]
    assert rows(tmp_path / "BTC_USD.parquet") == told("coinbase", tapes["coinbase"], "1m", START, START + DAY)
    first = min(int(one["start"]) for path, one in there.asked if "BTC-USD" in path)
    assert first == (START + 900 * MINUTE) // 1_000
    assert [path.name for path in tmp_path.iterdir()] == ["BTC_USD.parquet"]


def test_an_address_where_nobody_listens_is_told(tmp_path: Path) -> None:
    at = exchange("kraken", rest_url="http://127.0.0.1:9")
    work = download(at, tmp_path, ["BTC/USD"], START, START + DAY)
    said = str(work.failed["BTC/USD"])
    assert said.startswith("kraken: http://127.0.0.1:9/0/public/OHLC: Cannot connect to host 127.0.0.1:9")
    assert said.endswith("(tried 8 times)")


def by_ccxt(there: Past) -> ByCcxt:
    """ccxt's Binance at the simulator's."""
    margins: dict[str, list[str]] = {"crossMarginPairsData": [], "isolatedMarginPairsData": []}  # else it asks for them
    client = ccxt.pro.binance({"enableRateLimit": False, "options": margins})
    market = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": []}
    client.set_markets(client.parse_markets([market]))
    for name, url in client.urls["api"].items():
        if isinstance(url, str):
            client.urls["api"][name] = url.replace("https://api.binance.com", there.addresses("binance")["rest_url"])
    return ByCcxt("binance", client)


def test_ccxt_is_asked_in_the_same_way(tapes: dict[str, Tape], tmp_path: Path) -> None:
    with past(tapes["binance"], [Mischief(START, "5xx", 1), Mischief(START, "429", 1)]) as there:
        work = download(by_ccxt(there), tmp_path, ["BTC/USDT", "NO/THING"], START, START + DAY)
    assert {symbol: str(error) for symbol, error in work.failed.items()} == {
        "NO/THING": "binance: binance does not have market symbol NO/THING"
    }
    wanted = told("binance", tapes["binance"], "1m", START, START + DAY)
    assert [row[:6] for row in rows(tmp_path / "BTC_USDT.parquet")] == [row[:6] for row in wanted]
    assert len(there.asked) == 2 + 3  # of 500
