"""What holds trading up goes on doing so: nothing weaker ends it, and no breaker is let go unseen."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from flows.outbox import Outbox, new_outbox
from flows.portfolio.control.base import ALL
from flows.portfolio.stage import PortfolioStage
from schemas.slices import END, notice
from tests.flows.portfolio.control.test_commands import RULES, given, longs, play
from tests.flows.portfolio.stories import ETH, SHARD, Row, at, fields, flat, minute_of, settings, slices, tell, wish


def test_a_weaker_command_of_somebody_else_lifts_no_halt() -> None:
    commands = [
        given(1.5, "halt"),
        given(2.5, "pause", "bot", **{"for": "2m"}),
        given(6.5, "status"),
        given(7.5, "resume"),
    ]
    _, outbox = play(commands, wishes=longs(1, 3, 6, 8))
    assert [(row.before, row.after) for row in outbox["audit"][:2]] == [
        ({"portfolio": "ACTIVE"}, {"portfolio": "HALTED"}),
        ({"portfolio": "HALTED"}, {"portfolio": "HALTED"}),
    ]
    assert fields(outbox["rejections"], "ts", "code") == [(3, "TRADING_HALTED"), (6, "TRADING_HALTED")]
    resumed = [row for row in outbox["alerts"] if row.code == "TRADING_RESUMED"]
    assert [row.figures for row in resumed] == [{"by": "command", "state": "HALTED"}]
    assert outbox["replies"][2].figures["state"] == "HALTED"
    assert outbox["replies"][3].figures == {"state": "ACTIVE"}
    assert fields(outbox["orders"], "ts", "leg")[-1] == (8, "entry")


def test_a_shorter_command_ends_no_longer_one_and_is_told_when_it_ends() -> None:
    commands = [
        given(1.5, "pause", id_="long", **{"for": "5m"}),
        given(2.5, "pause", id_="short", **{"for": "1m"}),
        given(3.5, "halt", **{"for": "1m"}),
    ]
    _, outbox = play(commands, wishes=longs(*range(1, 8)))
    ends = [row.figures["until"] for row in outbox["replies"]]
    assert ends == [commands[0].ts + 300_000, commands[0].ts + 300_000, commands[2].ts + 60_000]
    assert fields(outbox["rejections"], "ts", "code") == [
        *((2, "TRADING_REDUCING"), (3, "TRADING_REDUCING"), (4, "TRADING_HALTED")),
        *((5, "TRADING_REDUCING"), (6, "TRADING_REDUCING")),
    ]
    assert fields(outbox["alerts"][1:], "ts", "code") == [(5, "TRADING_RESUMED"), (7, "TRADING_RESUMED")]


FALL = [*flat((1, 2), 100.0), Row(3, 100, 100, 60, 60), *flat(range(4, 14), 60.0)]
DEEP: dict[str, Any] = {"breakers__drawdown__max_pct": 0.3}
FELL = {"equity": 9960.0, "peak": 10000.0, "fall_pct": 0.4}
BUY = wish(1, "long", 100.0, 10.0)


def told(outbox: Outbox) -> list[tuple[Any, ...]]:
    """(minute, what, breaker, state, minute of its end, by) of each record."""
    return [
        (
            minute_of(row.ts),
            row.event.removeprefix("CircuitBreaker"),
            row.breaker,
            row.state,
            row.until and minute_of(row.until),
            row.by,
        )
        for row in outbox["breakers"]
    ]


def test_a_breaker_that_is_set_away_is_reset_by_the_sender_and_told() -> None:
    commands = [given(4.5, "set", **{"breakers.drawdown.max_pct": "null"}), given(6.5, "status")]
    stage, outbox = play(commands, FALL, [BUY], **DEEP)
    assert told(outbox) == [
        (3, "Tripped", "drawdown", "REDUCING", None, "drawdown"),
        (4, "Reset", "drawdown", "ACTIVE", None, "ann"),
    ]
    reset = outbox["breakers"][1]
    assert reset.figures == {"tripped_ts": at(3), **FELL}
    assert reset.settings["max_pct"] is None
    assert fields(outbox["alerts"], "ts", "code") == [(3, "BREAKER_TRIPPED"), (4, "BREAKER_RESET")]
    assert (stage.live.states.holds, stage.tripped()) == ({}, [])


def test_one_that_is_set_again_counts_anew_across_a_restart_too() -> None:
    key = "breakers.daily_loss.max_pct"
    commands = [given(4.5, "set", **{key: "null"}), given(6.5, "set", **{key: "0.3"})]
    for restart in (False, True):
        stage = PortfolioStage(settings({**RULES, key: 0.3}), commands=commands)
        outbox = tell(stage, [slices(FALL[:6], [BUY], SHARD, at(5))])
        if restart:
            state = pickle.loads(pickle.dumps(stage.snapshot()))
            stage = PortfolioStage(settings({**RULES, key: 0.3}), commands=commands)
            stage.restore(state)
        for topic, records in tell(stage, [slices(FALL[6:], first=6)]).items():
            outbox[topic].extend(records)
        assert [(minute, what) for minute, what, *_ in told(outbox)] == [(3, "Tripped"), (4, "Reset"), (7, "Tripped")]


@pytest.mark.parametrize("senders", [RULES, {"strategies": RULES["strategies"]}], ids=["senders", "nobody"])
@pytest.mark.parametrize("first", ["candle", "command"])
def test_a_breaker_that_is_gone_after_a_restart_is_reset_by_the_configuration(senders: Any, first: str) -> None:
    before = PortfolioStage(settings({**senders, "breakers.drawdown.max_pct": 0.3}))
    tell(before, [slices(FALL[:4], [BUY], SHARD, at(4))])
    after = PortfolioStage(settings(senders))
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    assert after.tripped() == [("", "drawdown", "portfolio")]
    again = PortfolioStage(settings(senders))  # stopped before it has heard of anything
    again.restore(pickle.loads(pickle.dumps(after.snapshot())))
    outbox = new_outbox()
    if first == "command" and senders is RULES:
        outbox = again.command(given(4.5, "status"), given(4.5, "status").ts)
        assert outbox["replies"][0].figures["tripped"] is None
    wishes = [wish(5, "long", 60.0, 10.0, strategy="b")]
    for topic, records in tell(again, [slices(FALL[4:], wishes, first=4)]).items():
        outbox[topic].extend(records)
    minute = 4 if outbox["replies"] else 5
    assert told(outbox) == [(minute, "Reset", "drawdown", "ACTIVE", None, "configuration")]
    assert outbox["breakers"][0].figures == {"tripped_ts": at(3), **FELL}
    assert fields(outbox["orders"], "ts", "strategy", "leg") == [(5, "b", "entry")]
    assert again.tripped() == []


def test_a_breaker_that_a_restart_brings_looks_at_once_and_knows_the_peak() -> None:
    plain = {"strategies": RULES["strategies"]}
    before = PortfolioStage(settings(plain))
    tell(before, [slices([*flat((1, 2), 100.0), *flat((3,), 140.0)], [BUY], SHARD, at(3))])
    after = PortfolioStage(settings({**plain, "breakers.drawdown.max_pct": 0.75}))
    after.restore(pickle.loads(pickle.dumps(before.snapshot())))
    outbox = tell(after, [slices(flat((4,), 63.0), first=3)])
    assert [row.figures for row in outbox["breakers"]] == [
        {"equity": 9963.0, "peak": 10040.0, "fall_pct": 100 * 77 / 10040}
    ]


def test_settings_that_change_while_a_breaker_is_tripped_are_what_happens() -> None:
    commands = [
        given(4.5, "set", **{"breakers.drawdown.action": "halt"}),
        given(5.5, "set", **{"breakers.drawdown.reset": "6m"}),
        given(6.5, "status"),
    ]
    _, outbox = play(
        commands, FALL, [BUY, wish(4, "long", 60.0, 9.0, strategy="b"), *longs(5, 8, 9, strategy="b")], **DEEP
    )
    assert told(outbox) == [
        (3, "Tripped", "drawdown", "REDUCING", None, "drawdown"),
        (9, "Reset", "drawdown", "ACTIVE", None, "time"),
    ]
    assert fields(outbox["rejections"], "ts", "code") == [
        *((4, "TRADING_REDUCING"), (5, "TRADING_HALTED"), (8, "TRADING_HALTED")),
    ]
    assert outbox["replies"][2].figures["state"] == "HALTED"
    assert fields(outbox["orders"], "ts", "leg") == [(1, "entry"), (9, "entry")]


@pytest.mark.parametrize(("reset", "end"), [("command", None), ("1m", 5)])
def test_an_end_that_is_set_while_a_breaker_is_tripped_counts_from_its_trip(reset: str, end: int | None) -> None:
    """One that lies in the past is now; and one that is taken away does not come."""
    commands = [given(4.5, "set", **{"breakers.drawdown.reset": reset})]
    _, outbox = play(commands, FALL, [BUY], **DEEP, breakers__drawdown__reset="5m")
    assert told(outbox) == [
        (3, "Tripped", "drawdown", "REDUCING", 8, "drawdown"),
        *([(end, "Reset", "drawdown", "ACTIVE", None, "time")] if end else []),
    ]


def test_a_breaker_of_a_shadow_is_told_by_status_and_reset_by_command() -> None:
    strategies = [{"use": "sma_cross", "name": "a", "mode": "shadow"}, {"use": "sma_cross", "name": "b"}]
    commands = [
        given(4.5, "status"),
        given(4.6, "reset", breaker="drawdown", strategy="b"),
        given(5.5, "reset", breaker="drawdown", strategy="a"),
        given(6.5, "status"),
    ]
    _, outbox = play(commands, FALL, [BUY], strategies=strategies, **DEEP)
    assert [row.code for row in outbox["replies"]] == ["DONE", "BREAKER_NOT_TRIPPED", "DONE", "DONE"]
    assert [row.figures.get("tripped") for row in outbox["replies"]] == [
        "drawdown (shadow a: portfolio)",
        *(None, None, None),
    ]
    assert told(outbox) == [
        (3, "Tripped", "drawdown", "REDUCING", None, "drawdown"),
        (5, "Reset", "drawdown", "ACTIVE", None, "ann"),
    ]
    assert [row.mode for row in outbox["breakers"]] == ["shadow", "shadow"]


def test_without_a_place_a_breaker_is_reset_wherever_it_has_tripped() -> None:
    strategies = [{"use": "sma_cross", "name": "a", "mode": "shadow"}, {"use": "sma_cross", "name": "b"}]
    wishes = [BUY, wish(1, "long", 100.0, 10.0, strategy="b")]
    _, outbox = play([given(4.5, "reset", breaker="drawdown")], FALL, wishes, strategies=strategies, **DEEP)
    assert outbox["replies"][0].figures == {"reset": 2}
    assert fields(outbox["breakers"][2:], "ts", "mode", "strategy", "by") == [
        (4, "live", None, "ann"),
        (4, "shadow", "a", "ann"),
    ]


def test_what_is_there_already_is_no_refusal_that_counts() -> None:
    rules: dict[str, Any] = {"breakers__rejections": {"max_pct": 50.0, "decisions": 4}}
    wishes = [wish(minute, "long", 100.0, 10.0) for minute in range(1, 12)]
    _, outbox = play([], wishes=wishes, **rules)
    assert {row.code for row in outbox["rejections"]} == {"INTENT_DUPLICATE"}
    assert (len(outbox["rejections"]), outbox["breakers"]) == (10, [])


@pytest.mark.parametrize(("after", "place"), [("1m", ("symbol", ETH)), ("2m", None)])
def test_a_symbol_that_is_given_up_on_trips_when_it_has_stayed_away_for_longer_than_is_set(
    after: str, place: tuple[str, str] | None
) -> None:
    """An empty minute is none of it. Live and a replay of the same candles decide alike."""
    rows = [*flat((1, 2, 3, 4), 100.0), *flat((1, 2), 50.0, ETH)]
    stage = PortfolioStage(settings({"breakers.stale_data.after": after}))
    outbox = tell(stage, [slices(sorted(rows), (), SHARD, at(2)), notice(SHARD, [SHARD], 6, at(4), "timeout", 5_000)])
    assert fields(outbox["alerts"], "ts", "code", "symbol")[0] == (4, "SYMBOL_QUIET", ETH)
    assert [(row.scope, row.symbol) for row in outbox["breakers"]] == ([place] if place else [])
    assert [row.figures["gap_ms"] for row in outbox["breakers"]] == ([120_000] if place else [])
    later = tell(stage, [slices([*flat((5,), 100.0), *flat((5,), 50.0, ETH)], (), SHARD, END, 6)])
    assert [row.figures.get("gap_ms") for row in later["breakers"]] == ([] if place else [180_000])


@pytest.mark.parametrize(("silent_ms", "trips"), [(120_000, 0), (120_001, 1)])
def test_a_feed_that_is_silent_trips_when_it_has_been_so_for_longer_than_is_set(silent_ms: int, trips: int) -> None:
    stage = PortfolioStage(settings({"breakers.stale_data.after": "2m"}))
    silence = notice(SHARD, [SHARD], 2, at(2), "silence", silent_ms)
    outbox = tell(stage, [slices(flat((1, 2), 100.0), (), SHARD, at(2)), silence])
    assert [row.code for row in outbox["alerts"]] == ["FEED_STALE", "BREAKER_TRIPPED"][: 1 + trips]
    assert [(row.scope, row.figures["gap_ms"]) for row in outbox["breakers"]] == [("portfolio", silent_ms)] * trips


def test_a_hold_before_anything_was_decided_counts_from_the_clock_of_the_journal() -> None:
    stage = PortfolioStage(settings(RULES))
    received = at(0)
    outbox = stage.command(given(0, "halt", **{"for": "5m"}), received)
    assert outbox["replies"][0].figures["until"] == received + 300_000
    tell(stage, [slices(flat(range(1, 5), 100.0), watermark=at(4))])
    assert stage.live.states.at(ALL) == "HALTED"
    tell(stage, [slices(flat(range(5, 8), 100.0), first=4)])
    assert stage.live.states.at(ALL) == "ACTIVE"
