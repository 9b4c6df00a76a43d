"""Kafka's own console tools, against any broker."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.kafka.broker import QUICK

TOPICS = "org.apache.kafka.tools.TopicCommand"
CONFIGS = "kafka.admin.ConfigCommand"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def tool(jars: Path, address: str, name: str, *words: str, stdin: str = "") -> str:
    """What a tool, named by its class, prints on standard output."""
    command = ("java", "-Xmx256m", *QUICK, "-cp", f"{jars}/*", name, "--bootstrap-server", address, *words)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
