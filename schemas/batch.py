"""CandleBatch and TradeBatch: the columns that a source hands on, just as they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Slot = TypeVar("Slot", int, NDArray[np.int32])
CLOCK_SLOT, NO_SLOT = -1, -(2**31)

Head = tuple[str | None, tuple[str, ...]]
"""Key and headers of a message, in the form that a dead letter has them."""


def sound(quote: NDArray[np.float64]) -> NDArray[np.bool_]:
    """By row of bid and ask, whether they are a quote: two prices, the ask not below the bid.

    >>> sound(np.array([[1.0, 1.5], [2.0, 1.0], [1.0, np.nan], [np.nan, np.nan]])).tolist()
    [True, False, False, False]
    """
    bid, ask = quote.T
    return np.asarray((bid > 0) & (bid <= ask) & (ask < np.inf), np.bool_)


def quotes(quote: NDArray[np.float64] | None, count: int) -> list[tuple[float | None, float | None]]:
    """Bid and ask of so many rows as records have them: None for what is not known.

    >>> quotes(np.array([[1.0, 1.5], [np.nan, np.nan]]), 2), quotes(None, 1)
    ([(1.0, 1.5), (None, None)], [(None, None)])
    """
    if quote is None:
        return [(None, None)] * count
    return [(None if bid != bid else bid, None if ask != ask else ask) for bid, ask in quote.tolist()]


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that is no row of the columns, with what a dead letter needs. ``raw`` is None for a null."""

    position: int  # offset in the partition
    raw: bytes | None
    reason: str  # CATEGORY_CONDITION
    error: str  # what is wrong, without the reason
    headers: tuple[str, ...] = ()  # as in a dead letter
    symbol: str | None = None
    key: str | None = None  # as in a dead letter
    figures: Mapping[str, int] = field(default_factory=dict)  # of a reason that is an alert, too


@dataclass(frozen=True, slots=True)
class CandleBatch:
    """Rows of one shard in the order in which they came; nothing has been checked yet.

    ``slot`` indexes ``symbols``, which names every symbol that the source knows of, seen or not. ``ts`` is the close
    time in epoch ms UTC, -1 where it could not be read; a value that could not be read is NaN. ``raw`` holds, by
    index, rows as they came: all that are no good candle, as far as the source can see. ``position`` is the row of
    the file counted from 1 (or the offset in the partition). ``final``: this shard has said everything.
    ``quote`` has two columns, the best bid and offer as known at the close, NaN where they are not; it is None when no
    row has any.

    ``topic`` and ``partition`` are set when the rows come from a topic. Then ``heads`` has, by index, key and headers
    of the message behind a row, and ``refused`` the messages that are no rows, in the order of their offsets; they lie
    between the rows by ``position``, which rises then.
    """

    shard: str
    symbols: tuple[str, ...]
    sources: tuple[str, ...]  # by slot: the file or topic it comes from
    timeframes: NDArray[np.int64]  # by slot: milliseconds
    slot: NDArray[np.int32]
    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    position: NDArray[np.int64]
    raw: Mapping[int, str] = field(default_factory=dict)
    final: bool = False
    topic: str | None = None
    partition: int | None = None
    refused: tuple[Refused, ...] = ()
    heads: Mapping[int, Head] = field(default_factory=dict)
    arrived_ms: int | None = None  # when the newest message came to the topic, epoch ms; no record depends on it
    upto: int = 0  # positions before it have been said, when rows do not tell
    watermark: int | None = None  # made of trades: nothing up to it will follow
    quote: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.ts)


NO_SIDE = -np.inf
"""The amount of a trade whose side could not be read."""


def quote_slot(slot: Slot) -> Slot:
    """The slot of a row that is a quote, from that of its symbol; and the other way round.

    >>> quote_slot(0), quote_slot(7), quote_slot(-9)
    (-2, -9, 7)
    """
    return -2 - slot


def renumbering(slots: Sequence[int]) -> NDArray[np.int32]:
    """What to index with slots to get others: ``slots`` has the new one of each symbol, NO_SLOT to leave it out.

    >>> renumbering([5, NO_SLOT])[[0, 1, CLOCK_SLOT, quote_slot(0)]].tolist() == [5, NO_SLOT, -1, quote_slot(5)]
    True
    """
    quotes = [slot if slot == NO_SLOT else quote_slot(slot) for slot in slots]
    return np.array([*slots, *reversed(quotes), CLOCK_SLOT], np.int32)


@dataclass(frozen=True, slots=True)
class TradeBatch:
    """Trades of one shard in the order in which they came; between them quotes, and how far the feed has come.

    As in :class:`CandleBatch`; further: ``slot`` is -1 for a row that is a clock, which has nothing but its ``ts``. It
    is :func:`quote_slot` of the symbol's for a quote, whose bid is in ``price`` and its offer in ``amount``.
    ``ts`` is the exchange's time in epoch ms UTC, ``buy`` whether the taker bought. ``id`` is the exchange's number
    of the trade; of an id that is no number, a number below zero by which to know it again, which says no order. A
    batch without rows says that there is nothing more just now.
    """

    shard: str
    symbols: tuple[str, ...]
    sources: tuple[str, ...]  # by slot: the file or topic it comes from
    slot: NDArray[np.int32]
    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    amount: NDArray[np.float64]
    buy: NDArray[np.bool_]
    id: NDArray[np.int64]
    position: NDArray[np.int64]
    raw: Mapping[int, str] = field(default_factory=dict)
    final: bool = False
    topic: str | None = None
    partition: int | None = None
    refused: tuple[Refused, ...] = ()
    heads: Mapping[int, Head] = field(default_factory=dict)
    arrived_ms: int | None = None

    def __len__(self) -> int:
        return len(self.ts)
