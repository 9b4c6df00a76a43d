"""The topics: what is on each, its key, partitions, retention and compaction. The one place where they are defined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.alert import Alert
from schemas.audit import Audit
from schemas.breaker import CircuitBreaker
from schemas.candle import Candle
from schemas.clock import Clock
from schemas.command import Command
from schemas.deadletter import DeadLetter
from schemas.equity import Equity
from schemas.event import Event
from schemas.fill import Fill
from schemas.metric import Metric
from schemas.order import Order
from schemas.position import Position
from schemas.quote import Quote
from schemas.record import Record
from schemas.rejection import Rejection
from schemas.reply import Reply
from schemas.signal import Signal
from schemas.slice import Slice
from schemas.trade import Trade

DAY = 86_400_000
YEAR = 365 * DAY
MEGABYTE = 1_048_588
LARGEST = 8 * MEGABYTE
"""A dead letter holds a message of a megabyte with everything in it escaped."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``key`` names the field whose value is the message key; messages of a key keep their order."""

    name: str
    record: type[Record]
    key: str
    purpose: str
    direction: Literal["in", "out", "internal"]
    partitions: int = 1
    retention_ms: int = 7 * DAY
    cleanup: Literal["delete", "compact"] = "delete"
    max_bytes: int = MEGABYTE  # of a message; Kafka's own default, and that of producers, is a megabyte
    between: tuple[type[Record], ...] = ()  # what else comes between the records, without a key


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("candles", Candle, "symbol", "closed candles of all markets", "in", partitions=4),
        Topic("trades", Trade, "symbol", "public trades of all markets", "in", partitions=4, between=(Clock, Quote)),
        Topic("quotes", Quote, "symbol", "best bid and offer of all markets", "in", partitions=4, retention_ms=DAY),
        Topic("commands", Command, "portfolio", "instructions to a running portfolio", "in", retention_ms=90 * DAY),
        Topic("journal", Slice, "portfolio", "all that a portfolio gets to know, in one order", "internal"),
        Topic("bars", Candle, "symbol", "candles made from trades, of every timeframe", "out", partitions=4),
        Topic("signals", Signal, "symbol", "what strategies want", "out", retention_ms=90 * DAY),
        Topic("orders", Order, "portfolio", "decisions that passed every gate", "out", retention_ms=365 * DAY),
        Topic("rejections", Rejection, "portfolio", "wishes that a gate refused", "out", retention_ms=90 * DAY),
        Topic("fills", Fill, "portfolio", "executions of our orders", "out", retention_ms=365 * DAY),
        Topic("positions", Position, "id", "each change of each position", "out", retention_ms=365 * DAY),
        Topic("breakers", CircuitBreaker, "portfolio", "breakers that tripped or were reset", "out", retention_ms=YEAR),
        Topic("replies", Reply, "portfolio", "answers to commands", "out"),
        Topic("audit", Audit, "portfolio", "every command, and what became of it", "out", retention_ms=YEAR),
        Topic("equity", Equity, "portfolio", "the account's worth over time", "out", retention_ms=365 * DAY),
        Topic("alerts", Alert, "code", "what a person should know", "out", retention_ms=90 * DAY),
        Topic("metrics", Metric, "name", "numbers about data, decisions and account", "out"),
        Topic(
            "deadletters",
            DeadLetter,
            "source",
            "inputs that could not be used",
            "out",
            retention_ms=90 * DAY,
            max_bytes=LARGEST,
        ),
        Topic("events", Event, "run", "the life of a run", "out", retention_ms=90 * DAY),
    )
}
