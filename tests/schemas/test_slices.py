import pickle

import numpy as np

from schemas.signal import Signal
from schemas.slices import END, Slices, empty_columns
from schemas.wire import encode, wire

SIGNAL = wire(Signal)(
    id="s",
    ts=60_000,
    symbol="B",
    timeframe="1m",
    strategy="mine",
    version="1.0.0",
    mode="live",
    side="long",
    price=10.0,
    stop=9.0,
    target=None,
    confidence=1.0,
    missing=0,
    reason="",
    values={"atr": 0.5},
)


def test_the_length_is_the_number_of_rows() -> None:
    columns = empty_columns()
    assert len(Slices("s", ("B",), np.array([60_000]), *columns, (), 5)) == 0


def test_empty_columns_have_the_types_of_full_ones() -> None:
    assert [(len(column), str(column.dtype)) for column in empty_columns()] == [
        (0, "int32"),
        (0, "int64"),
        *[(0, "float64")] * 4,
    ]


def test_the_end_lies_behind_every_instant_and_fits_the_column_of_times() -> None:
    year_9999 = 253_402_300_799_999
    assert year_9999 < END < np.iinfo(np.int64).max


def test_slices_go_between_processes_with_their_signals() -> None:
    one = np.array([1.0])
    said = Slices(
        "s", ("B",), np.array([60_000]), np.zeros(1, np.int32), np.array([60_000]), one, one, one, one, (SIGNAL,), END
    )
    again = pickle.loads(pickle.dumps(said))
    assert (again.shard, again.symbols, again.watermark, again.ts.tolist()) == ("s", ("B",), END, [60_000])
    assert [encode(signal) for signal in again.signals] == [encode(SIGNAL)]
