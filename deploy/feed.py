"""The market of the demo: simulated candles onto the topic, without end.

    python deploy/feed.py --speed 60

The first day comes at once, so that the strategies have a past; from then on ``--speed`` minutes come in a minute.
After a restart it goes on behind the last candle of each partition: nothing is published twice, nothing is left out.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from itertools import islice

from confluent_kafka import Producer

from cli.errors import UserError, report
from connectors.kafka.connection import Connection
from connectors.kafka.tail import Tail
from connectors.sharding import shard_of
from connectors.simulated import BLOCK, MarketSpec, SimulatedMarket
from schemas.candle import Candle
from schemas.config.load import load
from schemas.wire import wire
from sinks.kafka.recording import SETTINGS, Recording

Place = tuple[int, str]
"""Close time and symbol: where a candle stands in its partition."""


def candles(after: int) -> Iterator[Candle]:
    """The candles that close later than ``after`` (epoch ms), by close time and then by symbol."""
    market, make = SimulatedMarket(MarketSpec()), wire(Candle)
    while True:
        block = market.next(BLOCK)
        columns = (block.open, block.high, block.low, block.close, block.volume)
        order = sorted(enumerate(block.symbols), key=lambda item: item[1])
        for row in range(int(block.ts.searchsorted(after, "right")), len(block)):
            for column, symbol in order:
                o, h, l, c, v = (float(values[row, column]) for values in columns)  # noqa: E741
                ts = int(block.ts[row])
                yield make(symbol=symbol, timeframe="1m", ts=ts, open=o, high=h, low=l, close=c, volume=v)


def last_places(tail: Tail) -> dict[int, Place]:
    """The last candle of each partition that has one. Raises UserError when all that was there has aged out."""
    starts = {number: high - 1 for number, (low, high) in tail.ranges.items() if high > low}
    if not starts and any(high for _, high in tail.ranges.values()):
        raise UserError(f"{tail.topic}: all candles have aged out, so it is not known where to go on: use new volumes")
    last = {}
    for one in tail.until_end(starts):
        candle = Candle.model_validate_json(one.value or b"", strict=True)
        last[one.partition] = (candle.ts, candle.symbol)
    return last


def feed(connection: Connection, topic: str, speed: float) -> None:
    """Publish until interrupted."""
    tail = Tail(connection, topic)
    last, partitions = last_places(tail), len(tail.ranges)
    tail.close()
    # A minute may have been cut between two partitions, so begin a minute early and look at each candle.
    after = min((ts for ts, _ in last.values()), default=0) - 60_000
    new = (
        candle
        for candle in candles(after)
        if (candle.ts, candle.symbol) > last.get(shard_of(candle.symbol, partitions), (0, ""))
    )
    recording = Recording(connection.client(Producer, SETTINGS), topic)
    try:
        if not last:
            recording.publish(islice(new, BLOCK * len(MarketSpec().symbols)))
        recording.publish(new, speed)
    except KeyboardInterrupt:
        recording.finish()
        print(f"{recording.delivered:,} candles published to {topic}")


def main() -> None:
    """Take the broker from the environment (PENSTOCK__KAFKA__...) and feed it."""
    parser = argparse.ArgumentParser(description="Simulated candles onto the topic, without end.")
    parser.add_argument("--speed", type=float, default=60.0, help="minutes of the market in a minute")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kafka = load(None, os.environ).config.kafka
    feed(Connection(kafka), kafka.topic("candles"), given.speed)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        sys.exit(report(error))
