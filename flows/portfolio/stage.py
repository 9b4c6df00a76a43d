"""The portfolio stage: aligned slices into the live account, and into one account for each shadow strategy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from flows.outbox import Outbox, new_outbox
from flows.portfolio import notices
from flows.portfolio.account import Account
from flows.portfolio.align import Aligner, Block, Notice
from flows.portfolio.control.base import ALL, Place
from flows.portfolio.control.commands import Commands
from flows.portfolio.control.steering import Steering
from flows.portfolio.control.tuning import shown
from schemas.command import Command
from schemas.config.load import overridden
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

    Commands come by :meth:`command`, behind what has been decided, or are known beforehand (``commands``, in the order
    of their times): each of those is obeyed behind the last instant that is not later than it.

    ``config`` is what is in force before any of them. ``file`` is what the configuration file says, which is the same
    unless it was saved while the portfolio ran: then commands bring what differs.
    """

    def __init__(
        self,
        config: Config,
        window: Window | None = None,
        commands: Sequence[Command] = (),
        *,
        file: Config | None = None,
    ) -> None:
        self.name, self.window = config.portfolio.name, window or Window()
        self.config = config
        self.labels = [strategy.label for strategy in config.strategies]
        self.planned, self.obeyed = commands, 0
        self.file = file or config
        self.changes: dict[str, str] = {}  # settings that commands have changed
        self.filed: dict[str, Any] = {}  # … and what the configuration file had for them then
        self.modes: dict[str, str] = {}  # … and modes of strategies
        self.commands = Commands(self)
        self.aligner = Aligner(to_millis(config.market.allowed_lateness))
        self.live = Account(config)
        shadows = [strategy.label for strategy in config.strategies if strategy.mode == "shadow"]
        self.shadows = {label: Account(config, "shadow", label) for label in sorted(shadows)}

    def step(self, slices: Slices) -> Outbox:
        """Take what one shard said; decide what is then complete."""
        if slices.cause == "command":
            return self.command(Command(**msgspec.structs.asdict(slices.command)), slices.received_ms)
        outbox = new_outbox()
        noticed = self.aligner.push(slices)
        noticed = [notice for notice in noticed if notice.ts in self.window]
        notices.alerts(outbox, self.name, noticed)
        self._missed(noticed, outbox)
        block = self.aligner.pop()
        if block is None:
            return outbox
        block = _within(block, self.window) if self.window.bounded else block
        for command in self._planned(block.watermark):
            self._fold(_within(block, Window(until=command.ts)), outbox)
            self.commands.obey(command, command.ts, command.ts, outbox)
            block = _within(block, Window(since=command.ts))
        self._fold(block, outbox)
        return {**outbox, **self.close()} if block.watermark == END else outbox

    def _planned(self, watermark: int) -> Iterator[Command]:
        """The next commands whose instant will have been decided."""
        while self.obeyed < len(self.planned) and self.planned[self.obeyed].ts <= watermark:
            self.obeyed += 1
            yield self.planned[self.obeyed - 1]

    def _fold(self, block: Block, outbox: Outbox) -> None:
        if self.shadows:
            self._fold_beside(block, outbox)
        else:
            self.live.fold(block, block.signals, outbox)

    def command(self, command: Command, received_ms: int) -> Outbox:
        """Obey a command of the journal, behind all that has been decided. Outside of the window nobody hears of it."""
        outbox, ts = new_outbox(), max(self.aligner.said, 0)
        if ts <= self.window.until:
            self.commands.obey(command, received_ms, ts, outbox)
        return outbox if ts in self.window else new_outbox()

    @property
    def paper(self) -> set[str]:
        """The strategies that are shadows now."""
        return {label for label in self.shadows if self.modes.get(label) != "live"}

    def switch(self, label: str, shadow: bool, outbox: Outbox) -> None:
        """Make a strategy a shadow, or live. What it holds in the account that it leaves is closed there."""
        self.modes[label] = "shadow" if shadow else "live"
        if shadow:
            self.live.states.shadowed.add(label)
            if label not in self.shadows:
                self.shadows[label] = Account(self.config, "shadow", label)
                self.shadows[label].adopt(self.live)
                self.shadows = dict(sorted(self.shadows.items()))
        else:
            self.live.states.shadowed.discard(label)
        left = self.live if shadow else self.shadows.get(label)
        if left is not None and left.steering is not None:
            left.steering.hold(Place("strategy", label), f"mode of {label}", 100.0)
            left.steering.settle(self.aligner.timeframes, outbox)
            left.steering.wind()

    def configure(self, config: Config, changes: dict[str, str]) -> None:
        """Take changed settings, from now on."""
        self.config, self.changes = config, changes
        for account in (self.live, *self.shadows.values()):
            account.configure(config)

    def _missed(self, noticed: Sequence[Notice], outbox: Outbox) -> None:
        """Breakers hear of what was given up on."""
        for notice in noticed:
            if notice.code in ("SYMBOL_QUIET", "FEED_STALE"):
                told = {**notice.figures, "gap_ms": notices.gap_ms(notice)}
                for steering, _ in self.steerings():
                    steering.missed(notice.symbol, told, self.aligner.timeframes, outbox)

    def catch_up(self, ts: int, by: str, outbox: Outbox) -> None:
        """Let the breakers go that are not set any more, and do what is due."""
        for steering, _ in self.steerings():
            steering.drop(ts, by, outbox)
            steering.settle(self.aligner.timeframes, outbox)
            steering.wind()

    def reset(self, name: str, place: Place, ts: int, by: str, outbox: Outbox) -> int:
        """Reset a breaker there, or (``ALL``) wherever it has tripped. A strategy is its shadow's account, too."""
        found = [
            (steering, key)
            for steering, label in self.steerings()
            for key in sorted(steering.tripped)
            if key[0] == name and place in (ALL, key[1], Place("strategy", label))
        ]
        for steering, key in found:
            steering.reset(key, ts, by, outbox)
        return len(found)

    def steerings(self) -> list[tuple[Steering, str]]:
        """Of all accounts, with the strategy whose shadow's account it is, or nothing."""
        accounts = {"": self.live, **self.shadows}
        return [(account.steering, label) for label, account in accounts.items() if account.steering]

    def tripped(self) -> list[tuple[str, str, str]]:
        """The breakers that are open: (strategy of a shadow's account or nothing, breaker, scope)."""
        found = [(label, steering.tripped) for steering, label in self.steerings()]
        return [(label, name, str(place)) for label, tripped in found for name, place in sorted(tripped)]

    def close(self) -> Outbox:
        """The state of all accounts at the end. What is not complete by then stays undecided."""
        shadows = {label: account.state() for label, account in self.shadows.items()}
        return {"state": [{**self.live.state(), "shadow": shadows}]}

    def _fold_beside(self, block: Block, outbox: Outbox) -> None:
        """All accounts see the block one after the other; their records are put back into the order of time."""
        paper, told = self.paper, new_outbox()
        self.live.fold(block, [signal for signal in block.signals if signal.strategy not in paper], told)
        for label, account in self.shadows.items():
            own = [signal for signal in block.signals if signal.strategy == label] if label in paper else []
            account.fold(block, own, told)
        for topic, records in told.items():
            # An instant lies in one block, so the order within it (live, then shadows by name) is always the same.
            # What was posted before stays where it is: what comes of a command need not be in the order of time.
            outbox[topic] += sorted(records, key=lambda record: record.ts)

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        accounts = {label: account.snapshot() for label, account in self.shadows.items()}
        steered = (self.obeyed, dict(self.changes), dict(self.modes), self.commands.snapshot())
        return {
            "aligner": self.aligner.snapshot(),
            "live": self.live.snapshot(),
            "shadows": accounts,
            "steered": steered,
            "filed": dict(self.filed),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.aligner.restore(state["aligner"])
        self.obeyed, changes, self.modes, commands = state["steered"]
        self.commands.restore(commands)
        filed = state["filed"]
        # What the file says otherwise now was changed since then, and goes before what commands had said.
        anew = {key for key, was in filed.items() if shown(self.file, key) != was}
        self.filed = {key: was for key, was in filed.items() if key not in anew}
        changes = {key: value for key, value in changes.items() if key not in anew}
        if changes:
            self.configure(overridden(self.config, [f"{key}={value}" for key, value in changes.items()]), changes)
        self.live.restore(state["live"])
        for label in state["shadows"]:
            if label not in self.shadows:
                self.shadows[label] = Account(self.config, "shadow", label)
        self.shadows = dict(sorted(self.shadows.items()))
        for label, account in self.shadows.items():
            if label in state["shadows"]:
                account.restore(state["shadows"][label])
            else:
                account.adopt(self.live)


def _within(block: Block, window: Window) -> Block:
    """The block without what lies outside of the window."""
    begin, end = np.searchsorted(block.ts, (window.since, window.until), side="right").tolist()
    columns = {name: getattr(block, name)[begin:end] for name in ("slot", "ts", "open", "high", "low", "close")}
    return replace(block, **columns, signals=tuple(signal for signal in block.signals if signal.ts in window))
