"""Rejection: a wish that a gate refused, and the numbers it was refused on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.order import Side
from schemas.record import Figures, Id, Millis, Mode, Record, Symbol


class Rejection(Record):
    """Which gate said no, to what, and why. ``message`` reads ``CATEGORY_CONDITION: key=value key=value``."""

    id: Id
    ts: Annotated[Millis, Field(description="event time of the decision, epoch ms UTC")]
    portfolio: str
    strategy: str
    symbol: Symbol
    mode: Mode
    side: Side
    signal_id: Id
    gate: Annotated[str, Field(description="name of the gate")]
    code: Annotated[str, Field(description="CATEGORY_CONDITION")]
    figures: Figures
    message: str
