"""The market stage: one shard's candles in; its slices, signals, alerts, metrics and dead letters out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from flows.columns import Candles, Ints, Slots
from flows.market import reports
from flows.market.checks import Checks
from flows.market.fill import Fill
from flows.market.quotes import Quotes
from flows.market.runner import Runner
from flows.market.untimely import Untimely
from flows.outbox import Outbox, new_outbox
from schemas.batch import CandleBatch
from schemas.config.market import MarketConfig
from schemas.slices import END, Slices
from schemas.timeframe import to_millis


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one batch."""

    slices: Slices | None
    outbox: Outbox


class MarketStage:
    """The state machine of one shard: ``step(batch) -> Said``.

    Rows are said as they come; the portfolio stage puts them in order. The watermark is the allowed lateness behind
    the newest candle: what comes behind it is refused as late. ``shards`` are the names of all there are.
    """

    def __init__(self, config: MarketConfig, runners: Sequence[Runner], shards: Sequence[str]) -> None:
        self.config, self.runners, self.shards = config, tuple(runners), tuple(shards)
        self.lateness = to_millis(config.allowed_lateness)
        self.checks, self.quotes, self.untimely = Checks(self.lateness), Quotes(), Untimely()
        fill = config.empty_candle == "flat" and not config.bars.made
        self.fill = Fill(self.lateness, config.max_flat) if fill else None
        self.names: tuple[str, ...] = ()
        self.step_ms: Ints = np.empty(0, np.int64)
        self.upto, self.watermark = 0, -1
        self._slots: dict[str, int] = {}
        self._seen: tuple[str, ...] = ()
        self._map: Slots = np.empty(0, np.int32)

    def step(self, batch: CandleBatch) -> Said:
        """Take a batch. Never raises on its content: what cannot be used becomes a dead letter."""
        slot = self._own_slots(batch)
        newest = int(self.checks.newest[0])
        checked = self.checks(batch, slot, self.step_ms)
        outbox = new_outbox()
        reports.days(outbox, checked.days, self.names)
        good = checked.verdict == 0
        if not good.all():
            reports.dead_letters(outbox, batch, checked.verdict, checked.after)
        reports.refusals(outbox, batch, np.where(good, batch.ts, newest), newest)
        prices = (batch.open, batch.high, batch.low, batch.close, batch.volume)
        quote, alerts = self.quotes(batch, slot, len(self.names), good)
        candles = Candles(slot, len(self.names), batch.ts, *prices, quote)
        missing, position = checked.missing, batch.position
        if not good.all():
            candles, missing, position = candles[good], missing[good], position[good]
        if batch.watermark is None:  # where candles are made of trades, nothing was traded: that is no gap
            alerts += reports.gaps(candles, position, missing, self.names, self.step_ms)
        if self.fill is not None:
            candles, missing, came = self.fill(candles, missing, self.step_ms)
            position = position[came]
        found, raised = self._run(candles.frozen(), position, missing)
        alerts += [*raised, *reports.corrected(batch, checked.verdict), *self.untimely(outbox, batch, good)]
        if found:
            outbox["signals"].extend(signal for _, signal in found)
        if alerts:
            outbox["alerts"].extend(alert for _, alert in sorted(alerts, key=itemgetter(0)))
        return Said(self._slices(batch, candles, position, found), outbox)

    def _own_slots(self, batch: CandleBatch) -> Slots:
        if batch.symbols is not self._seen and batch.symbols != self._seen:
            for name, step in zip(batch.symbols, batch.timeframes.tolist(), strict=True):
                if name not in self._slots:
                    self._slots[name] = len(self.names)
                    self.names += (name,)
                    self.step_ms = np.append(self.step_ms, step)
            self._map = np.array([self._slots[name] for name in batch.symbols], np.int32)
        self._seen = batch.symbols
        return self._map[batch.slot]

    def _run(
        self, candles: Candles, position: Ints, missing: Ints
    ) -> tuple[list[tuple[int, Any]], list[reports.Placed]]:
        """The signals with the rows that raised them, by row and then by the order of the strategies; and alerts."""
        found: list[tuple[int, Any]] = []
        alerts: list[reports.Placed] = []
        for runner in self.runners:
            signals, raised = runner.run(candles, missing, self.names, self.step_ms)
            found.extend(signals)
            for error in raised:
                (row, *_) = np.flatnonzero((candles.ts == error.ts) & (candles.slot == self._slots[error.symbol]))
                alerts.append((int(position[row]), reports.quarantined(runner.label, error)))
        found.sort(key=itemgetter(0))
        return found, alerts

    def _slices(
        self, batch: CandleBatch, c: Candles, position: Ints, found: Sequence[tuple[int, Any]]
    ) -> Slices | None:
        """None when the batch changes nothing for those who wait."""
        behind = [*(batch.position[-1:] + 1).tolist(), *(one.position + 1 for one in batch.refused[-1:])]
        upto = max([self.upto, batch.upto, *behind])
        known = int(self.checks.newest[0]) - self.lateness - 1 if batch.watermark is None else batch.watermark
        watermark = END if batch.final else max(self.watermark, known)
        if not len(c) and (upto, watermark) == (self.upto, self.watermark):
            return None
        self.upto, self.watermark = upto, watermark
        return Slices(
            shard=batch.shard,
            shards=self.shards,
            symbols=self.names,
            timeframes=self.step_ms,
            slot=c.slot,
            ts=c.ts,
            open=c.open,
            high=c.high,
            low=c.low,
            close=c.close,
            position=position,
            signals=tuple(signal for _, signal in found),
            signal_row=tuple(row for row, _ in found),
            upto=upto,
            watermark=watermark,
        )

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "names": self.names,
            "step_ms": self.step_ms.copy(),
            "said": (self.upto, self.watermark),
            "checks": self.checks.state_dict(),
            "quotes": self.quotes.state_dict(),
            "untimely": self.untimely.snapshot(),
            "fill": self.fill.state_dict() if self.fill else None,
            "runners": {runner.label: runner.state() for runner in self.runners},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.names, self.step_ms = state["names"], state["step_ms"].copy()
        self.upto, self.watermark = state["said"]
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self.checks.load_state_dict(state["checks"])
        self.quotes.load_state_dict(state["quotes"])
        self.untimely.restore(state["untimely"])
        if self.fill is not None:
            self.fill.load_state_dict(state["fill"])
        for runner in self.runners:
            runner.restore(state["runners"].get(runner.label))
