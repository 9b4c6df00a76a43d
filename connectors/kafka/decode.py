"""Messages of the topic ``candles`` into columns.

What a message may look like is said by :class:`schemas.candle.Candle` alone: a msgspec struct is derived from its
fields, and all messages are decoded at once, as one JSON array. Only when that fails is each decoded by itself, and
what the struct refuses goes to pydantic, whose word is final: it takes a few forms that the struct does not (a number
in quotes), and gives the exact error for the dead letter of the rest.

The struct checks form and types. A message that pydantic refuses for its *values* alone (a high below the low, a
negative volume or time) passes here on purpose: the checks of the market stage refuse it, on columns, with a reason of
its own. One message that pydantic takes is refused here: a time beyond 64 bits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Any, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from schemas.candle import Candle

MAX_TS = 2**63 - 1
SHOWN_ERRORS = 10
COMMAS = len(Candle.model_fields) - 1
"""In a candle that gives each key once, without those inside of texts."""

_hints = get_type_hints(Candle)
Row = msgspec.defstruct(
    "Row", [(name, _hints[name]) for name in Candle.model_fields], forbid_unknown_fields=True, gc=False
)
_many = msgspec.json.Decoder(list[Row])  # type: ignore[valid-type]
_one = msgspec.json.Decoder(Row)
_first: Callable[[Any], int] = itemgetter(0)
_last: Callable[[Any], int] = itemgetter(-1)
_NUMBERS = ("ts", "open", "high", "low", "close", "volume")
_prices = tuple(attrgetter(name) for name in _NUMBERS[1:])
_ts = attrgetter("ts")


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that is no candle: its index among the messages, its bytes (None for a null), and what is wrong."""

    index: int
    raw: bytes | None
    error: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """Columns over the messages that could be read; ``index`` says which these are, None when all could."""

    index: NDArray[np.int64] | None
    symbol: list[str]
    timeframe: list[str]
    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    unread: tuple[Unread, ...]

    def __len__(self) -> int:
        return len(self.ts)

    def only(self, kept: NDArray[np.bool_]) -> Decoded:
        """Some of the rows; what could not be read stays."""
        rows = np.flatnonzero(kept)
        index = rows if self.index is None else self.index[rows]
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in _NUMBERS}
        for name in ("symbol", "timeframe"):
            columns[name] = [getattr(self, name)[row] for row in rows.tolist()]
        return replace(self, index=index, **columns)


def decode(values: Sequence[bytes | None]) -> Decoded:
    """Columns of some messages. Never raises on their content.

    >>> good = b'{"symbol":"BTC/USDT","timeframe":"1m","ts":60000,"open":1,"high":2,"low":1,"close":2,"volume":0}'
    >>> found = decode([good, b"{}"[:1]])
    >>> found.symbol, found.ts.tolist(), found.high.tolist(), found.index.tolist(), found.unread[0].index
    (['BTC/USDT'], [60000], [2.0], [0], 1)
    """
    rows = _at_once(values)
    if rows is not None:
        try:
            return _columns(rows, None, ())
        except OverflowError:
            pass  # a time beyond 64 bits: which one shows below
    index, rows, unread = [], [], []
    for number, value in enumerate(values):
        row = _alone(value)
        if isinstance(row, str):
            unread.append(Unread(number, value, row))
        else:
            index.append(number)
            rows.append(row)
    return _columns(rows, np.array(index, np.int64) if unread else None, tuple(unread))


def _at_once(values: Sequence[bytes | None]) -> list[Any] | None:
    """The rows if every message is one object, as far as that can be told quickly.

    A joined array must not make candles of messages that are none by themselves: half an object and its rest in the
    next message, two objects in one. With a line feed between messages none can break inside a text; a candle has no
    objects inside, so one brace at the start and one at the end mean at least one whole object a message; and as many
    objects as messages then mean exactly one. A whole object has every key, so if there are no more commas than these
    need, none has a key twice.
    """
    count = len(values)
    try:
        if list(map(_first, values)).count(123) != count or list(map(_last, values)).count(125) != count:
            return None
        joined = b"[" + b",\n".join(values) + b"]"  # type: ignore[arg-type]
        rows: list[Any] = _many.decode(joined)
    except (ValueError, TypeError, IndexError, RecursionError):
        return None
    commas = np.count_nonzero(np.frombuffer(joined, np.uint8) == ord(","))  # five times as fast as bytes.count
    return rows if len(rows) == count and commas == count * (COMMAS + 1) - 1 else None


def _alone(value: bytes | None) -> Any:
    """The row of one message, or what is wrong with it."""
    if value is None:
        return "the message is null; a candle is an object"
    row: Any
    try:
        row = _one.decode(value)
    except (ValueError, RecursionError):
        try:
            row = Candle.model_validate_json(value)
        except ValidationError as wrong:
            return explain(wrong)
    if row.ts > MAX_TS or row.ts < -MAX_TS:
        return f"ts: {row.ts} does not fit into 64 bits"
    if value.count(b",") > COMMAS and (twice := _twice(value)):
        return f"{twice}: Key is given more than once"
    return row


def _twice(value: bytes) -> str | None:
    """The first key that an object gives more than once."""
    keys = json.loads(value, object_pairs_hook=lambda pairs: Counter(key for key, _ in pairs), parse_int=str)
    return next((key for key, times in keys.items() if times > 1), None)


def explain(wrong: ValidationError) -> str:
    """Pydantic's messages with the keys that they are about, on one line; of very many, the first.

    >>> try:
    ...     Candle.model_validate_json(b"[]")
    ... except ValidationError as error:
    ...     explain(error)
    'Input should be an object'
    """
    errors = wrong.errors(include_url=False, include_context=False, include_input=False)
    told = [
        ".".join(str(part)[:80] for part in error["loc"]) + ": " * bool(error["loc"]) + error["msg"]
        for error in errors[:SHOWN_ERRORS]
    ]
    if len(errors) > SHOWN_ERRORS:
        told.append(f"and {len(errors) - SHOWN_ERRORS} more")
    return "; ".join(told)


def _columns(rows: list[Any], index: NDArray[np.int64] | None, unread: tuple[Unread, ...]) -> Decoded:
    count = len(rows)
    ts = np.fromiter(map(_ts, rows), np.int64, count)
    open_, high, low, close, volume = (np.fromiter(map(price, rows), np.float64, count) for price in _prices)
    symbol, timeframe = [row.symbol for row in rows], [row.timeframe for row in rows]
    return Decoded(index, symbol, timeframe, ts, open_, high, low, close, volume, unread)
