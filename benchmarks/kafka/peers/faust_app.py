"""Faust with `exactly_once`: an agent over a stream of candles and a table by symbol, one await a candle.

    python faust_app.py ADDRESS CANDLES OUT GROUP STATE PARTITIONS

As its documentation writes it: JSON values, a table with a changelog topic, its store in memory. It commits every
second instead of every 2.8, so that waiting for the last commit does not count much; and its producer lingers 5 ms, as
that of the others does by default, which makes it faster.
"""

from __future__ import annotations

import sys
from typing import Any

import faust
from crossing import crossing, signal

Candle = dict[str, Any]


def main() -> None:
    """Candles in, crossings out."""
    address, candles, out, group, folder, partitions = sys.argv[1:]
    app = faust.App(
        group,
        broker=f"kafka://{address}",
        datadir=folder,
        store="memory://",
        topic_partitions=int(partitions),
        processing_guarantee="exactly_once",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        producer_linger=0.005,
        web_enabled=False,
    )
    source = app.topic(candles, key_type=str, key_serializer="raw", value_serializer="json")
    target = app.topic(out, key_type=str, key_serializer="raw", value_serializer="json")
    table = app.Table("kept", default=lambda: ([], 0), partitions=int(partitions))

    @app.agent(source)
    async def trade(stream: Any) -> None:
        async for candle in stream:
            symbol = candle["symbol"]
            closes, side = table[symbol]
            side, crossed = crossing(closes, side, candle["close"])
            table[symbol] = (closes, side)
            if crossed:
                await target.send(key=symbol, value=signal(symbol, candle["ts"], crossed, candle["close"]))

    sys.argv[1:] = ["worker", "--loglevel", "info"]
    app.main()


if __name__ == "__main__":
    main()
