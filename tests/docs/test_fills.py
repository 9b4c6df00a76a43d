"""The worked example of docs/fills.md, computed from the page itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml

from flows.outbox import Outbox
from schemas.config.root import Config
from tests.conftest import ROOT
from tests.flows.portfolio.stories import Row, minute_of, trade, wish

PAGE = (ROOT / "docs/fills.md").read_text()
EXAMPLE = PAGE[PAGE.index("## A worked example") :]


def table(heading: str) -> list[dict[str, str]]:
    """The rows of the table whose first line begins like this."""
    lines = EXAMPLE[EXAMPLE.index(f"\n{heading}") + 1 :].split("\n\n")[0].splitlines()
    names, _, *rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def clock(ts: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute_of(ts), 60))


def number(text: str) -> float | None:
    return float(text) if text else None


@pytest.fixture(scope="module")
def outbox() -> Outbox:
    config = Config.model_validate(yaml.safe_load(EXAMPLE.split("```yaml\n")[1].split("```")[0]))
    rows: list[Row] = []
    wishes: list[Any] = []
    for line in table("| opens"):
        closes = minute(line["closes"])
        assert minute(line["opens"]) == closes - 1
        open_, high, low, close = (float(line[name]) for name in ("open", "high", "low", "close"))
        rows.append(Row(closes, open_, high, low, close))
        if line["wanted"]:
            side: Any = line["wanted"]
            wishes.append(wish(closes, side, close, number(line["stop"]), number(line["target"])))
    return trade(config, rows, wishes)[1]


def test_the_fills_are_those_of_the_page(outbox: Outbox) -> None:
    assert [(clock(f.candle_ts), clock(f.ts), f.leg, f.side, f.quantity, f.price, f.fee) for f in outbox["fills"]] == [
        (r["candle_ts"], r["ts"], r["leg"], r["side"], *(Decimal(r[name]) for name in ("quantity", "price", "fee")))
        for r in table("| `candle_ts`")
    ]


def test_the_positions_are_those_of_the_page(outbox: Outbox) -> None:
    closed = [p for p in outbox["positions"] if p.status == "closed"]
    money = ("quantity", "entry", "exit", "fees", "realised P&L")
    names = ("quantity", "entry_price", "exit_price", "fees", "realised_pnl")
    assert [
        (clock(p.entry_ts), clock(p.exit_ts), p.side, p.exit_leg, *(getattr(p, name) for name in names)) for p in closed
    ] == [
        (r["opened"], r["closed"], r["side"], r["leg"], *(Decimal(r[name]) for name in money))
        for r in table("| opened")
    ]


def test_the_equity_is_that_of_the_page(outbox: Outbox) -> None:
    assert [(clock(e.ts), e.equity, e.cash, e.gross_exposure) for e in outbox["equity"]] == [
        (r["ts"], *(float(r[name]) for name in ("equity", "cash", "gross exposure"))) for r in table("| `ts` | equity")
    ]


def test_the_refusal_is_that_of_the_page(outbox: Outbox) -> None:
    assert [clock(row.ts) for row in outbox["rejections"]] == ["00:09"]
    assert f"wish of 00:09 is refused: `{outbox['rejections'][0].message}`" in EXAMPLE


def test_the_sizes_and_levels_that_the_text_names_are_those_of_the_orders(outbox: Outbox) -> None:
    first, _, second, *_ = outbox["orders"]
    assert (first.stop, first.target) == (39500, 41000)
    assert (first.checks["size"]["quantity"], second.checks["size"]["equity"]) == (0.2, 9886.74895)
    assert round(second.checks["cash"].shrunk_to, 3) == 9881.808
