"""``broker``: who fills orders, and how the paper broker does (docs/fills.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.config.section import Section


class BrokerConfig(Section):
    """Paper, unless an exchange is switched on explicitly."""

    mode: Literal["paper", "exchange"] = Field(
        "paper", description="paper: orders are filled on paper; exchange: with real money, in a live run only"
    )
    exchange: str | None = Field(None, description="for mode exchange: its name as ccxt writes it")
    api_key_file: str | None = Field(None, description="for mode exchange: file that holds the API key")
    api_secret_file: str | None = Field(None, description="for mode exchange: file that holds the API secret")
    fill_at: Literal["next_open", "close"] = Field(
        "next_open", description="where a market order is filled: open of the next candle, or close of the signal's"
    )
    fee_pct: float = Field(0.05, ge=0, lt=100, description="of the filled value, each way; 0.05 = 0.05 %")
    slippage_pct: float = Field(
        0.0, ge=0, lt=100, description="against us, on market and stop fills; 0.01 = 0.01 % of the price"
    )
