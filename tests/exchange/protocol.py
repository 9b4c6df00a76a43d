"""What the simulator has to know of an exchange: how it takes subscriptions, writes records, and answers requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from connectors.exchanges.registry import exchange
from tests.exchange.tape import Record

Topic = tuple[str, str]
"""Kind of record ("trades", "quotes", "candles") and symbol."""


class Refused(Exception):  # noqa: N818 (an answer of the simulator, not one of its errors)
    """A request is answered with another status than 200."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class Protocol(ABC):
    """One connection's talk. ``name`` is that of the exchange; the simulator's addresses begin with it.

    ``candles``: all of the tape, for exchanges whose candles are longer.
    """

    name: ClassVar[str]
    tells: ClassVar[tuple[str, ...]]
    """What a candle of this exchange has beside its prices and volume."""

    def __init__(self, candles: Sequence[Record] = ()) -> None:
        self.exchange = exchange(self.name)
        self.candles = candles

    @abstractmethod
    def heard(self, text: str, now: int) -> tuple[list[str], set[Topic]]:
        """A message of the client at an epoch ms. Returns what is answered, and what it subscribed to."""

    @abstractmethod
    def frame(self, record: Record, now: int) -> str:
        """A record as a frame. Called once for each that this connection is sent, in order, lost ones included."""

    def hello(self, now: int) -> list[str]:
        """What is sent when a connection is made."""
        return []

    def idle(self, now: int) -> str | None:
        """What is sent once a second, if anything."""
        return None

    @abstractmethod
    def rest(self, path: str, query: Mapping[str, str], trades: Sequence[Record], candles: Sequence[Record]) -> Any:
        """The JSON of an answer, of what there is so far. Raises Refused."""

    def told(self, candle: Record) -> Record:
        """A candle of the tape with what this exchange says of it."""
        untold = {"quote_volume", "count", "taker_buy_volume", "vwap"} - set(self.tells)
        return msgspec.structs.replace(candle, **dict.fromkeys(untold))

    def symbol(self, name: str) -> str:
        """The market as we write it."""
        return self.exchange.from_exchange(name)
