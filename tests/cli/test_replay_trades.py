"""``penstock replay`` of files of trades, as a user runs it, on real ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from math import floor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from schemas.candle import Candle
from tests.command import penstock
from tests.flows.bars.tapes import MINUTE, Row, binance, kraken, plainly
from tests.flows.bars.test_real import published
from tests.replaying import records, replay, run_json

SECONDS = ("--set", "market.bars.timeframes=[1s, 1m]", "--set", "strategies.0.use=sma_cross")


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    lines = [f"{row.ts},{row.price},{row.amount},{'buy' if row.buy else 'sell'},{row.id}" for row in rows]
    path.write_text("\n".join(["ts,price,amount,side,id", *lines]), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    columns = {name: [getattr(row, name) for row in rows] for name in ("ts", "price", "amount", "id")}
    pyarrow.parquet.write_table(pa.table({**columns, "is_buyer_maker": [not row.buy for row in rows]}), path)
    return path


def of(out: Path, timeframe: str) -> list[dict[str, Any]]:
    return [candle for candle in records(out, "bars") if candle["timeframe"] == timeframe]


@pytest.mark.parametrize(("policy", "empty"), [("none", 0), ("flat", 137)])
def test_krakens_trades_give_the_candles_that_kraken_published(
    shared_data: Path, tmp_path: Path, policy: str, empty: int
) -> None:
    trades, theirs = kraken(shared_data), published(shared_data)
    path = write_csv(tmp_path / "BTC_USDT-trades.csv", trades)
    replay(
        [path], tmp_path / "run", "--set", "market.bars.timeframes=[1m, 5m]", "--set", f"market.empty_candle={policy}"
    )
    inner = of(tmp_path / "run", "1m")[1:-1]  # of the first and the last minute the exchange knew more trades
    for candle in inner:
        # Kraken cuts its mean price off behind the first decimal, and writes 0 where nothing is traded.
        vwap = floor(candle["vwap"] * 10 + 1e-6) / 10 if candle["count"] else 0.0
        figures = [candle[name] for name in ("open", "high", "low", "close")]
        assert (*figures, vwap, candle["volume"], candle["count"]) == theirs[candle["ts"]]
    assert [sum(candle["count"] > 0 for candle in inner), sum(candle["count"] == 0 for candle in inner)] == [272, empty]
    for line in (tmp_path / "run" / "bars.jsonl").read_bytes().splitlines():
        assert Candle.model_validate_json(line).model_dump(exclude_none=True) == json.loads(line)
    five = of(tmp_path / "run", "5m")
    assert sum(candle["count"] for candle in five) == len(trades) == 1_000


@pytest.fixture(scope="module")
def capture(shared_data: Path) -> list[Row]:
    return binance(shared_data)


@pytest.fixture(scope="module")
def whole(capture: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the trades of the Binance capture, with repeated and late ones among them."""
    folder = tmp_path_factory.mktemp("binance")
    disturbed = [*capture[:500], *capture[400:], *capture[:20]]
    replay([write_parquet(folder / "BTC_USDT-trades.parquet", disturbed)], folder / "run", *SECONDS)
    return folder


def test_every_trade_is_in_a_candle_or_late_or_came_again(capture: list[Row], whole: Path) -> None:
    metrics: dict[str, float] = {}
    for metric in records(whole / "run", "metrics"):
        metrics[metric["name"]] = metrics.get(metric["name"], 0) + metric["value"]
    letters = records(whole / "run", "deadletters")
    assert {letter["reason"] for letter in letters} <= {"TRADE_LATE"}
    assert metrics["trades_duplicate"] == 120
    assert metrics.get("trades_late", 0) == len(letters)
    for timeframe, step in (("1s", 1_000), ("1m", MINUTE)):
        ours = of(whole / "run", timeframe)
        assert sum(candle["count"] for candle in ours) == len(capture)
        assert [(candle["ts"], candle["count"]) for candle in ours] == [(c[0], c[1]) for c in plainly(capture, step)]
    assert records(whole / "run", "signals")


@pytest.mark.parametrize(
    "how",
    [
        ("--set", "run.batch_rows=1"),
        ("--set", "run.batch_rows=997", "--workers", "2"),
        ("--processes", "2", "--set", "run.batch_rows=333", "--set", "run.checkpoint_every_s=0.1"),
    ],
    ids=["row by row", "two workers", "two processes"],
)
def test_the_bytes_of_a_run_do_not_depend_on_the_cut(whole: Path, tmp_path: Path, how: tuple[str, ...]) -> None:
    run = replay([whole / "BTC_USDT-trades.parquet"], tmp_path / "run", *SECONDS, *how)
    assert run["output_hash"] == run_json(whole / "run")["output_hash"]


