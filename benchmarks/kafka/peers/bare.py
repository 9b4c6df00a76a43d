"""The bare confluent-kafka loop: consume a batch, decode each message, produce. No framework, no state, no guarantee.

    python bare.py ADDRESS CANDLES OUT GROUP signals|candles

``signals`` runs the strategy and produces a message for each crossing; ``candles`` runs none and produces one for each
candle.
"""

from __future__ import annotations

import sys

import msgspec
from confluent_kafka import Consumer, Producer
from crossing import crossing, signal

BATCH = 10_000
WAIT_S = 0.01


class Candle(msgspec.Struct):
    """What the loop reads of a message."""

    symbol: str
    timeframe: str
    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def main() -> None:
    """Read, decode and write back, and nothing more: the limit of this machine."""
    address, candles, out, group, what = sys.argv[1:]
    decode, encode = msgspec.json.Decoder(Candle).decode, msgspec.json.Encoder().encode
    settings = {"bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest"}
    consumer, producer = Consumer(settings), Producer({"bootstrap.servers": address})
    consumer.subscribe([candles])
    states: dict[str, list[float]] = {}
    sides: dict[str, int] = {}
    while True:
        for message in consumer.consume(BATCH, WAIT_S):
            if message.error():
                raise SystemExit(str(message.error()))
            candle = decode(message.value())
            symbol = candle.symbol
            if what == "candles":
                payload = encode(candle)
            else:
                closes = states.setdefault(symbol, [])
                sides[symbol], crossed = crossing(closes, sides.get(symbol, 0), candle.close)
                if not crossed:
                    continue
                payload = encode(signal(symbol, candle.ts, crossed, candle.close))
            while True:
                try:
                    producer.produce(out, payload, symbol)
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.poll(0)


if __name__ == "__main__":
    main()
