"""``penstock topics``: the topics on the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.options import ConfigFile, Sets, load_kafka

if TYPE_CHECKING:
    from connectors.kafka.admin import Topics
    from schemas.config.kafka import KafkaConfig

app = typer.Typer(help="Create, list or check the topics on the broker.", no_args_is_help=True, add_completion=False)


@app.command()
def create(config: ConfigFile = None, sets: Sets = None) -> None:
    """Create the topics that are missing. What is there stays as it is: nothing is shrunk, changed or deleted."""
    kafka = load_kafka(config, sets)
    topics = _topics(kafka)
    made = topics.create()
    for name in made:
        print(f"created {name}")
    print(f"{len(made)} created, {len(_names(kafka)) - len(made)} were there already, at {kafka.bootstrap_servers}")
    _report(topics)


@app.command("list")
def show(config: ConfigFile = None, sets: Sets = None) -> None:
    """List the topics: partitions, how long records are kept, and what is on them."""
    from connectors.kafka.admin import in_days
    from schemas.topics import TOPICS

    kafka = load_kafka(config, sets)
    found = _topics(kafka).found()
    width = max(map(len, _names(kafka)))
    print(f"{'topic':<{width}}  partitions  kept      copies  what")
    for name, topic in TOPICS.items():
        there = found.get(name)
        if there is None:
            state = "is not there                "
        else:
            kept = in_days(there.retention_ms) if there.cleanup == "delete" else there.cleanup
            state = f"{there.partitions:>10}  {kept:<8}  {there.replication:>6}"
        print(f"{kafka.topic(name):<{width}}  {state}  {topic.purpose}")


@app.command()
def check(config: ConfigFile = None, sets: Sets = None) -> None:
    """Compare the topics with what is wanted; exit code 1, and what to do about it, if something differs."""
    kafka = load_kafka(config, sets)
    if _report(_topics(kafka)):
        raise typer.Exit(1)
    print(f"{len(_names(kafka))} topics as wanted, at {kafka.bootstrap_servers}")


def _topics(kafka: KafkaConfig) -> Topics:
    from connectors.kafka.admin import Topics
    from connectors.kafka.connection import Connection

    return Topics(Connection(kafka))


def _report(topics: Topics) -> bool:
    """Print every difference. Returns whether there are any."""
    differences = topics.differences()
    for difference in differences:
        print(difference)
    return bool(differences)


def _names(kafka: KafkaConfig) -> list[str]:
    from schemas.topics import TOPICS

    return [kafka.topic(name) for name in TOPICS]
