import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from schemas.asyncapi import asyncapi
from schemas.topics import TOPICS

DOCUMENT = asyncapi()
SPECIFICATION = "@asyncapi/specs@6.8.0"  # the package in which the AsyncAPI initiative publishes its JSON schemas


def references(item: Any) -> Iterator[str]:
    if isinstance(item, dict):
        if isinstance(item.get("$ref"), str):
            yield item["$ref"]
        for value in item.values():
            yield from references(value)
    elif isinstance(item, list):
        for value in item:
            yield from references(value)


def resolve(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_there_is_a_channel_for_every_topic_with_its_partitions_and_retention() -> None:
    assert list(DOCUMENT["channels"]) == list(TOPICS)
    for name, topic in TOPICS.items():
        assert DOCUMENT["channels"][name]["address"] == name
        assert DOCUMENT["channels"][name]["bindings"]["kafka"] == {
            "topic": name,
            "partitions": topic.partitions,
            "topicConfiguration": {"cleanup.policy": [topic.cleanup], "retention.ms": topic.retention_ms},
            "bindingVersion": "0.5.0",
        }


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > 3 * len(TOPICS)
    for reference in found:
        resolve(reference)


def test_a_message_carries_its_record_and_says_its_key() -> None:
    reference = DOCUMENT["channels"]["orders"]["messages"]["Order"]["$ref"]
    message = resolve(reference)
    assert resolve(message["payload"]["$ref"])["properties"]["reduce_only"]["type"] == "boolean"
    assert message["bindings"]["kafka"]["key"]["description"] == "the record's `portfolio`, UTF-8"


def test_operations_are_from_the_point_of_view_of_penstock() -> None:
    actions = {name: operation["action"] for name, operation in DOCUMENT["operations"].items()}
    assert actions["receive_candles"] == "receive"
    assert actions["send_orders"] == "send"
    assert "receive_orders" not in actions
    assert {actions["send_journal"], actions["receive_journal"]} == {"send", "receive"}


def test_a_record_inside_a_record_is_among_the_schemas() -> None:
    items = DOCUMENT["components"]["schemas"]["Slice"]["properties"]["signals"]["items"]
    assert items == {"$ref": "#/components/schemas/Signal"}


def test_the_document_is_valid_by_the_schema_of_asyncapi_3_0(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kept = request.config.cache.mkdir("asyncapi") / "3.0.0.json"
    if not kept.exists():
        _fetch(tmp_path, kept)
    schema = json.loads(kept.read_text(encoding="utf-8"))
    problems = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft7Validator(schema).iter_errors(DOCUMENT)]
    assert problems == []


def _fetch(folder: Path, target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("the AsyncAPI schema comes in an npm package, and there is no npm here")
    command = [
        npm,
        "pack",
        SPECIFICATION,
        "--fetch-retries=0",
        "--fetch-timeout=20000",
        "--pack-destination",
        str(folder),
    ]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"{SPECIFICATION} cannot be had here")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        member = opened.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        target.write_bytes(member.read())
