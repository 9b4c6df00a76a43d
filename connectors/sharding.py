"""Shards: which symbol belongs to which, and the candles of a shard as one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from connectors.candle_file import CandleFileError, CandleSeries
from connectors.cells import Floats, Ints
from schemas.batch import sound

_MIX = 0x5BD1E995
_SEED = 0x9747B28C
_WORD = 0xFFFFFFFF


def shard_of(symbol: str, shards: int) -> int:
    """The shard of a symbol: the partition that Kafka's default partitioner gives to a message with this key.

    ``toPositive(murmur2(key)) % shards``, as in Kafka's Java client (``BuiltInPartitioner.partitionForKey``) and in
    librdkafka's partitioner ``murmur2_random``, so that a replay of files is cut as the live topic is.

    >>> [shard_of(symbol, 4) for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")]
    [0, 3, 2, 2]

    Raises ValueError when ``shards`` is below 1.
    """
    if shards < 1:
        raise ValueError(f"shards is {shards}: it counts partitions, so it starts at 1")
    return (murmur2(symbol.encode()) & 0x7FFFFFFF) % shards


def murmur2(key: bytes) -> int:
    """MurmurHash2 (Austin Appleby, 32 bits) with Kafka's seed, unsigned.

    >>> murmur2(b"abc")
    479470107
    """
    length = len(key)
    value = _SEED ^ length
    whole = length - length % 4
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _MIX & _WORD
        word = (word ^ word >> 24) * _MIX & _WORD
        value = (value * _MIX & _WORD) ^ word
    if whole < length:
        value = (value ^ int.from_bytes(key[whole:], "little")) * _MIX & _WORD
    value = (value ^ value >> 13) * _MIX & _WORD
    return value ^ value >> 15


@dataclass(frozen=True, slots=True, eq=False)
class ShardColumns:
    """Rows of several series as one stream in event order. All arrays have one length.

    ``slot`` (int32) is the index of a row's series in ``series`` and of its symbol in ``symbols``, both in the order of
    the symbols' names. ``series_row`` (int64) is the row in that series. The other columns are as in
    :class:`~connectors.candle_file.CandleSeries`; ``quote`` is None when no series has one.
    """

    series: tuple[CandleSeries, ...]
    symbols: tuple[str, ...]
    slot: NDArray[np.int32]
    ts: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    series_row: Ints
    quote: Floats | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def misquoted(self) -> NDArray[np.bool_]:
        """By row: whether bid and ask are no quote. One that is not known is none, but not wrong."""
        if self.quote is None:
            return np.zeros(len(self), np.bool_)
        return np.asarray(~sound(self.quote) & ~np.isnan(self.quote).all(axis=1), np.bool_)

    def raw(self, row: int) -> str:
        """The row as it came: :meth:`CandleSeries.raw <connectors.candle_file.CandleSeries.raw>`."""
        return self.series[int(self.slot[row])].raw(int(self.series_row[row]))


def merge(series: Sequence[CandleSeries]) -> ShardColumns:
    """Several series, each of another symbol, as one stream ordered by event time; ties by symbol name.

    The rows of each series keep their order. A row that is out of order in its own series comes right behind its
    predecessor there: what counts is the newest time that the series has reached. Columns of a single series are not
    copied.

    Raises CandleFileError when two series have the same symbol, naming both files; ValueError without any series.
    """
    if not series:
        raise ValueError("there is nothing to merge: give at least one series")
    ordered = tuple(sorted(series, key=lambda one: one.symbol))
    for one, other in pairwise(ordered):
        if one.symbol == other.symbol:
            raise CandleFileError(
                f"{one.path} and {other.path} both hold {one.symbol}: leave one out, or name its symbol with --symbol"
            )
    symbols = tuple(one.symbol for one in ordered)
    lengths = [len(one) for one in ordered]
    slot = np.repeat(np.arange(len(ordered), dtype=np.int32), lengths)
    row = np.concatenate([np.arange(length, dtype=np.int64) for length in lengths])
    if len(ordered) == 1:
        only = ordered[0]
        prices = (only.open, only.high, only.low, only.close, only.volume)
        return ShardColumns(ordered, symbols, slot, only.ts, *prices, row, only.quote)
    reached = np.concatenate([np.maximum.accumulate(one.ts) for one in ordered])
    # Stable, and the series stand in the order of their symbols: so ties go by symbol, then by row.
    order = np.argsort(reached, kind="stable")
    return ShardColumns(
        ordered,
        symbols,
        slot[order],
        np.concatenate([one.ts for one in ordered])[order],
        np.concatenate([one.open for one in ordered])[order],
        np.concatenate([one.high for one in ordered])[order],
        np.concatenate([one.low for one in ordered])[order],
        np.concatenate([one.close for one in ordered])[order],
        np.concatenate([one.volume for one in ordered])[order],
        row[order],
        _quotes(ordered, order),
    )


def _quotes(series: Sequence[CandleSeries], order: Ints) -> Floats | None:
    if all(one.quote is None for one in series):
        return None
    known = [np.full((len(one), 2), np.nan) if one.quote is None else one.quote for one in series]
    quote: Floats = np.concatenate(known)[order]
    return quote
