"""CircuitBreaker: a breaker of the portfolio that tripped, or was reset."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Figures, Id, Millis, Mode, Record, Symbol

State = Literal["ACTIVE", "REDUCING", "HALTED"]
Action = Literal["block", "reduce", "halt", "close"]
Scope = Literal["portfolio", "strategy", "symbol"]


class CircuitBreaker(Record):
    """What tripped (or was reset), what it holds up, the figures it was decided on, and the settings in force."""

    id: Id
    ts: Annotated[Millis, Field(description="event time, epoch ms UTC")]
    portfolio: str
    mode: Mode
    event: Literal["CircuitBreakerTripped", "CircuitBreakerReset"]
    breaker: Annotated[str, Field(description="name, as under `breakers` in the configuration")]
    scope: Annotated[Scope, Field(description="what it holds up: all, a strategy, or a symbol")]
    strategy: Annotated[str | None, Field(description="of a scope strategy, and of a shadow's account")]
    symbol: Annotated[Symbol | None, Field(description="of a scope symbol")]
    action: Annotated[Action, Field(description="what was done when it tripped")]
    state: Annotated[State, Field(description="trading state of the scope from now on")]
    until: Annotated[int | None, Field(description="event time of its reset; null: at the day's end, or by command")]
    by: Annotated[str, Field(description="why: a figure, time, day, or who sent the command")]
    figures: Figures
    settings: Figures
    message: str
