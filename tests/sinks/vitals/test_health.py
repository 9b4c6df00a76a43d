"""When a process is live, when it is ready, and what it says when not."""

from __future__ import annotations

import pytest

from sinks.vitals.health import PATIENCE_S, STALE_S, Health
from tests.sinks.vitals.scraping import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


@pytest.fixture
def running(health: Health) -> Health:
    with health.opening("publisher main"):
        pass
    health.beat()
    return health


def test_it_is_ready_when_all_is_open_and_a_source_has_been_polled(health: Health) -> None:
    assert health.ready().body["reasons"] == ["nothing has been opened yet", "no source has been polled yet"]
    with health.opening("source candles-0"):
        with health.opening("publisher main"):
            assert health.ready().body["reasons"] == [
                "source candles-0 is being opened",
                "publisher main is being opened",
                "no source has been polled yet",
            ]
        assert health.ready().body["reasons"][0] == "source candles-0 is being opened"
    assert health.ready().body["reasons"] == ["no source has been polled yet"]
    health.beat()
    assert health.ready() == (
        True,
        {"status": "ok", "reasons": [], "progress_s_ago": 0.0, "waiting_s": {}},
    )


def test_a_start_may_take_as_long_as_the_broker_is_away(health: Health, clock: Clock) -> None:
    with health.opening("publisher main"):
        clock.at += 10 * STALE_S
        assert (health.live().ok, health.ready().ok) == (True, False)
    clock.at += 10 * STALE_S
    assert health.live().ok


def test_a_flow_that_polls_no_more_hangs(running: Health, clock: Clock) -> None:
    clock.at += STALE_S
    assert (running.live().ok, running.ready().ok) == (True, True)
    clock.at += 1
    reasons = ["no progress for 121 s: the flow hangs"]
    assert running.live() == (
        False,
        {"status": "failing", "reasons": reasons, "progress_s_ago": 121.0, "waiting_s": {}},
    )
    assert running.ready().body["reasons"] == reasons
    running.beat()
    assert (running.live().ok, running.ready().ok) == (True, True)


def test_waiting_for_the_broker_keeps_it_live_but_not_ready_for_ever(running: Health, clock: Clock) -> None:
    with running.waiting("publisher main"):
        clock.at += PATIENCE_S
        assert (running.live().ok, running.ready().ok) == (True, True)
        clock.at += 10 * STALE_S
        assert running.live() == (
            True,
            {"status": "ok", "reasons": [], "progress_s_ago": 1230.0, "waiting_s": {"publisher main": 1230.0}},
        )
        assert running.ready().body["reasons"] == ["publisher main has waited for 1230 s: can the broker be reached?"]
    assert (running.live().ok, running.ready().ok) == (True, True)  # the next poll has its whole time
    clock.at += STALE_S + 1
    assert not running.live().ok


def test_waiting_is_not_polling(health: Health) -> None:
    with health.opening("publisher main"), health.waiting("publisher main"):
        pass
    assert health.ready().body["reasons"] == ["no source has been polled yet"]


@pytest.mark.parametrize("step", ["opening", "waiting"])
def test_an_error_while_opening_or_waiting_is_a_failure(running: Health, step: str) -> None:
    with pytest.raises(RuntimeError, match="fenced"), getattr(running, step)("publisher main"):
        raise RuntimeError("fenced by another process")
    assert running.ready().body["reasons"] == ["publisher main: fenced by another process"]
    assert running.live().ok


def test_an_interruption_is_no_failure(running: Health) -> None:
    with pytest.raises(KeyboardInterrupt), running.waiting("publisher main"):
        raise KeyboardInterrupt
    assert running.ready().ok


def test_the_first_failure_stays(running: Health) -> None:
    running.fail("offset lost")
    running.fail("and then more")
    running.beat()
    assert running.ready().body["reasons"] == ["offset lost"]


def test_a_clock_that_the_thread_saw_later_is_not_negative(running: Health, clock: Clock) -> None:
    clock.at -= 1
    assert running.live().body["progress_s_ago"] == 0.0
