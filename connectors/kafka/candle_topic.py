"""From messages to the columns of a batch: symbols get slots, and what is no candle becomes a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from connectors.kafka.decode import Decoded, decode, explain
from schemas.batch import CandleBatch, Head, Refused
from schemas.candle import Candle
from schemas.deadletter import header_text, text_of
from schemas.timeframe import to_millis
from schemas.window import Window

Refusal = tuple[str, str, str | None]  # reason, error, symbol
Refusals = dict[int, Refusal]  # by index of the message


class Received(Protocol):
    """What is used of a message of confluent-kafka."""

    def value(self) -> bytes | None:
        """The payload."""

    def offset(self) -> int | None:
        """The offset in the partition."""

    def key(self) -> Any:
        """The key."""

    def headers(self) -> Any:
        """The headers, in their order."""

    def timestamp(self) -> tuple[int, int]:
        """Kind and time of its stamp, epoch ms."""


@dataclass(frozen=True, slots=True)
class Texts(Mapping[int, str]):
    """The messages behind the rows of a batch, made into text only when one is asked for."""

    messages: tuple[bytes | None, ...]

    def __getitem__(self, row: int) -> str:
        message = self.messages[row] if 0 <= row < len(self.messages) else None
        if message is None:
            raise KeyError(row)
        return message.decode("utf-8", "backslashreplace")

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.messages)))

    def __len__(self) -> int:
        return len(self.messages)


@dataclass(frozen=True, slots=True)
class Heads(Mapping[int, Head]):
    """Keys and headers of the messages behind the rows of a batch, asked for and made into text only when wanted."""

    messages: tuple[Any, ...]

    def __getitem__(self, row: int) -> Head:
        if not 0 <= row < len(self.messages):
            raise KeyError(row)
        return _head(self.messages[row])

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.messages)))

    def __len__(self) -> int:
        return len(self.messages)

    def __reduce__(self) -> tuple[Any, ...]:
        # To another process goes only what it may ask for: a message of confluent-kafka cannot be sent.
        return Heads, (tuple(Kept(message.key(), message.headers()) for message in self.messages),)


@dataclass(frozen=True, slots=True)
class Kept:
    """Key and headers of a message that is not here any more."""

    _key: Any
    _headers: Any

    def key(self) -> Any:
        """The key."""
        return self._key

    def headers(self) -> Any:
        """The headers, in their order."""
        return self._headers


@dataclass(frozen=True, slots=True)
class Known:
    """The symbols of a partition in the order in which they appeared, with their timeframes as written."""

    symbols: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()


class CandleTopic:
    """Makes batches of the messages of one partition. State: the symbols that it has seen, with their timeframes.

    A symbol gets a slot with its first message that is a good candle in every respect, so that a broken name takes
    none. From then on it has that timeframe; a candle of another one is refused.

    Of candles outside of ``window`` nothing is said, as if they had not come.
    """

    def __init__(self, topic: str, partition: int, known: Known | None = None, window: Window | None = None) -> None:
        self.topic, self.partition, self.shard = topic, partition, f"{topic}-{partition}"
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
            found = found.only(self._window.of(found.ts))
        refused: Refusals = {unread.index: ("MESSAGE_INVALID", unread.error, None) for unread in found.unread}
        at = found.index if found.index is not None else np.arange(len(values))
        slot = self._slots_of(found, values, at, refused)
        keep: slice | NDArray[np.bool_] = slice(None)
        if len(refused) > len(found.unread):
            keep = slot >= 0
            at, slot = at[keep], slot[keep]
        offsets = np.fromiter((message.offset() for message in messages), np.int64, len(messages))
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
            position=offsets[at],
            raw=Texts(tuple(values) if len(at) == len(values) else tuple(values[i] for i in at.tolist())),
            topic=self.topic,
            partition=self.partition,
            refused=tuple(_refused(messages[i], int(offsets[i]), refusal) for i, refusal in sorted(refused.items())),
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
                return "MESSAGE_INVALID", explain(wrong), None
            try:
                to_millis(timeframe)
            except ValueError as wrong:
                return "TIMEFRAME_UNKNOWN", str(wrong), symbol
            slot = self._slots[symbol] = len(self._slots)
            self._new.append((symbol, timeframe))
            return slot
        known = [*self.known.timeframes, *(new for _, new in self._new)][slot]
        if known == timeframe:
            return slot
        return "TIMEFRAME_CHANGED", f"timeframe={timeframe!r} known={known!r}", symbol

    def _remember(self) -> None:
        names, timeframes = zip(*self._new, strict=True)
        self.known = Known((*self.known.symbols, *names), (*self.known.timeframes, *timeframes))
        self._new = []
        self._adopt()


def _refused(message: Received, offset: int, refusal: Refusal) -> Refused:
    reason, error, symbol = refusal
    key, headers = _head(message)
    return Refused(offset, message.value(), reason, error, headers, symbol, key)


def _head(message: Any) -> Head:
    key = message.key()
    headers = [header_text(name, _bytes(value)) for name, value in message.headers() or ()]
    return None if key is None else text_of(_bytes(key) or b""), tuple(headers)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
