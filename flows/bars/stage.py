"""The market stage of a shard whose candles are made here of trades."""

from __future__ import annotations

from typing import Any

import numpy as np

from flows.bars import reports
from flows.bars.admit import Verdict, table
from flows.bars.bars import Bars, Made
from flows.columns import Slots
from flows.market.reports import refusals
from flows.market.stage import MarketStage, Said
from flows.market.untimely import Untimely
from flows.outbox import Outbox, new_outbox
from schemas.batch import CandleBatch, TradeBatch, renumbering
from schemas.config.market import MarketConfig
from schemas.timeframe import ANY_MS

TAKEN = table(Verdict.ACCEPTED, Verdict.CLOCK)


class BarStage:
    """The state machine of one shard: ``step(batch) -> Said``, as :class:`MarketStage`, of which it has one inside.

    All candles are records for the topic ``bars``; those of the first timeframe go on to the strategies.
    """

    def __init__(self, config: MarketConfig, market: MarketStage) -> None:
        self.bars, self.market = Bars(config), market
        self.tally, self.untimely = reports.Tally(), Untimely()
        self.names: tuple[str, ...] = ()
        self._slots: dict[str, int] = {}
        self._seen: tuple[str, ...] = ()
        self._map: Slots = np.empty(0, np.int32)
        self._watermark, self._upto = -1, 0

    def step(self, batch: TradeBatch) -> Said:
        """Take a batch. Never raises on its content: what cannot be used becomes a dead letter."""
        slot = self._own_slots(batch)
        before = self.bars.admission.closed
        made = self.bars.step(batch, slot, len(self.names))
        outbox = new_outbox()
        reports.dead_letters(outbox, batch, made)
        refusals(outbox, batch, made.closed, before)
        self.tally(outbox, made, slot, self.names, batch.final)
        if len(made.candles):
            outbox["bars"].extend(reports.candles(made, self.names, self.bars.kinds))
        said = self._market(batch, made)
        for topic, records in said.outbox.items():
            outbox[topic].extend(records)
        if alerts := self.untimely(outbox, batch, TAKEN[made.verdict]):
            outbox["alerts"].extend(alert for _, alert in alerts)
        return Said(said.slices, outbox)

    def _own_slots(self, batch: TradeBatch) -> Slots:
        if batch.symbols is not self._seen and batch.symbols != self._seen:
            for name in batch.symbols:
                if name not in self._slots:
                    self._slots[name] = len(self.names)
                    self.names += (name,)
            self._map = renumbering([self._slots[name] for name in batch.symbols])
        self._seen = batch.symbols
        return self._map[batch.slot] if len(self._map) else batch.slot

    def _market(self, batch: TradeBatch, made: Made) -> Said:
        """What the market stage says of the candles. Without any, it speaks when time has gone on, or nobody does."""
        behind = [*(batch.position[-1:] + 1).tolist(), *(one.position + 1 for one in batch.refused[-1:])]
        self._upto = max([self._upto, *behind])
        first = np.flatnonzero(made.candles.kind == 0)
        # Whole seconds and more: an entry of the journal a millisecond would be of no use to anybody.
        watermark = made.watermark if self.bars.steps else made.watermark // 1_000 * 1_000
        if len(first):
            watermark = max(watermark, made.watermark)
        if not len(first) and watermark <= self._watermark and len(batch) and not batch.final:
            return Said(None, Outbox())
        self._watermark = max(self._watermark, watermark)
        chosen = made.candles[first]
        figures = chosen.figures
        step = self.bars.steps[0] if self.bars.steps else ANY_MS
        source = batch.topic or batch.shard
        candles = CandleBatch(
            shard=batch.shard,
            symbols=self.names,
            sources=(source,) * len(self.names),
            timeframes=np.full(len(self.names), step, np.int64),
            slot=chosen.slot,
            ts=chosen.ts,
            open=figures[:, 0],
            high=figures[:, 1],
            low=figures[:, 2],
            close=figures[:, 3],
            volume=chosen.total(4),
            position=made.position[first],
            final=batch.final,
            topic=batch.topic,
            partition=batch.partition,
            upto=self._upto,
            watermark=self._watermark,
            quote=None if made.quote is None else made.quote[first],
        )
        return self.market.step(candles)

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "names": self.names,
            "said": (self._watermark, self._upto),
            "tally": self.tally.snapshot(),
            "untimely": self.untimely.snapshot(),
            "bars": self.bars.snapshot(),
            "market": self.market.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.names = state["names"]
        self._watermark, self._upto = state["said"]
        self._slots = {name: slot for slot, name in enumerate(self.names)}
        self._seen = ()
        self.tally.restore(state["tally"])
        self.untimely.restore(state["untimely"])
        self.bars.restore(state["bars"])
        self.market.restore(state["market"])
