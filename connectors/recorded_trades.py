"""Rows of trade files as records, with clocks between them as a feed has them, and those that are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from connectors.recorded import Refused
from connectors.tape import Tape, merge
from connectors.trade_file import has_ids, read_ids
from schemas.batch import NO_SIDE
from schemas.clock import Clock
from schemas.trade import Trade
from schemas.wire import wire

CHUNK = 16_384
SECOND = 1_000
COLUMNS = ("slot", "ts", "price", "amount", "buy", "id", "position", "source")


def recorded_trades(tapes: Sequence[Tape]) -> Iterator[Trade | Clock | Refused]:
    """Each row of some files, in event order, as a trade or with the reason why it cannot be one.

    When event time has come to another second, a clock says so before the trade: with it the candles of other symbols
    close, too. A trade keeps the id that it has in its file; where it has none, it is made of the file's hash and the
    row, so that the same file again brings nothing new.
    """
    trade, clock = wire(Trade), wire(Clock)
    tape, ids = merge(tapes), [_Ids(one) for one in tapes]
    inside = np.isfinite(tape.price + tape.amount) & (tape.price > 0) & (tape.amount > 0) & (tape.ts >= 0)
    named = np.array([0 < len(symbol) <= 64 for symbol in tape.symbols])
    sane = inside & named[tape.slot]
    second = -1
    for start in range(0, len(tape), CHUNK):
        part = slice(start, start + CHUNK)
        lists = [getattr(tape, name)[part].tolist() for name in COLUMNS]
        for good, slot, ts, price, amount, buy, number, row, source in zip(sane[part].tolist(), *lists, strict=True):
            id_, side = ids[source](row, number), "buy" if buy else "sell"
            if not good:
                values = {"symbol": tape.symbols[slot], "ts": ts, "id": id_, "price": price, "amount": amount}
                yield _refused(tape, source, row, {**values, "side": side})
                continue
            if ts // SECOND > second:
                if second >= 0:
                    yield clock(ts=ts // SECOND * SECOND)
                second = ts // SECOND
            yield trade(symbol=tape.symbols[slot], ts=ts, id=id_, price=price, amount=amount, side=side)


class _Ids:
    """The ids of one file as texts. Those that are not all numbers are read once more."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __call__(self, row: int, number: int) -> str:
        texts = self._texts
        if texts is None:
            return str(number)
        return (texts[row - 1] if texts else "") or f"{self._tape.sha256[:16]}:{row}"

    @cached_property
    def _texts(self) -> list[str] | None:
        path = Path(self._tape.paths[0])
        return None if has_ids(path) and (self._tape.id >= 0).all() else read_ids(path)


def _refused(tape: Tape, source: int, row: int, values: dict[str, object]) -> Refused:
    why = "is no trade"
    if values["amount"] == NO_SIDE:
        why = "side: neither buy nor sell"
    else:
        try:
            Trade.model_validate(values)
        except ValidationError as error:
            why = ", ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_url=False))
    return Refused(tape.paths[source], row, f"{why} ({tape.raws[source](row)})")
