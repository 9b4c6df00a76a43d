"""``penstock trace``: the path of a candle."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import UserError
from cli.options import ConfigFile, Sets
from cli.tail import in_time

if TYPE_CHECKING:
    from connectors.kafka.connection import Connection
    from connectors.kafka.find import Finder
    from connectors.kafka.path import Step

CANDLES = ("candles", "bars")
SHORTEST = 4
"""Characters of an id that are looked for as its beginning."""
TITLES = ("step", "what", "event time", "broker time", "ms after candle", "at", "id")


def trace(
    id_: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Id of a signal, order, rejection, fill or position, or how it begins; a trace id; or SYMBOL@TS, the "
            "close of a candle.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Follow a candle to its signals, orders or rejections, fills and positions, or one of them back to its candle.

    At each step: where the message is, its event time, the broker's time, and the milliseconds since the message of the
    candle at whose close it was made. Topics are read from their beginning to find an id: SYMBOL@TS is quicker.
    """
    from connectors.kafka.connection import Connection
    from connectors.kafka.find import Finder
    from connectors.kafka.path import RECORDS
    from schemas.config.load import load

    settings = load(config, os.environ, sets or ()).config
    connection, bars = Connection(settings.kafka), settings.market.bars
    finder = Finder(connection, "bars", bars.kinds[0]) if bars.made else Finder(connection)
    try:
        if missing := finder.missing((finder.candles, "alerts", *RECORDS)):
            raise UserError(f"{connection.address} has no topic {missing[0]}: penstock topics create")
        steps = _path(finder, id_)
        if not steps:
            raise UserError(_nothing(connection, id_, finder.candles))
    finally:
        finder.close()
    if as_json:
        print(json.dumps({"id": id_, "steps": [_as_object(step) for step in steps]}, ensure_ascii=False))
        return
    from cli.tables import show_table

    show_table(TITLES, map(_row, steps), right=[4])


def _path(finder: Finder, id_: str) -> list[Step]:
    from cli.instant import millis
    from connectors.kafka.path import Path

    symbol, candle, ts = id_.rpartition("@")
    if candle:
        return Path(finder).of_candle(symbol, millis(ts, f"{symbol} closes at"))
    if re.fullmatch("[0-9a-f]{32}", id_):
        return Path(finder).of_trace(id_)
    if re.fullmatch(f"[0-9a-f-]{{{SHORTEST},35}}", id_):
        ids = Path(finder).whole(id_)
        if len(ids) > 1:
            raise UserError(f"{len(ids)} ids begin with {id_}: write more of it, as of {', '.join(ids[:3])}")
        id_ = ids[0] if ids else id_
    return Path(finder).of_record(id_)


def _nothing(connection: Connection, id_: str, candles: str) -> str:
    """What was looked for in vain, where, and how far back that goes."""
    from connectors.kafka.admin import Topics, in_days
    from connectors.kafka.path import RECORDS

    found = Topics(connection).found()
    names = (candles, "signals") if "@" in id_ else RECORDS
    kept = ", ".join(f"{found[name].name} (kept {in_days(found[name].retention_ms)})" for name in names)
    if "@" in id_:
        return f"no candle {id_} on {kept}: write the symbol as in BTC/USDT and the time of the close"
    return (
        f"nothing with the id {id_} on {kept}: write all of it, or more of its beginning; a candle that nothing came "
        "of is found as SYMBOL@TS"
    )


def _row(step: Step) -> tuple[str, ...]:
    seen = None if step.found is None else step.found.seen
    return (
        "candle" if step.topic in CANDLES else step.topic.removesuffix("s"),
        _what(step),
        in_time(step.ts) or str(step.ts),
        "not on the topic (any more)" if seen is None else in_time(seen.ts) or "-",
        "-" if step.after_ms is None else f"{step.after_ms:,}",
        "-" if seen is None else f"{seen.topic} {seen.partition}:{seen.offset}",
        "-" if step.found is None or step.topic in CANDLES else str(step.found["id"]),
    )


def _what(step: Step) -> str:
    """A record in a few words."""
    if step.found is None:
        return step.symbol
    record = {name: "" if value is None else value for name, value in step.found.record.items()}
    words = {
        **dict.fromkeys(CANDLES, "{symbol} {timeframe} close {close}"),
        "signals": "{strategy} {side} at {price}",
        "orders": "{leg} {side} {quantity}",
        "rejections": "{code}",
        "fills": "{leg} {side} {quantity} at {price}",
        "positions": "{side} {quantity} {status}",
    }
    return words[step.topic].format_map(_Lenient(record))


class _Lenient(dict[str, Any]):
    """A candle comes from outside: what it lacks is shown as such."""

    def __missing__(self, key: str) -> str:
        return "?"


def _as_object(step: Step) -> dict[str, Any]:
    about: dict[str, Any] = {"topic": step.topic, "symbol": step.symbol, "ts": step.ts}
    if step.found is None:
        return {**about, "partition": None, "offset": None, "time": None, "after_candle_ms": None, "record": None}
    seen = step.found.seen
    return {
        **about,
        "partition": seen.partition,
        "offset": seen.offset,
        "time": in_time(seen.ts),
        "after_candle_ms": step.after_ms,
        "record": step.found.record,
    }
