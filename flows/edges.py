"""Where the state machines meet Bytewax: each is put into a ``stateful_batch``."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable
from typing import Any

from bytewax.operators import StatefulBatchLogic

from flows.bars.stage import BarStage
from flows.market.stage import MarketStage, Said
from flows.outbox import Outbox
from flows.portfolio.stage import PortfolioStage
from flows.timing import Timing
from flows.waiting import Waiting
from schemas.command import Command
from schemas.slices import Slices, heard
from schemas.tick import Tick
from schemas.word import Word


class DamagedError(ValueError):
    """The bytes of a state are not those that were kept."""


def _sealed(state: Any) -> bytes:
    pickled = pickle.dumps(state)
    return zlib.crc32(pickled).to_bytes(4, "big") + pickled


def _unsealed(sealed: bytes) -> Any:
    """SQLite would not notice a figure that has changed on the disk."""
    if zlib.crc32(sealed[4:]).to_bytes(4, "big") != sealed[:4]:
        raise DamagedError(
            "a checkpoint is damaged: restore the state from a backup, or begin anew "
            "(penstock run: move the state away, and --rebuild; penstock replay: --overwrite)"
        )
    return pickle.loads(sealed[4:])


class MarketLogic(StatefulBatchLogic[Any, Said, bytes]):
    """The market stage of one shard."""

    def __init__(self, build: Callable[[], MarketStage | BarStage], timing: Timing, state: bytes | None) -> None:
        self.stage, self.timing = build(), timing
        if state is not None:
            self.stage.restore(_unsealed(state))

    def on_batch(self, values: list[Any]) -> tuple[list[Said], bool]:
        """Step through the batches: of candles or, where these are made here, of trades."""
        with self.timing("market"):
            return [self.stage.step(batch) for batch in values], self.RETAIN

    def snapshot(self) -> bytes:
        """Pickled at once: Bytewax writes it later, when the state has moved on."""
        return _sealed(self.stage.snapshot())


class PortfolioLogic(StatefulBatchLogic[Any, Outbox, bytes]):
    """The portfolio stage of one portfolio."""

    def __init__(self, build: Callable[[], PortfolioStage], timing: Timing, state: bytes | None) -> None:
        self.stage, self.timing = build(), timing
        if state is not None:
            self.stage.restore(_unsealed(state))

    def on_batch(self, values: list[Any]) -> tuple[list[Any], bool]:
        """Step through the slices."""
        with self.timing("portfolio"):
            return [self.stage.step(slices) for slices in values], self.RETAIN

    def snapshot(self) -> bytes:
        """Pickled at once: Bytewax writes it later, when the state has moved on."""
        return _sealed(self.stage.snapshot())


class JournalPortfolioLogic(PortfolioLogic):
    """The portfolio stage of a journal that is replayed: it raises no time-outs, they are in there. None is its end."""

    def on_batch(self, values: list[Slices | None]) -> tuple[list[Any], bool]:
        """Step through the entries. The signals come from them: the strategies have spoken already."""
        with self.timing("portfolio"):
            return [self.stage.close() if value is None else self._step(value) for value in values], self.RETAIN

    def _step(self, slices: Slices) -> Outbox:
        signals = [signal for signal in slices.signals if signal.ts in self.stage.window]
        return {**self.stage.step(slices), **({"signals": signals} if signals else {})}


class LivePortfolioLogic(PortfolioLogic):
    """The portfolio stage of a live run: the journal is folded, commands and what comes of ticks are put into it."""

    def __init__(
        self,
        build: Callable[[], PortfolioStage],
        waiting: Waiting,
        timing: Timing,
        opened: Callable[[PortfolioStage], None],
        state: bytes | None,
    ) -> None:
        super().__init__(build, timing, state)
        self.waiting = waiting
        opened(self.stage)

    def on_batch(self, values: list[Slices | Tick | Word]) -> tuple[list[Any], bool]:
        """Step through slices, ticks and commands."""
        outboxes: list[Outbox] = []
        with self.timing("portfolio"):
            for value in values:
                if isinstance(value, Word):
                    is_command = isinstance(value.said, Command)
                    outboxes.append({"journal": [heard(value)]} if is_command else {"deadletters": [value.said]})
                elif isinstance(value, Tick):
                    found = self.waiting.tick(value, self.stage.aligner)
                    outboxes.append({"journal": found} if found else {})
                else:
                    outboxes.append(self.stage.step(value))
        return [outbox for outbox in outboxes if outbox], self.RETAIN
