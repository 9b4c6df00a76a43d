"""Equity: the account's worth, one record for each interval of event time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Mode, Record


class Equity(Record):
    """Cash plus marked positions. Marked at every instant; low, high and drawdown keep what an interval hides."""

    ts: Annotated[Millis, Field(description="end of the interval, epoch ms UTC")]
    portfolio: str
    mode: Annotated[Mode, Field(description="shadow: the paper account of one shadow strategy")]
    strategy: Annotated[str | None, Field(description="the shadow strategy; none for the portfolio itself")]
    equity: Annotated[float, Field(description="account currency, at the last instant of the interval")]
    equity_low: Annotated[float, Field(description="lowest equity at any instant of the interval")]
    equity_high: Annotated[float, Field(description="highest equity at any instant of the interval")]
    cash: Annotated[float, Field(description="account currency")]
    gross_exposure: Annotated[float, Field(description="sum of absolute marked positions, account currency")]
    net_exposure: Annotated[float, Field(description="sum of signed marked positions, account currency")]
    drawdown_pct: Annotated[float, Field(description="deepest fall below the running peak in the interval; 1.0 = 1 %")]
    exposed: Annotated[int, Field(description="instants of the interval at which a position was open")]
    instants: Annotated[int, Field(description="instants of the interval")]
