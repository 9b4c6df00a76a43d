"""The closing balance of a run: ``state.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from schemas.position import Position
from sinks.columns import picked


class DrawdownState(msgspec.Struct, frozen=True):
    """The deepest fall below the running peak, of all instants. ``end_ts`` is where the peak was reached again."""

    max_pct: float
    max_abs: float
    peak_ts: int | None
    valley_ts: int | None
    end_ts: int | None


class State(msgspec.Struct, frozen=True):
    """One account at the end of a run; ``shadow`` holds the paper accounts of the shadow strategies.

    ``peak`` is the highest equity at any instant, ``positions`` the open ones as they stand in the file.
    """

    portfolio: str
    currency: str | None
    starting_cash: str
    cash: str
    equity: float
    first_ts: int | None
    last_ts: int | None
    instants: int
    exposed_instants: int
    drawdown: DrawdownState
    peak: float | None = None
    positions: list[dict[str, Any]] = []
    open_interval: dict[str, Any] | None = None  # record of the equity topic for the interval that had not ended
    shadow: dict[str, State] = {}

    @property
    def open_positions(self) -> list[Any]:
        """The open positions as structs."""
        return [msgspec.convert(position, picked(Position).type) for position in self.positions]


def read_state(folder: Path) -> State:
    """``state.json`` of a finished run. Raises ValueError naming the file and the key that is wrong."""
    path = folder / "state.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: {error}: the folder is not that of a finished run") from error
