import pickle
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from schemas.batch import CandleBatch

ROWS = 3


def made() -> CandleBatch:
    prices: tuple[Any, ...] = tuple(np.arange(float(ROWS)) + n for n in range(5))
    o, h, lo, c, v = prices
    return CandleBatch(
        "s",
        ("B", "A"),
        ("b.csv", "a.csv"),
        np.array([60_000, 3_600_000]),
        np.array([0, 1, 0], np.int32),
        np.array([60_000, 3_600_000, -1]),
        o,
        h,
        lo,
        c,
        v,
        np.array([1, 1, 2]),
        {2: "noon,1,1,1,1"},
        final=True,
    )


def test_the_length_is_the_number_of_rows() -> None:
    assert len(made()) == ROWS


def test_a_batch_is_not_final_and_readable_unless_it_says_otherwise() -> None:
    given = {field.name: getattr(made(), field.name) for field in fields(CandleBatch)}
    del given["raw"], given["final"]
    plain = CandleBatch(**given)
    assert (plain.raw, plain.final) == ({}, False)


def test_a_batch_cannot_be_given_other_columns() -> None:
    with pytest.raises(AttributeError):
        made().close = np.zeros(ROWS)  # type: ignore[misc]


def test_a_batch_goes_between_processes() -> None:
    again = pickle.loads(pickle.dumps(made()))
    for field in fields(CandleBatch):
        one, other = getattr(again, field.name), getattr(made(), field.name)
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other, field.name
