"""``penstock command``: tell a running portfolio what to do, and wait for its answer."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from cli.errors import UserError
from cli.options import ConfigFile, Sets

if TYPE_CHECKING:
    from connectors.kafka.connection import Connection
    from schemas.config.root import Config

PLACED: dict[str, tuple[str, ...]] = {
    "close": ("symbol",),
    "confirm": ("token",),
    "reset": ("breaker",),
    "mode": ("strategy", "mode"),
    "buy": ("symbol",),
    "sell": ("symbol",),
    "alarm": ("what",),
}
"""By command, what its words are called that are no NAME=VALUE."""
SETTING = re.compile(r"[\w-]+(\.[\w-]+)+")


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="pause, reduce, halt, resume, close, confirm, reset, set, mode, buy, sell, alarm, status",
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD|KEY=VALUE",
            help="As in: close BTC/USDT share_pct=50; close all; confirm TOKEN; reset BREAKER; "
            "set risk.per_trade_pct=0.25 exits.trail=none; mode STRATEGY shadow; pause for=1h strategy=NAME; "
            "buy BTC/USDT stop=40000 target=46000 intent=ID.",
        ),
    ] = None,
    sender: Annotated[
        str | None, typer.Option(envvar="PENSTOCK_SENDER", help="Who gives it; needless if only one may.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the answer.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="The whole reply as JSON.")] = False,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Tell a running portfolio what to do, and wait for its answer.

    The exit code is 0 when it was done or wants to be confirmed, 1 when it was refused, 2 when nobody answered.
    """
    import os

    from connectors.kafka.connection import Connection
    from schemas.config.load import load

    settings = load(config, os.environ, sets or ()).config
    who = _sender(sender, settings)
    given = arguments(name, words or [])
    connection = Connection(settings.kafka)
    reply = ask(connection, settings, who, name, given, wait)
    if reply is None:
        raise UserError(
            f"no answer within {wait:g} s: is `penstock run` at work, with the same portfolio? The command is on its "
            f"topic, and is refused once it is older than commands.max_age ({settings.commands.max_age})"
        )
    print(json.dumps(reply) if as_json else f"{reply['status']}: {reply['message']}")
    if reply["status"] == "confirm":
        print(f"to do it: penstock command --sender {who} confirm {reply['figures']['token']}")
    if reply["status"] == "refused":
        raise typer.Exit(1)


def arguments(name: str, words: list[str]) -> dict[str, Any]:
    """The arguments of a command, of the words behind its name. Raises UserError.

    >>> arguments("mode", ["sma_atr", "shadow"]), arguments("close", ["all"])
    ({'strategy': 'sma_atr', 'mode': 'shadow'}, {})
    >>> arguments("close", ["BTC/USDT", "share_pct=50"])
    {'symbol': 'BTC/USDT', 'share_pct': '50'}
    >>> arguments("set", ["risk.per_trade_pct=0.25", "exits.trail=none"]), arguments("pause", ["for=1h"])
    ({'risk.per_trade_pct': '0.25', 'exits.trail': 'none'}, {'for': '1h'})
    """
    if name == "set":
        return dict(_settings(words))
    if name == "close" and not any(word == "all" or not word.startswith("share_pct=") for word in words):
        raise UserError("penstock command close: name a symbol, strategy=NAME, or all")
    if name == "close" and "all" in words:
        words = [word for word in words if word != "all"]
        if any("=" not in word for word in words):
            raise UserError("penstock command close: a symbol or all, not both")
    found: dict[str, Any] = {}
    places = list(PLACED.get(name, ()))
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            found[key] = value
        elif places:
            found[places.pop(0)] = word
        else:
            raise UserError(f"penstock command {name}: what is {word!r}? Write KEY=VALUE")
    return found


def _settings(words: list[str]) -> list[tuple[str, str]]:
    """Settings of words; a value may go on over several of them, as in ``risk.groups={majors: [BTC/USDT]}``."""
    found: list[tuple[str, str]] = []
    for word in words or [""]:
        key, equals, value = word.partition("=")
        if equals and SETTING.fullmatch(key.strip()):
            found.append((key.strip(), value.strip()))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {word}".strip())
        else:
            raise UserError("penstock command set: write set section.key=value")
    return found


def _sender(sender: str | None, config: Config) -> str:
    known = sorted(config.commands.senders)
    if not known:
        raise UserError('commands.senders names nobody, so nobody is obeyed: name a sender, as in {"me": ["*"]}')
    if sender is None and len(known) > 1:
        raise UserError(f"--sender: who are you? commands.senders has {', '.join(known)}")
    return sender or known[0]


def ask(
    connection: Connection, config: Config, sender: str, name: str, given: dict[str, Any], wait: float
) -> dict[str, Any] | None:
    """Send a command and wait for its reply; None when none came in time. Raises UserError, NotSentError."""
    from confluent_kafka import Producer

    from connectors.kafka.admin import Topics
    from connectors.kafka.tail import Tail
    from schemas.command import Command
    from sinks.kafka.commanding import SETTINGS, send

    there = Topics(connection).names()
    for topic in ("commands", "replies"):
        if config.kafka.topic(topic) not in there:
            wanted = config.kafka.topic(topic)
            raise UserError(f"{config.kafka.bootstrap_servers} has no topic {wanted}; penstock topics create")
    id_ = str(uuid4())
    if name in ("buy", "sell"):
        given = {"intent": id_, **given}
    now = int(time.time() * 1_000)
    record = Command(id=id_, ts=now, portfolio=config.portfolio.name, sender=sender, name=name, arguments=given)
    tail = Tail(connection, config.kafka.topic("replies"))
    try:
        tail.skip(tail.starts("end"))
        send(connection.client(Producer, SETTINGS), record, config.kafka.prefix)
        until = time.monotonic() + wait
        for seen in tail.follow():
            if seen is not None and seen.value is not None:
                reply: dict[str, Any] = json.loads(seen.value)
                if reply.get("command_id") == id_:
                    return reply
            if time.monotonic() > until:
                return None
    finally:
        tail.close()
    return None
