"""Whether a connection is alive, and when to ask it."""

from __future__ import annotations

from typing import Literal

from connectors.exchanges.interface import Heartbeat
from schemas.capture import NANOS

Act = Literal["ping", "dead"]


class Pulse:
    """Watches one connection by the rule of its exchange. Times are epoch ns.

    >>> pulse = Pulse(Heartbeat(silence_s=30.0, ping_s=10.0), now=0)
    >>> pulse.due // NANOS, pulse.act(9 * NANOS), pulse.act(10 * NANOS), pulse.due // NANOS, pulse.act(30 * NANOS)
    (10, None, 'ping', 20, 'dead')
    """

    def __init__(self, rule: Heartbeat, now: int) -> None:
        self._silence = int(rule.silence_s * NANOS)
        self._every = None if rule.ping_s is None else int(rule.ping_s * NANOS)
        self._heard = self._asked = now

    def heard(self, ns: int) -> None:
        """A frame came."""
        self._heard = ns

    @property
    def due(self) -> int:
        """When to call :meth:`act` again at the latest."""
        dead = self._heard + self._silence
        return dead if self._every is None else min(dead, self._asked + self._every)

    def act(self, ns: int) -> Act | None:
        """What is to be done now."""
        if ns - self._heard >= self._silence:
            return "dead"
        if self._every is not None and ns - self._asked >= self._every:
            self._asked = ns
            return "ping"
        return None
