"""Command: what an operator or a bot tells a running portfolio to do."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from schemas.record import Figures, Id, Millis, Record

HOLD = ("symbol", "strategy", "for")
COMMANDS: dict[str, tuple[str, ...] | None] = {
    "pause": HOLD,
    "reduce": (*HOLD, "share_pct"),
    "halt": HOLD,
    "resume": ("symbol", "strategy"),
    "close": ("symbol", "strategy", "share_pct"),
    "confirm": ("token",),
    "reset": ("breaker", "symbol", "strategy"),
    "set": None,
    "mode": ("strategy", "mode"),
    "buy": ("symbol", "stop", "target", "bid", "ask", "intent"),
    "sell": ("symbol", "stop", "target", "bid", "ask", "intent"),
    "alarm": ("what",),
    "status": (),
}
"""By name of a command, the arguments that it knows. Those of ``set`` are the settings."""


class Command(Record):
    """An instruction, journaled before it is obeyed."""

    id: Id
    ts: Annotated[Millis, Field(description="when it was given, epoch ms UTC")]
    portfolio: str
    sender: Annotated[str, Field(description="who gave it")]
    name: Annotated[str, Field(description="pause, resume, reduce, halt, close, …")]
    arguments: Figures

    @field_validator("arguments", mode="before")
    @classmethod
    def _are_figures(cls, value: Any) -> Any:
        """In words, where the types of the field would be told one by one."""
        for name, one in value.items() if isinstance(value, dict) else ():
            if isinstance(one, bool | list | dict):
                told = "'{name}' is a text, a number or null, not {one}"
                raise PydanticCustomError("argument", told, {"name": str(name)[:80], "one": f"{one!r:.80}"})
        return value
