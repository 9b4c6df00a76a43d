"""Messages behind the rows of a batch: their texts, keys and headers, and what is told of those that are no rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.batch import Head, Refused
from schemas.deadletter import header_text, text_of


class Refusal(NamedTuple):
    """Why a message is no row."""

    reason: str
    error: str
    symbol: str | None
    figures: Mapping[str, int] = {}


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
        return head_of(self.messages[row])

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


def offsets_of(messages: Sequence[Received]) -> NDArray[np.int64]:
    """The offsets of some messages of one partition, in their order. Mostly there is nothing between them."""
    if not messages:
        return np.empty(0, np.int64)
    first, last = messages[0].offset() or 0, messages[-1].offset() or 0
    if last - first == len(messages) - 1:  # offsets rise
        return np.arange(first, last + 1)
    return np.fromiter((message.offset() for message in messages), np.int64, len(messages))


def refused_of(message: Received, offset: int, refusal: Refusal) -> Refused:
    """A message that is no row, with what a dead letter needs."""
    reason, error, symbol, figures = refusal
    key, headers = head_of(message)
    return Refused(offset, message.value(), reason, error, headers, symbol, key, figures)


def head_of(message: Any) -> Head:
    """Key and headers of a message."""
    key = message.key()
    headers = [header_text(name, _bytes(value)) for name, value in message.headers() or ()]
    return None if key is None else text_of(_bytes(key) or b""), tuple(headers)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
