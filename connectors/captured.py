"""Recordings of raw frames as tapes: the trades that a feed makes of them, and its clocks between them."""

from __future__ import annotations

import hashlib
from array import array
from functools import cached_property
from pathlib import Path

import numpy as np

from connectors.capture import CaptureError, files_of, lines
from connectors.exchanges.interface import TRADE
from connectors.feed.recorded import recorded
from connectors.tape import Tape
from connectors.trade_ids import ids_of
from schemas.capture import SUFFIX
from schemas.wire import encode


def holds_frames(path: Path) -> bool:
    """Whether a path is a recording: a folder of them, a file of one, or lines as in one."""
    if path.is_dir():
        return next(path.rglob(f"*{SUFFIX}"), None) is not None
    if path.name.endswith(SUFFIX):
        return True
    if path.suffix not in (".gz", ".ndjson") or ".csv" in path.suffixes or not path.is_file():
        return False
    try:
        return next(lines(path), None) is not None
    except CaptureError:
        return False


def read_frames(path: Path, exchange: str | None = None) -> Tape:
    """The trades and clocks of a recording, as a live feed puts them onto their topic.

    ``exchange`` is needed for one that does not say of which it is. Raises CaptureError.
    """
    symbols: dict[str, int] = {}
    slot, ts, buy, price, amount = array("i"), array("q"), array("b"), array("d"), array("d")
    ids: list[str] = []
    for _, out in recorded(path, exchange):
        for topic, one in out:
            if topic != "trades":
                continue
            traded = isinstance(one, TRADE)
            slot.append(symbols.setdefault(one.symbol, len(symbols)) if traded else -1)
            ts.append(one.ts)
            price.append(one.price if traded else 0.0)
            amount.append(one.amount if traded else 0.0)
            buy.append(traded and one.side == "buy")
            ids.append(one.id if traded else "0")
    if not symbols:
        raise CaptureError(f"{path}: holds no trades, of which candles are made: record the stream trades, too")
    return Tape(
        paths=(str(path),),
        raws=(_Records(path, exchange),),
        sha256=_digest(path),
        symbols=tuple(symbols),
        slot=np.array(slot, np.int32),
        ts=np.array(ts, np.int64),
        price=np.array(price),
        amount=np.array(amount),
        buy=np.array(buy, np.bool_),
        id=ids_of(ids),
        position=np.arange(1, len(ts) + 1),
        source=np.zeros(len(ts), np.int32),
    )


class _Records:
    """The records of a recording as they are on the topic, read again when one is asked for. Counted from 1."""

    def __init__(self, path: Path, exchange: str | None) -> None:
        self._path, self._exchange = path, exchange

    def __call__(self, position: int) -> str:
        return self._texts[position - 1]

    @cached_property
    def _texts(self) -> list[str]:
        made = (one for _, out in recorded(self._path, self._exchange) for one in out)
        return [encode(record).decode() for topic, record in made if topic == "trades"]


def _digest(path: Path) -> str:
    whole = hashlib.sha256()
    for file in files_of(path):
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()
