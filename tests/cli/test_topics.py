from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import TOPICS
from tests.kafka.tools import CONFIGS, tool
from tests.kafka.tools import TOPICS as TOPIC_TOOL

Run = Callable[..., Any]


@pytest.fixture
def place(kafka: str) -> dict[str, str]:
    """An installation of the test's own on the broker."""
    return {"PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka, "PENSTOCK__KAFKA__PREFIX": f"{uuid4().hex[:8]}."}


def test_what_was_created_is_listed_and_as_wanted_also_for_kafkas_own_tools(
    penstock: Run, place: dict[str, str], kafka: str, kafka_jars: Path
) -> None:
    prefix = place["PENSTOCK__KAFKA__PREFIX"]
    made = penstock("topics", "create", **place)
    assert made.code == 0, made.err
    assert made.out.splitlines() == [
        *sorted((f"created {prefix}{name}" for name in TOPICS), key=made.out.index),
        f"{len(TOPICS)} created, 0 were there already, at {kafka}",
    ]
    checked = penstock("topics", "check", **place)
    assert (checked.code, checked.out) == (0, f"{len(TOPICS)} topics as wanted, at {kafka}\n")
    rows = [line.split()[:3] for line in penstock("topics", "list", **place).out.splitlines()[1:]]
    assert rows == [
        [prefix + name, str(topic.partitions), f"{topic.retention_ms // 86_400_000}"] for name, topic in TOPICS.items()
    ]
    seen = tool(kafka_jars, kafka, TOPIC_TOOL, "--describe", "--topic", re.escape(prefix) + ".*")
    there = re.findall(r"Topic: (\S+)\s.*PartitionCount: (\d+).*Configs: (.*)", seen)
    assert {
        name: (int(count), "cleanup.policy=delete" in configs, re.findall(r"retention.ms=(\d+)", configs))
        for name, count, configs in there
    } == {prefix + name: (topic.partitions, True, [str(topic.retention_ms)]) for name, topic in TOPICS.items()}


def test_creating_again_changes_nothing(penstock: Run, place: dict[str, str], kafka: str) -> None:
    penstock("topics", "create", **place)
    again = penstock("topics", "create", **place)
    assert (again.code, again.out) == (0, f"0 created, {len(TOPICS)} were there already, at {kafka}\n")


def test_what_differs_is_named_with_a_command_that_puts_it_right_and_is_never_changed_by_itself(
    penstock: Run, place: dict[str, str], kafka: str, kafka_jars: Path
) -> None:
    prefix = place["PENSTOCK__KAFKA__PREFIX"]
    short = NewTopic(f"{prefix}candles", 2, 1, config={"retention.ms": "3600000"})
    compact = NewTopic(f"{prefix}orders", 3, 1, config={"cleanup.policy": "compact", "retention.ms": "-1"})
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([short, compact]).values():
        future.result()
    assert penstock("topics", "create", **place).code == 0
    checked = penstock("topics", "check", **place)
    assert checked.code == 1
    partitions, kept, cleanup = checked.out.splitlines()
    assert partitions.startswith(f"{prefix}candles: has 2 partitions, wanted at least 4; ")
    assert partitions.endswith(f"--alter --topic {prefix}candles --partitions 4")
    assert kept.startswith(f"{prefix}candles: keeps records for 1 h, wanted at least 7 d; kafka-configs.sh ")
    assert cleanup.startswith(f"{prefix}orders: has cleanup.policy compact, wanted delete; kafka-configs.sh ")
    tool(kafka_jars, kafka, TOPIC_TOOL, "--alter", "--topic", f"{prefix}candles", "--partitions", "4")
    for line in (kept, cleanup):
        tool(kafka_jars, kafka, CONFIGS, *line.split("kafka-configs.sh ")[1].split()[2:])
    assert penstock("topics", "check", **place).code == 0


def test_a_topic_that_is_missing_is_named(penstock: Run, place: dict[str, str]) -> None:
    prefix = place["PENSTOCK__KAFKA__PREFIX"]
    checked = penstock("topics", "check", **place)
    assert checked.code == 1
    assert checked.out.splitlines() == [f"{prefix}{name}: is not there; penstock topics create" for name in TOPICS]


def test_a_setting_that_librdkafka_does_not_know_is_named(penstock: Run) -> None:
    result = penstock("topics", "list", "--set", "kafka.client.sasl.pasword=hunter2")
    assert result.code == 2
    assert 'No such configuration property: "sasl.pasword"' in result.err
    assert "hunter2" not in result.err


def test_a_secret_from_a_file_reaches_librdkafka_and_no_message(penstock: Run, tmp_path: Path, kafka: str) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "penstock.yaml").write_text(
        f"kafka:\n  bootstrap_servers: {kafka}\n  client:\n    security.protocol: SASL_PLAINTEXT\n"
        "    sasl.mechanism: PLAIN\n    sasl.username: me\n    sasl.password_file: secret\n"
    )
    shown = penstock("config", "show")
    assert 'sasl.password_file": secret' in shown.out.replace('"secret"', "secret")
    refused = penstock("topics", "list")
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1
    assert "hunter2" not in shown.out + refused.out + refused.err
    (tmp_path / "secret").unlink()
    missing = penstock("topics", "list")
    assert (missing.code, missing.err) == (
        2,
        "penstock: kafka.client.sasl.password_file: secret: No such file or directory; "
        "name a file that holds nothing but the value\n",
    )


def test_a_password_is_masked_where_the_configuration_is_shown(penstock: Run, tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text("kafka:\n  client:\n    sasl.password: ${SECRET}\n")
    for form in ("yaml", "json"):
        shown = penstock("config", "show", "--format", form, SECRET="hunter2")
        assert (shown.code, "hunter2" in shown.out + shown.err, "********" in shown.out) == (0, False, True)
