from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors.candle_file import read_candles
from connectors.sharding import shard_of
from schemas.candle import Candle
from schemas.trade import Trade
from tests.command import MINUTE, START, candles, write_csv
from tests.kafka.tools import CONSUMER, tool
from tests.kafka.topics import raw

Run = Callable[..., Any]


@pytest.fixture
def place(penstock: Run, kafka: str) -> dict[str, str]:
    """An installation of the test's own, with its topics."""
    place = {"PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka, "PENSTOCK__KAFKA__PREFIX": f"{uuid4().hex[:8]}."}
    assert penstock("topics", "create", **place).code == 0
    return place


def published(kafka: str, place: dict[str, str]) -> list[tuple[int, str, Candle]]:
    """Partition, key and candle of each message, in the order of each partition."""
    rows = raw(kafka, place["PENSTOCK__KAFKA__PREFIX"] + "candles")
    return [(row.partition(), row.key().decode(), Candle.model_validate_json(row.value(), strict=True)) for row in rows]


def test_candles_of_several_files_equal_the_files_each_in_the_partition_of_its_shard_in_event_order(
    penstock: Run, place: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    symbols = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
    files = [
        write_csv(tmp_path / f"{symbol.replace('/', '_')}-1m.csv", candles(300 + at, phase=at))
        for at, symbol in enumerate(symbols)
    ]
    result = penstock("publish", *map(str, files), **place)
    assert result.code == 0, result.err
    assert result.out.startswith(f"1,206 candles published to {place['PENSTOCK__KAFKA__PREFIX']}candles in ")
    rows = published(kafka, place)
    for symbol, file in zip(symbols, files, strict=True):
        series = read_candles(file)
        columns = (series.ts, series.open, series.high, series.low, series.close, series.volume)
        wanted = list(zip(*(column.tolist() for column in columns), strict=True))
        own = [(partition, c) for partition, key, c in rows if key == symbol]
        assert [(c.ts, c.open, c.high, c.low, c.close, c.volume) for _, c in own] == wanted
        assert {(partition, c.symbol, c.timeframe) for partition, c in own} == {(shard_of(symbol, 4), symbol, "1m")}
    for partition in range(4):
        order = [(c.ts, c.symbol) for at, _, c in rows if at == partition]
        assert order == sorted(order)


def test_a_real_month_of_bitcoin_is_on_the_topic_as_in_the_file(
    penstock: Run, place: dict[str, str], kafka: str, shared_data: Path
) -> None:
    file = shared_data / "candles/btc-perp-20211231-20220201-1m.csv.gz"
    result = penstock("publish", str(file), "--symbol", "BTC/USDT", **place)
    assert result.code == 0, result.err
    series = read_candles(file)
    rows = published(kafka, place)
    assert [c.ts for _, _, c in rows] == series.ts.tolist()
    assert [c.close for _, _, c in rows] == series.close.tolist()


def test_kafkas_own_console_consumer_reads_what_was_published(
    penstock: Run, place: dict[str, str], kafka: str, kafka_jars: Path, tmp_path: Path
) -> None:
    file = write_csv(tmp_path / "BTC_USDT-1m.csv", candles(5))
    assert penstock("publish", str(file), **place).code == 0
    topic = place["PENSTOCK__KAFKA__PREFIX"] + "candles"
    words = ("--topic", topic, "--partition", "0", "--offset", "earliest", "--max-messages", "5")
    shown = tool(kafka_jars, kafka, CONSUMER, *words, "--property", "print.key=true")
    lines = [line.split("\t") for line in shown.splitlines()]
    assert [key for key, _ in lines] == ["BTC/USDT"] * 5
    assert [Candle.model_validate_json(value).ts for _, value in lines] == [START + MINUTE * at for at in range(1, 6)]


def test_rows_that_are_no_candles_are_named_and_not_published(
    penstock: Run, place: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    good = [f"{START + MINUTE * at},10,12,9,11,1" for at in range(4)]
    good[1] = f"{START + MINUTE},10,8,9,11,1"
    good[2] = f"{START + 2 * MINUTE},10,12,9,oops,1"
    write_csv(tmp_path / "BTC_USDT-1m.csv", good)
    result = penstock("publish", "BTC_USDT-1m.csv", **place)
    assert result.code == 1
    first, second, count = result.err.splitlines()
    assert first == f"BTC_USDT-1m.csv: row 2: high 8.0 is below low 9.0 ({good[1]})"
    assert second == f"BTC_USDT-1m.csv: row 3: close: Input should be a finite number ({good[2]})"
    assert count == "penstock: 2 rows are no candles and were not published"
    assert result.out.startswith("2 candles published to ")
    assert [c.ts for _, _, c in published(kafka, place)] == [START + MINUTE, START + 4 * MINUTE]


def test_candles_go_to_another_topic_when_it_is_named(
    penstock: Run, place: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(3))
    assert penstock("publish", "BTC_USDT-1m.csv", "--topic", "bars", **place).code == 0
    assert len(raw(kafka, place["PENSTOCK__KAFKA__PREFIX"] + "bars")) == 3
    assert published(kafka, place) == []
    wrong = penstock("publish", "BTC_USDT-1m.csv", "--topic", "quotes", **place)
    assert (wrong.code, wrong.err) == (
        2,
        "penstock: --topic quotes is for other records: candles go to candles, or to a topic of your own\n",
    )


def test_trades_of_several_files_are_on_the_topic_of_trades_with_clocks_between_them(
    penstock: Run, place: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    first = ["1000.5,10,1,buy,7", "1000.75,11,2,sell,8", "1002.25,12,0.5,buy,9", "1002.5,12,1,both,10"]
    second = ["1000.25,1,1,buy,x-1", "1001.5,1,1,sell,", "1001.5,0,1,sell,x-3", "1003,2,1,buy,x-1"]
    write_trades(tmp_path / "BTC_USDT-trades.csv", "time,price,amount,side,id", first)
    other = write_trades(tmp_path / "ETH_USDT-trades.csv", "time,price,amount,side,id", second)
    result = penstock("publish", "BTC_USDT-trades.csv", "ETH_USDT-trades.csv", **place)
    assert result.code == 1
    assert result.out.startswith(f"6 trades published to {place['PENSTOCK__KAFKA__PREFIX']}trades in ")
    assert result.err.splitlines() == [
        "ETH_USDT-trades.csv: row 3: price: Input should be greater than 0 (1001.5,0,1,sell,x-3)",
        "BTC_USDT-trades.csv: row 4: side: neither buy nor sell (1002.5,12,1,both,10)",
        "penstock: 2 rows are no trades and were not published",
    ]
    found: dict[int, list[str | int]] = {number: [] for number in range(4)}
    for one in raw(kafka, place["PENSTOCK__KAFKA__PREFIX"] + "trades"):
        record = json.loads(one.value())
        if one.key() is None:
            found[one.partition()].append(record["ts"])
        else:
            assert one.key().decode() == Trade.model_validate(record, strict=True).symbol
            found[one.partition()].append(f"{record['symbol'][:3]} {record['id']} {record['side']} {record['ts']}")
    made = f"{hashlib.sha256(other.read_bytes()).hexdigest()[:16]}:2"
    assert found == {
        0: ["BTC 7 buy 1000500", "BTC 8 sell 1000750", 1_001_000, 1_002_000, "BTC 9 buy 1002250", 1_003_000],
        1: [1_001_000, 1_002_000, 1_003_000],
        2: [1_001_000, 1_002_000, 1_003_000],
        3: ["ETH x-1 buy 1000250", 1_001_000, f"ETH {made} sell 1001500", 1_002_000, 1_003_000, "ETH x-1 buy 1003000"],
    }


def test_trades_without_ids_get_those_of_file_and_row_and_a_recording_is_for_replay(
    penstock: Run, place: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    file = write_trades(tmp_path / "BTC_USDT-trades.csv", "time,price,amount,side", ["1000,1,1,buy", "1000,2,1,buy"])
    assert penstock("publish", "BTC_USDT-trades.csv", "--topic", "trades", **place).code == 0
    name = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    found = [json.loads(one.value())["id"] for one in raw(kafka, place["PENSTOCK__KAFKA__PREFIX"] + "trades")]
    assert found == [f"{name}:1", f"{name}:2"]
    wrong = penstock("publish", "BTC_USDT-trades.csv", "--topic", "candles", **place)
    assert (wrong.code, wrong.err) == (
        2,
        "penstock: --topic candles is for other records: trades go to trades, or to a topic of your own\n",
    )
    (tmp_path / "frames.gz").write_bytes(b"")
    result = penstock("publish", "frames.gz", **place)
    assert (result.code, result.err) == (
        2,
        "penstock: frames.gz is a recording of frames: penstock replay takes it, publish takes files of rows\n",
    )


def write_trades(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def test_a_topic_that_is_not_there_is_named(penstock: Run, kafka: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(3))
    words = ("--set", f"kafka.bootstrap_servers={kafka}", "--set", "kafka.prefix=none.")
    result = penstock("publish", "BTC_USDT-1m.csv", *words)
    assert (result.code, result.err) == (2, f"penstock: {kafka} has no topic none.candles: penstock topics create\n")


@pytest.mark.parametrize("speed", ["fast", "0x", "-1x", "60", "x"])
def test_a_speed_that_is_none_is_refused(penstock: Run, speed: str) -> None:
    result = penstock("publish", "a.csv", f"--speed={speed}")
    assert (result.code, result.err) == (
        2,
        f"penstock: --speed {speed}: write max, or how many times real time: 1x, 60x\n",
    )
