"""The market stage: one shard's candles in; its slices, signals, alerts, metrics and dead letters out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.columns import Candles, Ints, Slots
from flows.market import reports
from flows.market.checks import Checks
from flows.market.fill import Fill
from flows.market.runner import Runner
from flows.outbox import Outbox, new_outbox
from flows.slices import END, Slices
from schemas.batch import CandleBatch
from schemas.config.market import MarketConfig
from schemas.timeframe import to_millis


@dataclass(frozen=True, slots=True)
class Said:
    """What came of one batch."""

    slices: Slices | None
    outbox: Outbox


class MarketStage:
    """The state machine of one shard: ``step(batch) -> Said``.

    An instant is complete, and is said, when every symbol of the shard has reached it, or when the newest candle is
    further than the allowed lateness past it (such a candle would be refused as late).
    """

    def __init__(self, config: MarketConfig, runners: Sequence[Runner]) -> None:
        self.config, self.runners = config, tuple(runners)
        self.lateness = to_millis(config.allowed_lateness)
        self.checks = Checks(self.lateness)
        self.fill = Fill(self.lateness, config.max_flat) if config.empty_candle == "flat" else None
        self.names: list[str] = []
        self.step_ms: Ints = np.empty(0, np.int64)
        self.watermark = -1
        self._slots: dict[str, int] = {}
        self._seen: tuple[str, ...] = ()
        self._map: Slots = np.empty(0, np.int32)
        self._rows: list[Sequence[Any]] = []
        self._signals: list[Any] = []

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
        reports.refusals(outbox, batch, good, newest)
        candles = Candles(slot, len(self.names), batch.ts, batch.open, batch.high, batch.low, batch.close, batch.volume)
        missing = checked.missing
        if not good.all():
            candles, missing = candles[good], missing[good]
        reports.gaps(outbox, candles, missing, self.names, self.step_ms)
        if self.fill is not None:
            candles, missing = self.fill(candles, missing, self.step_ms)
        self._run(candles.frozen(), missing, outbox)
        self._rows.append((candles.slot, candles.ts, candles.open, candles.high, candles.low, candles.close))
        return Said(self._complete(batch, outbox), outbox)

    def _own_slots(self, batch: CandleBatch) -> Slots:
        if batch.symbols is not self._seen and batch.symbols != self._seen:
            for name, step in zip(batch.symbols, batch.timeframes.tolist(), strict=True):
                if name not in self._slots:
                    self._slots[name] = len(self.names)
                    self.names.append(name)
                    self.step_ms = np.append(self.step_ms, step)
            self._map = np.array([self._slots[name] for name in batch.symbols], np.int32)
        self._seen = batch.symbols
        return self._map[batch.slot]

    def _run(self, candles: Candles, missing: Ints, outbox: Outbox) -> None:
        found: list[tuple[int, str, int, Any]] = []
        for order, runner in enumerate(self.runners):
            signals, raised = runner.run(candles, missing, self.names, self.step_ms)
            found.extend((signal.ts, signal.symbol, order, signal) for _, signal in signals)
            for error in raised:
                reports.quarantined(outbox, runner.label, error)
        self._signals.extend(found)

    def _complete(self, batch: CandleBatch, outbox: Outbox) -> Slices | None:
        """Cut off what is complete, sorted."""
        last_ts = self.checks.last_ts[: len(self.names)]
        reached = int(last_ts.min()) if len(last_ts) else -1
        watermark = END if batch.final else max(self.watermark, reached, int(self.checks.newest[0]) - self.lateness - 1)
        slot, ts, *prices = (np.concatenate(columns) for columns in zip(*self._rows, strict=True))
        if len(ts) and ts.max() > watermark:
            done = ts <= watermark
            self._rows = [[slot[~done], ts[~done], *(column[~done] for column in prices)]]
            slot, ts, prices = slot[done], ts[done], [column[done] for column in prices]
        else:
            self._rows = []
        if watermark == self.watermark and not len(ts):
            return None
        self.watermark = watermark
        if len(self.names) > 1 and len(ts):
            rank = np.argsort(np.argsort(np.array(self.names)))
            order = np.lexsort((rank[slot], ts))
            if not np.array_equal(order, np.arange(len(order))):
                slot, ts, prices = slot[order], ts[order], [column[order] for column in prices]
        self._signals.sort(key=lambda found: found[:3])
        said = [found[3] for found in self._signals if found[0] <= watermark]
        self._signals = [found for found in self._signals if found[0] > watermark]
        for signal in said:
            outbox["signals"].append(signal)
        open_, high, low, close = prices
        return Slices(
            batch.shard, tuple(self.names), self.step_ms, slot, ts, open_, high, low, close, tuple(said), watermark
        )

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "names": list(self.names),
            "step_ms": self.step_ms.copy(),
            "watermark": self.watermark,
            "checks": self.checks.state_dict(),
            "fill": self.fill.state_dict() if self.fill else None,
            "runners": {runner.label: runner.state() for runner in self.runners},
            "rows": [tuple(column.copy() for column in columns) for columns in self._rows],
            "signals": list(self._signals),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.names, self.step_ms, self.watermark = list(state["names"]), state["step_ms"].copy(), state["watermark"]
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self.checks.load_state_dict(state["checks"])
        if self.fill is not None:
            self.fill.load_state_dict(state["fill"])
        for runner in self.runners:
            runner.restore(state["runners"][runner.label])
        self._rows, self._signals = list(state["rows"]), list(state["signals"])
