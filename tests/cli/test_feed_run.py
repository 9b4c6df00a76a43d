"""From a simulated exchange to orders, live on Kafka; and from the recording of it, the same once more."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from connectors.exchanges.interface import QUOTE, TRADE
from tests.command import PENSTOCK
from tests.exchange.beside import playing
from tests.exchange.server import Mischief
from tests.exchange.tape import MINUTE, Tape, simulated
from tests.live import Installation, get, serving_port
from tests.replaying import replay

SYMBOLS = ("BTC/USDT", "ETH/USDT")
SETS = (
    *("--set", "market.bars.timeframes=[1s, 2s]", "--set", "market.allowed_lateness=2s"),
    *("--set", "strategies.0.use=sma_cross", "--set", "strategies.0.params={fast: 1, slow: 2, stop_pct: 0.5}"),
    *("--set", "risk.max_spread_bps=1.5"),  # 0.02 of a price near 100, or of one near 200
)
DECIDED = ("bars", "signals", "orders", "rejections", "fills", "positions")


def tape_until(seconds: float) -> Tape:
    """Three minutes that are past, and so many seconds from now."""
    now = int(time.time() * 1_000)
    tape = simulated(SYMBOLS, 6, every_ms=400, start=(now // MINUTE - 3) * MINUTE)
    return Tape([one for one in tape.records if isinstance(one, TRADE | QUOTE) and one.ts < now + seconds * 1_000])


def digest(values: list[bytes]) -> str:
    """Of records, whatever the order in which partitions are read."""
    return sha256(b"\n".join(sorted(values))).hexdigest()


def clock(place: Installation) -> int:
    """How far the feed's time has come."""
    return max((json.loads(one.value())["ts"] for one in place.messages("trades") if one.key() is None), default=0)


def test_the_recording_of_a_live_session_gives_its_candles_and_its_orders(kafka: str, tmp_path: Path) -> None:
    place, port = Installation(kafka, tmp_path), serving_port(1)
    place.done("topics", "create")
    with place.running(*SETS, "--set", f"serve.port={port}") as run:
        run.until(lambda: get(port, "/health/ready"), bool)  # what is quoted before the feed is there is none of then
        now, tape = int(time.time() * 1_000), tape_until(12)
        past: list[tuple[Any, int]] = [("swallow", 6), ("reorder", 4), ("duplicate", 5), ("truncate", 1), ("wrong", 1)]
        mischief = [Mischief(tape.start + 20_000 * (at + 1), kind, count) for at, (kind, count) in enumerate(past)]
        with playing(tape, [*mischief, Mischief(now + 5_000, "drop")]) as exchange:
            urls = exchange.addresses("binance")
            words = ("--exchange", "binance", "--symbols", ",".join(SYMBOLS), "--streams", "trades,quotes")
            addresses = ("--socket-url", urls["socket_url"], "--rest-url", urls["rest_url"])
            command = (PENSTOCK, "feed", *words, *addresses, "--record", "frames", "--set", "serve.feed_port=0")
            with place.running(command=command) as feed:
                # Clocks go on when nothing is traded any more, and close the last candles, live and in the recording.
                feed.until(lambda: clock(place), lambda ts: ts > tape.end + 5_000)
                assert feed.end() == 0
        replay([tmp_path / "frames"], tmp_path / "replayed", *SETS)
        found = {name: (tmp_path / "replayed" / f"{name}.jsonl").read_bytes().splitlines() for name in DECIDED}
        wanted = {name: len(values) for name, values in found.items()}
        run.until(lambda: {name: len(place.values(name)) for name in DECIDED}, wanted.__eq__)
        assert run.end() == 0
    assert exchange.missed
    assert min(wanted[name] for name in ("bars", "signals", "orders", "fills", "positions")) >= 3
    assert {name: digest(place.values(name)) for name in DECIDED} == {name: digest(found[name]) for name in DECIDED}
    assert place.values("deadletters") == []
    bars, orders, refusals = ([json.loads(line) for line in found[name]] for name in ("bars", "orders", "rejections"))
    assert sum("bid" in bar for bar in bars) >= 10  # what is past comes at once, and a quote of then is none of now
    assert {one["checks"]["spread"]["most_bps"] for one in orders if one["leg"] == "entry"} == {1.5}
    assert {one["symbol"] for one in orders} == {"ETH/USDT"}
    assert "SPREAD_TOO_WIDE" in {one["code"] for one in refusals if one["symbol"] == "BTC/USDT"}
    assert len(place.messages("quotes")) > 0
