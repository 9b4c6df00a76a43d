"""``penstock tail``: the records of a topic."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import UserError
from cli.instant import END_OF_CALENDAR
from cli.options import ConfigFile, Sets, load_kafka

if TYPE_CHECKING:
    from connectors.kafka.tail import Seen, Tail

LAST = 10


def tail(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="One of ours (without the prefix), or any other.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object for each message, one a line.")] = False,
    start: Annotated[
        str | None, typer.Option("--from", metavar="beginning|end|OFFSET", help="Where to start, in each partition.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("-n", min=0, metavar="N", help="The last N messages; with --from, at most N.")
    ] = None,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Show messages of a topic: time, partition and offset, key, id, value. Without options, the last 10.

    Only what is committed is shown; nothing is committed, so no consumer of the topic notices.
    """
    if start is not None and start not in ("beginning", "end") and not start.isdecimal():
        raise UserError(f"--from {start}: write beginning, end, or an offset such as 1200")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        reader = _open(topic, config, sets)
        try:
            for seen in _wanted(reader, start, count, follow):
                print(as_line(seen) if as_json else in_words(seen), flush=follow)
        finally:
            reader.close()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _open(topic: str, config: Any, sets: Any) -> Tail:
    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import Connection
    from connectors.kafka.tail import Tail
    from schemas.topics import TOPICS

    kafka = load_kafka(config, sets)
    connection = Connection(kafka)
    name = kafka.topic(topic) if topic in TOPICS else topic
    there = Topics(connection).names()
    if name not in there:
        known = ", ".join(one for one in there if not one.startswith("__")) or "none"
        hint = "penstock topics create" if topic in TOPICS else f"there are: {known}"
        raise UserError(f"{kafka.bootstrap_servers} has no topic {name}; {hint}")
    return Tail(connection, name)


def _wanted(reader: Tail, start: str | None, count: int | None, follow: bool) -> Iterator[Seen]:
    if start is None:
        yield from reader.last(LAST if count is None else count)
        left = None
    else:
        left, shown = count, 0
        if start == "end":
            reader.skip(reader.starts(start))
        else:
            for seen in islice(reader.until_end(reader.starts(start)), count):
                shown += 1
                yield seen
        left = None if count is None else count - shown
    if follow and left != 0:
        yield from islice((seen for seen in reader.follow() if seen is not None), left)


def in_words(seen: Seen) -> str:
    """A message on one line, for a person."""
    where = f"{seen.partition}:{seen.offset}"
    parts = [in_time(seen.ts) or "no time", f"{where:>8}", _text(seen.key) or "-"]
    if seen.id is not None:
        parts.append(f"id={_text(seen.id)}")
    value = "(no value: deletes the key)" if seen.value is None else _compact(seen.value) or _text(seen.value) or ""
    return printable("  ".join([*parts, value]))


def as_line(seen: Seen) -> str:
    """A message as JSON on one line. A value that is no JSON comes as ``text``, or as ``base64`` if it is no UTF-8."""
    about = {
        "topic": seen.topic,
        "partition": seen.partition,
        "offset": seen.offset,
        "time": in_time(seen.ts),
        "key": _text(seen.key),
        "id": _text(seen.id),
    }
    head = json.dumps(about, ensure_ascii=False)[:-1]
    value = "null" if seen.value is None else _compact(seen.value)
    if value is not None:
        return f'{head}, "value": {value}}}'
    assert seen.value is not None
    try:
        return f'{head}, "text": {json.dumps(seen.value.decode())}}}'
    except UnicodeDecodeError:
        return f'{head}, "base64": {json.dumps(base64.b64encode(seen.value).decode())}}}'


def _compact(value: bytes) -> str | None:
    """JSON on one line with every digit as it came; None if it is no JSON."""
    import msgspec

    try:
        msgspec.json.decode(value)
        return msgspec.json.format(value, indent=-1).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def in_time(millis: int) -> str | None:
    """Epoch ms as ISO 8601 UTC; None for none (-1), and for a time that no calendar has."""
    if not 0 <= millis < END_OF_CALENDAR:
        return None
    return datetime.fromtimestamp(millis / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """A text without control characters: a message must not be able to command the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
