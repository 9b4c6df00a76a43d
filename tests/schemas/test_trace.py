from __future__ import annotations

import re

import pytest

from schemas.trace import span_id, trace_id, traceparent

FORM = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")


def test_all_records_of_a_candle_have_its_trace_and_each_a_span_of_its_own() -> None:
    one, other = (traceparent(topic, "a", "BTC/USDT", 60_000) for topic in ("signals", "orders"))
    assert FORM.fullmatch(one)
    assert one == f"00-{trace_id('BTC/USDT', 60_000)}-{span_id('signals', 'a')}-01"
    assert other == f"00-{trace_id('BTC/USDT', 60_000)}-{span_id('orders', 'a')}-01"
    assert one != other


def test_another_close_or_another_symbol_is_another_trace() -> None:
    candles = [("BTC/USDT", 60_000), ("BTC/USDT", 120_000), ("ETH/USDT", 60_000)]
    assert len({trace_id(*candle) for candle in candles}) == 3


@pytest.mark.parametrize(
    ("topic", "symbol"), [("equity", None), ("metrics", None), ("alerts", None), ("deadletters", "BTC/USDT")]
)
def test_a_record_of_no_candle_has_a_trace_of_its_own(topic: str, symbol: str | None) -> None:
    found = {traceparent(topic, id_, symbol, 60_000).split("-")[1] for id_ in ("a", "b")}
    assert len(found | {trace_id("BTC/USDT", 60_000)}) == 3
