"""What the market stage tells of its work: dead letters, alerts and metrics."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, Literal

import numpy as np

from flows.columns import Candles, Flags, Ints
from flows.market.checks import Verdict
from flows.market.runner import Raised
from flows.outbox import Outbox
from schemas.alert import Alert
from schemas.batch import CandleBatch, TradeBatch
from schemas.deadletter import DeadLetter
from schemas.ids import event_id
from schemas.metric import Metric
from schemas.wire import encode, wire

MOST_BYTES = 2_000_000
"""So much of an input a dead letter holds: twice what a topic takes, unless it was told to take more."""
PLAIN_BYTES = 100_000

AlertRow, DeadLetterRow, MetricRow = wire(Alert), wire(DeadLetter), wire(Metric)
Placed = tuple[int, Any]
"""An alert with the position of the row that it is about: they are told in the order of these, whatever the cut."""


def dead_letters(outbox: Outbox, batch: CandleBatch, verdict: Flags, ts: Ints) -> None:
    """One for each refused row; ``ts`` is the close time of the row before it that was accepted, by row."""
    for row in np.flatnonzero(verdict).tolist():
        more = f"timeframe_ms={int(batch.timeframes[batch.slot[row]])} after_ts={int(ts[row])}"
        reason = Verdict(int(verdict[row])).name
        outbox["deadletters"].append(row_letter(batch, row, reason, max(int(ts[row]), 0), _figures(batch, row), more))


def row_letter(
    batch: CandleBatch | TradeBatch, row: int, reason: str, ts: int, figures: dict[str, Any], more: str
) -> Any:
    """The dead letter of a row that is refused at ``ts``: its ``figures``, and ``more`` that it was decided on."""
    slot = int(batch.slot[row])
    symbol, source, position = batch.symbols[slot], batch.sources[slot], int(batch.position[row])
    key, headers = batch.heads.get(row, (None, ()))
    shown = " ".join(f"{name}={value}" for name, value in figures.items())
    return DeadLetterRow(
        id=event_id(*place(source, batch.partition), symbol, position, reason),
        ts=ts,
        source=source,
        position=position,
        symbol=symbol,
        reason=reason,
        error=f"{reason}: {shown} {more}",
        raw=batch.raw.get(row) or encode({"symbol": symbol, **figures}).decode(),
        encoding="utf-8",
        left_out=0,
        partition=batch.partition,
        key=key,
        headers=headers,
    )


def refusals(outbox: Outbox, batch: CandleBatch | TradeBatch, reached: Ints, newest: int) -> None:
    """One for each message that is no row; ``reached`` is the event time by row, ``newest`` the one before the batch.

    They go between those of the rows by their offsets, so that the order does not depend on how batches were cut.
    """
    if not batch.refused:
        return
    source = batch.topic or batch.shard
    times = np.maximum.accumulate(np.append(newest, reached))
    before = np.searchsorted(batch.position, [refused.position for refused in batch.refused])
    letters = []
    for refused, ts in zip(batch.refused, times[before].tolist(), strict=True):
        kept = refused.raw and refused.raw[:MOST_BYTES]
        raw, encoding = _text(kept)
        letters.append(
            DeadLetterRow(
                id=event_id(*place(source, batch.partition), refused.position, refused.reason),
                ts=max(ts, 0),
                source=source,
                position=refused.position,
                symbol=refused.symbol,
                reason=refused.reason,
                error=f"{refused.reason}: {refused.error}",
                raw=raw,
                encoding=encoding,
                left_out=len(refused.raw or b"") - len(kept or b""),
                partition=batch.partition,
                key=refused.key,
                headers=refused.headers,
            )
        )
    outbox["deadletters"] = sorted([*outbox["deadletters"], *letters], key=attrgetter("position"))


def place(source: str, partition: int | None) -> tuple[str | int, ...]:
    """An offset means something in its partition only."""
    return (source,) if partition is None else (source, partition)


def _text(raw: bytes | None) -> tuple[str | None, Literal["utf-8", "base64"]]:
    """As text; in base64 what is none, or would be much larger in JSON, which escapes six bytes for one at worst."""
    if raw is None:
        return None, "utf-8"
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return b64encode(raw).decode(), "base64"
    if len(raw) > PLAIN_BYTES and len(encode(text)) > 4 * len(raw) // 3:
        return b64encode(raw).decode(), "base64"
    return text, "utf-8"


def _figures(batch: CandleBatch, row: int) -> dict[str, Any]:
    """The row as it was read, in the words of the candle's model."""
    columns = ("open", "high", "low", "close", "volume")
    figures = {"ts": int(batch.ts[row]), **{name: float(getattr(batch, name)[row]) for name in columns}}
    if batch.quote is not None and not np.isnan(batch.quote[row]).all():
        figures["bid"], figures["ask"] = batch.quote[row].tolist()
    return figures


