"""Intents: what somebody wanted done once, and what became of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Status = Literal["pending", "executed", "failed"]


class Life(NamedTuple):
    """An intent: where it stands, since when it is known (ms), its order, and in a word what came out."""

    status: Status
    since: int
    order_id: str | None
    result: str


class Intents:
    """The intents of an account by their ids. After ``expire`` ms one is forgotten: the same id is a new intent then.

    >>> intents = Intents(3_600_000)
    >>> intents.begin("click-1", 0, "order-1", "ordered")
    >>> intents.filled("order-1", "100.5")
    >>> intents.of("click-1", 3_600_000).status, intents.of("click-1", 3_600_001)
    ('executed', None)
    """

    def __init__(self, expire: int) -> None:
        self.expire = expire
        self.lives: dict[str, Life] = {}
        self._orders: dict[str, str] = {}  # by order: its intent, while it is pending

    def of(self, id_: str, now: int) -> Life | None:
        """What is known of an intent; None when it is a new one."""
        life = self.lives.get(id_)
        return None if life is None or now - life.since > self.expire else life

    def begin(self, id_: str, now: int, order_id: str, result: str) -> None:
        """It has been ordered."""
        self._put(id_, Life("pending", now, order_id, result))
        self._orders[order_id] = id_

    def failed(self, id_: str, now: int, result: str) -> None:
        """It was refused; it may be tried again."""
        self._put(id_, Life("failed", now, None, result))

    def filled(self, order_id: str, result: object) -> None:
        """An order was filled, of an intent maybe."""
        self._end(order_id, "executed", result)

    def withdrawn(self, order_id: str, code: str) -> None:
        """An order was withdrawn or has expired, of an intent maybe, which may be tried again."""
        self._end(order_id, "failed", code)

    def _put(self, id_: str, life: Life) -> None:
        """Remember it as the latest; what has expired by now is forgotten."""
        while self.lives and life.since - self.lives[next(iter(self.lives))].since > self.expire:
            gone = self.lives.pop(next(iter(self.lives)))
            self._orders.pop(gone.order_id or "", None)
        self.lives.pop(id_, None)
        self.lives[id_] = life

    def _end(self, order_id: str, status: Status, result: object) -> None:
        id_ = self._orders.pop(order_id, None)
        if id_ is not None:
            self.lives[id_] = self.lives[id_]._replace(status=status, result=str(result))

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {"lives": {id_: tuple(life) for id_, life in self.lives.items()}, "orders": dict(self._orders)}

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.lives = {id_: Life(*life) for id_, life in state["lives"].items()}
        self._orders = dict(state["orders"])
