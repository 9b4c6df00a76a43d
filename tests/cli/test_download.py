"""``penstock download`` as a user types it, from a simulated exchange on loopback."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests.cli.test_downloading import rows, told
from tests.command import PENSTOCK, environment
from tests.exchange.past import Past, past
from tests.exchange.tape import MINUTE, START, Tape, simulated
from tests.exchange.test_protocols import MARKETS

Run = Callable[..., Any]
HOUR = 60 * MINUTE


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%MZ")


@pytest.fixture(scope="module")
def tape() -> Tape:
    """A day of two markets; one of them has no trade in five minutes of the second hour."""
    made = simulated([MARKETS["binance"], "ETH/USDT"], 1_440, every_ms=5_000)
    quiet = range(START + HOUR, START + HOUR + 5 * MINUTE)
    kept = [one for one in made.records if one.symbol != "ETH/USDT" or (one.ts - MINUTE) not in quiet]
    return Tape([one for one in kept if one.ts < START + 22 * HOUR])


@pytest.fixture
def there(tape: Tape) -> Iterator[Past]:
    with past(tape) as simulator:
        yield simulator


def words(name: str, there: Past, *more: str) -> tuple[str, ...]:
    return ("download", "--exchange", name, "--rest-url", there.addresses(name)["rest_url"], *more)


def test_candles_are_downloaded_and_replayed(penstock: Run, there: Past, tape: Tape, tmp_path: Path) -> None:
    first, end = START + 45 * MINUTE, START + 75 * MINUTE
    span = ("--since", iso(first), "--until", iso(end))
    result = penstock(*words("binance", there, "--symbols", "BTC/USDT,ETH/USDT", "--timeframe", "1m", *span))
    assert result.code == 0, result.err
    assert result.out.splitlines() == [
        f"history/binance/BTC_USDT-1m.parquet: 30 candles, {iso(first)} to {iso(end - MINUTE)}",
        f"history/binance/ETH_USDT-1m.parquet: 25 candles, {iso(first)} to {iso(end - MINUTE)}",
        "  missing: 5 candles in 1 gap, for Binance spot has none there",
        f"    5 from {iso(START + HOUR)}",
    ]
    folder = tmp_path / "history/binance"
    assert rows(folder / "BTC_USDT-1m.parquet") == told("binance", tape, "1m", first, end)
    labels = pyarrow.parquet.read_schema(folder / "BTC_USDT-1m.parquet").metadata
    assert labels[b"penstock.exchange"] == b"binance"
    again = penstock("replay", "history/binance/BTC_USDT-1m.parquet", "--out", "run", "--no-html")
    assert again.code == 0, again.err
    assert "30 candles in" in again.out


def started(folder: Path, *args: str) -> subprocess.Popen[str]:
    command = [PENSTOCK, *args]
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait(for_: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 60
    while not for_():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_a_download_goes_on_where_it_was_ended(how: signal.Signals, there: Past, tape: Tape, tmp_path: Path) -> None:
    span = ("--timeframe", "1m", "--since", iso(START), "--until", iso(START + 20 * HOUR))
    command = words("binance", there, "--symbols", "BTC/USDT", *span)
    there.break_after(1, hangs=True)
    process = started(tmp_path, *command)
    partial = tmp_path / "history/binance/BTC_USDT-1m.parquet.partial"
    wait(lambda: len(there.asked) == 2 and partial.exists(), process)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    if how is not signal.SIGKILL:
        assert (process.returncode, said) == (130, "\ninterrupted: the same command goes on from what has come\n")
    there.mend()
    there.asked.clear()
    process = started(tmp_path, *command)
    assert process.wait(60) == 0
    wanted = told("binance", tape, "1m", START, START + 20 * HOUR)
    assert [int(one["startTime"]) for _, one in there.asked] == [wanted[1_000 - 1][0] + MINUTE]
    path = tmp_path / "history/binance/BTC_USDT-1m.parquet"
    assert rows(path) == wanted
    assert not partial.exists()


def test_a_market_that_fails_does_not_keep_the_others(penstock: Run, there: Past, tmp_path: Path) -> None:
    span = ("--timeframe", "1h", "--since", iso(START), "--until", iso(START + 3 * HOUR))
    result = penstock(*words("binance", there, "--symbols", "NO/USDT,BTC/USDT", *span, "--out", "here"))
    assert (result.code, result.err) == (2, "penstock: NO/USDT: binance: Invalid symbol. (code -1121)\n")
    assert result.out == f"here/BTC_USDT-1h.parquet: 3 candles, {iso(START)} to {iso(START + 2 * HOUR)}\n"
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["BTC_USDT-1h.parquet"]


def test_a_time_in_which_the_exchange_has_nothing_is_said(penstock: Run, there: Past, tmp_path: Path) -> None:
    span = ("--timeframe", "1m", "--since", iso(START - HOUR), "--until", iso(START))
    result = penstock(*words("binance", there, "--symbols", "BTC/USDT", *span))
    assert result.code == 0, result.err
    assert result.out == f"BTC/USDT: Binance spot has no candles between {iso(START - HOUR)} and {iso(START)}\n"
    assert not (tmp_path / "history").exists()


MISTAKES = {
    "exchange": (
        ("nowhere", "BTC/USDT", "1m", "30d"),
        "no exchange is named 'nowhere'; penstock exchanges list has",
    ),
    "symbol": (
        ("kraken", "BTCUSD", "1m", "30d"),
        "--symbols: 'BTCUSD' is no market of Kraken spot: write it as BTC/USD",
    ),
    "none": (("kraken", ",", "1m", "30d"), "--symbols: name at least one market, as in BTC/USDT"),
    "timeframe": (
        ("kraken", "BTC/USD", "3m", "30d"),
        "--timeframe 3m: Kraken spot has 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w",
    ),
    "since": (("kraken", "BTC/USD", "1m", "soon"), "--since soon: write a time as 2024-01-01T00:00Z, epoch ms, or how"),
    "span": (
        ("kraken", "BTC/USD", "1h", "30m"),
        "--since 30m: no 1h candle has opened and closed between it and --until",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message_that_says_what_to_do(penstock: Run, mistake: str) -> None:
    (name, symbols, timeframe, since), said = MISTAKES[mistake]
    options = ("--exchange", name, "--symbols", symbols, "--timeframe", timeframe, "--since", since)
    result = penstock("download", *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"penstock: {said}")


def test_an_address_is_checked_before_it_is_asked(penstock: Run) -> None:
    span = ("--timeframe", "1m", "--since", "30d", "--rest-url", "localhost:80")
    result = penstock("download", "--exchange", "kraken", "--symbols", "BTC/USD", *span)
    said = "penstock: --rest-url localhost:80: write it as http://… or https://…\n"
    assert (result.code, result.out, result.err) == (2, "", said)


def test_trouble_is_told_at_once_and_then_it_goes_on(penstock: Run, there: Past) -> None:
    there.break_after(0, times=2)
    span = ("--timeframe", "1m", "--since", iso(START), "--until", iso(START + HOUR))
    result = penstock(*words("binance", there, "--symbols", "BTC/USDT", *span))
    assert result.code == 0, result.err
    assert result.err.splitlines()[0] == "binance: status 500: simulated; trying again"
    assert len(there.asked) == 3


def test_a_file_of_something_else_is_left_alone(penstock: Run, there: Past, tmp_path: Path) -> None:
    assert penstock("simulate", "--out", "m", "--days", "1", "--symbols", "BTC/USDT").code == 0
    before = (tmp_path / "m/BTC_USDT-1m.parquet").read_bytes()
    span = ("--timeframe", "1m", "--since", iso(START), "--until", iso(START + HOUR))
    result = penstock(*words("binance", there, "--symbols", "BTC/USDT", *span, "--out", "m"))
    assert result.code == 2
    assert result.err.startswith(
        "penstock: m/BTC_USDT-1m.parquet is there and is not to be continued (penstock.exchange"
    )
    assert (tmp_path / "m/BTC_USDT-1m.parquet").read_bytes() == before
