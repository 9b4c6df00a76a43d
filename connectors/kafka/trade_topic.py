"""From messages of the topic of trades to the columns of a batch, with clocks and quotes between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.kafka.ahead import MAX_AHEAD_MS, in_time
from connectors.kafka.candle_topic import Known
from connectors.kafka.decode import decode_clocks, decode_quotes, decode_trades, explain
from connectors.kafka.received import Heads, Received, Refusal, Refusals, Texts, offsets_of, refused_of
from schemas.batch import CLOCK_SLOT, NO_SLOT, TradeBatch, quote_slot
from schemas.clock import Clock
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
NO_KEY = {Trade: "", Quote: "without a key, so a quote: ", Clock: "without a key, so a clock: "}


@dataclass(slots=True)
class Filling:
    """The columns of a batch while they are filled, a row a message; slot NO_SLOT where a message is no row."""

    messages: Sequence[Received]
    values: Sequence[bytes | None]
    slot: NDArray[np.int32]
    columns: dict[str, Any]
    refused: Refusals = field(default_factory=dict)
    strange: list[tuple[int, str, type[Record]]] = field(default_factory=list)
    """To be looked at one by one, as the symbol has no slot or a figure is wrong: row, symbol, and what it is."""

    def read(
        self, at: Ints, decode: Callable[[Sequence[bytes | None]], Any], model: type[Record], max_ahead_ms: int
    ) -> tuple[Ints, Any]:
        """The messages at some rows: which are such records, and their columns. The others are refused."""
        own: Sequence[int] = range(len(self.values))
        messages, values = self.messages, self.values
        if len(at) < len(values):
            own = at.tolist()
            messages, values = [messages[i] for i in own], [values[i] for i in own]
        found = decode(values)
        for unread in found.unread:
            self.refused[own[unread.index]] = Refusal("MESSAGE_INVALID", NO_KEY[model] + unread.error, None)
        found, ahead = in_time(found, messages, model, max_ahead_ms)
        if ahead:
            self.refused |= {own[index]: refusal for index, refusal in ahead.items()}
        return at if found.index is None else at[found.index], found


class TradeTopic:
    """Makes batches of the messages of one partition. State: the symbols that it has seen.

    A message without a key is a clock, or a quote when it has a bid. A symbol gets a slot with its first message that
    is a good trade or quote in every respect, so that a broken name takes none. What says a time more than
    ``max_ahead_ms`` behind the timestamp of its message is refused, a clock, too.
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
        values, count = [message.value() for message in messages], len(messages)
        keyed = np.fromiter((message.key() is not None for message in messages), np.bool_, count)
        columns = {name: np.zeros(count, kind) for name, kind in _KINDS.items()}
        made = Filling(messages, values, np.full(count, NO_SLOT, np.int32), columns)
        if not keyed.all():
            between = np.flatnonzero(~keyed)
            quoted = np.array([b'"bid"' in (values[i] or b"") for i in between.tolist()], np.bool_)
            self._clocks(between[~quoted], made)
            self._quotes(between[quoted], made)
        self._trades(np.flatnonzero(keyed), made)
        if made.strange:
            self._introduce(made)
        slot, refused = made.slot, made.refused
        offsets = offsets_of(messages)
        keep = np.flatnonzero(slot != NO_SLOT)
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

    def _clocks(self, at: Ints, made: Filling) -> None:
        if len(at):
            rows, found = made.read(at, decode_clocks, Clock, self._max_ahead_ms)
            made.slot[rows], made.columns["ts"][rows] = CLOCK_SLOT, found.ts

    def _quotes(self, at: Ints, made: Filling) -> None:
        if not len(at):
            return
        rows, found = made.read(at, decode_quotes, Quote, self._max_ahead_ms)
        for name, values in (("ts", found.ts), ("price", found.bid), ("amount", found.ask)):
            made.columns[name][rows] = values
        good = (found.ts >= 0) & (found.bid > 0) & (found.ask > 0) & np.isfinite(found.bid + found.ask)
        for row, symbol, right in zip(rows.tolist(), found.symbol, good.tolist(), strict=True):
            if right and symbol in self._slots:
                made.slot[row] = quote_slot(self._slots[symbol])
            else:
                made.strange.append((row, symbol, Quote))

    def _trades(self, at: Ints, made: Filling) -> None:
        if not len(at):
            return
        rows, found = made.read(at, decode_trades, Trade, self._max_ahead_ms)
        for name in _KINDS:
            made.columns[name][rows] = getattr(found, name)
        slots = self._slots
        made.slot[rows] = slot = np.array([slots.get(name, NO_SLOT) for name in found.symbol], np.int32)
        for row in np.flatnonzero(slot == NO_SLOT).tolist():
            made.strange.append((int(rows[row]), found.symbol[row], Trade))

    def _introduce(self, made: Filling) -> None:
        """Slots for symbols that have none, in the order in which they came; what has a wrong figure is refused."""
        slots, known = self._slots, len(self._slots)
        for row, symbol, model in sorted(made.strange, key=lambda one: one[0]):
            if symbol not in slots or model is Quote:
                try:
                    model.model_validate_json(made.values[row] or b"")
                except ValidationError as wrong:
                    made.refused[row] = Refusal("MESSAGE_INVALID", NO_KEY[model] + explain(wrong), None)
                    continue
            slot = slots.setdefault(symbol, len(slots))
            made.slot[row] = slot if model is Trade else quote_slot(slot)
        if len(slots) > known:
            self.known = Known(tuple(slots))
