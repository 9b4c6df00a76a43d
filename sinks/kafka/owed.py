"""What is on the topics already and will be computed again after a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import blake2b

Digests = dict[tuple[str, str], tuple[bytes, ...]]


class Answer(Enum):
    """What to do with a record that was just computed."""

    NEW = "publish it"
    KNOWN = "it is there already, with the same bytes"
    DIVERGED = "it is there already, with other bytes"


class Owed:
    """Ids of records that were published after the checkpoint this process began at.

    Each of them will be computed a second time, and must not be published a second time. Once seen again it is
    forgotten, so the memory is bounded by what one epoch publishes. Should several records share an id, they are
    told apart by their order.

    Entries of the journal are cut differently when they are computed again, so they are not told by ids: of each shard,
    all positions before ``covered`` have been said.

    >>> owed = Owed()
    >>> owed.found("orders", "a", b"1")
    >>> owed.answer("orders", "a", b"1"), owed.answer("orders", "a", b"1")
    (<Answer.KNOWN: 'it is there already, with the same bytes'>, <Answer.NEW: 'publish it'>)
    """

    def __init__(
        self, digests: Mapping[tuple[str, str], Sequence[bytes]] | None = None, covered: Mapping[str, int] | None = None
    ) -> None:
        self._digests: Digests = {key: tuple(each) for key, each in (digests or {}).items()}
        self.covered = dict(covered or {})

    def __len__(self) -> int:
        return sum(map(len, self._digests.values()))

    def found(self, topic: str, id_: str, value: bytes) -> None:
        """A record of ours was read back from a topic."""
        self._digests[(topic, id_)] = (*self._digests.get((topic, id_), ()), _digest(value))

    def said(self, shard: str, upto: int) -> None:
        """An entry of the journal was read back, or is on its way."""
        self.covered[shard] = max(upto, self.covered.get(shard, upto))

    def answer(self, topic: str, id_: str, value: bytes) -> Answer:
        """Whether a record that was just computed is to be published."""
        digests = self._digests.pop((topic, id_), None)
        if not digests:
            return Answer.NEW
        if len(digests) > 1:
            self._digests[(topic, id_)] = digests[1:]
        return Answer.KNOWN if digests[0] == _digest(value) else Answer.DIVERGED

    def snapshot(self) -> Digests:
        """What is still owed, as a copy."""
        return dict(self._digests)


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=16).digest()
