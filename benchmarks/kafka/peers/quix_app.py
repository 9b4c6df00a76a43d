"""Quix Streams with `exactly-once`: a StreamingDataFrame with a stateful `apply`, one call a candle.

    python quix_app.py ADDRESS CANDLES OUT GROUP STATE

As its documentation writes it: JSON topics, state by message key in its own store (RocksDB, with a changelog topic). It
commits every second instead of every five, so that waiting for the last commit does not count much.
"""

from __future__ import annotations

import sys
from typing import Any

from crossing import crossing, signal
from quixstreams import Application, State

Candle = dict[str, Any]


def step(candle: Candle, state: State) -> Candle | None:
    """A candle of one symbol: a signal if the averages crossed."""
    kept = state.get("kept") or {"closes": [], "side": 0}
    kept["side"], crossed = crossing(kept["closes"], kept["side"], candle["close"])
    state.set("kept", kept)
    return signal(candle["symbol"], candle["ts"], crossed, candle["close"]) if crossed else None


def main() -> None:
    """Candles in, crossings out."""
    address, candles, out, group, folder = sys.argv[1:]
    app = Application(
        broker_address=address,
        consumer_group=group,
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        commit_interval=1.0,
        state_dir=folder,
    )
    source = app.topic(candles, key_deserializer="str", value_deserializer="json")
    target = app.topic(out, key_serializer="str", value_serializer="json")
    frame = app.dataframe(source)
    frame = frame.apply(step, stateful=True).filter(lambda found: found is not None)
    frame.to_topic(target)
    app.run()


if __name__ == "__main__":
    main()