def gaps(candles: Candles, position: Ints, missing: Ints, names: Sequence[str], step: Ints) -> Iterator[Placed]:
    """An alert for each hole in a symbol's candles."""
    for row in np.flatnonzero(missing).tolist():
        slot, ts, count = int(candles.slot[row]), int(candles.ts[row]), int(missing[row])
        symbol, first = names[slot], ts - count * int(step[slot])
        yield (
            int(position[row]),
            AlertRow(
                id=event_id(symbol, ts, "CANDLE_GAP"),
                ts=ts,
                level="warning",
                code="CANDLE_GAP",
                symbol=symbol,
                strategy=None,
                message=f"CANDLE_GAP: missing={count} first_ts={first} last_ts={ts - int(step[slot])}",
                figures={"missing": count, "first_ts": first, "last_ts": ts - int(step[slot])},
            ),
        )


def corrected(batch: CandleBatch, verdict: Flags) -> Iterator[Placed]:
    """An alert for each candle that came again with other figures: an exchange corrected it, or two feeds disagree."""
    for row in np.flatnonzero(verdict == Verdict.ROW_CONFLICT).tolist():
        yield of_row(batch, row, "CANDLE_CORRECTED", "it came before with other figures, which count")


def of_row(batch: CandleBatch, row: int, code: str, why: str) -> Placed:
    """An alert about a row, with its figures as they were read."""
    slot, position, figures = int(batch.slot[row]), int(batch.position[row]), _figures(batch, row)
    symbol, source = batch.symbols[slot], batch.sources[slot]
    shown = " ".join(f"{name}={value}" for name, value in figures.items())
    return (
        position,
        AlertRow(
            id=event_id(*place(source, batch.partition), symbol, position, code),
            ts=figures["ts"],
            level="warning",
            code=code,
            symbol=symbol,
            strategy=None,
            message=f"{code}: {shown}; {why}",
            figures={name: value for name, value in figures.items() if np.isfinite(value)},
        ),
    )


def quarantined(strategy: str, raised: Raised) -> Any:
    """An alert that a strategy raised and sees no more of that symbol."""
    return AlertRow(
        id=event_id(strategy, raised.symbol, raised.ts, "STRATEGY_RAISED"),
        ts=raised.ts,
        level="critical",
        code="STRATEGY_RAISED",
        symbol=raised.symbol,
        strategy=strategy,
        message=f"STRATEGY_RAISED: {raised.error}; quarantined on {raised.symbol}, open positions keep their stops",
        figures={"error": raised.error},
    )


def days(outbox: Outbox, ended: Ints, names: Sequence[str]) -> None:
    """Metrics of each UTC day of a symbol that has ended: candles accepted, refused and missing."""
    for slot, ts, *counts in ended.tolist():
        for name, count in zip(("candles_accepted", "candles_refused", "candles_missing"), counts, strict=True):
            if count or name == "candles_accepted":
                outbox["metrics"].append(MetricRow(ts=ts, name=name, value=count, labels={"symbol": names[slot]}))
