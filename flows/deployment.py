"""What has to be right before a live run starts: the broker, its topics, and the state folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.kafka.admin import Topics
from connectors.kafka.connection import REQUEST_S, WITHIN_S, Connection
from connectors.kafka.health import lag
from connectors.kafka.tail import Tail
from flows.currency import CurrencyError, currency_of
from flows.live import LAYOUT
from flows.registry import fingerprint
from schemas.config.broker import BrokerConfig
from schemas.config.kafka import KafkaConfig
from schemas.config.root import Config
from schemas.topics import TOPICS
from sinks.state_folder import StateFolder

PASSING = {
    "kafka": {"client", "bootstrap_servers", "replication", "start"},
    "market": {"shards", "file_time", "max_wait", "stale_after"},
    "run": {"html", "batch_rows", "checkpoint_every_s"},
    "serve": None,
}
"""Settings that the state is no function of; None for a whole section. What a wait leads to is in the journal."""


LATEST = 1_000
"""Messages of the market that tell which symbols there are."""


def read_by(config: Config) -> tuple[str, str]:
    """Topics that a state has offsets of."""
    return config.market.topic, "journal"


class DeploymentError(ValueError):
    """A live run cannot start. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A broker with all topics, and the shards of its market topic."""

    config: Config
    topics: Topics
    shards: tuple[str, ...]
    cluster: str
    ids: Mapping[str, str] = field(default_factory=dict)  # of the topics that are read, by their names without prefix


def refuse_real_money(broker: BrokerConfig, *, switched_on: bool) -> None:
    """Raises DeploymentError in mode exchange: orders for an exchange are not carried out by this version.

    It says first what else is missing, so that nobody believes himself on an exchange by accident.
    """
    if broker.mode == "paper":
        return
    if not switched_on:
        raise DeploymentError(
            "broker.mode is exchange, which trades with real money: it has to be switched on with --real-money, too; "
            "or set broker.mode=paper"
        )
    if not broker.exchange:
        raise DeploymentError("broker.exchange: name the exchange")
    for name in ("api_key_file", "api_secret_file"):
        path = getattr(broker, name)
        if not path:
            raise DeploymentError(f"broker.{name}: name a file that holds it")
        if not Path(path).is_file() or Path(path).stat().st_size == 0:
            raise DeploymentError(f"broker.{name}: {path} is no file, or holds nothing")
    raise DeploymentError("broker.mode exchange: this version executes no orders on an exchange; set broker.mode=paper")


def find(config: Config) -> Deployment:
    """Ask the broker. Raises BrokerError when it does not answer, DeploymentError when topics are missing."""
    topics = Topics(Connection(config.kafka))
    there = topics.names()
    missing = [name for topic in TOPICS if (name := config.kafka.topic(topic)) not in there]
    if missing:
        raise DeploymentError(
            f"Kafka at {config.kafka.bootstrap_servers} lacks {', '.join(missing)}: penstock topics create"
        )
    name, read = config.kafka.topic(config.market.topic), read_by(config)
    listed = topics.connection.ask(lambda: topics.admin.list_topics(timeout=WITHIN_S))
    shards = tuple(f"{name}-{number}" for number in range(there[name]))
    ids = topics.ids([config.kafka.topic(topic) for topic in read])
    return Deployment(
        config, topics, shards, str(listed.cluster_id), {one: ids[config.kafka.topic(one)] for one in read}
    )


def made_with(deployment: Deployment) -> dict[str, Any]:
    """The settings that the state is a function of, beside the topics."""
    settings = deployment.config.model_dump(mode="json")
    for section, names in PASSING.items():
        if names is None:
            settings.pop(section, None)
        else:
            settings[section] = {name: value for name, value in settings[section].items() if name not in names}
    code = {strategy.label: fingerprint(strategy.use) for strategy in deployment.config.strategies}
    # Which symbols share a state depends on the number of shards.
    here = {"shards": len(deployment.shards), "cluster": deployment.cluster, "topics": dict(deployment.ids)}
    return {**settings, "code": code, "layout": LAYOUT, **here}


def open_state(
    deployment: Deployment, folder: StateFolder, share: tuple[int | None, int], *, rebuild: bool, accept: bool
) -> None:
    """Take up the state of an earlier run, or begin. Raises StateError and DeploymentError with what to do.

    ``share`` is the number of this process, None when the folder is for all of them, and how many there are.
    """
    folder.take()
    settings = made_with(deployment)
    if folder.fresh:
        _begin(deployment, folder, settings, share, rebuild=rebuild)
        return
    if rebuild:
        raise DeploymentError(f"{folder.path} has a state: move it away before --rebuild makes it anew from the topics")
    folder.check(share[0])
    changes = folder.changes(settings)
    keys = [change.partition(": ")[0] for change in changes]
    if "layout" in keys:
        raise DeploymentError(
            f"{folder.path} was made by another version of penstock, whose checkpoints this one cannot read: run that "
            "version, or move the folder away and start with --rebuild, which makes the state anew from the topics"
        )
    read = read_by(deployment.config)
    anew = [deployment.config.kafka.topic(topic) for topic in read if f"topics.{topic}" in keys]
    if anew and "cluster" not in keys:
        # Its offsets begin again, so those of the state would leave out what is there now, or take it twice.
        new = any(change.startswith("topics.") and ": not set →" in change for change in changes)
        why = f"{anew[0]} was deleted and made anew since {folder.path} was made: begin"
        if new or "kafka.prefix" in keys:
            why = f"{folder.path} was made from other topics than {anew[0]}: go back to those settings, or begin"
        raise DeploymentError(f"{why} as somebody else, with another --state, kafka.deployment and portfolio.name")
    if changes and not accept:
        raise _others(folder, changes)
    if changes:
        folder.write(settings)


def check_settings(deployment: Deployment, folder: StateFolder) -> None:
    """For one of several processes, whose parent has opened the state: it may have been saved otherwise since then.

    Raises DeploymentError with what differs.
    """
    if changes := folder.changes(made_with(deployment)):
        raise _others(folder, changes)


def _others(folder: StateFolder, changes: Sequence[str]) -> DeploymentError:
    lines = "\n".join(changes)
    return DeploymentError(
        f"{folder.path} was made with other settings; go back to them, give another --state, kafka.deployment and "
        f"portfolio.name, or carry the state over with --accept-changes\n{lines}"
    )


def _writer(deployment: Deployment, journal: str) -> str | None:
    """Who has written the first entry of the portfolio in the journal: a deployment and its part, if it says so."""
    tail = Tail(deployment.topics.connection, journal)
    try:
        name = deployment.config.portfolio.name.encode()
        first = next((seen for seen in tail.until_end(tail.starts("beginning")) if seen.key == name), None)
        part = None if first is None else dict(first.headers).get("part")
        return None if part is None else part.decode()
    finally:
        tail.close()


def _is_part(part: str, kafka: KafkaConfig, portfolio: str) -> bool:
    """Whether a deployment has such a part. Behind the name of another one, ``a.b`` for ``a``, comes something else."""
    topic, _, number = part.rpartition("-")
    markets = [kafka.topic(one.name) for one in TOPICS.values() if one.direction != "internal"]
    return part == f"portfolio-{portfolio}" or (topic in markets and number.isdigit())


def check_currency(deployment: Deployment) -> None:
    """One account for one currency. Raises DeploymentError.

    The symbols are those that the strategies name; where one takes all, those of the latest messages as well.
    """
    config = deployment.config
    symbols = {symbol for strategy in config.strategies for symbol in strategy.symbols}
    if "*" in symbols:
        tail = Tail(deployment.topics.connection, config.kafka.topic(config.market.topic))
        try:
            symbols |= {seen.key.decode(errors="replace") for seen in tail.last(LATEST) if seen.key}
        finally:
            tail.close()
    try:
        currency_of(config.portfolio, symbols)
    except CurrencyError as error:
        raise DeploymentError(str(error)) from None


def _begin(
    deployment: Deployment,
    folder: StateFolder,
    settings: Mapping[str, Any],
    share: tuple[int | None, int],
    *,
    rebuild: bool,
) -> None:
    kafka = deployment.config.kafka
    group, journal = kafka.group, kafka.topic("journal")
    read = [part for part in lag(deployment.topics) if part.committed is not None]
    name, writer = deployment.config.portfolio.name, _writer(deployment, journal)
    if writer and not _is_part(writer.removeprefix(f"{group}.") if writer.startswith(f"{group}.") else "", kafka, name):
        raise DeploymentError(
            f"{journal} has entries of portfolio {name} by another deployment ({writer}), and its orders have the ids "
            "that those of this one would have: set another portfolio.name"
        )
    if read and not rebuild:
        most = max(read, key=lambda part: part.committed or 0)
        raise DeploymentError(
            f"{folder.path} is empty, but consumer group {group} has read up to offset {most.committed} of "
            f"{most.topic} already: give the --state it was run with, restore that from a backup, make it anew from "
            "the topics with --rebuild, or begin as somebody else with another kafka.deployment and portfolio.name"
        )
    gone = next((part.first for part in read if part.topic == journal and part.first > 0), None)
    if gone is not None:
        raise DeploymentError(
            f"--rebuild: retention has deleted the first {gone:,} messages of {journal}, and without them the account "
            "cannot be made anew: restore the state from a backup, or begin with another kafka.deployment and "
            "portfolio.name"
        )
    if read and kafka.start == "end":
        raise DeploymentError(
            "kafka.start is end: --rebuild needs the market topics from their beginning, or candles would be left "
            "out: set kafka.start=beginning for it"
        )
    if read:
        admin, ask = deployment.topics.admin, deployment.topics.connection.ask
        for future in admin.delete_consumer_groups([group], request_timeout=REQUEST_S).values():
            ask(future.result)
    folder.begin(settings, *share)
