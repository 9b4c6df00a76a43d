"""Recordings of frames as tapes: what a feed would have made of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from connectors.capture import CaptureError
from connectors.tape import merge
from connectors.trade_recording import is_recording, read_recording, sha256_of
from schemas.batch import CLOCK_SLOT, quote_slot
from schemas.capture import NANOS, Line, Note
from sinks.capture import Capture
from tests.flows.bars.tapes import binance

START_MS = 1_704_067_200_000
OPENED = Note("opened", exchange="binance", symbols=("BTC/USDT", "ETH/USDT"), streams=("trades", "quotes"))


def trade(number: int, ms: int, name: str = "BTCUSDT") -> bytes:
    data = {"e": "trade", "E": ms, "s": name, "t": number, "p": "10.5", "q": "0.25", "T": ms, "m": number % 2 == 0}
    return json.dumps({"stream": f"{name.lower()}@trade", "data": data}).encode()


def lines() -> list[Line]:
    """Two markets over four seconds, received 100 ms after they happened."""
    said: list[bytes | Note] = [OPENED, Note("connected")]
    said += [trade(10 + n // 2, START_MS + 500 * n, "BTCUSDT" if n % 2 else "ETHUSDT") for n in range(8)]
    times = [START_MS, START_MS, *(START_MS + 500 * n + 100 for n in range(8))]
    return [Line(ms * 1_000_000 + at, 0, one) for at, (ms, one) in enumerate(zip(times, said, strict=True))]


def written(folder: Path) -> Path:
    capture = Capture(folder, "binance")
    for line in [*lines(), Line(START_MS * 1_000_000 + 5 * NANOS, 0, Note("closed"))]:
        capture.write(line)
    capture.close()
    return folder


def test_a_recording_gives_trades_in_their_order_with_clocks_of_receive_time_between_them(tmp_path: Path) -> None:
    tape = read_recording(written(tmp_path))
    assert tape.symbols == ("ETH/USDT", "BTC/USDT")
    trades = tape.slot >= 0
    assert tape.ts[trades].tolist() == [START_MS + 500 * n for n in range(8)]
    assert tape.id[trades].tolist() == [10, 10, 11, 11, 12, 12, 13, 13]
    assert tape.buy[trades].tolist() == [False, False, True, True, False, False, True, True]
    # A second of receive time is as far as the exchange's clock is behind it: 100 ms.
    assert tape.ts[~trades].tolist() == [START_MS + 1_000 * n - 100 for n in range(1, 6)]
    assert tape.position.tolist() == list(range(1, len(tape) + 1))
    assert (tape.ts[1:] >= tape.ts[:-1] - 400).all()


def test_quotes_of_a_recording_stand_between_its_trades_and_stay_with_their_symbol(tmp_path: Path) -> None:
    book = {"u": 1, "s": "BTCUSDT", "b": "10.4", "B": "1", "a": "10.6", "A": "1"}
    frame = json.dumps({"stream": "btcusdt@bookTicker", "data": book}).encode()
    capture = Capture(tmp_path, "binance")
    said = [*lines(), Line(START_MS * 1_000_000 + 2 * NANOS, 0, frame)]
    for line in sorted(said, key=lambda one: one.ns):
        capture.write(line)
    capture.close()
    tape = read_recording(tmp_path)
    btc, eth = tape.symbols.index("BTC/USDT"), tape.symbols.index("ETH/USDT")
    (at,) = np.flatnonzero(tape.slot == quote_slot(btc)).tolist()
    # Received at the second, which is 100 ms less by the exchange's clock: told when the second of that is over.
    assert (tape.ts[at], tape.price[at], tape.amount[at]) == (START_MS + 1_900, 10.4, 10.6)
    assert (tape.slot[at + 1], tape.ts[at + 1]) == (CLOCK_SLOT, START_MS + 2_900)
    assert json.loads(tape.raws[0](int(tape.position[at])))["bid"] == 10.4
    assert tape.trades("BTC/USDT") == tape.trades("ETH/USDT") == 4
    both, alone, other = tape.only(["BTC/USDT", "ETH/USDT"]), tape.only(["BTC/USDT"]), tape.only(["ETH/USDT"])
    assert both.symbols == ("BTC/USDT", "ETH/USDT")
    assert (both.slot[at], alone.slot.min()) == (quote_slot(0), quote_slot(0))
    assert other.slot.min() == CLOCK_SLOT
    again = merge([other, alone])
    assert sorted(again.slot[again.slot != CLOCK_SLOT].tolist()) == [quote_slot(0), 0, 0, 0, 0, 1, 1, 1, 1]
    assert eth == 0


def test_a_recording_of_another_program_needs_the_name_of_the_exchange(tmp_path: Path) -> None:
    path = tmp_path / "frames.gz"
    text = b"".join(b"%d %s\n" % (line.ns, line.said) for line in lines() if isinstance(line.said, bytes))
    path.write_bytes(gzip.compress(text))
    with pytest.raises(CaptureError, match="does not say of which exchange it is: name it"):
        read_recording(path)
    assert read_recording(path, "binance").trades("BTC/USDT") == 4


def test_a_recording_without_trades_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "frames.ndjson"
    quote = b'{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}}'
    path.write_bytes(b"%d %s\n" % (START_MS * 1_000_000, quote))
    with pytest.raises(CaptureError, match=r"holds no trades, of which candles could be made; it holds .*1 quotes"):
        read_recording(path, "binance")
    with pytest.raises(CaptureError, match=r"it holds 1 alerts, .*: FEED_UNPARSED: exchange=kraken why="):
        read_recording(path, "kraken")


def test_a_folder_is_a_recording_when_it_has_frames(tmp_path: Path) -> None:
    assert not is_recording(tmp_path)
    before = sha256_of(written(tmp_path))
    assert is_recording(tmp_path)
    assert is_recording(tmp_path / "binance")
    (file,) = tmp_path.rglob("*.zst")
    assert is_recording(file)
    file.write_bytes(file.read_bytes() + b"\0")
    assert sha256_of(tmp_path) != before


def test_the_binance_capture_has_every_trade_of_the_file_once(shared_data: Path) -> None:
    tape = read_recording(shared_data / "binance-ws/btcusdt_20240808.gz", "binance")
    trades, there = tape.slot >= 0, binance(shared_data)
    assert tape.symbols == ("BTC/USDT",)
    assert tape.id[trades].tolist() == [row.id for row in there]
    assert tape.price[trades].tolist() == [row.price for row in there]
    assert tape.buy[trades].tolist() == [row.buy for row in there]
    # The local clock is 1.2 s behind that of the exchange; the clocks of the feed are not behind the trades.
    clocks = tape.ts[~trades]
    assert (clocks[1:] - clocks[:-1]).min() > 0
    assert abs(int(tape.ts[trades][-1]) - int(clocks[-1])) < 1_500
