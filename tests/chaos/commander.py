"""Somebody who gives commands while a run is killed: scene after scene, and double clicks, and nonsense."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
from confluent_kafka import Producer

from connectors.sharding import shard_of
from schemas.command import Command
from schemas.ids import event_id
from schemas.topics import TOPICS
from sinks.kafka.commanding import SETTINGS, send
from tests.chaos.clicks import DoubleClick, Step
from tests.chaos.compare import Row
from tests.chaos.market import PORTFOLIO, Feed, heard
from tests.chaos.topics import Topics

AGAIN, NONSENSE = ("again", dict[str, Any]()), ("nonsense", dict[str, Any]())
CONFIRM, WAIT = ("confirm", dict[str, Any]()), ("wait", dict[str, Any]())
DOUBLE = ("double", dict[str, Any]())
PATIENCE = 30
"""So often a token is looked for before it is given up: the run may be down."""
NEAR, FAR = 0.01, 0.5
"""How far from the last close the stop of a click is: it may be on the wrong side by then, and it cannot."""


class Commander:
    """Gives one command at a time, and remembers what the journal and the answers should say of all of them."""

    def __init__(self, feed: Feed, topics: Topics, address: str, prefix: str, draw: Random) -> None:
        self._feed, self._topics, self._prefix, self._draw = feed, topics, prefix, draw
        self._producer = Producer({**SETTINGS, "bootstrap.servers": address})
        self._steps: deque[Step] = deque()
        self._scenes: list[Sequence[Step]] = []
        self._patience, self._count, self._all = PATIENCE, 0, False
        self._double: DoubleClick | None = None
        self.topic, self.resting = f"{prefix}commands", False
        self._number = shard_of(PORTFOLIO, TOPICS["commands"].partitions)
        self.part = f"{self.topic}-{self._number}"
        self.given: list[Command | None] = []
        """By offset on the topic; None for what is no command."""

    def act(self) -> None:
        """Take the next step of a scene; in a scene of its own when nothing has been traded yet."""
        if self.resting or not self._topics.rows["orders"]:
            return  # commands name symbols, and the portfolio has to have seen them
        if not self._steps:
            self._steps.extend(self._next_scene())
        name, arguments = self._steps[0]
        if name == "confirm":
            token = self._token()
            if token is None and self._patience > 0:
                self._patience -= 1
                return
            self._patience, arguments = PATIENCE, {"token": token or "none"}
        if name == "double" and not self._doubled():
            return
        self._steps.popleft()
        if name in ("wait", "double"):
            return
        if name == "nonsense":
            self._producer.produce(self.topic, b'{"id": "nonsense"}', PORTFOLIO.encode())
            assert self._producer.flush(10) == 0
            self.given.append(None)
        elif name == "again":
            self._give(next(one for one in reversed(self.given) if one is not None))
        else:
            self._say(name, arguments)

    @property
    def content(self) -> bool:
        """Whether each scene was played, and none is on now: things are as they were."""
        return self._all and not self._steps

    def _say(self, name: str, arguments: dict[str, Any]) -> str:
        self._count += 1
        now, sender = int(time.time() * 1_000), "eve" if name == "status" and "by" in arguments else "ann"
        id_, said = f"command-{self._count}", {} if sender == "eve" else arguments
        self._give(Command(id=id_, ts=now, portfolio=PORTFOLIO, sender=sender, name=name, arguments=said))
        return id_

    def _give(self, command: Command) -> None:
        send(self._producer, command, self._prefix)
        self.given.append(command)

    def _token(self) -> str | None:
        """Of the last command that wants to be confirmed; the same again for who confirms twice."""
        asked = next(one.id for one in reversed(self.given) if one is not None and one.name in ("close", "reduce"))
        reply = self._answer(asked)
        return None if reply is None else str(reply["figures"].get("token", "none"))

    def _doubled(self) -> bool:
        """Whether the double click is over; it goes on with each step."""
        if self._double is None:
            self._double = DoubleClick(lambda: self._click(FAR), self._say)
        elif self._double.over(self._code):
            self._double = None
        return self._double is None

    def _code(self, id_: str) -> str | None:
        reply = self._answer(id_)
        return None if reply is None else str(reply["code"])

    def _answer(self, id_: str) -> dict[str, Any] | None:
        """What a command was answered last, as far as it has come."""
        replies = (msgspec.json.decode(row.value) for row in reversed(self._topics.rows["replies"]))
        return next((reply for reply in replies if reply["command_id"] == id_), None)

    def _next_scene(self) -> Sequence[Step]:
        if not self._scenes:
            self._scenes = self._deck()
            self._draw.shuffle(self._scenes)
        scene = self._scenes.pop()
        self._all = self._all or not self._scenes
        return scene

    def _deck(self) -> list[Sequence[Step]]:
        """Each ends with things as they were, but for what was closed."""
        symbol = {"symbol": self._draw.choice(sorted(self._feed.closes))}
        strategy = {"strategy": self._draw.choice(("sma_cross", "manual"))}
        clicks = [self._click(NEAR) for _ in range(4)]
        return [
            (DOUBLE,),
            *((click, click, WAIT, WAIT, WAIT, click) for click in clicks[1:]),
            (clicks[0], ("close", {"symbol": clicks[0][1]["symbol"]}), clicks[0]),
            (("pause", symbol), clicks[1], ("resume", symbol), clicks[1]),
            (("halt", strategy), ("resume", strategy)),
            (("reduce", {"for": "4m"}), ("pause", {**symbol, "for": "5m"})),
            (("close", symbol), ("status", {})),
            (("close", strategy), ("resume", {})),
            (("close", {**symbol, "share_pct": 50}), ("reduce", {"share_pct": 40}), CONFIRM, ("resume", {})),
            (("close", {}), CONFIRM, CONFIRM),
            *((_set(key, value), _set(key, back)) for key, value, back in SETTINGS_CHANGED),
            (_set("kafka.prefix", "other"), _set("risk.max_open_positions", "many")),
            (_mode("sma_atr", "live"), _mode("sma_atr", "shadow")),
            (_mode("sma_cross", "shadow"), _mode("sma_cross", "live")),
            (("reset", {"breaker": "consecutive_losses"}), ("reset", {"breaker": "drawdown"})),
            (("alarm", {"what": "a figure"}), ("alarm", {"what": "another"}), ("reset", {"breaker": "divergence"})),
            (("pause", symbol), AGAIN, ("resume", symbol), AGAIN),
            (("status", {"by": "eve"}), NONSENSE),
        ]

    def _click(self, far: float) -> Step:
        self._count += 1
        symbol, side = self._draw.choice(sorted(self._feed.closes)), self._draw.choice((1, -1))
        stop, target = (round(self._feed.closes[symbol] * (1 + side * away), 6) for away in (-far, 1.8 * far))
        levels = {"symbol": symbol, "stop": stop, "target": target}
        return "buy" if side > 0 else "sell", {**levels, "intent": f"intent-{self._count}"}

    def journaled(self) -> list[Row]:
        """What the journal should say of the commands, once."""
        return [heard(self.part, at, one.id) for at, one in enumerate(self.given) if one is not None]

    def obeyed(self) -> list[Command]:
        """The commands as they were obeyed: in that order, each with the instant behind which it was as its time."""
        given = {one.id: one for one in self.given if one is not None}
        records = [msgspec.json.decode(row.value) for row in self._topics.rows["audit"]]
        return [given[one["command_id"]].model_copy(update={"ts": one["ts"]}) for one in records]

    def answered(self, what: str) -> list[Row]:
        """The ids of the answers, or of the records for the audit, in their order."""
        times, found = Counter[str](), list[Row]()
        for one in self.given:
            if one is not None:
                found.append(Row("", event_id(PORTFOLIO, one.id, times[one.id], what), one.id.encode()))
                times[one.id] += 1
        return found

    def letters(self) -> list[Row]:
        """The ids of the dead letters."""
        ids = [event_id(self.topic, self._number, at, NO_COMMAND) for at, one in enumerate(self.given) if one is None]
        return [Row(id_, id_, b"") for id_ in ids]


NO_COMMAND = "COMMAND_INVALID"
SETTINGS_CHANGED = (
    ("risk.max_open_positions", "2", "8"),
    ("risk.per_trade_pct", "0.2", "0.5"),
    ("exits.trail_at", "0.2", "0.4"),
    ("exits.ladder", "[]", "[{share_pct: 40, at: 1}, {share_pct: 30, by: percent, at: 0.8}]"),
    ("breakers.consecutive_losses.most", "2", "3"),
)


def _set(key: str, value: str) -> Step:
    return "set", {key: value}


def _mode(strategy: str, mode: str) -> Step:
    return "mode", {"strategy": strategy, "mode": mode}


def answers(rows: Sequence[Row]) -> list[Row]:
    """Answers or audit records, by the commands that they are about."""
    return [Row("", row.id, msgspec.json.decode(row.value)["command_id"].encode()) for row in rows]
