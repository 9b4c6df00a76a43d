"""``penstock doctor``: what is wrong, and what to do."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import ConfigFile, Sets, load_checked

if TYPE_CHECKING:
    from connectors.kafka.admin import Topics
    from schemas.config.root import Config

CLOCK_MS = 1_000
SPACE = 256 * 1024 * 1024
BYTEWAX = "0.21."
LIBRDKAFKA = (2, 6)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at and what it is like; ``do`` only when it is wrong."""

    about: str
    found: str
    do: str = ""

    def __str__(self) -> str:
        if self.do:
            return f"WRONG  {self.about}: {self.found}\n       do: {self.do}"
        return f"ok     {self.about}: {self.found}"


def doctor(
    state: Annotated[Path, typer.Option("--state", metavar="DIR", help="State folder of penstock run.")] = Path(
        "state"
    ),
    max_lag: Annotated[int, typer.Option(min=0, help="Unread records of a partition that are still well.")] = 10_000,
    config: ConfigFile = None,
    sets: Sets = None,
) -> None:
    """Look at versions, state folder, broker, topics, clock and lag. Exit code 1 if anything is wrong.

    To compare clocks it writes to a topic of its own, which it creates and removes.
    """
    loaded = load_checked(config, sets)
    wrong = 0
    for finding in _findings(loaded.config, state, max_lag):
        print(finding, flush=True)
        wrong += bool(finding.do)
    if wrong:
        print(f"{wrong} to put right")
        raise typer.Exit(1)
    print("all well")


def _findings(config: Config, state: Path, max_lag: int) -> Iterator[Finding]:
    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import BrokerError, Connection

    yield versions()
    yield state_folder(state)
    try:
        topics = Topics(Connection(config.kafka))
        there = topics.names()
    except BrokerError as error:
        yield _failed("broker", error)
        return
    yield Finding("broker", f"{config.kafka.bootstrap_servers} answers, {len(there)} topics in all")
    for look in (_topics, _clock):
        try:
            yield from look(topics)
        except BrokerError as error:
            yield _failed(look.__name__.removeprefix("_"), error)
    try:
        yield from _lag(topics, max_lag)
    except BrokerError as error:
        yield _failed("lag", error)
    if (state / "made-with.json").exists():
        yield _state(config, state)


def _failed(about: str, error: Exception) -> Finding:
    found, _, do = str(error).rpartition("; ")
    return Finding(about, found, do)


def versions() -> Finding:
    """The versions that matter, and whether they are among those that it works with."""
    from confluent_kafka import libversion

    python, library, bytewax = platform.python_version(), libversion()[0], version("bytewax")
    found = f"penstock {version('penstock')}, Python {python}, Bytewax {bytewax}, librdkafka {library}"
    if not bytewax.startswith(BYTEWAX):
        return Finding(
            "versions", found, f"pip install 'bytewax=={BYTEWAX}*': exactly-once output relies on how it works"
        )
    if tuple(map(int, library.split("-")[0].split(".")[:2])) < LIBRDKAFKA:
        return Finding("versions", found, "pip install --upgrade confluent-kafka")
    return Finding("versions", found)


def state_folder(state: Path) -> Finding:
    """Whether files can be made in the folder, or in the one where it will be made, and how much space is left."""
    place = next(path for path in (state, *state.absolute().parents) if path.exists())
    about = f"state folder {state}"
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(about, f"{place}: {error.strerror}", "name a folder that can be written to with --state")
    found = f"can be written, {free / 2**30:.1f} GiB free" + ("" if place == state else "; it is made by penstock run")
    return Finding(about, found, "make room, or name another folder with --state" if free < SPACE else "")


def _state(config: Config, state: Path) -> Finding:
    """Whether a run can take up what is in the folder, with these settings."""
    from connectors.kafka.connection import BrokerError
    from flows.deployment import DeploymentError, find, made_with
    from sinks.state_folder import StateError, StateFolder

    folder = StateFolder(state)
    used = folder.in_use
    try:
        if not used:
            parts = [path.stem.rpartition("-")[2] for path in folder.recovery.glob("part-*.sqlite3")]
            folder.check(int(parts[0]) if len(parts) == 1 else None)  # a process of a cluster has its own part alone
        changes = folder.changes(made_with(find(config)))
    except (StateError, DeploymentError, BrokerError) as error:
        found, _, do = str(error).rpartition(": ")
        return Finding("checkpoints", found, do)
    if changes:
        lines = "".join(f"\n       {line}" for line in changes)
        found = f"{state} was made with other settings{lines}"
        return Finding("checkpoints", found, "go back to them, or penstock run --accept-changes")
    return Finding(
        "checkpoints", f"{state} was made with these settings" + (", a run is at work in it" if used else "")
    )


def _topics(topics: Topics) -> Iterator[Finding]:
    from schemas.topics import TOPICS

    differences = topics.differences()
    there = topics.names()
    missing = [name for topic in TOPICS if (name := topics.kafka.topic(topic)) not in there]
    if missing:
        yield Finding("topics", f"{len(missing)} are not there: {', '.join(missing)}", "penstock topics create")
    for difference in differences:
        if difference.topic in missing:
            continue  # told above, all at once
        yield Finding(f"topic {difference.topic}", difference.wrong, difference.do)
    if not differences:
        yield Finding("topics", f"all {len(TOPICS)} as wanted")


def _clock(topics: Topics) -> Iterator[Finding]:
    from connectors.kafka.health import clock_difference

    clock = clock_difference(topics)
    side = "ahead of" if clock.ahead_ms > 0 else "behind"
    found = f"the broker is {abs(clock.ahead_ms):.0f} ms {side} this machine, give or take {clock.within_ms:.0f} ms"
    far = abs(clock.ahead_ms) - clock.within_ms > CLOCK_MS
    yield Finding("clock", found, "set both clocks by NTP: timedatectl set-ntp true" if far else "")


def _lag(topics: Topics, max_lag: int) -> Iterator[Finding]:
    from connectors.kafka.health import lag

    group, parts = topics.kafka.group, lag(topics)
    fine = True
    for part in parts:
        about = f"lag of {part.topic}, partition {part.partition}"
        if part.lost:
            fine = False
            found = f"{part.lost:,} records were deleted before group {group} had read them"
            yield Finding(about, found, f"keep records longer (retention.ms of {part.topic}), and see that it is read")
        elif part.records > max_lag:
            fine = False
            found = f"group {group} is {part.records:,} records behind"
            yield Finding(
                about, found, "is penstock run running? If so, give it more processes; --max-lag sets the limit"
            )
    if fine and all(part.committed is None for part in parts):
        yield Finding("lag", f"group {group} has not committed anything yet")
    elif fine:
        yield Finding("lag", f"group {group} is at most {max(part.records for part in parts):,} records behind")
