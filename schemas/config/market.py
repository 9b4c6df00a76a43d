"""``market``: how candles are read, cut into shards and checked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.config.bars import BarsConfig
from schemas.config.section import Duration, Section


class MarketConfig(Section):
    """The market stage."""

    shards: int = Field(
        4, ge=1, le=1024, description="partitions of a replay; only how long flat candles go on depends on it"
    )
    file_time: Literal["open", "close"] = Field("open", description="what a candle file's time column means")
    bars: BarsConfig = Field(BarsConfig(), description="candles made of trades")
    max_quote_age: Duration = Field(
        "10s",
        description="bid and ask older than this at the close of a candle made of trades are not known any more; "
        "for an exchange's own candles it is 10s",
    )
    empty_candle: Literal["none", "flat", "stale"] = Field(
        "none",
        description="a candle missing in the stream: none = leave it out; flat = make one at the last close with "
        "volume 0; stale = leave it out and refuse signals of the first candle after the hole",
    )
    max_flat: int = Field(
        1440, ge=1, description="candles: at most so many flat ones in a row, the rest of a longer hole is left out"
    )
    allowed_lateness: Duration = Field(
        "1m", description="a candle this far behind the newest of its shard is late and goes to the dead letters"
    )
    max_ahead: Duration = Field(
        "1m",
        description="what says a time further than this behind the timestamp of its own Kafka message is refused "
        "(TIME_AHEAD); 36500d where producers set timestamps that are no times of sending",
    )
    max_wait: Duration = Field(
        "5s", description="wall-clock time that a live portfolio waits for a candle which others have; then it goes on"
    )
    stale_after: Duration = Field(
        "1m", description="wall-clock time without any candle, on top of the timeframe, until a live feed is stale"
    )

    @property
    def topic(self) -> str:
        """The topic that a live run reads of the market."""
        return "trades" if self.bars.made else "candles"
