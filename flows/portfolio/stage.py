"""The portfolio stage: aligned slices into the live account, and into one account for each shadow strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flows.outbox import Outbox, new_outbox
from flows.portfolio import notices
from flows.portfolio.account import Account
from flows.portfolio.align import Aligner, Block, Notice
from schemas.config.root import Config
from schemas.slices import END, Slices
from schemas.timeframe import to_millis
from schemas.window import Window


class PortfolioStage:
    """The state machine of one portfolio: ``step(slices) -> Outbox``.

    A shadow strategy trades on paper in an account of its own, with the same cash, rules and gates, so that it can be
    judged alone and moves nothing in the portfolio. At the end of a finite stream the state of all accounts is posted
    to ``state``.

    The accounts see what lies in ``window``; the instants before and after are aligned, and nothing more.
    """

    def __init__(self, config: Config, window: Window | None = None) -> None:
        self.name, self.window = config.portfolio.name, window or Window()
        self.aligner = Aligner(to_millis(config.market.allowed_lateness))
        self.live = Account(config)
        shadows = [strategy.label for strategy in config.strategies if strategy.mode == "shadow"]
        self.shadows = {label: Account(config, "shadow", label) for label in sorted(shadows)}

    def step(self, slices: Slices) -> Outbox:
        """Take what one shard said; decide what is then complete."""
        outbox = new_outbox()
        noticed = self.aligner.push(slices)
        noticed = [notice for notice in noticed if notice.ts in self.window]
        notices.alerts(outbox, self.name, noticed)
        self._missed(noticed, outbox)
        block = self.aligner.pop()
        if block is None:
            return outbox
        block = _within(block, self.window) if self.window.bounded else block
        if self.shadows:
            self._fold_beside(block, outbox)
        else:
            self.live.fold(block, block.signals, outbox)
        return {**outbox, **self.close()} if block.watermark == END else outbox

    def _missed(self, noticed: Sequence[Notice], outbox: Outbox) -> None:
        """Breakers hear of what was given up on."""
        for notice in noticed:
            if notice.code in ("SYMBOL_QUIET", "FEED_STALE"):
                for account in (self.live, *self.shadows.values()):
                    if account.steering:
                        account.steering.missed(notice.symbol, notice.figures, self.aligner.timeframes, outbox)

    def tripped(self) -> list[tuple[str, str, str]]:
        """The breakers that are open: (strategy of a shadow's account or nothing, breaker, scope)."""
        accounts = {"": self.live, **self.shadows}
        found = [(label, one.steering.tripped) for label, one in accounts.items() if one.steering]
        return [(label, name, str(place)) for label, tripped in found for name, place in sorted(tripped)]

    def close(self) -> Outbox:
        """The state of all accounts at the end. What is not complete by then stays undecided."""
        shadows = {label: account.state() for label, account in self.shadows.items()}
        return {"state": [{**self.live.state(), "shadow": shadows}]}

    def _fold_beside(self, block: Block, outbox: Outbox) -> None:
        """All accounts see the block one after the other; their records are put back into the order of time."""
        self.live.fold(block, [signal for signal in block.signals if signal.strategy not in self.shadows], outbox)
        for label, account in self.shadows.items():
            account.fold(block, [signal for signal in block.signals if signal.strategy == label], outbox)
        for records in outbox.values():
            # An instant lies in one block, so the order within it (live, then shadows by name) is always the same.
            records.sort(key=lambda record: record.ts)

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        accounts = {label: account.snapshot() for label, account in self.shadows.items()}
        return {"aligner": self.aligner.snapshot(), "live": self.live.snapshot(), "shadows": accounts}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.aligner.restore(state["aligner"])
        self.live.restore(state["live"])
        for label, account in self.shadows.items():
            account.restore(state["shadows"][label])


def _within(block: Block, window: Window) -> Block:
    """The block without what lies outside of the window."""
    begin, end = np.searchsorted(block.ts, (window.since, window.until), side="right").tolist()
    columns = {name: getattr(block, name)[begin:end] for name in ("slot", "ts", "open", "high", "low", "close")}
    return replace(block, **columns, signals=tuple(signal for signal in block.signals if signal.ts in window))
