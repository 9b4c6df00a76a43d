"""Event time is what messages say, and it only goes on: one that says a time far in the future would end the rest.

So a message may not say a time that is later than its own timestamp by more than ``market.max_ahead``. The timestamp is
part of the message: who reads the topic again decides the same. No clock of the reader is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from connectors.kafka.decode import Found, explain, only
from connectors.kafka.received import Received, Refusal, Refusals
from schemas.config.market import MarketConfig
from schemas.record import Record
from schemas.timeframe import to_millis

REASON = "TIME_AHEAD"
MAX_AHEAD_MS = to_millis(MarketConfig().max_ahead)


def in_time(
    found: Found, messages: Sequence[Received], model: type[Record], max_ahead_ms: int
) -> tuple[Found, Refusals]:
    """The rows that are not ahead, and why the others are refused: for their form, if that is wrong, too."""
    own = messages if found.index is None else [messages[index] for index in found.index.tolist()]
    stamps = np.array([message.timestamp()[1] for message in own], np.int64)
    ahead = found.ts > stamps + max_ahead_ms
    if not ahead.any():
        return found, {}
    rows = np.flatnonzero(ahead)
    index = rows if found.index is None else found.index[rows]
    refused = {
        at: _refusal(own[row].value(), model, int(stamps[row]), max_ahead_ms)
        for at, row in zip(index.tolist(), rows.tolist(), strict=True)
    }
    return only(found, ~ahead), refused


def _refusal(value: bytes | None, model: type[Record], stamp: int, max_ahead_ms: int) -> Refusal:
    try:
        record: Any = model.model_validate_json(value or b"")
    except ValidationError as wrong:
        return Refusal("MESSAGE_INVALID", explain(wrong), None)
    symbol = getattr(record, "symbol", None)
    figures = {"ts": record.ts, "ahead_ms": record.ts - stamp, "max_ahead_ms": max_ahead_ms}
    shown = " ".join(f"{name}={value}" for name, value in figures.items())
    return Refusal(REASON, f"{f'symbol={symbol}' if symbol else 'clock'} {shown}", symbol, figures)
