from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from cli.doctor import Finding, versions
from flows.deployment import find, open_state
from schemas.config.root import Config
from schemas.topics import TOPICS
from sinks.state_folder import StateFolder
from tests.kafka.topics import QUIET

Run = Callable[..., Any]


@pytest.fixture
def place(kafka: str) -> dict[str, str]:
    """An installation of the test's own on the broker."""
    name = uuid4().hex[:8]
    return {
        "PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka,
        "PENSTOCK__KAFKA__PREFIX": f"{name}.",
        "PENSTOCK__KAFKA__DEPLOYMENT": name,
    }


def test_where_all_is_well_it_says_so_and_leaves_nothing_behind(
    penstock: Run, place: dict[str, str], kafka: str, tmp_path: Path
) -> None:
    penstock("topics", "create", **place)
    result = penstock("doctor", **place)
    assert result.code == 0, result.out + result.err
    lines = result.out.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["ok", about] for about in ("versions:", "state", "broker:", "topics:", "clock:", "lag:")
    ]
    assert lines[3] == f"ok     topics: all {len(TOPICS)} as wanted"
    assert lines[5] == f"ok     lag: group {place['PENSTOCK__KAFKA__DEPLOYMENT']} has not committed anything yet"
    assert lines[-1] == "all well"
    prefix = place["PENSTOCK__KAFKA__PREFIX"]
    there = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    assert [name for name in there if name.startswith(f"{prefix}doctor")] == []
    assert list(tmp_path.iterdir()) == []


def test_topics_that_are_not_there_are_told_at_once(penstock: Run, place: dict[str, str]) -> None:
    result = penstock("doctor", **place)
    names = ", ".join(place["PENSTOCK__KAFKA__PREFIX"] + name for name in TOPICS)
    assert result.code == 1
    assert f"WRONG  topics: {len(TOPICS)} are not there: {names}\n       do: penstock topics create\n" in result.out
    assert result.out.endswith("\n1 to put right\n")


def test_a_topic_with_too_few_partitions_is_found_with_what_to_do(
    penstock: Run, place: dict[str, str], kafka: str
) -> None:
    name = place["PENSTOCK__KAFKA__PREFIX"] + "candles"
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    penstock("topics", "create", **place)
    result = penstock("doctor", **place)
    assert result.code == 1
    assert f"WRONG  topic {name}: has 1 partition, wanted at least 4\n       do: " in result.out
    assert f"--alter --topic {name} --partitions 4\n" in result.out
    assert result.out.endswith("\n1 to put right\n")


def test_a_group_that_is_far_behind_or_has_lost_records_is_found(
    penstock: Run, place: dict[str, str], kafka: str
) -> None:
    penstock("topics", "create", **place)
    name, group = place["PENSTOCK__KAFKA__PREFIX"] + "candles", place["PENSTOCK__KAFKA__DEPLOYMENT"]
    producer = Producer({"bootstrap.servers": kafka}, logger=QUIET)
    for partition in (0, 1):
        for _ in range(5):
            producer.produce(name, b"x", partition=partition)
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group}, logger=QUIET)
    consumer.commit(offsets=[TopicPartition(name, 0, 2), TopicPartition(name, 1, 1)], asynchronous=False)
    consumer.close()
    fine = penstock("doctor", "--max-lag", "4", **place)
    assert (fine.code, fine.out.splitlines()[5]) == (0, f"ok     lag: group {group} is at most 4 records behind")
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_records([TopicPartition(name, 1, 3)]).values():
        future.result()
    result = penstock("doctor", "--max-lag", "2", **place)
    assert result.code == 1
    assert f"WRONG  lag of {name}, partition 0: group {group} is 3 records behind\n" in result.out
    lost = f"WRONG  lag of {name}, partition 1: 2 records were deleted before group {group} had read them\n"
    assert lost in result.out


def checkpoints(result: Any) -> str:
    return str(next(line for line in result.out.splitlines() if " checkpoints: " in line))


def test_what_is_in_the_state_folder_is_looked_at(penstock: Run, place: dict[str, str], tmp_path: Path) -> None:
    penstock("topics", "create", **place)
    config = Config.model_validate(
        {"kafka": {name.rpartition("__")[2].lower(): value for name, value in place.items()}, "run": {"html": False}}
    )
    folder = StateFolder(tmp_path / "state")
    open_state(find(config), folder, (None, 1), rebuild=False, accept=False)
    used = penstock("doctor", **place)
    assert used.code == 0
    assert checkpoints(used) == "ok     checkpoints: state was made with these settings, a run is at work in it"
    os.close(folder.lock or 0)

    fine = penstock("doctor", **place)
    assert (fine.code, checkpoints(fine)) == (0, "ok     checkpoints: state was made with these settings")

    changed = penstock("doctor", "--set", "portfolio.cash=5", "--set", "risk.per_trade_pct=2", **place)
    assert changed.code == 1
    assert changed.out.endswith(
        "WRONG  checkpoints: state was made with other settings\n       portfolio.cash: 100000 → 5\n"
        "       risk.per_trade_pct: 0.5 → 2.0\n       do: go back to them, or penstock run --accept-changes\n"
        "1 to put right\n"
    )

    part = folder.recovery / "part-0.sqlite3"
    part.write_bytes(b"rubbish" * 100)
    damaged = penstock("doctor", **place)
    assert damaged.code == 1
    assert (
        checkpoints(damaged) == "WRONG  checkpoints: state/recovery/part-0.sqlite3 is damaged (file is not a database)"
    )
    assert "       do: restore the folder from a backup, or move it away and make the state anew" in damaged.out


def test_a_bytewax_that_it_was_not_made_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert versions().do == ""
    monkeypatch.setattr("cli.doctor.BYTEWAX", "0.22.")
    assert versions().do.startswith("pip install 'bytewax==0.22.*'")


def test_only_what_is_wrong_has_something_to_do() -> None:
    assert str(Finding("clock", "5 ms ahead")) == "ok     clock: 5 ms ahead"
    assert str(Finding("clock", "1 h ahead", "set it")) == "WRONG  clock: 1 h ahead\n       do: set it"
