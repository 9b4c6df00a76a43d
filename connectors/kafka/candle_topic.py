"""From messages to the columns of a batch: symbols get slots, and what is no candle becomes a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.kafka.ahead import MAX_AHEAD_MS, in_time
from connectors.kafka.decode import Decoded, decode, explain, only
from connectors.kafka.received import Heads, Received, Refusal, Refusals, Texts, offsets_of, refused_of
from schemas.batch import CandleBatch
from schemas.candle import Candle
from schemas.timeframe import to_millis
from schemas.window import Window


@dataclass(frozen=True, slots=True)
class Known:
    """The symbols of a partition in the order in which they appeared, with their timeframes as written."""

    symbols: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()


class CandleTopic:
    """Makes batches of the messages of one partition. State: the symbols that it has seen, with their timeframes.

    A symbol gets a slot with its first message that is a good candle in every respect, so that a broken name takes
    none. From then on it has that timeframe; a candle of another one is refused.

    Of candles outside of ``window`` nothing is said, as if they had not come. One that closes more than
    ``max_ahead_ms`` behind the timestamp of its message is refused, and gives no symbol a slot.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        known: Known | None = None,
        window: Window | None = None,
        max_ahead_ms: int = MAX_AHEAD_MS,
    ) -> None:
        self.topic, self.partition, self.shard = topic, partition, f"{topic}-{partition}"
        self._max_ahead_ms = max_ahead_ms
        self._window = window if window is not None and window.bounded else None
        self.known = known or Known()
        self._new: list[tuple[str, str]] = []
        self._adopt()

    def _adopt(self) -> None:
        self._slots = {name: slot for slot, name in enumerate(self.known.symbols)}
        self._steps = np.array([to_millis(timeframe) for timeframe in self.known.timeframes], np.int64)
        self._sources = (self.topic,) * len(self._slots)

    def batch(self, messages: Sequence[Received]) -> CandleBatch:
        """The batch of some messages, in their order. Never raises on their content."""
        values = [message.value() for message in messages]
        found = decode(values)
        if self._window is not None:
            found = only(found, self._window.of(found.ts))
        refused: Refusals = {one.index: Refusal("MESSAGE_INVALID", one.error, None) for one in found.unread}
        found, ahead = in_time(found, messages, Candle, self._max_ahead_ms)
        refused |= ahead
        before = len(refused)
        at = found.index if found.index is not None else np.arange(len(values))
        slot = self._slots_of(found, values, at, refused)
        keep: slice | NDArray[np.bool_] = slice(None)
        if len(refused) > before:
            keep = slot >= 0
            at, slot = at[keep], slot[keep]
        offsets = offsets_of(messages)
        return CandleBatch(
            shard=self.shard,
            symbols=self.known.symbols,
            sources=self._sources,
            timeframes=self._steps,
            slot=slot,
            ts=found.ts[keep],
            open=found.open[keep],
            high=found.high[keep],
            low=found.low[keep],
            close=found.close[keep],
            volume=found.volume[keep],
            quote=None if found.quote is None else found.quote[keep],
            position=offsets[at],
            raw=Texts(tuple(values) if len(at) == len(values) else tuple(values[i] for i in at.tolist())),
            topic=self.topic,
            partition=self.partition,
            refused=tuple(refused_of(messages[i], int(offsets[i]), refusal) for i, refusal in sorted(refused.items())),
            arrived_ms=messages[-1].timestamp()[1] if messages else None,
            heads=Heads(tuple(messages) if len(at) == len(values) else tuple(messages[i] for i in at.tolist())),
        )

    def _slots_of(
        self,
        found: Decoded,
        values: Sequence[bytes | None],
        at: NDArray[np.int64],
        refused: Refusals,
    ) -> NDArray[np.int32]:
        """Slot of each row, -1 where the message is refused, which is then told in ``refused``."""
        slots, timeframes = self._slots, self.known.timeframes
        slot = np.array([slots.get(name, -1) for name in found.symbol], np.int32)
        first = timeframes[0] if timeframes else ""
        if len(set(timeframes)) == 1 and found.timeframe.count(first) == len(slot):
            doubtful = np.flatnonzero(slot < 0).tolist()
        else:
            written = np.array([*timeframes, None], object)[slot].tolist()
            pairs = zip(written, found.timeframe, strict=True)
            doubtful = [row for row, (known, said) in enumerate(pairs) if known != said]
        for row in doubtful:
            index, symbol, timeframe = int(at[row]), found.symbol[row], found.timeframe[row]
            answer = self._introduce(symbol, timeframe, values[index])
            if isinstance(answer, int):
                slot[row] = answer
            else:
                slot[row] = -1
                refused[index] = answer
        if len(self._slots) > len(self.known.symbols):
            self._remember()
        return slot

    def _introduce(self, symbol: str, timeframe: str, value: bytes | None) -> int | Refusal:
        """The slot of a symbol that is new or comes with a new timeframe, or why it gets none."""
        slot = self._slots.get(symbol)
        if slot is None:
            try:
                Candle.model_validate_json(value or b"")
            except ValidationError as wrong:
                return Refusal("MESSAGE_INVALID", explain(wrong), None)
            try:
                to_millis(timeframe)
            except ValueError as wrong:
                return Refusal("TIMEFRAME_UNKNOWN", str(wrong), symbol)
            slot = self._slots[symbol] = len(self._slots)
            self._new.append((symbol, timeframe))
            return slot
        known = [*self.known.timeframes, *(new for _, new in self._new)][slot]
        if known == timeframe:
            return slot
        return Refusal("TIMEFRAME_CHANGED", f"timeframe={timeframe!r} known={known!r}", symbol)

    def _remember(self) -> None:
        names, timeframes = zip(*self._new, strict=True)
        self.known = Known((*self.known.symbols, *names), (*self.known.timeframes, *timeframes))
        self._new = []
        self._adopt()
