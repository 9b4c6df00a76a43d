"""From messages of the topic of trades to the columns of a batch, with clocks and quotes between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.kafka.candle_topic import Known
from connectors.kafka.decode import Unread, decode_clocks, decode_quotes, decode_trades, explain
from connectors.kafka.received import Heads, Received, Refusals, Texts, refused_of
from schemas.batch import CLOCK_SLOT, NO_SLOT, TradeBatch, quote_slot
from schemas.quote import Quote
from schemas.record import Record
from schemas.trade import Trade

Ints = NDArray[np.int64]
_KINDS: dict[str, Any] = {
    "ts": np.int64,
    "price": np.float64,
    "amount": np.float64,
    "buy": np.bool_,
    "id": np.int64,
}


@dataclass(slots=True)
class Filling:
    """The columns of a batch while they are filled, a row a message; slot NO_SLOT where a message is none."""

    values: Sequence[bytes | None]
    slot: NDArray[np.int32]
    columns: dict[str, Any]
    refused: Refusals
    strange: list[tuple[int, str, type[Record]]]  # messages of symbols that have no slot: index, symbol, and what it is

    def read(self, at: Ints, index: Ints | None, unread: Sequence[Unread], what: str = "") -> Ints:
        """The rows that could be read, of those at ``at``; what could not is refused, as ``what``."""
        for one in unread:
            self.refused[int(at[one.index])] = ("MESSAGE_INVALID", what + one.error, None)
        return at if index is None else at[index]


class TradeTopic:
    """Makes batches of the messages of one partition. State: the symbols that it has seen.

    A message without a key is a clock, or a quote when it has a bid. A symbol gets a slot with its first message that
    is a good trade or quote in every respect, so that a broken name takes none.
    """

    def __init__(self, topic: str, partition: int, known: Known | None = None) -> None:
        self.topic, self.partition, self.shard = topic, partition, f"{topic}-{partition}"
        self.known = known or Known()
        self._slots = {name: slot for slot, name in enumerate(self.known.symbols)}

    def batch(self, messages: Sequence[Received]) -> TradeBatch:
        """The batch of some messages, in their order; of none, one without rows. Never raises on their content."""
        values = [message.value() for message in messages]
        count = len(messages)
        keyed = np.fromiter((message.key() is not None for message in messages), np.bool_, count)
        columns = {name: np.zeros(count, kind) for name, kind in _KINDS.items()}
        made = Filling(values, np.full(count, NO_SLOT, np.int32), columns, {}, [])
        if not keyed.all():
            self._between(np.flatnonzero(~keyed), made)
        self._trades(np.flatnonzero(keyed), made)
        self._introduce(made)
        slot, refused = made.slot, made.refused
        offsets = np.fromiter((message.offset() for message in messages), np.int64, len(messages))
        keep = np.flatnonzero(slot != NO_SLOT)
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

    def _between(self, at: Ints, made: Filling) -> None:
        """Clocks and quotes."""
        quoted = np.array([b'"bid"' in (made.values[i] or b"") for i in at.tolist()], np.bool_)
        clocks = at[~quoted]
        found = decode_clocks([made.values[i] for i in clocks.tolist()])
        rows = made.read(clocks, found.index, found.unread, "without a key, so a clock: ")
        made.slot[rows], made.columns["ts"][rows] = CLOCK_SLOT, found.ts
        if len(clocks) < len(at):
            self._quotes(at[quoted], made)

    def _quotes(self, at: Ints, made: Filling) -> None:
        found = decode_quotes([made.values[i] for i in at.tolist()])
        rows = made.read(at, found.index, found.unread, "without a key, so a quote: ")
        good = (found.ts >= 0) & (found.bid > 0) & (found.ask > 0) & np.isfinite(found.bid + found.ask)
        for name, values in (("ts", found.ts), ("price", found.bid), ("amount", found.ask)):
            made.columns[name][rows] = values
        for row, symbol, right in zip(rows.tolist(), found.symbol, good.tolist(), strict=True):
            slot = self._slots.get(symbol)
            if slot is None or not right:
                made.strange.append((row, symbol, Quote))
            else:
                made.slot[row] = quote_slot(slot)

    def _trades(self, at: Ints, made: Filling) -> None:
        if not len(at):
            return
        whole = len(at) == len(made.values)
        found = decode_trades(made.values if whole else [made.values[i] for i in at.tolist()])
        rows = made.read(at, found.index, found.unread)
        slots = self._slots
        slot = np.array([slots.get(name, NO_SLOT) for name in found.symbol], np.int32)
        made.slot[rows] = slot
        for name in _KINDS:
            made.columns[name][rows] = getattr(found, name)
        for row in np.flatnonzero(slot == NO_SLOT).tolist():
            made.strange.append((int(rows[row]), found.symbol[row], Trade))

    def _introduce(self, made: Filling) -> None:
        """Slots for symbols that have none, in the order in which they came; what has a wrong figure is refused."""
        slots, known = self._slots, len(self._slots)
        for index, symbol, model in sorted(made.strange, key=lambda one: one[0]):
            if symbol not in slots or model is Quote:
                try:
                    model.model_validate_json(made.values[index] or b"")
                except ValidationError as wrong:
                    told = "without a key, so a quote: " * (model is Quote) + explain(wrong)
                    made.refused[index] = ("MESSAGE_INVALID", told, None)
                    continue
            slot = slots.setdefault(symbol, len(slots))
            made.slot[index] = slot if model is Trade else quote_slot(slot)
        if len(slots) > known:
            self.known = Known(tuple(slots))
