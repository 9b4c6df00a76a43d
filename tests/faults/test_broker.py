"""The broker goes away and comes back while a run is at work."""

from __future__ import annotations

import os
import signal
from time import monotonic, sleep

import pytest

from tests.faults.conftest import Install
from tests.faults.live import Live, Run
from tests.kafka.broker import Broker

pytestmark = pytest.mark.long

LONG = os.environ.get("PENSTOCK_FAULTS") == "long"
OUTAGE_S = 60.0 if LONG else 8.0
AWAY = "): it is waited for, and nothing is lost"


def at_work(live: Live) -> Run:
    live.feed.publish(700)
    run = live.start()
    live.until_orders(1, run)
    return run


def test_an_outage_is_waited_for(broker: Broker, install: Install) -> None:
    live = install(broker.address)
    run = at_work(live)
    broker.stop()
    sleep(OUTAGE_S)
    broker.start()
    live.finish(run)
    assert AWAY in run.said()
    assert len(run.said().splitlines()) < 12 + OUTAGE_S / 5
    assert run.end() == 0


def test_in_an_outage_it_can_be_stopped_and_says_why_it_does_not_start(broker: Broker, install: Install) -> None:
    live = install(broker.address)
    run = at_work(live)
    broker.stop()
    try:
        run.until_said(AWAY)
        began = monotonic()
        assert run.end() == 0
        assert monotonic() - began < 30  # not the sum of what its parts would wait for
        assert live.start().refused().endswith("start the broker, or set kafka.bootstrap_servers to where it is")
    finally:
        broker.start()
    run = live.start()
    live.finish(run)
    assert run.end() == 0


def test_a_broker_killed_in_a_transaction(broker: Broker, install: Install) -> None:
    live = install(broker.address)
    run = at_work(live)
    live.hold_in_transaction(run)
    broker.kill()
    run.signal(signal.SIGCONT)
    broker.start()
    live.finish(run)
    assert run.end() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_transaction_that_the_broker_gave_up_is_done_again(broker: Broker, install: Install, processes: str) -> None:
    live = install(broker.address, "  client: {transaction.timeout.ms: 1000}\n")
    live.feed.publish(700)
    run = live.start("--processes", processes)
    live.until_orders(1, run)
    live.hold_in_transaction(run)
    while live.open_transaction():
        sleep(0.1)
    run.signal(signal.SIGCONT)
    live.finish(run)
    assert "and the brokers gave it up" in run.said()
    assert {"1": "starting again from the last checkpoint", "2": "starting all again in 0.5 s"}[processes] in run.said()
    assert run.end() == 0
