import copy
import json
import pickle
import subprocess
import sys
from decimal import Decimal
from types import NoneType
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metric import Metric
from schemas.record import Record
from schemas.topics import TOPICS, Topic
from schemas.wire import encode, wire
from tests.schemas.examples import EXAMPLES, SIGNAL

every_topic = pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)


def struct(topic: Topic, **changes: Any) -> Any:
    """The example of a topic as a struct, with structs inside where the model has models."""
    values: Any = {**EXAMPLES[topic.name], **changes}
    if topic.name == "journal":
        values["signals"] = [wire(TOPICS["signals"].record)(**signal) for signal in values["signals"]]
        values["command"] = values["command"] and wire(TOPICS["commands"].record)(**values["command"])
    return wire(topic.record)(**values)


def fields(topic: Topic) -> tuple[msgspec.structs.FieldInfo, ...]:
    fast: Any = wire(topic.record)
    return msgspec.structs.fields(fast)


def optional(record: type[Record]) -> list[str]:
    return [name for name, field in record.model_fields.items() if NoneType in get_args(field.annotation)]


def test_there_is_an_example_of_every_record() -> None:
    assert list(EXAMPLES) == list(TOPICS)


@every_topic
def test_the_struct_of_a_record_has_the_fields_of_its_model_in_their_order(topic: Topic) -> None:
    assert [field.name for field in fields(topic)] == list(topic.record.model_fields)


@every_topic
def test_a_field_that_a_model_requires_its_struct_requires_too(topic: Topic) -> None:
    for field in fields(topic):
        assert field.required == topic.record.model_fields[field.name].is_required(), field.name


@every_topic
def test_what_is_encoded_validates_as_the_model_and_is_equal_field_by_field(topic: Topic) -> None:
    line = encode(struct(topic))
    assert topic.record.model_validate_json(line).model_dump() == EXAMPLES[topic.name]
    assert list(json.loads(line)) == list(topic.record.model_fields)


@every_topic
def test_a_struct_encodes_as_the_model_itself_would(topic: Topic) -> None:
    model = topic.record.model_validate(EXAMPLES[topic.name])
    assert json.loads(encode(struct(topic))) == json.loads(model.model_dump_json())


@every_topic
def test_what_is_optional_can_be_none(topic: Topic) -> None:
    absent = dict.fromkeys(optional(topic.record))
    read = topic.record.model_validate_json(encode(struct(topic, **absent)))
    assert read.model_dump() == {**EXAMPLES[topic.name], **absent}


@every_topic
def test_a_record_goes_between_processes(topic: Topic) -> None:
    made = struct(topic)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    assert again == made
    assert encode(again) == encode(made)
    assert copy.deepcopy(made) == made


def test_a_process_that_never_made_a_struct_can_take_one_up() -> None:
    made = pickle.dumps(struct(TOPICS["journal"]))
    code = (
        "import pickle, sys; from schemas.wire import encode; "
        "sys.stdout.buffer.write(encode(pickle.loads(sys.stdin.buffer.read())))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=made, capture_output=True, check=True, timeout=60)
    assert done.stdout == encode(struct(TOPICS["journal"]))


@every_topic
def test_a_record_is_one_line_whatever_its_texts_hold(topic: Topic) -> None:
    texts = {name: "one\ntwo\r\u2028" for name, value in EXAMPLES[topic.name].items() if isinstance(value, str)}
    line = encode(struct(topic, **texts))
    assert b"\n" not in line
    assert b"\r" not in line


def test_the_struct_of_a_model_is_made_once() -> None:
    assert wire(Metric) is wire(Metric)
    assert wire(Metric).__name__ == "Metric"


def test_decimals_are_texts_and_keep_their_digits() -> None:
    fill = json.loads(encode(struct(TOPICS["fills"], quantity=Decimal("0.10"), price=Decimal("60000.0"))))
    assert (fill["quantity"], fill["price"]) == ("0.10", "60000.0")


def test_a_plain_dict_is_encoded_in_its_own_order() -> None:
    assert encode({"b": 1, "a": Decimal("1.50"), "c": None}) == b'{"b":1,"a":"1.50","c":null}'


def test_a_text_is_utf_8() -> None:
    assert "straße".encode() in encode(wire(TOPICS["signals"].record)(**SIGNAL))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_to_the_last_bit(value: float) -> None:
    line = encode(wire(Metric)(ts=0, name="n", value=value, labels={}))
    assert Metric.model_validate_json(line).value == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**9), max_value=10**9))
def test_a_decimal_comes_back_digit_by_digit(value: Decimal) -> None:
    record = TOPICS["fills"].record
    read: Any = record.model_validate_json(encode(struct(TOPICS["fills"], fee=value)))
    assert str(read.fee) == str(value)
