"""Messages of a topic into rows, by the model of its record.

What a message may look like is said by the model alone: a msgspec struct is derived from its fields, and all messages
are decoded at once, as one JSON array. Only when that fails is each decoded by itself, and what the struct refuses
goes to pydantic, whose word is final: it takes a few forms that the struct does not (a number in quotes), and gives the
exact error for the dead letter of the rest.

The struct checks form and types. A message that pydantic refuses for its *values* alone (a high below the low, a
negative amount or time) passes here on purpose: the operators refuse it, on columns, with a reason of their own. One
message that pydantic takes is refused here: a time beyond 64 bits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, TypeVar, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from schemas.record import Record

MAX_TS = 2**63 - 1
SHOWN_ERRORS = 10

Columns = TypeVar("Columns")
_first: Callable[[Any], int] = itemgetter(0)
_last: Callable[[Any], int] = itemgetter(-1)


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that is no record: its index among the messages, its bytes (None for a null), and what is wrong."""

    index: int
    raw: bytes | None
    error: str


Make = Callable[[list[Any], NDArray[np.int64] | None, tuple[Unread, ...]], Columns]
"""Columns of rows. The second argument says which of the messages these are, None when they are all."""


class Rows:
    """Reads messages that hold one record each, which has a field ``ts`` and no objects inside."""

    def __init__(self, model: type[Record]) -> None:
        hints = get_type_hints(model)
        fields: list[Any] = [
            (name, hints[name]) if field.is_required() else (name, hints[name], field.default)
            for name, field in model.model_fields.items()
        ]
        row = msgspec.defstruct("Row", fields, forbid_unknown_fields=True, gc=False)
        self._model, self._name = model, model.__name__.lower()
        self._many, self._one = msgspec.json.Decoder(list[row]), msgspec.json.Decoder(row)  # type: ignore[valid-type]
        self._required = sum(field.is_required() for field in model.model_fields.values())
        self._optional = [attrgetter(name) for name, field in model.model_fields.items() if not field.is_required()]

    def read(self, values: Sequence[bytes | None], make: Make[Columns]) -> Columns:
        """Columns of some messages. Never raises on their content."""
        rows = self._at_once(values)
        if rows is not None:
            try:
                return make(rows, None, ())
            except OverflowError:
                pass  # a time beyond 64 bits: which one shows below
        index, rows, unread = [], [], []
        for number, value in enumerate(values):
            row = self._alone(value)
            if isinstance(row, str):
                unread.append(Unread(number, value, row))
            else:
                index.append(number)
                rows.append(row)
        return make(rows, np.array(index, np.int64) if unread else None, tuple(unread))

    def _at_once(self, values: Sequence[bytes | None]) -> list[Any] | None:
        """The rows if every message is one object, as far as that can be told quickly.

        A joined array must not make records of messages that are none by themselves: half an object and its rest in
        the next message, two objects in one. With a line feed between messages none can break inside a text; a record
        has no objects inside, so one brace at the start and one at the end mean at least one whole object a message;
        and as many objects as messages then mean exactly one. If there are no more commas than the keys need that each
        object has for certain, none has a key twice.
        """
        count = len(values)
        try:
            if list(map(_first, values)).count(123) != count or list(map(_last, values)).count(125) != count:
                return None
            joined = b"[" + b",\n".join(values) + b"]"  # type: ignore[arg-type]
            rows: list[Any] = self._many.decode(joined)
        except (ValueError, TypeError, IndexError, RecursionError):
            return None
        if len(rows) != count:
            return None
        commas = int(np.count_nonzero(np.frombuffer(joined, np.uint8) == ord(",")))  # five times as fast as bytes.count
        more = commas + 1 - count * self._required
        return rows if more == 0 or more == self._given(rows) else None

    def _given(self, rows: list[Any]) -> int:
        """How many of the optional keys are there for certain; one that is null does not show."""
        return sum(len(rows) - list(map(get, rows)).count(None) for get in self._optional)

    def _alone(self, value: bytes | None) -> Any:
        """The row of one message, or what is wrong with it."""
        if value is None:
            return f"the message is null; a {self._name} is an object"
        row: Any
        try:
            row = self._one.decode(value)
        except (ValueError, RecursionError):
            try:
                row = self._model.model_validate_json(value)
            except ValidationError as wrong:
                return explain(wrong)
        if row.ts > MAX_TS or row.ts < -MAX_TS:
            return f"ts: {row.ts} does not fit into 64 bits"
        if value.count(b",") >= self._required and (twice := _twice(value)):
            return f"{twice}: Key is given more than once"
        return row


def _twice(value: bytes) -> str | None:
    """The first key that an object gives more than once."""
    keys = json.loads(value, object_pairs_hook=lambda pairs: Counter(key for key, _ in pairs), parse_int=str)
    return next((key for key, times in keys.items() if times > 1), None)


def explain(wrong: ValidationError) -> str:
    """Pydantic's messages with the keys that they are about, on one line; of very many, the first.

    >>> from schemas.candle import Candle
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
