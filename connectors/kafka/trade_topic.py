"""From messages of the topic of trades to the columns of a batch, with clocks between them; symbols get slots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.kafka.candle_topic import Known
from connectors.kafka.decode import DecodedTrades, decode_clocks, decode_trades, explain
from connectors.kafka.received import Heads, Received, Refusals, Texts, refused_of
from schemas.batch import TradeBatch
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
    respect, so that a broken name takes none.
    """

    def __init__(self, topic: str, partition: int, known: Known | None = None) -> None:
        self.topic, self.partition, self.shard = topic, partition, f"{topic}-{partition}"
        self.known = known or Known()
        self._slots = {name: slot for slot, name in enumerate(self.known.symbols)}

    def batch(self, messages: Sequence[Received]) -> TradeBatch:
        """The batch of some messages, in their order; of none, one without rows. Never raises on their content."""
        values = [message.value() for message in messages]
        keyed = np.fromiter((message.key() is not None for message in messages), np.bool_, len(messages))
        refused: Refusals = {}
        slot = np.full(len(messages), REFUSED, np.int32)
        columns = {name: np.zeros(len(messages), kind) for name, kind in _KINDS.items()}
        self._clocks(values, np.flatnonzero(~keyed), slot, columns, refused)
        self._trades(values, np.flatnonzero(keyed), slot, columns, refused)
        offsets = np.fromiter((message.offset() for message in messages), np.int64, len(messages))
        keep = np.flatnonzero(slot != REFUSED)
        rows = keep.tolist()
        return TradeBatch(
            shard=self.shard,
            symbols=self.known.symbols,
            sources=(self.topic,) * len(self.known.symbols),
            slot=slot[keep],
            position=offsets[keep],
            raw=Texts(tuple(values[i] for i in rows)),
            topic=self.topic,
            partition=self.partition,
            refused=tuple(refused_of(messages[i], int(offsets[i]), refusal) for i, refusal in sorted(refused.items())),
            arrived_ms=messages[-1].timestamp()[1] if messages else None,
            heads=Heads(tuple(messages[i] for i in rows)),
            ts=columns["ts"][keep],
            price=columns["price"][keep],
            amount=columns["amount"][keep],
            buy=columns["buy"][keep],
            id=columns["id"][keep],
        )

    def _clocks(
        self,
        values: Sequence[bytes | None],
        at: Ints,
        slot: NDArray[np.int32],
        columns: dict[str, Any],
        refused: Refusals,
    ) -> None:
        if not len(at):
            return
        found = decode_clocks([values[i] for i in at.tolist()])
        for unread in found.unread:
            refused[int(at[unread.index])] = ("MESSAGE_INVALID", f"without a key, so a clock: {unread.error}", None)
        rows = at if found.index is None else at[found.index]
        slot[rows], columns["ts"][rows] = CLOCK, found.ts

    def _trades(
        self,
        values: Sequence[bytes | None],
        at: Ints,
        slot: NDArray[np.int32],
        columns: dict[str, Any],
        refused: Refusals,
    ) -> None:
        if not len(at):
            return
        whole = len(at) == len(values)
        found = decode_trades(values if whole else [values[i] for i in at.tolist()])
        for unread in found.unread:
            refused[int(at[unread.index])] = ("MESSAGE_INVALID", unread.error, None)
        rows = at if found.index is None else at[found.index]
        slot[rows] = self._slots_of(found, values, rows, refused)
        for name in _KINDS:
            columns[name][rows] = getattr(found, name)

    def _slots_of(
        self, found: DecodedTrades, values: Sequence[bytes | None], rows: Ints, refused: Refusals
    ) -> NDArray[np.int32]:
        """Slot of each row; where the message is refused, which is then told in ``refused``, there is none."""
        slots, known = self._slots, len(self._slots)
        slot = np.array([slots.get(name, REFUSED) for name in found.symbol], np.int32)
        for row in np.flatnonzero(slot == REFUSED).tolist():
            symbol, index = found.symbol[row], int(rows[row])
            if symbol not in slots:
                try:
                    Trade.model_validate_json(values[index] or b"")
                except ValidationError as wrong:
                    refused[index] = ("MESSAGE_INVALID", explain(wrong), None)
                    continue
                slots[symbol] = len(slots)
            slot[row] = slots[symbol]
        if len(slots) > known:
            self.known = Known(tuple(slots))
        return slot
