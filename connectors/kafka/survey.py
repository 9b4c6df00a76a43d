"""What stands on a topic before it is replayed: where it begins and ends, which symbols, how many candles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.cells import Floats, Ints
from connectors.kafka.ahead import MAX_AHEAD_MS
from connectors.kafka.candle_topic import CandleTopic
from connectors.kafka.feed import Feed
from connectors.kafka.journal_source import Entries, whose
from connectors.kafka.stretch import Stretch, read
from schemas.timeframe import to_millis
from schemas.window import Window


@dataclass(frozen=True, slots=True)
class TopicSeries:
    """The candles of one symbol, in the order in which they stand on the topic."""

    symbol: str
    timeframe_ms: int
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.ts)


class Collected:
    """Candles of many batches, to be told apart by symbol."""

    def __init__(self) -> None:
        self.timeframes: dict[str, int] = {}
        self._slots: dict[str, int] = {}
        self._rows: list[tuple[NDArray[Any], ...]] = []

    def add(self, symbols: Sequence[str], timeframes: Ints, slot: NDArray[np.int32], *columns: NDArray[Any]) -> None:
        """Take some rows: ``slot`` indexes the symbols; close times, open, high, low, close, volume."""
        own = [self._slots.setdefault(symbol, len(self._slots)) for symbol in symbols]
        self.timeframes.update(zip(symbols, timeframes.tolist(), strict=True))
        self._rows.append((np.array(own, np.int64)[slot], *columns))

    def series(self) -> dict[str, TopicSeries]:
        """The rows of each symbol, in their order."""
        if not self._rows:
            return {}
        slot, *columns = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        order = np.argsort(slot, kind="stable")
        cuts = np.searchsorted(slot[order], np.arange(1, len(self._slots)))
        parts = [np.split(column[order], cuts) for column in columns]
        return {
            symbol: TopicSeries(symbol, self.timeframes[symbol], *(part[at] for part in parts))
            for symbol, at in self._slots.items()
        }


@dataclass(frozen=True, slots=True)
class Survey:
    """One stretch: what of it is to be replayed, how many rows that is in the progress, and its symbols."""

    stretch: Stretch
    rows: int
    timeframes: dict[str, int]  # by symbol: milliseconds


def survey_candles(
    feed: Feed, stretch: Stretch, window: Window, into: Collected, max_ahead_ms: int = MAX_AHEAD_MS
) -> Survey:
    """Read a stretch of the topic of candles, and cut it to where the window's candles are.

    It begins with the first candle of the window and ends with the last one. What lies between them and is no candle
    belongs to it, for it was there when they came.
    """
    columns = CandleTopic(stretch.topic, stretch.partition, window=window, max_ahead_ms=max_ahead_ms)
    offsets, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for messages in read(feed, stretch):
        batch = columns.batch(messages)
        offsets.append(np.fromiter((message.offset() for message in messages), np.int64, len(messages)))
        rows.append(batch.position)
        prices = (batch.open, batch.high, batch.low, batch.close, batch.volume)
        into.add(batch.symbols, batch.timeframes, batch.slot, batch.ts, *prices)
    found, every = np.concatenate(rows), np.concatenate(offsets)
    begin, end = stretch.begin, stretch.end
    if window.since != Window().since:
        begin = int(found[0]) if len(found) else end
    if window.until != Window().until:
        end = int(found[-1]) + 1 if len(found) else begin
    inside = int(((every >= begin) & (every < end)).sum())
    timeframes = dict(zip(columns.known.symbols, map(to_millis, columns.known.timeframes), strict=True))
    return Survey(replace(stretch, begin=begin, end=end), inside, timeframes)


@dataclass
class Journal:
    """What a partition of the journal says, and who speaks in it."""

    survey: Survey
    entries: int = 0
    strategies: set[str] = field(default_factory=set)
    portfolios: Counter[str] = field(default_factory=Counter)


def survey_journal(feed: Feed, stretch: Stretch, entries: Entries, window: Window, into: Collected) -> Journal:
    """Read a partition of the journal. Raises JournalError."""
    timeframes: dict[str, int] = {}
    found = Journal(Survey(stretch, 0, timeframes))
    rows = 0
    for messages in read(feed, stretch):
        for message in messages:
            if not entries.ours(message):
                found.portfolios[whose(message)] += 1
                continue
            found.entries += 1
            slices = entries.take(message)
            if slices is None:
                continue
            rows += len(slices)
            found.strategies.update(signal.strategy for signal in slices.signals)
            timeframes.update(zip(slices.symbols, slices.timeframes.tolist(), strict=True))
            inside = window.of(slices.ts)
            prices = (slices.ts, slices.open, slices.high, slices.low, slices.close, np.zeros(len(slices)))
            into.add(slices.symbols, slices.timeframes, slices.slot[inside], *(column[inside] for column in prices))
    found.survey = Survey(stretch, rows, timeframes)
    return found
