from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import TOPICS
from sinks.gather import HASHED, RARE, gather, output_hash


def put(parts: Path, part: str, topic: str, *records: dict[str, Any]) -> None:
    (parts / part).mkdir(parents=True, exist_ok=True)
    with (parts / part / f"{topic}.jsonl").open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def gathered(parts: Path, topic: str) -> list[dict[str, Any]]:
    out = parts.parent / f"{parts.name}-out"
    out.mkdir()
    gather(parts, out)
    return [json.loads(line) for line in (out / f"{topic}.jsonl").read_text().splitlines()]


def test_every_topic_that_goes_out_is_hashed_but_the_life_of_the_run() -> None:
    assert {*HASHED, *RARE} == {topic.name for topic in TOPICS.values() if topic.direction == "out"} - {"events"}


def test_there_is_a_file_for_every_hashed_topic_also_without_records(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    digests = gather(tmp_path / "parts", tmp_path)
    assert {path.stem for path in tmp_path.glob("*.jsonl")} == set(HASHED) == set(digests)
    assert set(digests.values()) == {sha256(b"").hexdigest()}


def test_a_rare_topic_has_a_file_and_a_digest_when_it_has_a_record(tmp_path: Path) -> None:
    put(tmp_path / "parts", "portfolio-main", "breakers", {"ts": 1})
    digests = gather(tmp_path / "parts", tmp_path)
    assert digests["breakers"] == sha256(b'{"ts": 1}\n').hexdigest()
    assert (tmp_path / "breakers.jsonl").read_bytes() == b'{"ts": 1}\n'


def test_a_digest_is_the_sha256_of_the_file(tmp_path: Path) -> None:
    put(tmp_path / "parts", "portfolio-main", "orders", {"ts": 1}, {"ts": 2})
    digests = gather(tmp_path / "parts", tmp_path)
    assert digests["orders"] == sha256(b'{"ts": 1}\n{"ts": 2}\n').hexdigest()
    assert digests["orders"] == sha256((tmp_path / "orders.jsonl").read_bytes()).hexdigest()


def test_what_shards_say_is_ordered_by_instant_and_then_by_symbol(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    put(parts, "shard-0000", "signals", {"ts": 2, "symbol": "B"}, {"ts": 3, "symbol": "B"})
    put(parts, "shard-0001", "signals", {"ts": 1, "symbol": "C"}, {"ts": 2, "symbol": "A"}, {"ts": 10, "symbol": "A"})
    assert [(one["ts"], one["symbol"]) for one in gathered(parts, "signals")] == [
        (1, "C"),
        (2, "A"),
        (2, "B"),
        (3, "B"),
        (10, "A"),
    ]


def test_records_of_one_symbol_and_instant_keep_their_order(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    put(parts, "shard-0000", "alerts", *({"ts": 1, "symbol": "A", "n": n} for n in (3, 1, 2)))
    assert [one["n"] for one in gathered(parts, "alerts")] == [3, 1, 2]


def test_metrics_are_ordered_by_the_symbol_among_their_labels(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    put(parts, "shard-0000", "metrics", {"ts": 1, "labels": {"symbol": "B"}}, {"ts": 1, "labels": {}})
    put(parts, "shard-0001", "metrics", {"ts": 1, "labels": {"symbol": "A", "gate": "stop"}})
    assert [one["labels"].get("symbol") for one in gathered(parts, "metrics")] == [None, "A", "B"]


def test_what_is_about_no_symbol_comes_first_at_its_instant(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    put(parts, "shard-0000", "alerts", {"ts": 1, "symbol": "A"}, {"ts": 1, "symbol": None})
    assert [one["symbol"] for one in gathered(parts, "alerts")] == [None, "A"]


@pytest.mark.parametrize("topic", ["orders", "rejections", "fills", "positions", "equity"])
def test_what_the_portfolio_decided_stays_in_the_order_of_its_decisions(tmp_path: Path, topic: str) -> None:
    parts = tmp_path / "parts"
    put(parts, "portfolio-main", topic, {"ts": 2, "symbol": "B"}, {"ts": 2, "symbol": "A"}, {"ts": 1, "symbol": "A"})
    assert [(one["ts"], one["symbol"]) for one in gathered(parts, topic)] == [(2, "B"), (2, "A"), (1, "A")]


def test_files_of_other_topics_are_left_where_they_are(tmp_path: Path) -> None:
    put(tmp_path / "parts", "portfolio-main", "state", {"ts": 1})
    assert "state" not in gather(tmp_path / "parts", tmp_path)
    assert not (tmp_path / "state.jsonl").exists()


@given(
    records=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ABCDE"), st.integers(0, 9)), max_size=20),
    shard_of=st.fixed_dictionaries({symbol: st.integers(0, 3) for symbol in "ABCDE"}),
    how=st.data(),
)
def test_neither_order_nor_hash_tells_how_the_records_were_spread_over_shards(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[int, str, int]],
    shard_of: dict[str, int],
    how: st.DataObject,
) -> None:
    one, many = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("many")
    # Symbols of a shard are mixed in any way; what is said of one symbol is said in one order.
    mixed = sorted(range(len(records)), key=lambda i: (records[i][0], i))
    turns = iter(how.draw(st.permutations([records[i][1] for i in mixed])))
    queues = {symbol: [i for i in mixed if records[i][1] == symbol] for symbol in "ABCDE"}
    for i in mixed:
        put(one / "parts", "shard-0000", "alerts", _alert(records[i]))
    for symbol in turns:
        put(many / "parts", f"shard-{shard_of[symbol]:04d}", "alerts", _alert(records[queues[symbol].pop(0)]))
    digests = [gather(folder / "parts", folder) for folder in (one, many)]
    assert (one / "alerts.jsonl").read_bytes() == (many / "alerts.jsonl").read_bytes()
    assert output_hash(digests[0]) == output_hash(digests[1])


def _alert(record: tuple[int, str, int]) -> dict[str, Any]:
    ts, symbol, number = record
    return {"ts": ts, "symbol": symbol, "n": number}


def test_the_output_hash_is_that_of_topics_and_digests_in_the_order_of_names() -> None:
    assert output_hash({"b": "22", "a": "11"}) == sha256(b"a 11\nb 22\n").hexdigest()
    assert output_hash({"a": "11", "b": "22"}) == output_hash({"b": "22", "a": "11"})
    assert output_hash({"a": "11", "b": "23"}) != output_hash({"a": "11", "b": "22"})


def test_one_byte_in_one_topic_changes_the_output_hash(tmp_path: Path) -> None:
    put(tmp_path / "parts", "portfolio-main", "fills", {"ts": 1})
    before = output_hash(gather(tmp_path / "parts", tmp_path))
    put(tmp_path / "parts", "portfolio-main", "fills", {"ts": 2})
    assert output_hash(gather(tmp_path / "parts", tmp_path)) != before
