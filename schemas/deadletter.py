"""DeadLetter: an input that could not be used, kept whole, with the exact reason."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Id, Millis, Record


class DeadLetter(Record):
    """Nothing is dropped without one of these."""

    id: Id
    ts: Annotated[Millis, Field(description="event time of the stream when it came, epoch ms UTC")]
    source: Annotated[str, Field(description="file, or topic")]
    position: Annotated[int, Field(ge=0, description="row of the file counted from 1, or offset in the partition")]
    symbol: str | None
    reason: Annotated[str, Field(description="CATEGORY_CONDITION")]
    error: Annotated[str, Field(description="reason with the figures: CATEGORY_CONDITION: key=value")]
    raw: Annotated[str, Field(description="the input as it came")]
    encoding: Annotated[
        Literal["utf-8", "base64"], Field(description="how raw is written: base64 where the input is not UTF-8")
    ]
    partition: Annotated[int | None, Field(description="partition of the topic; none for a file")]
    headers: Annotated[
        tuple[str, ...],
        Field(description="headers of a message that is no candle, as NAME=VALUE, NAME alone for a null"),
    ]
