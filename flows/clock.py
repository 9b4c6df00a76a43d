"""A clock that is set back.

Bytewax asks a source again at a time of the wall clock. When that is set back by an hour, it does not ask for an hour.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_EVERY_S = 1.0
MOST_S = 5.0
"""By so much it may be set back: for so long nothing is read then."""


def watch_clock(
    set_back: Callable[[float], object],
    wall: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.monotonic,
    every_s: float = LOOK_EVERY_S,
) -> None:
    """Tell, from a thread, by how many seconds the clock was set back, when that is more than :data:`MOST_S`."""

    def watch() -> None:
        before = wall() - steady()
        while True:
            time.sleep(every_s)
            now = wall() - steady()
            if before - now > MOST_S:
                set_back(before - now)
            before = now

    threading.Thread(target=watch, name="clock", daemon=True).start()
