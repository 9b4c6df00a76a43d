"""Audit: the record of a command, whatever became of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Figures, Id, Millis, Record
from schemas.reply import Status


class Audit(Record):
    """Who wanted what, when, what became of it, and what it changed."""

    id: Id
    ts: Annotated[Millis, Field(description="event time at which it was obeyed or refused, epoch ms UTC")]
    portfolio: str
    command_id: str
    given_ms: Annotated[Millis, Field(description="when it was given, as its sender says, epoch ms UTC")]
    received_ms: Annotated[Millis, Field(description="wall clock when it was journaled, epoch ms UTC")]
    sender: str
    name: str
    arguments: Figures
    status: Status
    code: str
    figures: Annotated[Figures, Field(description="those of the reply: of an order its id, of a refusal its reason")]
    before: Annotated[Figures, Field(description="what it changed, as it was")]
    after: Annotated[Figures, Field(description="… and as it is from now on")]
