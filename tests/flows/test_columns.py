import pickle
from dataclasses import replace

import numpy as np
import pytest

from flows.columns import Candles
from flows.kernel import kernel

NAMES = ("slot", "ts", "open", "high", "low", "close", "volume")


def mixed() -> Candles:
    """Four rows of two symbols of three; every column has values of its own."""
    n = np.arange(4.0)
    return Candles(
        np.array([0, 2, 0, 2], np.int32), 3, np.array([60, 60, 120, 120]), n + 10, n + 20, n + 30, n + 40, n + 50
    )


def test_a_part_has_the_rows_asked_for_in_every_column() -> None:
    part = mixed()[1:3]
    assert [getattr(part, name).tolist() for name in NAMES] == [
        [2, 0],
        [60, 120],
        [11.0, 12.0],
        [21.0, 22.0],
        [31.0, 32.0],
        [41.0, 42.0],
        [51.0, 52.0],
    ]


@pytest.mark.parametrize(
    "rows",
    [np.array([False, True, False, True]), np.array([1, 3]), slice(1, None, 2)],
    ids=["mask", "indices", "slice"],
)
def test_rows_are_asked_for_by_mask_by_index_or_by_slice(rows: np.ndarray) -> None:
    part = mixed()[rows]
    assert (part.open.tolist(), len(part)) == ([11.0, 13.0], 2)


def test_a_part_has_the_quotes_of_its_rows_and_they_cannot_be_written_to() -> None:
    quote = np.arange(8.0).reshape(4, 2)
    c = replace(mixed(), quote=quote)
    part = c[np.array([1, 3])]
    assert (part.bid.tolist(), part.ask.tolist()) == ([2.0, 6.0], [3.0, 7.0])
    assert (part.spread.tolist(), part.mid.tolist()) == ([1.0, 1.0], [2.5, 6.5])
    seen = c.frozen().quote
    assert seen is not None
    with pytest.raises(ValueError, match="read-only"):
        seen[0, 0] = 1.0
    quote[0, 0] = 1.0


def test_a_part_belongs_to_the_same_shard() -> None:
    assert mixed()[:0].slots == 3
    assert len(mixed()[:0]) == 0


def test_flat_candles_of_closes_are_a_minute_apart_and_closed() -> None:
    c = Candles.of([1.0, 2.0])
    assert [getattr(c, name).tolist() for name in NAMES] == [
        [0, 0],
        [60_000, 120_000],
        [1.0, 2.0],
        [1.0, 2.0],
        [1.0, 2.0],
        [1.0, 2.0],
        [1.0, 1.0],
    ]
    assert Candles.of([1.0, 2.0], step_ms=3_600_000).ts.tolist() == [3_600_000, 7_200_000]


def test_the_columns_have_the_types_that_kernels_are_compiled_for() -> None:
    for c in (Candles.of([1, 2]), Candles.of(np.array([1, 2], np.int64))):
        assert [str(getattr(c, name).dtype) for name in NAMES] == ["int32", "int64", *["float64"] * 5]


def test_candles_cannot_be_given_other_columns() -> None:
    with pytest.raises(AttributeError):
        mixed().close = np.zeros(4)  # type: ignore[misc]


def test_candles_go_between_processes() -> None:
    again = pickle.loads(pickle.dumps(mixed()))
    assert all(np.array_equal(getattr(again, name), getattr(mixed(), name)) for name in NAMES)
    assert again.slots == 3


@kernel
def _total(close: np.ndarray) -> float:
    total = 0.0
    for value in close:
        total += value
    return total


def test_a_kernel_takes_the_columns_of_a_part() -> None:
    assert _total(mixed()[::2].close) == 82.0


def test_frozen_candles_cannot_be_written_to_and_the_ones_they_came_from_can() -> None:
    candles = Candles.of([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        candles.frozen().close[:] = 1.0
    candles.close[0] = 3.0
    assert candles.close.tolist() == [3.0, 2.0]
