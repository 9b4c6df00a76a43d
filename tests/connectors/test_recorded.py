from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.candle_file import read_candles
from connectors.recorded import Refused, recorded
from connectors.sharding import merge
from schemas.candle import Candle
from tests.command import MINUTE, START, write_csv

HEADER = "ts,open,high,low,close,volume,bid,ask"
CELL = st.sampled_from([0.0, -1.0, 1.0, 2.0, 3.0, math.nan, math.inf, -math.inf])


@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL, CELL, CELL), min_size=1, max_size=20))
def test_exactly_the_rows_that_the_model_refuses_are_refused(rows: list[tuple[float, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = [",".join([str(START + MINUTE * at), *map(repr, row)]) for at, row in enumerate(rows)]
        file = Path(folder) / "BTC_USDT-1m.csv"
        file.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
        found = list(recorded(merge([read_candles(file)])))
    assert len(found) == len(rows)
    for at, (row, got) in enumerate(zip(rows, found, strict=True)):
        values: dict[str, Any] = dict(zip(("open", "high", "low", "close", "volume", "bid", "ask"), row, strict=True))
        values = {name: None if name in ("bid", "ask") and math.isnan(cell) else cell for name, cell in values.items()}
        try:
            wanted = Candle(symbol="BTC/USDT", timeframe="1m", ts=START + MINUTE * (at + 1), **values)
        except ValidationError:
            assert isinstance(got, Refused)
            assert got.row == at + 1
        else:
            assert not isinstance(got, Refused)
            assert {name: getattr(got, name) for name in Candle.model_fields} == wanted.model_dump()


def test_a_row_without_a_time_is_refused_by_its_number(tmp_path: Path) -> None:
    lines = [f"{START},1,2,1,2,1", "soon,1,2,1,2,1", *(f"{START + at * MINUTE},1,2,1,2,1" for at in (2, 3))]
    _, refused, _, _ = recorded(merge([read_candles(write_csv(tmp_path / "BTC_USDT-1m.csv", lines))]))
    assert isinstance(refused, Refused)
    assert (refused.row, str(refused).endswith(" (soon,1,2,1,2,1)")) == (2, True)
