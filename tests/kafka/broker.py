"""A real Apache Kafka broker for tests: one node in KRaft mode on free ports of the loopback."""

from __future__ import annotations

import base64
import fcntl
import os
import random
import shutil
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
STARTS_WITHIN_S = 90
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
# Of the life of a test's JVM the optimising compiler would take half; whoever measures speed leaves these out.
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def jars() -> Path:
    """The folder of the broker's jars, fetched by Maven once and kept under the user's cache folder.

    Raises RuntimeError, with what is missing, when Java, Maven or the jars cannot be had.
    """
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise RuntimeError(f"{tool} is not on the PATH: the broker of the tests needs Java 17 and Maven")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"
    folder = cache / "kafka-4.1.1"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes: the first one fetches, the others wait
        if not folder.is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={fresh}")
    done = subprocess.run(["mvn", "-q", "-B", "-f", str(POM), *goal], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RuntimeError(f"Maven could not bring Kafka's jars:\n{done.stdout[-2000:]}")
    fresh.rename(folder)


def free_ports(count: int) -> list[int]:
    """Ports that are free now, and stay so while nobody listens there.

    They lie below those that systems give to outgoing connections: a broker that is down for a while would lose its
    port to any of these, the attempts to reach it included.
    """
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken: draw another one
        found.add(port)
    return sorted(found)


@dataclass
class Broker:
    """One broker with its data in ``folder``. It can be stopped, killed, and started again on the same ports.

    With ``users``, names and passwords, it has a second address, ``door``, where it asks for them (SASL PLAIN).
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = QUICK
    users: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, controller, door = free_ports(3)
        self.address, self.door = f"127.0.0.1:{self.port}", f"127.0.0.1:{door}"
        self._log = self.folder / "broker.log"
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DOOR:SASL_PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            # After a kill the controller refuses the broker until its former life has timed out.
            "broker.session.timeout.ms": "4000",
            "broker.heartbeat.interval.ms": "500",
        }
        if self.users:
            known = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
            lines["listeners"] += f",DOOR://{self.door}"
            lines["advertised.listeners"] += f",DOOR://{self.door}"
            lines["listener.name.door.sasl.enabled.mechanisms"] = "PLAIN"
            lines["listener.name.door.plain.sasl.jaas.config"] = f"{LOGIN} required {known};"
        lines |= self.settings
        self._properties = self.folder / "server.properties"
        self._properties.write_text("".join(f"{k}={v}\n" for k, v in lines.items()), encoding="utf-8")
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._java("kafka.tools.StorageTool", "format", f"--cluster-id={name}", "-c", str(self._properties))

    def _words(self, *words: str) -> list[str]:
        return ["java", "-Xmx512m", *self.flags, "-cp", f"{jars()}/*", *words]

    def _java(self, *words: str) -> str:
        done = subprocess.run(self._words(*words), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def tool(self, name: str, *words: str) -> str:
        """Run one of Kafka's own tools against this broker; ``name`` is its class."""
        return self._java(name, "--bootstrap-server", self.address, *words)

    def start(self) -> Broker:
        """Start it and wait until it takes connections. Raises RuntimeError, with its log, when it does not."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._words("kafka.Kafka", str(self._properties)), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        until = time.monotonic() + STARTS_WITHIN_S
        while b"Kafka Server started" not in self._log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the broker did not start:\n{self._log.read_text(errors='replace')[-3000:]}")
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        return self

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
