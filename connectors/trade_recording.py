"""Recordings of raw frames as tapes: the trades that a feed made of them, with its clocks and quotes between them."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from connectors.capture import KINDS, CaptureError, files_of
from connectors.exchanges.interface import QUOTE, TRADE
from connectors.feed.recorded import recorded
from connectors.feed.ticks import CLOCK
from connectors.naming import split_ending
from connectors.tape import Tape
from connectors.trade_ids import ids_of
from schemas.batch import CLOCK_SLOT, quote_slot
from schemas.capture import SUFFIX
from schemas.wire import encode

PIECE = 1 << 20
LONGEST = 250


def is_recording(path: Path) -> bool:
    """Whether it is a file of frames by its name, or a folder that has such files.

    >>> is_recording(Path("btcusdt_20240808.gz")), is_recording(Path("BTC_USDT-1m.csv.gz"))
    (True, False)
    """
    if path.is_dir():
        return next(path.rglob(f"*{SUFFIX}"), None) is not None
    return path.name.lower().endswith(KINDS) and not split_ending(path)[1]


def read_recording(path: Path | str, exchange: str | None = None) -> Tape:
    """The trades of a recording, as a live feed would have published them, and its clocks.

    ``exchange`` is for a recording that does not say of which exchange it is.

    Raises CaptureError when the recording cannot be used, or holds no trade.
    """
    path = Path(path)
    slots: dict[str, int] = {}
    slot, ts, buy = array("i"), array("q"), array("b")
    price, amount = array("d"), array("d")
    ids: list[str] = []
    others, alerts = Counter[str](), Counter[str]()
    first = ""
    for _, out in recorded(path, exchange):
        for topic, record in out:
            if isinstance(record, TRADE):
                slot.append(slots.setdefault(record.symbol, len(slots)))
                price.append(record.price)
                amount.append(record.amount)
                buy.append(record.side == "buy")
                ids.append(record.id)
            elif topic == "trades" and isinstance(record, QUOTE):
                slot.append(quote_slot(slots.setdefault(record.symbol, len(slots))))
                price.append(record.bid)
                amount.append(record.ask)
                buy.append(False)
                ids.append("0")
            elif isinstance(record, CLOCK):
                slot.append(CLOCK_SLOT)
                price.append(0.0)
                amount.append(0.0)
                buy.append(False)
                ids.append("0")
            else:
                others[topic] += 1
                if topic == "alerts":
                    alerts[record.code] += 1
                    first = first or f": {record.message[:LONGEST]}"
                continue
            ts.append(record.ts)
    if max(slot, default=CLOCK_SLOT) < 0:
        told = ", ".join(f"{count:,} {topic}" for topic, count in sorted(others.items())) or "nothing that can be read"
        raise CaptureError(f"{path}: holds no trades, of which candles could be made; it holds {told}{first}")
    columns: dict[str, Any] = {
        "slot": np.array(slot, np.int32),
        "ts": np.array(ts, np.int64),
        "price": np.array(price, np.float64),
        "amount": np.array(amount, np.float64),
        "buy": np.array(buy, np.bool_),
        "id": ids_of(ids),
        "position": np.arange(1, len(ts) + 1),
        "source": np.zeros(len(ts), np.int32),
    }
    told = ", ".join(f"{code} {count:,}" for code, count in sorted(alerts.items()))
    notes = (f"what the feed has to tell: {told}",) if told else ()
    return Tape((str(path),), (_Records(path, exchange),), sha256_of(path), tuple(slots), **columns, notes=notes)


class _Records:
    """The records as they are on the topic, made again when one is asked for: a frame can hold several."""

    def __init__(self, path: Path, exchange: str | None) -> None:
        self._path, self._exchange = path, exchange

    def __call__(self, position: int) -> str:
        return self._texts[position - 1]

    @cached_property
    def _texts(self) -> list[str]:
        made = (one for _, out in recorded(self._path, self._exchange) for one in out)
        return [encode(record).decode() for topic, record in made if topic == "trades"]


def sha256_of(path: Path) -> str:
    """Of all files of a recording, in their order."""
    digest = hashlib.sha256()
    for file in files_of(path):
        with file.open("rb") as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
    return digest.hexdigest()
