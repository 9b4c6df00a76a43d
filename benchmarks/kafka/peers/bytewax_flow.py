"""Stock Bytewax: its own Kafka source and sink, the strategy as a `stateful_map`, one item a candle.

    python bytewax_flow.py ADDRESS CANDLES OUT GROUP

As its documentation writes it, without a recovery store: so it promises nothing about a crash, and pays nothing for it.
Its source does not use a consumer group.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main
from crossing import crossing, signal

State = tuple[list[float], int]
Candle = dict[str, Any]


def decode(message: KafkaSourceMessage[bytes, bytes]) -> tuple[str, Candle]:
    """A message as its symbol and candle."""
    candle = json.loads(message.value)
    return candle["symbol"], candle


def step(state: State | None, candle: Candle) -> tuple[State, Candle | None]:
    """A candle of one symbol: its next state, and a signal if the averages crossed."""
    closes, side = state or ([], 0)
    side, crossed = crossing(closes, side, candle["close"])
    out = signal(candle["symbol"], candle["ts"], crossed, candle["close"]) if crossed else None
    return (closes, side), out


def encode(item: tuple[str, Candle | None]) -> KafkaSinkMessage[bytes, bytes] | None:
    """A signal as a message; none if nothing crossed."""
    symbol, found = item
    return None if found is None else KafkaSinkMessage(symbol.encode(), json.dumps(found).encode())


def flow(address: str, candles: str, out: str) -> Dataflow:
    """Candles in, crossings out."""
    flow = Dataflow("sma_cross")
    read = kop.input("read", flow, brokers=[address], topics=[candles])
    op.raises("errors", read.errs)
    keyed = op.map("decode", read.oks, decode)
    crossed = op.stateful_map("cross", keyed, step)
    kop.output("write", op.filter_map("encode", crossed, encode), brokers=[address], topic=out)
    return flow


if __name__ == "__main__":
    address, candles, out, _ = sys.argv[1:]
    cluster_main(flow(address, candles, out), [], 0)
