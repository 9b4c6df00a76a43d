"""Clock: how far a feed of trades has come, said also while nothing is traded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Record


class Clock(Record):
    """Between trades, without a key, in every partition: nothing earlier than ``ts`` will come, unless it is late.

    It closes the candle of a symbol that is not traded just now, in a live run and at the same place in its replay.
    """

    ts: Annotated[Millis, Field(description="the exchange's time as the feed knows it, epoch ms UTC; never decreasing")]
