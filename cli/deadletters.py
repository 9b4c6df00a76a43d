"""``penstock deadletters``: inputs that could not be used, and back with them."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError
from cli.options import ConfigFile, Sets, load_kafka
from cli.tail import as_line, in_time, printable

if TYPE_CHECKING:
    from connectors.kafka.connection import Connection
    from connectors.kafka.tail import Seen
    from schemas.config.kafka import KafkaConfig
    from schemas.deadletter import DeadLetter

TOPIC = "deadletters"
SHORT = 8

app = typer.Typer(
    help="List, show or requeue inputs that could not be used.", no_args_is_help=True, add_completion=False
)

Reason = Annotated[str | None, typer.Option(metavar="REASON", help="Only those with this reason, as HIGH_BELOW_LOW.")]


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter, and the message that it is."""

    seen: Seen
    letter: DeadLetter

    @property
    def place(self) -> str:
        """Where the input was read."""
        letter = self.letter
        middle = "" if letter.partition is None else f"{letter.partition}:"
        return f"{letter.source}:{middle}{letter.position}"


@app.command("list")
def list_(
    reason: Reason = None,
    source: Annotated[str | None, typer.Option(metavar="TOPIC", help="Only those of this topic or file.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those put aside since: 2024-01-01T00:00Z, epoch ms, 24h.")
    ] = None,
    count: Annotated[int, typer.Option("-n", min=0, metavar="N", help="Show the last N; totals are of all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object for each, one a line.")] = False,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """List dead letters: id, when it was put aside, where it came from, symbol, reason; then how many by reason."""
    last: deque[Found] = deque(maxlen=count)
    totals: Counter[str] = Counter()
    for found in _read(_connect(load_kafka(config, sets)), since):
        letter = found.letter
        if reason in (None, letter.reason) and source in (None, letter.source):
            totals[letter.reason] += 1
            last.append(found)
    if as_json:
        for found in last:
            print(as_line(found.seen))
        return
    if last:
        _table(list(last))
    for name, number in totals.most_common():
        print(f"{number:>9,}  {printable(name)}")
    above = f", the last {len(last)} above" if 0 < len(last) < totals.total() else ""
    print(f"{totals.total():>9,}  dead letter{'' if totals.total() == 1 else 's'}{above}")


@app.command()
def show(
    letter_id: Annotated[
        str, typer.Argument(metavar="ID", help=f"Its id, or the first {SHORT} or more letters of it.")
    ],
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Show all of a dead letter: where it came from, the exact error, key, headers, and the input as it came."""
    from schemas.deadletter import header_of, value_of

    (found,) = _chosen(_connect(load_kafka(config, sets)), [letter_id], None)
    letter, value = found.letter, value_of(found.letter)
    place = "row" if letter.partition is None else f"partition {letter.partition}, offset"
    size = "no value" if value is None else f"{len(value):,} bytes"
    rows = {
        "id": letter.id,
        "put aside": f"{in_time(found.seen.ts) or 'no time'}, {found.seen.topic} {_at(found.seen)}",
        "event time": (in_time(letter.ts) or str(letter.ts)) if letter.ts else "-",
        "from": f"{letter.source}, {place} {letter.position}",
        "symbol": letter.symbol or "-",
        "reason": letter.reason,
        "error": letter.error,
        "key": "-" if letter.key is None else letter.key,
    }
    for name, text in rows.items():
        print(f"{name:<11}{printable(text)}")
    for header in letter.headers:
        name, content = header_of(header)
        shown = "(null)" if content is None else content.decode("utf-8", "backslashreplace")
        print(f"{'header':<11}{printable(f'{name} = {shown}')}")
    print(
        f"{'input':<11}{size}"
        + (", not UTF-8: other bytes are written as \\xff" if letter.encoding == "base64" else "")
    )
    if value:
        lines = value.decode("utf-8", "backslashreplace").split("\n")
        print("\n".join(map(printable, lines)))


@app.command()
def requeue(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids, or the first letters of them.")] = None,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be published; publish nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that stand on their topic again already.")] = False,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Publish dead letters to the topic and partition they came from: the same bytes, key and headers.

    A header requeued-from names the dead letter. By it one that was requeued before is found and left alone, for as
    long as that message is on the topic: once retention has removed it, nobody can tell any more. All are published in
    one transaction, or none. The exit code is 1 when some were left alone.
    """
    if not ids and reason is None:
        raise UserError("name the dead letters by their ids, or all of a reason with --reason REASON")
    connection = _connect(load_kafka(config, sets))
    chosen = _chosen(connection, ids or [], reason)
    _refuse_impossible(connection, chosen)
    if dry_run:
        left = chosen if again else _without_requeued(connection, chosen)
        _say(left, "would be published")
        return
    if not yes:
        typer.confirm(f"Publish {_count(chosen)} again?", abort=True, err=True)
    _publish(connection, chosen, again)


def _publish(connection: Connection, chosen: list[Found], again: bool) -> None:
    from confluent_kafka import Producer

    from sinks.kafka.requeue import Requeue, settings

    producer = connection.client(Producer, settings(connection.kafka.deployment))
    # In this order: whoever else is about to requeue cannot any more once this one exists, so what is seen stays true.
    sink = connection.ask(lambda: Requeue(producer))
    left = chosen if again else _without_requeued(connection, chosen)
    if left:
        sink.publish(found.letter for found in left)
    _say(left, "published")
    if len(left) < len(chosen):
        raise typer.Exit(1)


def _without_requeued(connection: Connection, chosen: list[Found]) -> list[Found]:
    from connectors.kafka.letters import requeued
    from sinks.kafka.requeue import HEADER

    there = requeued(connection, [found.letter for found in chosen], HEADER)
    for found in chosen:
        if (seen := there.get(found.letter.id)) is not None:
            when = in_time(seen.ts)
            print(
                f"{found.letter.id}: is on {seen.topic} again already, {_at(seen)}, {when}; --again publishes it anew",
                file=sys.stderr,
            )
    return [found for found in chosen if found.letter.id not in there]


def _refuse_impossible(connection: Connection, chosen: list[Found]) -> None:
    from connectors.kafka.admin import Topics

    partitions = Topics(connection).names()
    for found in chosen:
        letter = found.letter
        if letter.partition is None:
            raise UserError(f"{letter.id} came from the file {letter.source}: mend the file and replay it again")
        if letter.left_out:
            raise UserError(
                f"{letter.id} was too large to be kept whole, {letter.left_out:,} bytes were left out: the message is "
                f"at offset {letter.position} of partition {letter.partition} of {letter.source}"
            )
        if letter.partition >= partitions.get(letter.source, 0):
            raise UserError(f"{letter.id} came from {letter.source}, partition {letter.partition}, which is not there")


def _chosen(connection: Connection, ids: list[str], reason: str | None) -> list[Found]:
    """The dead letters of some ids (whole, or their beginnings), or all of a reason. Raises UserError."""
    if short := [text for text in ids if len(text) < SHORT]:
        raise UserError(f"{short[0]}: write at least {SHORT} letters of the id")
    chosen: dict[str, Found] = {}
    by_word: dict[str, set[str]] = {text: set() for text in ids}
    for found in _read(connection, None):
        id_ = found.letter.id
        hits = [text for text in ids if id_.startswith(text)]
        for text in hits:
            by_word[text].add(id_)
        if (hits or not ids) and reason in (None, found.letter.reason):
            chosen.setdefault(id_, found)
    for text, hits_of in by_word.items():
        if not hits_of:
            name = connection.kafka.topic(TOPIC)
            raise UserError(f"no dead letter {text} on {name}: penstock deadletters list shows those there are")
        if len(hits_of) > 1:
            raise UserError(f"{text} are the first letters of {len(hits_of)} dead letters: write more of them")
    if not chosen:
        which = "none of these dead letters" if ids else f"no dead letter on {connection.kafka.topic(TOPIC)}"
        raise UserError(f"{which} has the reason {reason}: penstock deadletters list shows those there are")
    return list(chosen.values())


def _connect(kafka: KafkaConfig) -> Connection:
    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import Connection

    connection = Connection(kafka)
    if kafka.topic(TOPIC) not in Topics(connection).names():
        raise UserError(f"{kafka.bootstrap_servers} has no topic {kafka.topic(TOPIC)}: penstock topics create")
    return connection


def _read(connection: Connection, since: str | None) -> Iterator[Found]:
    """All dead letters on the topic; what is none is told on stderr."""
    from cli.instant import millis
    from connectors.kafka.letters import Unread, letters
    from connectors.kafka.tail import Tail

    start = None if since is None else millis(since, "--since")
    tail = Tail(connection, connection.kafka.topic(TOPIC))
    try:
        for one in letters(tail, start):
            if isinstance(one, Unread):
                print(f"{one.seen.topic} {_at(one.seen)} is no dead letter: {printable(one.why)}", file=sys.stderr)
            else:
                yield Found(*one)
    finally:
        tail.close()


def _table(rows: list[Found]) -> None:
    from cli.tables import show_table

    show_table(
        ("id", "time", "from", "symbol", "reason"),
        [
            (one.letter.id[:SHORT], in_time(one.seen.ts) or "-", one.place, one.letter.symbol or "-", one.letter.reason)
            for one in rows
        ],
    )


def _say(left: list[Found], done: str) -> None:
    for found in left:
        print(f"{found.letter.id}  {printable(found.place)}")
    print(f"{_count(left)} {done}")


def _count(chosen: list[Found]) -> str:
    return f"{len(chosen):,} dead letter" + ("" if len(chosen) == 1 else "s")


def _at(seen: Seen) -> str:
    return f"{seen.partition}:{seen.offset}"
