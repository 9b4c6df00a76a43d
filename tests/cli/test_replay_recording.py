"""``penstock replay`` of recordings, as a user runs it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from sinks.capture import Capture
from tests.command import penstock
from tests.exchange.server import Mischief
from tests.exchange.session import Kept, session
from tests.exchange.tape import START, Tape, candles_of, simulated
from tests.replaying import records, replay

SYMBOLS = ("BTC/USDT", "ETH/USDT")


@pytest.fixture(scope="module")
def tape() -> Tape:
    return simulated(SYMBOLS, 12)


@pytest.fixture(scope="module")
def frames(tape: Tape, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    kept = Kept(capture := Capture(folder, "binance"))
    mischief = [Mischief(START + 100_000, "drop"), Mischief(START + 300_000, "swallow", 9)]
    session("binance", SYMBOLS, tape, mischief, kept)
    capture.close()
    return folder


def facts(candles: list[Any]) -> list[tuple[Any, ...]]:
    names = ("ts", "symbol", "open", "high", "low", "close", "count")
    return sorted(
        tuple(one[name] if isinstance(one, dict) else getattr(one, name) for name in names) for one in candles
    )


def test_a_recording_gives_the_candles_of_all_that_was_traded(tape: Tape, frames: Path, tmp_path: Path) -> None:
    replay([frames / "binance"], tmp_path / "run")
    assert facts(records(tmp_path / "run", "bars")) == facts(candles_of(tape.trades()))
    assert records(tmp_path / "run", "deadletters") == []


def test_workers_processes_shards_and_batches_change_nothing_nor_what_is_known_of_bid_and_ask(
    frames: Path, tmp_path: Path
) -> None:
    sets = (
        *("--set", "market.bars.timeframes=[5s, 1m]", "--set", "strategies.0.use=sma_cross"),
        *("--set", "strategies.0.params={fast: 1, slow: 2, stop_pct: 0.5}", "--set", "risk.max_spread_bps=1.5"),
    )
    replay([frames], tmp_path / "one", *sets)
    more = ("--processes", "2", "--set", "run.batch_rows=700", "--set", "market.shards=7")
    replay([frames], tmp_path / "two", *sets, *more)
    for name in ("bars", "signals", "orders", "rejections", "alerts"):
        assert (tmp_path / "one" / f"{name}.jsonl").read_bytes() == (tmp_path / "two" / f"{name}.jsonl").read_bytes()
    codes = {(one["symbol"], one["code"]) for one in records(tmp_path / "one", "rejections")}
    assert {(symbol, "SPREAD_UNKNOWN") for symbol in SYMBOLS} | {("BTC/USDT", "SPREAD_TOO_WIDE")} <= codes
    assert {one["symbol"] for one in records(tmp_path / "one", "orders")} == {"ETH/USDT"}


def test_a_capture_of_another_program_is_replayed_with_the_name_of_its_exchange(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "binance-ws/btcusdt_20240808.gz"
    result = penstock(tmp_path, "replay", path)
    said = f"penstock: {path}: does not say of which exchange it is: name it with --exchange\n"
    assert (result.code, result.err) == (2, said)
    replay([path], tmp_path / "run", "--exchange", "binance")
    bars = records(tmp_path / "run", "bars")
    assert {one["symbol"] for one in bars} == {"BTC/USDT"}
    assert sum(one["count"] for one in bars) > 1_000


def test_what_is_no_recording_is_named(frames: Path, tmp_path: Path) -> None:
    shutil.copytree(frames / "binance", tmp_path / "two/binance")
    shutil.copytree(frames / "binance", tmp_path / "two/kraken")
    (tmp_path / "a.ndjson.zst").write_bytes(b"17 {}\n")
    cases: list[tuple[list[str | Path], str]] = [
        (["two"], "two: holds recordings of binance, kraken: name the folder of one of them"),
        (["a.ndjson.zst"], "a.ndjson.zst: is not compressed with zstd"),
    ]
    for words, said in cases:
        result = penstock(tmp_path, "replay", *words)
        assert (result.code, result.err) == (2, f"penstock: {said}\n")
