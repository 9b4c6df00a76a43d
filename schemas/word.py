"""Word: what has come on the topic of commands, on its way to the journal."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.command import Command
from schemas.deadletter import DeadLetter


@dataclass(frozen=True, slots=True)
class Word:
    """The message before position ``upto`` of the partition ``shard`` was read at ``now_ms`` (wall clock, epoch ms).

    It is a command, or a dead letter. Like a tick it decides nothing by itself: the portfolio obeys what the journal
    says.
    """

    shard: str
    upto: int
    now_ms: int
    said: Command | DeadLetter
