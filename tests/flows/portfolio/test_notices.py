from __future__ import annotations

import pytest

from flows.outbox import new_outbox
from flows.portfolio import notices
from flows.portfolio.align import Notice
from flows.portfolio.stage import PortfolioStage
from schemas.alert import Alert
from schemas.ids import event_id
from schemas.slices import notice
from schemas.wire import encode
from tests.flows.portfolio.stories import BTC, ETH, SHARD, at, flat, settings, slices, wish


def test_a_notice_becomes_an_alert_with_its_figures() -> None:
    outbox = new_outbox()
    told = Notice("SYMBOL_QUIET", at(2), "candles-1", 42, ETH, {"waited_s": 5.0, "last_ts": at(1), "alive": 3})
    notices.alerts(outbox, "main", [told])
    assert dict(outbox).keys() == {"alerts"}
    (made,) = (Alert.model_validate_json(encode(record)) for record in outbox["alerts"])
    assert made.model_dump() == {
        "id": event_id("main", ETH, 42, at(2), "SYMBOL_QUIET"),
        "ts": at(2),
        "level": "warning",
        "code": "SYMBOL_QUIET",
        "symbol": ETH,
        "strategy": None,
        "message": f"SYMBOL_QUIET: shard=candles-1 waited_s=5.0 last_ts={at(1)} alive=3; no candle of it came in time, "
        "while others did: no trades, or it is not fed any more",
        "figures": {"shard": "candles-1", "waited_s": 5.0, "last_ts": at(1), "alive": 3},
    }


@pytest.mark.parametrize(
    ("code", "level", "says"),
    [
        ("SYMBOL_QUIET", "warning", "no trades, or it is not fed any more"),
        ("FEED_STALE", "warning", "the feed is stale"),
        ("SHARD_EMPTY", "info", "it is not waited for"),
        ("CANDLE_LATE", "warning", "is taken at the next one"),
    ],
)
def test_each_code_has_its_level_and_says_what_it_means(code: str, level: str, says: str) -> None:
    outbox = new_outbox()
    notices.alerts(outbox, "main", [Notice(code, at(1), "candles-1", 7, None, {"waited_s": 5.0})])
    (made,) = outbox["alerts"]
    assert (made.code, made.level, made.symbol) == (code, level, None)
    assert made.message.endswith(says)
    assert made.id == event_id("main", "candles-1", 7, at(1), code)


def test_the_same_alert_at_the_same_instant_after_more_candles_has_another_id() -> None:
    outbox = new_outbox()
    notices.alerts(outbox, "main", [Notice("SYMBOL_QUIET", at(1), "s", upto, ETH, {}) for upto in (7, 8)])
    assert len({record.id for record in outbox["alerts"]}) == 2


def test_a_portfolio_that_waited_in_vain_says_so_and_goes_on_with_what_it_has() -> None:
    stage = PortfolioStage(settings({"strategies": [{"use": "sma_cross", "name": "a"}]}))
    first = [*flat((1,), 100.0), *flat((1,), 10.0, ETH)]
    assert stage.step(slices(first, watermark=-1)) == {}
    assert stage.step(notice(SHARD, (SHARD,), 2, at(1), "timeout", 5_000)) == {}
    assert stage.step(slices(flat((2,), 100.0), [wish(2, "long", 100.0, 95.0)], watermark=-1, first=2)) == {}
    outbox = stage.step(notice(SHARD, (SHARD,), 3, at(2), "timeout", 5_000))
    assert [(alert.code, alert.symbol, alert.ts) for alert in outbox["alerts"]] == [("SYMBOL_QUIET", ETH, at(2))]
    assert [(order.symbol, order.ts) for order in outbox["orders"]] == [(BTC, at(2))]
    late = stage.step(slices(flat((2,), 11.0, ETH), [wish(2, "long", 11.0, 9.0, symbol=ETH)], watermark=-1, first=3))
    assert [(alert.code, alert.figures["candles"]) for alert in late["alerts"]] == [("CANDLE_LATE", 1)]
    assert "orders" not in late
    stage.step(slices(flat((3,), 12.0, ETH), watermark=-1, first=4))
    outbox = stage.step(slices(flat((3,), 101.0), watermark=-1, first=5))
    assert [(fill.symbol, fill.ts) for fill in outbox["fills"]] == [(BTC, at(3))]
    assert "orders" not in outbox
    refused = [(row.symbol, row.ts, row.code, row.figures["late_ms"]) for row in outbox["rejections"]]
    assert refused == [(ETH, at(2), "SIGNAL_LATE", 60_000)]
