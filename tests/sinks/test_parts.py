from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metric import Metric
from schemas.wire import encode, wire
from sinks.parts import PartError, PartSink, PartWriter

MetricRow = wire(Metric)


def metric(number: int) -> Any:
    return MetricRow(ts=number, name="n", value=float(number), labels={})


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob("*"))}


def test_records_are_lines_in_the_file_of_their_topic(tmp_path: Path) -> None:
    part = PartWriter(tmp_path / "shard", {})
    part.write_batch([{"metrics": [metric(1), metric(2)]}, {"alerts": [{"a": 1}], "metrics": [metric(3)]}])
    part.close()
    assert contents(tmp_path / "shard") == {
        "alerts.jsonl": '{"a":1}\n',
        "metrics.jsonl": "".join(f'{{"ts":{n},"name":"n","value":{n}.0,"labels":{{}}}}\n' for n in (1, 2, 3)),
    }


def test_a_line_is_the_record_as_it_is_on_the_wire(tmp_path: Path) -> None:
    part = PartWriter(tmp_path, {})
    part.write_batch([{"metrics": [metric(5)]}])
    part.close()
    assert (tmp_path / "metrics.jsonl").read_bytes() == encode(metric(5)) + b"\n"


def test_a_snapshot_holds_the_lengths_and_all_is_with_the_operating_system(tmp_path: Path) -> None:
    part = PartWriter(tmp_path, {})
    assert part.snapshot() == {}
    part.write_batch([{"a": [1, 2]}, {"b": ["é"]}])
    assert part.snapshot() == {"a": 4, "b": 5}
    assert contents(tmp_path) == {"a.jsonl": "1\n2\n", "b.jsonl": '"é"\n'}
    part.write_batch([{"a": [3]}])
    assert part.snapshot() == {"a": 6, "b": 5}


def test_on_resume_only_the_records_at_the_snapshot_are_there(tmp_path: Path) -> None:
    part = PartWriter(tmp_path, {})
    part.write_batch([{"a": [1]}])
    state = part.snapshot()
    part.write_batch([{"a": [2, 3]}, {"later": [4]}])
    part.snapshot()  # written, but its epoch never became durable
    again = PartWriter(tmp_path, state)
    assert contents(tmp_path) == {"a.jsonl": "1\n"}
    again.write_batch([{"a": [5]}, {"later": [6]}])
    assert again.snapshot() == {"a": 4, "later": 2}
    assert contents(tmp_path) == {"a.jsonl": "1\n5\n", "later.jsonl": "6\n"}


def test_a_line_torn_by_a_crash_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a":1}\n{"a":')
    PartWriter(tmp_path, {"a": 8}).close()
    assert contents(tmp_path) == {"a.jsonl": '{"a":1}\n'}


def test_without_a_snapshot_what_an_earlier_attempt_wrote_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("1\n")
    PartWriter(tmp_path, {})
    assert contents(tmp_path) == {}


def test_a_file_shorter_than_at_the_snapshot_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("1\n")
    with pytest.raises(PartError, match=r"a\.jsonl has 2 bytes, but 4 when the checkpoint was made.*--overwrite"):
        PartWriter(tmp_path, {"a": 4})
    assert contents(tmp_path) == {"a.jsonl": "1\n"}


def test_a_file_that_is_gone_since_the_snapshot_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"a\.jsonl has 0 bytes, but 4 when the checkpoint was made.*--overwrite"):
        PartWriter(tmp_path, {"a": 4})


batches = st.lists(st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(0, 999), max_size=4)), max_size=8)


@given(batches, st.data())
def test_a_writer_that_dies_and_goes_on_leaves_what_one_that_lives_would(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, list[int]]], data: st.DataObject
) -> None:
    alive, dying = tmp_path_factory.mktemp("alive"), tmp_path_factory.mktemp("dying")
    whole = PartWriter(alive, {})
    for item in items:
        whole.write_batch([item])
    whole.close()
    durable = data.draw(st.integers(0, len(items)))
    lost = data.draw(st.integers(durable, len(items)))
    first = PartWriter(dying, {})
    first.write_batch(items[:durable])
    state = first.snapshot()
    first.write_batch(items[durable:lost])
    first.close()
    again = PartWriter(dying, state)
    again.write_batch(items[durable:])
    again.close()
    full = {name: text for name, text in contents(alive).items() if text}
    assert {name: text for name, text in contents(dying).items() if text} == full


def test_a_record_goes_to_the_part_that_its_key_names(tmp_path: Path) -> None:
    sink = PartSink(tmp_path, ["shard-0001", "portfolio-main", "shard-0000"])
    names = sink.list_parts()
    assert names == ["portfolio-main", "shard-0000", "shard-0001"]
    assert [names[sink.part_fn(name)] for name in names] == names


def test_a_part_is_opened_where_its_snapshot_left_it(tmp_path: Path) -> None:
    sink = PartSink(tmp_path, ["s"])
    part = sink.build_part("parts", "s", None)
    part.write_batch([{"a": [1]}])
    state = part.snapshot()
    part.write_batch([{"a": [2]}])
    part.close()
    sink.build_part("parts", "s", state).close()
    assert contents(tmp_path / "s") == {"a.jsonl": "1\n"}
