"""The portfolio stage: aligned slices into the live account, and into one account for each shadow strategy."""

from __future__ import annotations

from typing import Any

from flows.outbox import Outbox, new_outbox
from flows.portfolio import notices
from flows.portfolio.account import Account
from flows.portfolio.align import Aligner, Block
from schemas.config.root import Config
from schemas.slices import END, Slices
from schemas.timeframe import to_millis


class PortfolioStage:
    """The state machine of one portfolio: ``step(slices) -> Outbox``.

    A shadow strategy trades on paper in an account of its own, with the same cash, rules and gates, so that it can be
    judged alone and moves nothing in the portfolio. At the end of a finite stream the state of all accounts is posted
    to ``state``.
    """

    def __init__(self, config: Config) -> None:
        self.name = config.portfolio.name
        self.aligner = Aligner(to_millis(config.market.allowed_lateness))
        self.live = Account(config)
        shadows = [strategy.label for strategy in config.strategies if strategy.mode == "shadow"]
        self.shadows = {label: Account(config, "shadow", label) for label in sorted(shadows)}

    def step(self, slices: Slices) -> Outbox:
        """Take what one shard said; decide what is then complete."""
        outbox = new_outbox()
        notices.alerts(outbox, self.name, self.aligner.push(slices))
        block = self.aligner.pop()
        if block is None:
            return outbox
        if self.shadows:
            self._fold_beside(block, outbox)
        else:
            self.live.fold(block, block.signals, outbox)
        if block.watermark == END:
            shadows = {label: account.state() for label, account in self.shadows.items()}
            outbox["state"].append({**self.live.state(), "shadow": shadows})
        return outbox

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
