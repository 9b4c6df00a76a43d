"""How long a live portfolio waits: ticks in, entries for the journal out."""

from __future__ import annotations

from flows.portfolio.align import Aligner
from schemas.config.market import MarketConfig
from schemas.slices import Slices, notice
from schemas.tick import Tick
from schemas.timeframe import to_millis


class Waiting:
    """The state machine of the bounded wait.

    When an instant has been held back for ``market.max_wait``, each shard that is at the end of its partition and has
    not reached it is given up on for that instant (``timeout``). When a shard has been silent for
    ``market.stale_after`` on top of its shortest timeframe, it is said so, once (``silence``). A shard that still has
    something to read is waited for as long as it takes: it is alive.

    Nothing here is kept over a restart, and no record depends on it but through the journal.
    """

    def __init__(self, config: MarketConfig) -> None:
        self.max_wait, self.stale_after = to_millis(config.max_wait), to_millis(config.stale_after)
        self._since: list[tuple[int, int]] = []  # instants that were the newest held back, with the time of their tick
        self._moved: dict[str, tuple[int, int]] = {}  # by shard: where its end was, since when
        self._asked: dict[str, tuple[int, int]] = {}  # by shard: the time-out that was asked for already
        self._silent: dict[str, int] = {}  # by shard: where its silence was told already

    def tick(self, tick: Tick, aligner: Aligner) -> list[Slices]:
        """What is to be journaled at a tick; mostly nothing."""
        shard = aligner.shards.get(tick.shard)
        if shard is None or shard.upto != tick.upto:
            return []  # something of it is still on its way through the journal
        timeout, silence = self._timeout(tick, aligner), self._silence(tick, aligner)
        return [one for one in (timeout, silence) if one is not None]

    def _timeout(self, tick: Tick, aligner: Aligner) -> Slices | None:
        newest, behind = aligner.waiting()
        if newest > (self._since[-1][0] if self._since else -1):
            self._since.append((newest, tick.now_ms))
        # A clock that was set back has lost the time before; nobody waits until it has caught up.
        self._since = [(instant, min(at, tick.now_ms)) for instant, at in self._since if instant > aligner.said]
        due = [(instant, at) for instant, at in self._since if tick.now_ms - at >= self.max_wait]
        if not due or tick.shard not in behind:
            return None
        instant, at = due[-1]
        if behind[tick.shard] >= instant or self._asked.get(tick.shard, (-1, -1)) >= (tick.upto, instant):
            return None
        self._asked[tick.shard] = (tick.upto, instant)
        return notice(tick.shard, list(aligner.shards), tick.upto, instant, "timeout", tick.now_ms - at)

    def _silence(self, tick: Tick, aligner: Aligner) -> Slices | None:
        shard = aligner.shards[tick.shard]
        upto, since = self._moved.get(tick.shard, (-1, 0))
        since = min(since, tick.now_ms) if upto == tick.upto else tick.now_ms
        self._moved[tick.shard] = (tick.upto, since)
        silent = tick.now_ms - since
        if shard.newest < 0 or tick.upto in (shard.silent, self._silent.get(tick.shard)):
            return None
        if silent < self.stale_after + aligner.shortest(tick.shard):
            return None
        self._silent[tick.shard] = tick.upto
        return notice(tick.shard, list(aligner.shards), tick.upto, shard.newest, "silence", silent)
