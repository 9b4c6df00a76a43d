"""The records of a finished run folder as columns: what tables, summary and report are made of.

Only the fields that are used are decoded, by structs derived from the models; exact decimals stay the strings that
they are on the wire, so that a table repeats them digit by digit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute
from pydantic import BaseModel

from schemas.equity import Equity
from schemas.position import Position

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_EXACT = ("quantity", "entry_price", "exit_price", "realised_pnl", "fees")
_TEXT = ("id", "mode", "strategy", "symbol", "side", "exit_leg", *_EXACT)
_TRADE = (*_TEXT, "status", "entry_ts", "exit_ts")


@cache
def picked(model: type[BaseModel], *names: str) -> msgspec.json.Decoder[Any]:
    """A decoder of a record's line into a struct of some of its fields, decimals left as strings.

    >>> from schemas.metric import Metric
    >>> picked(Metric, "value").decode(b'{"ts":1,"name":"a","value":3.0,"labels":{}}').value
    3.0
    """
    return msgspec.json.Decoder(_struct(model, *names))


@cache
def _struct(model: type[BaseModel], *names: str) -> type[msgspec.Struct]:
    hints = get_type_hints(model)
    kept = [(name, _as_text(hints[name])) for name in names or tuple(model.model_fields)]
    return msgspec.defstruct(model.__name__, kept, module=__name__, kw_only=True, gc=False)


def _as_text(hint: Any) -> Any:
    if hint is Decimal:
        return str
    return str | None if hint == (Decimal | None) else hint


def read_lines(path: Path, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
    """The records of a file, one a line, in order.

    Raises FileNotFoundError, or ValueError naming the file and the line that is not such a record.
    """
    content = path.read_bytes()
    try:
        return decoder.decode_lines(content)
    except msgspec.MsgspecError:
        _explain(path, content, decoder)
        raise


def _explain(path: Path, content: bytes, decoder: msgspec.json.Decoder[Any]) -> None:
    for number, line in enumerate(content.split(b"\n"), start=1):
        try:
            if line:
                decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}, line {number}: {error}: the file is not whole, run the replay again") from error


@dataclass(frozen=True)
class Rounds:
    """The numbers of closed positions, as columns of one length.

    ``sign`` is 1 for long and -1 for short; ``pnl`` (after fees) and ``fees`` are in the account currency;
    ``entry_value`` and ``exit_value`` are quantity times price; times are epoch ms.
    """

    entry_ts: Ints
    exit_ts: Ints
    sign: Floats
    pnl: Floats
    fees: Floats
    entry_value: Floats
    exit_value: Floats

    def __len__(self) -> int:
        return len(self.pnl)

    def __getitem__(self, rows: Ints) -> Rounds:
        """Some of the rows, in the order given."""
        return Rounds(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def returns(self) -> Floats:
        """P&L after fees as a fraction of the entry value."""
        return self.pnl / self.entry_value

    @property
    def duration_s(self) -> Floats:
        """Seconds from entry to exit."""
        return (self.exit_ts - self.entry_ts) / 1000


@dataclass(frozen=True)
class Trades:
    """Closed positions in order of closing: their words and exact decimals, as on the wire, and their numbers.

    ``text`` holds id, mode, strategy, symbol, side, exit_leg, quantity, entry_price, exit_price, realised_pnl and fees
    as Arrow string columns.
    """

    text: pa.Table
    rounds: Rounds

    def __len__(self) -> int:
        return len(self.rounds)

    def rows(self, mode: str, strategy: str | None = None) -> Ints:
        """Rows of one account: ``rows("live")``, or ``rows("shadow", "sma_cross")``."""
        mask = compute.equal(self.text["mode"], mode)
        if strategy is not None:
            mask = compute.and_(mask, compute.equal(self.text["strategy"], strategy))
        return np.flatnonzero(mask.to_numpy())

    def groups(self, name: str, rows: Ints) -> dict[str, Ints]:
        """Some rows, parted by the value of a column of ``text``: values in alphabetic order, rows as given."""
        codes = self.text[name].combine_chunks().dictionary_encode()
        code = codes.indices.to_numpy()[rows]
        order = np.argsort(code, kind="stable")
        found, starts = np.unique(code[order], return_index=True)
        parts = np.split(rows[order], starts[1:]) if len(found) else []
        return dict(sorted(zip(codes.dictionary.take(found).to_pylist(), parts, strict=True)))

    @classmethod
    def of(cls, positions: list[Any]) -> Trades:
        """From closed positions: records, or structs with the same fields."""
        count = len(positions)
        lists = {name: list(map(attrgetter(name), positions)) for name in _TEXT}
        for name in _EXACT if count and not isinstance(lists["fees"][0], str) else ():
            lists[name] = list(map(str, lists[name]))
        text = pa.table({name: pa.array(column, pa.string()) for name, column in lists.items()})
        numbers = {name: compute.cast(text[name], pa.float64()).to_numpy() for name in _EXACT}
        rounds = Rounds(
            entry_ts=np.fromiter(map(attrgetter("entry_ts"), positions), np.int64, count),
            exit_ts=np.fromiter(map(attrgetter("exit_ts"), positions), np.int64, count),
            sign=np.where(compute.equal(text["side"], "long").to_numpy(), 1.0, -1.0),
            pnl=numbers["realised_pnl"],
            fees=numbers["fees"],
            entry_value=numbers["quantity"] * numbers["entry_price"],
            exit_value=numbers["quantity"] * numbers["exit_price"],
        )
        return cls(text, rounds)


def read_trades(folder: Path) -> Trades:
    """The closed positions of ``positions.jsonl``."""
    found = read_lines(folder / "positions.jsonl", picked(Position, *_TRADE))
    return Trades.of([position for position in found if position.status == "closed"])


@dataclass(frozen=True)
class Curve:
    """Records of the equity topic as columns, in the order of the file.

    ``account`` holds the shadow strategy of each row, or None for the portfolio itself; ``columns`` all other fields
    of :class:`schemas.equity.Equity` as arrays (``mode`` and ``portfolio`` as lists).
    """

    account: list[str | None]
    columns: dict[str, Any]

    def __len__(self) -> int:
        return len(self.account)

    def of(self, account: str | None) -> dict[str, Any]:
        """The number columns of one account: the portfolio (None) or a shadow strategy."""
        mask = np.fromiter((x == account for x in self.account), bool, len(self))
        return {name: column[mask] for name, column in self.columns.items() if isinstance(column, np.ndarray)}


def read_curve(folder: Path) -> Curve:
    """All of ``equity.jsonl``."""
    records = read_lines(folder / "equity.jsonl", picked(Equity))
    hints = get_type_hints(Equity)
    kinds: dict[Any, Any] = {int: np.int64, float: np.float64}
    columns: dict[str, Any] = {}
    for name in Equity.model_fields:
        values = list(map(attrgetter(name), records))
        kind = kinds.get(hints[name])
        columns[name] = values if kind is None else np.array(values, kind)
    return Curve(columns.pop("strategy"), columns)


@dataclass(frozen=True)
class RunColumns:
    """What several products of one run folder are made of, read once."""

    trades: Trades
    curve: Curve


def read_run(folder: Path) -> RunColumns:
    """Positions and equity of a finished run folder."""
    return RunColumns(read_trades(folder), read_curve(folder))
