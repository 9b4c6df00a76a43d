"""From messages of the topic of trades to the columns of a batch, with clocks between them; symbols get slots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.kafka.ahead import MAX_AHEAD_MS, in_time
from connectors.kafka.candle_topic import Known
from connectors.kafka.decode import DecodedTrades, decode_clocks, decode_trades, explain
from connectors.kafka.received import Heads, Received, Refusal, Refusals, Texts, offsets_of, refused_of
from schemas.batch import TradeBatch
from schemas.clock import Clock
from schemas.trade import Trade

CLOCK, REFUSED = -1, -2
Ints = NDArray[np.int64]
_KINDS: dict[str, Any] = {
    "ts": np.int64,
    "price": np.float64,
    "amount": np.float64,
    "buy": np.bool_,
    "id": np.int64,
}


class TradeTopic:
    """Makes batches of the messages of one partition. State: the symbols that it has seen.

    A message without a key is a clock. A symbol gets a slot with its first message that is a good trade in every
    respect, so that a broken name takes none. What says a time more than ``max_ahead_ms`` behind the timestamp of its
    message is refused, a clock, too.
    """

    def __init__(
        self, topic: str, partition: int, known: Known | None = None, max_ahead_ms: int = MAX_AHEAD_MS
    ) -> None:
        self.topic, self.partition, self.shard = topic, partition, f"{topic}-{partition}"
        self._max_ahead_ms = max_ahead_ms
        self.known = known or Known()
        self._slots = {name: slot for slot, name in enumerate(self.known.symbols)}

    def batch(self, messages: Sequence[Received]) -> TradeBatch:
        """The batch of some messages, in their order; of none, one without rows. Never raises on their content."""
        values = [message.value() for message in messages]
        keyed = np.fromiter((message.key() is not None for message in messages), np.bool_, len(messages))
        refused: Refusals = {}
        slot = np.full(len(messages), REFUSED, np.int32)
        columns = {name: np.zeros(len(messages), kind) for name, kind in _KINDS.items()}
        self._clocks(messages, values, np.flatnonzero(~keyed), slot, columns, refused)
        self._trades(messages, values, np.flatnonzero(keyed), slot, columns, refused)
        offsets = offsets_of(messages)
        keep = np.flatnonzero(slot != REFUSED)
        whole, rows = len(keep) == len(values), keep.tolist()
        return TradeBatch(
            shard=self.shard,
            symbols=self.known.symbols,
            sources=(self.topic,) * len(self.known.symbols),
            slot=slot[keep],
            position=offsets[keep],
            raw=Texts(tuple(values) if whole else tuple(values[i] for i in rows)),
            topic=self.topic,
            partition=self.partition,
            refused=tuple(refused_of(messages[i], int(offsets[i]), refusal) for i, refusal in sorted(refused.items())),
            arrived_ms=messages[-1].timestamp()[1] if messages else None,
            heads=Heads(tuple(messages) if whole else tuple(messages[i] for i in rows)),
            ts=columns["ts"][keep],
            price=columns["price"][keep],
            amount=columns["amount"][keep],
            buy=columns["buy"][keep],
            id=columns["id"][keep],
        )

    def _clocks(
        self,
        messages: Sequence[Received],
        values: Sequence[bytes | None],
        at: Ints,
        slot: NDArray[np.int32],
        columns: dict[str, Any],
        refused: Refusals,
    ) -> None:
        if not len(at):
            return
        own = at.tolist()
        found = decode_clocks([values[i] for i in own])
        for unread in found.unread:
            why = f"without a key, so a clock: {unread.error}"
            refused[own[unread.index]] = Refusal("MESSAGE_INVALID", why, None)
        found, ahead = in_time(found, [messages[i] for i in own], Clock, self._max_ahead_ms)
        refused |= {own[index]: refusal for index, refusal in ahead.items()}
        rows = at if found.index is None else at[found.index]
        slot[rows], columns["ts"][rows] = CLOCK, found.ts

    def _trades(
        self,
        messages: Sequence[Received],
        values: Sequence[bytes | None],
        at: Ints,
        slot: NDArray[np.int32],
        columns: dict[str, Any],
        refused: Refusals,
    ) -> None:
        if not len(at):
            return
        own: Sequence[int] = range(len(values))
        if len(at) < len(values):
            own = at.tolist()
            messages, values = [messages[i] for i in own], [values[i] for i in own]
        found = decode_trades(values)
        for unread in found.unread:
            refused[own[unread.index]] = Refusal("MESSAGE_INVALID", unread.error, None)
        found, ahead = in_time(found, messages, Trade, self._max_ahead_ms)
        refused |= {own[index]: refusal for index, refusal in ahead.items()}
        rows = at if found.index is None else at[found.index]
        slot[rows] = self._slots_of(found, values, own, refused)
        for name in _KINDS:
            columns[name][rows] = getattr(found, name)

    def _slots_of(
        self, found: DecodedTrades, values: Sequence[bytes | None], own: Sequence[int], refused: Refusals
    ) -> NDArray[np.int32]:
        """Slot of each row; where the message is refused, which is then told in ``refused``, there is none.

        ``own`` has by place in ``values`` the index among all messages.
        """
        slots, known = self._slots, len(self._slots)
        slot = np.array([slots.get(name, REFUSED) for name in found.symbol], np.int32)
        for row in np.flatnonzero(slot == REFUSED).tolist():
            symbol, index = found.symbol[row], row if found.index is None else int(found.index[row])
            if symbol not in slots:
                try:
                    Trade.model_validate_json(values[index] or b"")
                except ValidationError as wrong:
                    refused[own[index]] = Refusal("MESSAGE_INVALID", explain(wrong), None)
                    continue
                slots[symbol] = len(slots)
            slot[row] = slots[symbol]
        if len(slots) > known:
            self.known = Known(tuple(slots))
        return slot
