"""The auditor's own idea of who holds what up, and of intents: from commands, their answers, and breakers' records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.outbox import Outbox, new_outbox
from schemas.command import Command
from schemas.config.load import overridden
from schemas.config.root import Config
from schemas.timeframe import to_millis

Whose = tuple[str, str | None]
"""Scope, and the name of the strategy or the symbol."""


class Control:
    """Holds of breakers and of commands, strategies that are shadows, and the orders of intents."""

    def __init__(self, config: Config) -> None:
        self.expire = to_millis(config.commands.intents_expire)
        self.tripped: dict[tuple[str, Whose], tuple[int, bool]] = {}  # by breaker: when, and whether it halts
        self.held: dict[Whose, tuple[bool, int]] = {}  # by commands: whether they halt, and until when
        self.shadows: set[str] = set()
        self.asked: dict[str, Command] = {}  # by token
        self.clicks: dict[str, tuple[int, str]] = {}  # by intent: when it was ordered, and its order

    def breakers(self, rows: Sequence[Any]) -> None:
        """Those that tripped or were reset."""
        for row in rows:
            key = row.breaker, (row.scope, row.strategy or row.symbol)
            if row.event == "CircuitBreakerTripped":
                assert key not in self.tripped
                self.tripped[key] = row.ts, row.action in ("halt", "close")
            else:
                del self.tripped[key]

    def holds_up(self, order: Any, ts: int, *, halts: bool = False) -> bool:
        """Whether nobody may enter there; with ``halts``, nor leave because a strategy wants to."""
        own = {("portfolio", None), ("strategy", order.strategy), ("symbol", order.symbol)}
        by_breaker = any(
            since < ts and whose in own and (strict or not halts)
            for (_, whose), (since, strict) in self.tripped.items()
        )
        by_command = any(
            until > ts and whose in own and (strict or not halts) for whose, (strict, until) in self.held.items()
        )
        return by_breaker or by_command or (order.strategy in self.shadows and not halts)

    def exits(self, order: Any) -> None:
        """Nothing leaves in HALTED but what protects."""
        assert order.leg != "exit" or not self.holds_up(order, order.ts, halts=True)

    def answered(self, command: Command, reply: Any, config: Config, live: set[str]) -> Config:
        """A command and its answer. ``live`` are the orders that wait or were filled. Returns the settings now."""
        if reply.status == "confirm":
            self.asked[reply.figures["token"]] = command
        if reply.status != "done":
            return config
        if command.name == "confirm":
            command = self.asked.pop(str(command.arguments["token"]))
        name, given = command.name, {key: str(value) for key, value in command.arguments.items()}
        whose: Whose = ("symbol", given["symbol"]) if "symbol" in given else ("portfolio", None)
        whose = ("strategy", given["strategy"]) if "strategy" in given else whose
        if name in ("pause", "reduce", "halt"):
            self.held[whose] = name == "halt", reply.figures["until"] or 2**62
        elif name == "resume":
            del self.held[whose]
        elif name == "mode":
            (self.shadows.add if given["mode"] == "shadow" else self.shadows.discard)(given["strategy"])
        elif name == "set":
            return overridden(config, [f"{key}={value}" for key, value in given.items()])
        elif name in ("buy", "sell"):
            before, order = self.clicks.get(given["intent"], (command.ts - self.expire - 1, ""))
            assert order not in live or command.ts - before > self.expire, "an intent was traded twice"
            self.clicks[given["intent"]] = command.ts, reply.figures["order_id"]
        return config


def of_the_portfolio(outbox: Outbox) -> Outbox:
    """The records without those of shadows."""
    found = new_outbox()
    for topic, rows in outbox.items():
        found[topic] = [row for row in rows if getattr(row, "mode", "live") == "live"]
    return found
