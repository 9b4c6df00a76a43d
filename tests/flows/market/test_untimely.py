"""Messages that are refused for their time: each a dead letter, each run of them an alert, again when it doubles."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from connectors.kafka.candle_topic import CandleTopic
from connectors.kafka.trade_topic import TradeTopic
from flows.bars.stage import BarStage
from flows.market.stage import MarketStage
from flows.market.untimely import MEANING
from schemas.alert import Alert
from schemas.config.market import MarketConfig
from schemas.wire import encode
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.test_candle_topic import Sent
from tests.connectors.kafka.test_trade_topic import clock, trade
from tests.flows.market.stages import rows_of, stage

MINUTE = 60_000
NOW = 100 * MINUTE
BTC, ETH = "BTC/USDT", "ETH/USDT"
AHEAD = 102  # minutes: one more than is allowed

CANDLES = [
    (None, message(98, ETH)),
    (None, message(100, BTC)),
    (None, message(AHEAD, BTC)),
    (None, message(AHEAD + 1, BTC)),
    (None, message(AHEAD, ETH)),
    (None, b"{"),
    (None, message(101, BTC)),
    (None, message(AHEAD, BTC)),
    (None, message(AHEAD, ETH)),
    (None, message(101, ETH)),
    (None, message(AHEAD, ETH)),
]
TRADES = [
    trade(NOW, BTC, id="1"),
    clock(NOW + MINUTE + 1),
    clock(NOW + MINUTE + 1),
    trade(NOW + MINUTE + 1, ETH, id="9"),
    clock(NOW),
    clock(NOW + MINUTE + 1),
    trade(NOW + 1, BTC, id="2"),
    trade(NOW + MINUTE + 1, ETH, id="9"),
]


class At(Sent):
    """Messages that came to the topic at one and the same time."""

    def timestamp(self) -> tuple[int, int]:
        return 1, NOW


def candle_stage() -> MarketStage:
    return stage()


def bar_stage() -> BarStage:
    market: dict[str, Any] = {"bars": {"timeframes": ["1m"]}}
    return BarStage(MarketConfig(**market), stage(**market))


def said(
    topic: CandleTopic | TradeTopic,
    build: Callable[[], Any],
    messages: Sequence[tuple[bytes | None, bytes]],
    cuts: Sequence[int] = (),
) -> dict[str, list[Any]]:
    """What a stage, restarted at each cut, tells of the messages."""
    sent = [At(value, at, [("a", b"1")], key) for at, (key, value) in enumerate(messages)]
    machine, found = build(), dict[str, list[Any]](alerts=[], deadletters=[], slices=[])
    for begin, end in pairwise([0, *cuts, len(sent)]):
        state, machine = pickle.dumps(machine.snapshot()), build()
        machine.restore(pickle.loads(state))
        one = machine.step(topic.batch(sent[begin:end]))
        if one.slices is not None:
            found["slices"] += [(name, ts) for name, ts, *_ in rows_of(one)]
        for name in ("alerts", "deadletters"):
            found[name] += one.outbox[name]
    return found


def places(found: dict[str, list[Any]]) -> tuple[list[tuple[int, str]], list[tuple[str | None, int]]]:
    letters = [(one.position, one.reason) for one in found["deadletters"]]
    return letters, [(one.symbol, one.figures["messages"]) for one in found["alerts"] if one.code in MEANING]


@pytest.mark.parametrize("cuts", [(), *((cut,) for cut in range(1, len(CANDLES))), range(1, len(CANDLES))])
def test_each_is_a_dead_letter_and_each_run_of_a_symbol_an_alert_whatever_the_cut(cuts: Sequence[int]) -> None:
    found = said(CandleTopic("candles", 0), candle_stage, CANDLES, cuts)
    letters, alerts = places(found)
    reasons = {2: "TIME_AHEAD", 3: "TIME_AHEAD", 4: "TIME_AHEAD", 5: "MESSAGE_INVALID"}
    assert letters == list((reasons | dict.fromkeys((7, 8, 10), "TIME_AHEAD")).items())
    assert alerts == [(BTC, 1), (BTC, 2), (ETH, 1), (BTC, 1), (ETH, 2), (ETH, 1)]
    assert found["slices"] == [(ETH, 98 * MINUTE), (BTC, 100 * MINUTE), (BTC, 101 * MINUTE), (ETH, 101 * MINUTE)]
    # As in a run folder: by time and symbol, and then in the order in which they were told.
    told = sorted(found["alerts"], key=lambda one: (one.ts, one.symbol))
    of_eth = [one.code for one in told if (one.symbol, one.ts) == (ETH, 101 * MINUTE)]
    assert of_eth == ["TIME_AHEAD", "CANDLE_GAP", "TIME_AHEAD"]


@pytest.mark.parametrize("cuts", [(), *((cut,) for cut in range(1, len(TRADES))), range(1, len(TRADES))])
def test_trades_and_clocks_the_same(cuts: Sequence[int]) -> None:
    letters, alerts = places(said(TradeTopic("trades", 0), bar_stage, TRADES, cuts))
    assert letters == [(at, "TIME_AHEAD") for at in (1, 2, 3, 5, 7)]
    assert alerts == [(None, 1), (None, 2), (ETH, 1), (None, 1), (ETH, 2)]


@pytest.mark.parametrize("cuts", [(), (3,), range(1, 13)])
def test_candles_that_are_too_late_for_their_shard_are_told_with_how_many(cuts: Sequence[int]) -> None:
    slow = [(None, message(minute, ETH)) for minute in range(80, 90)]
    messages = [(None, message(90, BTC)), *slow, (None, message(90, ETH)), (None, message(88, ETH))]
    found = said(CandleTopic("candles", 0), candle_stage, messages, cuts)
    letters, alerts = places(found)
    assert letters == [(at, "ROW_LATE") for at in range(1, 10)] + [(12, "ROW_OUT_OF_ORDER")]
    assert alerts == [(ETH, 1), (ETH, 2), (ETH, 4), (ETH, 8)]
    last = found["alerts"][-1]
    assert (last.code, last.message.endswith(f" messages=8; {MEANING['ROW_LATE']}")) == ("ROW_LATE", True)
    assert last.message.startswith(f"ROW_LATE: ts={87 * MINUTE} open=10.0 ")


def test_letter_and_alert_say_how_far_ahead_and_what_to_do() -> None:
    found = said(CandleTopic("candles", 3), candle_stage, CANDLES[1:3])
    (letter,), (alert,) = found["deadletters"], found["alerts"]
    figures = {"ts": AHEAD * MINUTE, "ahead_ms": 2 * MINUTE, "max_ahead_ms": MINUTE, "messages": 1}
    told = f"TIME_AHEAD: symbol=BTC/USDT ts={AHEAD * MINUTE} ahead_ms=120000 max_ahead_ms=60000"
    assert (letter.error, letter.symbol, letter.partition, letter.position, letter.ts) == (told, BTC, 3, 1, NOW)
    assert (letter.raw, letter.headers) == (message(AHEAD, BTC).decode(), ("a=1",))
    record = Alert.model_validate_json(encode(alert))
    assert (record.code, record.level, record.symbol, record.ts) == ("TIME_AHEAD", "warning", BTC, NOW)
    assert (record.message, record.figures) == (f"{told} messages=1; {MEANING['TIME_AHEAD']}", figures)
    (clock_letter,) = said(TradeTopic("trades", 0), bar_stage, TRADES[1:2])["deadletters"]
    assert clock_letter.error == f"TIME_AHEAD: clock ts={NOW + MINUTE + 1} ahead_ms=60001 max_ahead_ms=60000"


def test_a_producer_whose_timestamps_are_no_times_of_sending_loses_nothing_without_a_word() -> None:
    """Timestamps of 0 or -1: all is refused, each symbol with an alert; with a larger bound nothing is."""
    for stamp in (0, -1):

        class Odd(Sent):
            def timestamp(self, stamp: int = stamp) -> tuple[int, int]:
                return 1, stamp

        now = 30_000_000  # minutes: as of today
        sent = [Odd(message(now + at // 2, (BTC, ETH)[at % 2]), at) for at in range(6)]
        told = candle_stage().step(CandleTopic("candles", 0).batch(sent))
        assert told.slices is not None
        assert (len(told.slices), len(told.outbox["deadletters"])) == (0, 6)
        assert [one.symbol for one in told.outbox["alerts"]] == [BTC, ETH, BTC, ETH]
        batch = CandleTopic("candles", 0, max_ahead_ms=36_500 * 86_400_000).batch(sent)
        assert (len(batch), batch.refused) == (6, ())
