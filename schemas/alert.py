"""Alert: something that a person should know."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Figures, Id, Millis, Record


class Alert(Record):
    """A named condition with its figures, for people and for bots that relay to people."""

    id: Id
    ts: Annotated[Millis, Field(description="event time, epoch ms UTC")]
    level: Literal["info", "warning", "critical"]
    code: Annotated[str, Field(description="CATEGORY_CONDITION")]
    symbol: str | None
    strategy: str | None
    message: str
    figures: Figures
