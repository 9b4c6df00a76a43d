"""Reply: what became of a command, for who gave it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Figures, Id, Millis, Record

Status = Literal["done", "confirm", "refused"]


class Reply(Record):
    """The answer to one command. ``confirm``: give the command `confirm` with the token in the figures."""

    id: Id
    ts: Annotated[Millis, Field(description="event time at which it was obeyed or refused, epoch ms UTC")]
    portfolio: str
    command_id: str
    sender: str
    name: str
    status: Status
    code: Annotated[str, Field(description="DONE, CONFIRM, or CATEGORY_CONDITION of a refusal")]
    figures: Figures
    message: str
