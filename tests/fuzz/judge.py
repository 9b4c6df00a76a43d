"""Holds what a market stage says of a stream to what each of its messages was sent as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flows.replay import market_stage
from schemas.batch import CandleBatch
from schemas.config.root import Config
from schemas.deadletter import DeadLetter, bytes_of, header_of, value_of
from schemas.wire import encode
from tests.fuzz.messages import GOOD, Message, place


class Judge:
    """Steps through batches whose messages were ``sent`` in that order, at offsets from 0 on."""

    def __init__(self, sent: Iterator[Message], shard: str) -> None:
        settings = {"strategies": [{"use": "sma_cross"}], "market": {"empty_candle": "none"}}
        self.stage = market_stage(Config.model_validate(settings), [shard])
        self.kinds = Counter[str]()
        self.said: list[tuple[str, int]] = []
        self._sent, self._offset, self._ids = sent, 0, set[str]()

    def __call__(self, batch: CandleBatch) -> None:
        """Every bad message of the batch is one dead letter that gives all of it back; a good one is none."""
        said = self.stage.step(batch)
        for row in said.outbox["deadletters"]:
            letter = DeadLetter.model_validate_json(encode(row))
            self._until(letter.position)
            key, value, headers, kind = next(self._sent)
            assert kind != GOOD, letter
            assert value_of(letter) == value, kind
            assert bytes_of(letter.key or "") == key, kind
            assert [header_of(header) for header in letter.headers] == headers, kind
            assert (letter.source, letter.partition) == (batch.topic, batch.partition)
            assert letter.error.startswith(f"{letter.reason}: ")
            assert letter.id not in self._ids
            self._ids.add(letter.id)
            self.kinds[kind] += 1
            self._offset += 1
        if said.slices is not None:
            names = said.slices.symbols
            self.said += [
                (names[slot], ts) for slot, ts in zip(said.slices.slot.tolist(), said.slices.ts.tolist(), strict=True)
            ]

    def _until(self, offset: int) -> None:
        while self._offset < offset:
            _, value, _, kind = next(self._sent)
            assert kind == GOOD, f"no dead letter for {kind}: {(value or b'')[:200]!r}"
            self.kinds[kind] += 1
            self._offset += 1

    def done(self, count: int) -> Counter[str]:
        """The stream has ended after ``count`` messages: how many of each kind there were."""
        self._until(count)
        assert next(self._sent, None) is None
        assert sorted(self.said) == sorted(place(number) for number in range(self.kinds[GOOD]))
        return self.kinds