def test_without_settings_candles_of_a_minute_are_made_and_the_report_shows_them(tmp_path: Path) -> None:
    rows = [Row(minute * MINUTE, minute, 0, 10.0 + minute % 3) for minute in range(10)]
    path = write_csv(tmp_path / "BTC_USDT-trades.csv", rows)
    result = penstock(tmp_path, "replay", path, "--out", "run")
    assert result.code == 0, result.err
    assert "10 trades in " in result.out
    assert [candle["timeframe"] for candle in records(tmp_path / "run", "bars")] == ["1m"] * 10
    assert run_json(tmp_path / "run")["inputs"][0]["rows"] == 10
    assert "BTC/USDT" in (tmp_path / "run" / "summary.html").read_text(encoding="utf-8")


def test_a_trade_whose_side_cannot_be_read_is_refused_for_that(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "BTC_USDT-trades.csv", [Row(MINUTE, 1), Row(MINUTE, 2)])
    path.write_text(path.read_text(encoding="utf-8").replace("buy,2", "both,2"), encoding="utf-8")
    replay([path], tmp_path / "run")
    (letter,) = records(tmp_path / "run", "deadletters")
    assert (letter["reason"], letter["raw"]) == ("SIDE_UNREADABLE", f"{MINUTE},10.0,1.0,both,2")
    assert letter["error"] == f"SIDE_UNREADABLE: ts={MINUTE}000 id=2 price=10.0 closed_ts={MINUTE * 999}"


def test_candles_by_measure_feed_strategies_too(tmp_path: Path) -> None:
    rows = [Row(1_000_000 + number, number, 0, 10.0 + number % 7) for number in range(500)]
    path = write_csv(tmp_path / "BTC_USDT-trades.csv", rows)
    sets = ("market.bars.ticks=5", "strategies.0.use=sma_cross", "strategies.0.params={fast: 2, slow: 4}")
    replay([path], tmp_path / "run", *(word for one in sets for word in ("--set", one)))
    assert {candle["timeframe"] for candle in records(tmp_path / "run", "bars")} == {"5t"}
    signals = records(tmp_path / "run", "signals")
    assert signals
    assert {signal["timeframe"] for signal in signals} == {"any"}


def test_trades_and_candles_are_not_replayed_in_one_run(tmp_path: Path) -> None:
    trades = write_csv(tmp_path / "BTC_USDT-trades.csv", [Row(MINUTE, 1)])
    candles = tmp_path / "ETH_USDT-1m.csv"
    candles.write_text("ts,open,high,low,close\n60,1,1,1,1\n120,1,1,1,1\n")
    result = penstock(tmp_path, "replay", trades, candles)
    assert (result.code, result.out) == (2, "")
    assert f"{trades} holds trades, {candles} does not: replay them in runs of their own" in result.err


def test_a_capture_gives_the_same_bytes_whatever_the_cut_and_the_candles_of_its_trades(
    shared_data: Path, capture: list[Row], tmp_path: Path
) -> None:
    path = shared_data / "binance-ws/btcusdt_20240808.gz"
    one = replay([path], tmp_path / "one", "--exchange", "binance", *SECONDS)
    spread = ("--processes", "2", "--set", "run.batch_rows=501")
    two = replay([path], tmp_path / "two", "--exchange", "binance", *SECONDS, *spread)
    assert one["output_hash"] == two["output_hash"]
    for timeframe, step in (("1s", 1_000), ("1m", MINUTE)):
        made = [(candle["ts"], candle["count"]) for candle in of(tmp_path / "one", timeframe)]
        assert made == [(candle[0], candle[1]) for candle in plainly(capture, step)]
    assert records(tmp_path / "one", "deadletters") == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("frames.gz",), "frames.gz: does not say of which exchange it is: name it"),
        (("frames.gz", "--exchange", "mars"), "mars"),
        (("frames.gz", "--symbol", "BTC/USDT"), "--symbol BTC/USDT names the market of a file"),
        (("BTC_USDT-trades.csv", "--exchange", "binance"), "--exchange binance is for recordings"),
        (("frames.gz", "BTC_USDT-1m.csv"), "frames.gz holds trades, BTC_USDT-1m.csv does not"),
    ],
)
def test_what_cannot_be_replayed_of_recordings_is_refused(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    (tmp_path / "frames.gz").write_bytes(gzip.compress(b'1704067200000000000 {"stream":"btcusdt@trade","data":{}}\n'))
    (tmp_path / "BTC_USDT-1m.csv").write_text("ts,open,high,low,close\n60,1,1,1,1\n120,1,1,1,1\n")
    write_csv(tmp_path / "BTC_USDT-trades.csv", [Row(MINUTE, 1)])
    result = penstock(tmp_path, "replay", *words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
