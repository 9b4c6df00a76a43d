"""Runs one strategy over the candles of a shard, and keeps its mistakes to itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.columns import Bools, Candles, Ints
from flows.strategies.base import Signals, Strategy
from schemas.batch import quotes
from schemas.ids import event_id
from schemas.record import Mode
from schemas.signal import Signal
from schemas.timeframe import name_of
from schemas.wire import wire

SignalRow = wire(Signal)


def _untimed(_: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Raised:
    """A strategy raised on the candle of one symbol: it sees no more of that symbol."""

    symbol: str
    ts: int
    error: str


class Runner:
    """One strategy of the configuration on one shard.

    A strategy that raises is run again on ever smaller parts of the batch, from the state before it, until the one
    row is found. The rows before it give their signals, its symbol is quarantined from that row on, and all other
    symbols go on. So which signals come out does not depend on where the batch was cut.
    """

    def __init__(
        self,
        strategy: Strategy,
        label: str,
        mode: Mode,
        symbols: Sequence[str] = ("*",),
        timed: Callable[[str], AbstractContextManager[None]] = _untimed,
    ) -> None:
        self.strategy, self.label, self.mode, self._timed = strategy, label, mode, timed
        self._wanted = None if "*" in symbols else frozenset(symbols)
        self.quarantined: set[str] = set()

    def state(self) -> dict[str, Any]:
        """A copy of all state."""
        return {"strategy": self.strategy.state_dict(), "quarantined": sorted(self.quarantined)}

    def restore(self, state: dict[str, Any] | None) -> None:
        """Put it back. A strategy that was not there, or kept other figures, begins anew, as at its first candle."""
        if state is None:
            return
        fresh = self.strategy.state_dict()
        try:
            self.strategy.load_state_dict(state["strategy"])
        except (KeyError, ValueError):  # accepted changes: whoever restores has compared what the state was made with
            self.strategy.load_state_dict(fresh)
        self.quarantined = set(state["quarantined"])

    def run(
        self, candles: Candles, missing: Ints, names: Sequence[str], step: Ints
    ) -> tuple[list[tuple[int, Any]], list[Raised]]:
        """The signals of a batch, each with the index of its row, and what went wrong."""
        raised: list[Raised] = []
        found: list[tuple[int, Any]] = []
        if len(candles):
            with self._timed(f"strategy {self.label}"):
                self._run(candles, np.arange(len(candles)), (missing, names, step), found, raised)
        return found, raised

    def _run(
        self,
        candles: Candles,
        rows: Ints,
        context: tuple[Ints, Sequence[str], Ints],
        found: list[tuple[int, Any]],
        raised: list[Raised],
    ) -> None:
        missing, names, step = context
        candles, rows = self._admit(candles, rows, names)
        if not len(candles):
            return
        self.strategy.reserve(candles.slots)
        before = self.strategy.state_dict()
        try:
            made = self._signals(candles, missing[rows], names, step)
        except Exception as error:
            self.strategy.load_state_dict(before)
            if len(candles) == 1:
                symbol = names[candles.slot[0]]
                self.quarantined.add(symbol)
                # Not logged here: a state machine has no I/O. The alert made of it is the record.
                raised.append(Raised(symbol, int(candles.ts[0]), f"{type(error).__name__}: {error}"))
                return
            half = len(candles) // 2
            self._run(candles[:half], rows[:half], context, found, raised)
            self._run(candles[half:], rows[half:], context, found, raised)
            return
        found.extend((int(rows[i]), signal) for i, signal in made)

    def _admit(self, candles: Candles, rows: Ints, names: Sequence[str]) -> tuple[Candles, Ints]:
        if self._wanted is None and not self.quarantined:
            return candles, rows
        admitted = np.array(
            [(self._wanted is None or name in self._wanted) and name not in self.quarantined for name in names]
        )
        mask = admitted[candles.slot]
        return (candles, rows) if mask.all() else (candles[mask], rows[mask])

    def _signals(self, candles: Candles, missing: Ints, names: Sequence[str], step: Ints) -> list[tuple[int, Any]]:
        signals = self.strategy.on_candles(candles)
        side = _sides(signals, len(candles))
        at = np.flatnonzero(side)
        if not len(at):
            return []
        close = candles.close[at]
        toward = np.where(side[at] == 2, 0, side[at]).astype(np.float64)
        stop = close - toward * _column(signals.stop_distance, at, "stop_distance", len(candles))
        target = close + toward * _column(signals.target_distance, at, "target_distance", len(candles))
        confidence = _confidence(signals, at, len(candles))
        values = [_column(column, at, name, len(candles)).tolist() for name, column in signals.values.items()]
        keys = tuple(signals.values)
        slots = candles.slot[at].tolist()
        rows = zip(
            at.tolist(),
            slots,
            candles.ts[at].tolist(),
            side[at].tolist(),
            close.tolist(),
            stop.tolist(),
            target.tolist(),
            confidence.tolist(),
            _shares(signals, side[at] == 2, at, len(candles)),
            missing[at].tolist(),
            quotes(None if candles.quote is None else candles.quote[at], len(at)),
            zip(*values, strict=True) if values else repeat((), len(at)),
            strict=True,
        )
        timeframes = {slot: name_of(int(step[slot])) for slot in set(slots)}
        version, label, mode, reason = self.strategy.version, self.label, self.mode, signals.reason
        made = []
        for i, slot, ts, wish, price, below, above, sure, share, holes, (bid, ask), figures in rows:
            symbol = names[slot]
            made.append(
                (
                    i,
                    SignalRow(
                        id=event_id(label, symbol, ts, "signal"),
                        ts=ts,
                        symbol=symbol,
                        timeframe=timeframes[slot],
                        strategy=label,
                        version=version,
                        mode=mode,
                        side=("short", "", "long", "flat")[wish + 1],
                        price=price,
                        stop=below if wish != 2 and 0 < below < np.inf else None,
                        target=above if wish != 2 and 0 < above < np.inf else None,
                        confidence=sure,
                        missing=holes,
                        reason=reason,
                        values=dict(zip(keys, figures, strict=True)),
                        bid=bid,
                        ask=ask,
                        share_pct=share,
                    ),
                )
            )
        return made


def _sides(signals: Signals, count: int) -> NDArray[np.int8]:
    """One column from the three masks: 1 long, -1 short, 2 flat, 0 nothing."""
    side = np.zeros(count, np.int8)
    for name, code in (("long", 1), ("short", -1), ("flat", 2)):
        mask = getattr(signals, name)
        if mask is None:
            continue
        kind = np.asarray(mask).dtype
        if np.shape(mask) != (count,) or kind != np.bool_:
            raise ValueError(f"{name} must be a column of {count} booleans, not {kind}{np.shape(mask)}")
        if np.any(side[mask]):
            raise ValueError(f"{name} holds in a row that already has another side: long, short and flat exclude")
        side[mask] = code
    return side


def _confidence(signals: Signals, at: Ints, count: int) -> NDArray[np.float64]:
    """The confidence of the wanted rows; a record with another one would not be a Signal."""
    column = _column(signals.confidence, at, "confidence", count, 1.0)
    wrong = column[~((column >= 0) & (column <= 1))]
    if len(wrong):
        raise ValueError(f"confidence must lie between 0 and 1, not {wrong[0]}")
    return column


def _shares(signals: Signals, leaves: Bools, at: Ints, count: int) -> Iterable[float | None]:
    """Of the wanted rows: how much leaves; none for all, and where a position is wanted."""
    if signals.share_pct is None:
        return repeat(None, len(at))
    column = _column(signals.share_pct, at, "share_pct", count)
    wrong = column[~np.isnan(column) & ~((column > 0) & (column <= 100))]
    if len(wrong):
        raise ValueError(f"share_pct must lie above 0 and be at most 100, not {wrong[0]}")
    parts = (leaves & (column < 100)).tolist()
    return [share if part else None for share, part in zip(column.tolist(), parts, strict=True)]


def _column(
    column: NDArray[np.float64] | None, at: Ints, name: str, count: int, absent: float = np.nan
) -> NDArray[np.float64]:
    """The wanted rows of an optional column."""
    if column is None:
        return np.full(len(at), absent)
    if np.shape(column) != (count,):
        raise ValueError(f"{name} must be a column of {count} rows, not {np.shape(column)}")
    return np.asarray(column, dtype=np.float64)[at]
