"""Files of trades: CSV, CSV.gz, Feather and Parquet, read into columns of one symbol."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.candle_file import is_descending
from connectors.cells import UNREADABLE, Ints, to_floats, to_times
from connectors.errors import CandleFileError, about
from connectors.layout import TIME_NAMES, TRADE_NAMES, find, named_as
from connectors.naming import from_name
from connectors.tables import RawRows, Table, header, read_bytes, read_table
from connectors.tape import Tape
from connectors.trade_ids import ids_of
from schemas.batch import NO_SIDE

TIMES = (*TIME_NAMES, "transact_time")
AMOUNTS = ("amount", "qty", "size", "volume", "quantity")
IDS = ("id", "trade_id", "tradeid", "agg_trade_id")
SIDES = ("side", "is_buyer_maker", "isbuyermaker")
BUYS, SELLS = ("buy", "b", "bid"), ("sell", "s", "ask")


def holds_trades(path: Path) -> bool:
    """Whether the columns of a file are those of trades: a price, but no open. False, too, for what cannot be read."""
    try:
        names = [name.strip().lower() for name in header(path)]
    except (CandleFileError, OSError, pa.ArrowException, ValueError):
        return False
    return "price" in names and "open" not in names


def has_ids(path: Path) -> bool:
    """Whether a file of trades has a column of ids."""
    return any(name.strip().lower() in IDS for name in header(path))


def find_trade_columns(names: Sequence[str]) -> dict[str, int]:
    """Positions of ``time``, ``price``, ``amount``, ``side`` (or ``maker``) and, when there is one, ``id``.

    >>> find_trade_columns(["id", "price", "qty", "quote_qty", "time", "is_buyer_maker"])
    {'time': 4, 'price': 1, 'amount': 2, 'maker': 5, 'id': 0}

    Raises CandleFileError, with the columns found, when one is missing or is there twice.
    """
    side = named_as(names, SIDES)
    roles = {"time": TIMES, "price": ("price",), "amount": AMOUNTS}
    roles["side" if side in (None, "side") else "maker"] = SIDES
    return find(names, roles, {"id": IDS}, TRADE_NAMES)


def read_trades(path: Path | str, *, symbol: str | None = None) -> Tape:
    """Read one file of trades. Times are as in candle files; the symbol comes from the argument, else from the name.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "BTC_USDT-trades.csv"
    >>> _ = file.write_text("time,price,qty,side,id\\n1640995200.25,46000,0.5,buy,7\\n1640995201,46001,1,sell,8\\n")
    >>> tape = read_trades(file, symbol="BTC/USDT")
    >>> tape.ts.tolist(), tape.buy.tolist(), tape.id.tolist(), tape.raws[0](2)
    ([1640995200250, 1640995201000], [True, False], [7, 8], '1640995201,46001,1,sell,8')

    Raises CandleFileError when the file as a whole cannot be used.
    """
    path = Path(path)
    with about(path):
        data = read_bytes(path)
        table = read_table(path, data, find_trade_columns)
        digest = hashlib.sha256(data).hexdigest()
        times = _times(table)
        amount, buy = to_floats(table.cells["amount"]), _buys(table)
        amount[np.isinf(amount)] = np.nan
        amount[buy < 0] = NO_SIDE
        columns: dict[str, Any] = {
            "ts": times,
            "price": to_floats(table.cells["price"]),
            "amount": amount,
            "buy": buy > 0,
            "id": _ids(table, len(times)),
            "position": np.arange(1, len(times) + 1),
        }
        notes = (
            [] if "id" in table.cells else ["no column id: each row is a trade of its own, in the order of the file"]
        )
        if is_descending(times):
            columns = {name: np.ascontiguousarray(column[::-1]) for name, column in columns.items()}
            notes.append("rows were newest first: reversed")
        if symbol is None:
            named = from_name(path)
            symbol = named.symbol
            if not named.certain:
                notes.append(f"symbol {symbol} taken from the file's name; --symbol names it")
    rows = RawRows(path, digest)
    none = np.zeros(len(times), np.int32)
    raws = (lambda position: rows[position - 1],)
    return Tape((str(path),), raws, digest, (symbol,), none, **columns, source=none, notes=tuple(notes))


def read_ids(path: Path) -> list[str]:
    """The ids of a file of trades as they are written, in the order of its rows; empty where there are none."""
    with about(path):
        table = read_table(path, read_bytes(path), find_trade_columns)
    return [text.strip() for text in _texts(table.cells["id"])] if "id" in table.cells else []


def _texts(cells: pa.ChunkedArray) -> list[str]:
    texts: list[str] = pc.fill_null(pc.cast(cells, pa.string()), "").to_pylist()
    return texts


def _times(table: Table) -> Ints:
    cells = table.cells["time"]
    if not len(cells):
        raise CandleFileError("has no rows below its header: nothing to read")
    times = to_times(cells)
    if not (times != UNREADABLE).any():
        raise CandleFileError(
            f"has no readable time; its first is {str(cells[0].as_py())!r}: write epoch s, ms, us or ns, or ISO 8601"
        )
    return times


def _buys(table: Table) -> Any:
    """By row: 1 where the taker bought, 0 where he sold, -1 where that cannot be read."""
    role = "side" if "side" in table.cells else "maker"
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(table.cells[role], pa.string())))
    bought, sold = (BUYS, SELLS) if role == "side" else (("false", "0"), ("true", "1"))
    known = [pc.fill_null(pc.is_in(text, pa.array(words)), False).to_numpy() for words in (bought, sold)]
    return np.where(known[0], 1, np.where(known[1], 0, -1))


def _ids(table: Table, count: int) -> Ints:
    if "id" not in table.cells:
        return np.arange(1, count + 1)
    cells = table.cells["id"]
    if pa.types.is_integer(cells.type) and not cells.null_count and (count == 0 or pc.min(cells).as_py() >= 0):
        return np.array(cells.cast(pa.int64()).to_numpy())
    texts = _texts(cells)
    return ids_of([text.strip() or f"row {row}" for row, text in enumerate(texts)])
