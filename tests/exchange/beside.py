"""The simulator beside a test: in a thread of its own, for feeds that are processes of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.feed.wall import Wall
from tests.exchange.server import Mischief, Simulator
from tests.exchange.tape import Tape


@contextmanager
def playing(tape: Tape, mischief: list[Mischief] | None = None, clients: int = 1) -> Iterator[Simulator]:
    """Plays a tape by the clock of the wall to the first who subscribe; what is past comes at once."""
    simulator = Simulator(tape, Wall(), mischief)
    with running(simulator, clients):
        yield simulator


@contextmanager
def running(simulator: Simulator, clients: int) -> Iterator[None]:
    """Runs a simulator while the block does."""
    ready, loop = threading.Event(), asyncio.new_event_loop()

    def work() -> None:
        loop.run_until_complete(simulator.start(clients))
        ready.set()
        loop.run_forever()
        loop.run_until_complete(simulator.close())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
