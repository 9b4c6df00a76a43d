"""``kafka``: the broker, the topics' names, and whatever librdkafka should know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.config.problem import ConfigError, Problem
from schemas.config.section import Section
from schemas.config.shape import Form

FILE = "_file"
_OURS = {
    "bootstrap.servers": "write kafka.bootstrap_servers",
    "metadata.broker.list": "write kafka.bootstrap_servers",
    "group.id": "write kafka.deployment",
    "transactional.id": "write kafka.deployment",
    "auto.offset.reset": "write kafka.start",
    "enable.idempotence": "exactly-once output depends on it",
    "partitioner": "shards are cut by it",
    "isolation.level": "exactly-once input depends on it",
    "enable.auto.commit": "offsets are committed when they are durable",
    "enable.partition.eof": "ends of partitions are needed",
}


def _servers(text: str) -> str:
    for part in text.split(","):
        host, _, port = part.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65_536:
            raise ValueError(f"{part.strip()!r} is not an address: write host:port, several with commas between them")
    return ",".join(part.strip() for part in text.split(","))


def _text(value: Any) -> Any:
    """Librdkafka reads every setting as a text; YAML gives numbers and booleans their own types."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _client(settings: dict[str, str]) -> dict[str, str]:
    for name in settings:
        plain = name.removesuffix(FILE)
        if plain in _OURS:
            raise ValueError(f"{name} is not to be set here: {_OURS[plain]}")
        if name != plain and plain in settings:
            raise ValueError(f"{plain} and {name} are both given: keep one of them")
    return settings


class KafkaConfig(Section):
    """Where the broker is and how to talk to it. Any broker with Kafka's protocol will do.

    >>> KafkaConfig(prefix="paper.").topic("orders")
    'paper.orders'
    """

    bootstrap_servers: Annotated[str, AfterValidator(_servers), Form("host:port, several with commas")] = Field(
        "localhost:9092", description="where to ask for the brokers"
    )
    prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="in front of every topic's name; tells installations apart"
    )
    deployment: str = Field(
        "penstock",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="name of this installation: its consumer group, and the start of its transactional ids",
    )
    start: Literal["beginning", "end"] = Field(
        "beginning", description="where the very first start reads the market topics from; later ones go on"
    )
    replication: int | None = Field(
        None, ge=1, le=32_767, description="copies of each partition of a new topic; none: what the broker does"
    )
    client: Annotated[dict[str, Annotated[str, BeforeValidator(_text)]], AfterValidator(_client)] = Field(
        {}, description="any setting of librdkafka; with _file behind its name, the file that holds the value"
    )

    @property
    def group(self) -> str:
        """The consumer group whose offsets are committed."""
        return self.deployment

    def topic(self, name: str) -> str:
        """The name on the broker of one of :data:`schemas.topics.TOPICS`."""
        return self.prefix + name

    def settings(self) -> dict[str, str]:
        """What every client of librdkafka is made with: ``client``, its files read, and the addresses.

        It holds secrets: never print it. A line feed at the end of a file is not part of the value.

        >>> KafkaConfig(client={"socket.timeout.ms": 5000}).settings()
        {'socket.timeout.ms': '5000', 'bootstrap.servers': 'localhost:9092'}

        Raises ConfigError, with key and file, for a file that cannot be read.
        """
        settings, problems = {}, []
        for name, value in self.client.items():
            if not name.endswith(FILE):
                settings[name] = value
                continue
            try:
                settings[name.removesuffix(FILE)] = Path(value).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
                message = f"{value}: {why}; name a file that holds nothing but the value"
                problems.append(Problem(message, f"kafka.client.{name}"))
        if problems:
            raise ConfigError(problems)
        return {**settings, "bootstrap.servers": self.bootstrap_servers}
