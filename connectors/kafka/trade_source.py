"""The source of a live run that makes its candles: the topic of trades, a part for each partition."""

from __future__ import annotations

from typing import Any

from connectors.kafka.candle_source import CandleReader, CandleTopicSource
from connectors.kafka.trade_topic import TradeTopic
from schemas.tick import Tick


class TradeReader(CandleReader):
    """Hands over one partition as it comes, and says when there is nothing more just now.

    Of trades a shard speaks only when a candle closes. So when the partition has stood still from one tick to the
    next, an empty batch lets it say how far it has read: whoever waits for the shard has to know that this is all.
    """

    holds = TradeTopic
    _stood, _told = -1, -1

    def idle(self, tick: Tick) -> list[Any]:
        """The tick; once after trades that were the last for now, an empty batch before it."""
        stands, self._stood = tick.upto == self._stood, tick.upto
        if not stands or tick.upto <= self._told:
            return [tick]
        self._told = tick.upto
        return [self._columns.batch([]), tick]


class TradeTopicSource(CandleTopicSource):
    """One part for each partition of the topic, called ``TOPIC-NUMBER``: batches of trades with clocks, and ticks."""

    what = "trades"
    reader = TradeReader
