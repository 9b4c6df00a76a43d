import json
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from schemas.export import DIALECT, json_schemas, records
from schemas.metric import Metric
from schemas.order import Order
from schemas.topics import TOPICS
from schemas.wire import encode, wire

SCHEMAS = json_schemas()
ORDER: dict[str, Any] = {
    "id": "8afae159-2730-564c-9835-a71761348c7b",
    "ts": 60_000,
    "portfolio": "main",
    "strategy": "sma_cross",
    "symbol": "BTC/USDT",
    "leg": "entry",
    "side": "buy",
    "type": "market",
    "quantity": Decimal("1E-8"),
    "price": None,
    "stop": Decimal("9.50"),
    "target": None,
    "reduce_only": False,
    "position_id": "p",
    "signal_id": None,
    "reason": "crossed",
    "checks": {"size": {"risk_pct": 0.5, "note": "x", "none": None}},
}


def on_the_wire(**changes: Any) -> Any:
    return json.loads(encode(wire(Order)(**{**ORDER, **changes})))


def test_there_is_a_schema_for_the_record_of_every_topic_and_for_the_summary() -> None:
    assert set(SCHEMAS) == {topic.record.__name__ for topic in TOPICS.values()} | {"Clock", "Summary"}
    assert len(records()) == len(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_draft_2020_12(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"urn:penstock:record:{name}"
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("record", records(), ids=lambda record: record.__name__)
def test_every_field_is_required_as_it_always_is_on_the_wire_unless_it_is_left_out_there(record: Any) -> None:
    always = [name for name, field in record.model_fields.items() if field.is_required()]
    assert sorted(SCHEMAS[record.__name__]["required"]) == sorted(always)
    left_out_of = {"Order": ["tranches"], "Slice": ["command", "received_ms"], "Signal": ["bid", "ask", "share_pct"]}
    left_out = left_out_of.get(record.__name__, [])
    assert record.__name__ == "Candle" or [*always, *left_out] == list(record.model_fields)


def test_what_the_hot_path_encodes_is_valid() -> None:
    Draft202012Validator(SCHEMAS["Order"]).validate(on_the_wire())
    metric = wire(Metric)(ts=1, name="x", value=1.5, labels={"a": "b"})
    Draft202012Validator(SCHEMAS["Metric"]).validate(json.loads(encode(metric)))


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": Decimal("-1")},
        {"stop": 9.5},
        {"stop": Decimal("NaN")},
        {"side": "hold"},
        {"ts": "now"},
        {"ts": -1},
        {"symbol": ""},
        {"checks": {"size": 1}},
    ],
    ids=str,
)
def test_what_no_consumer_should_accept_is_invalid(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMAS["Order"]).validate(on_the_wire(**changes))


def test_an_unknown_or_missing_field_is_invalid() -> None:
    validator = Draft202012Validator(SCHEMAS["Order"])
    assert not validator.is_valid({**on_the_wire(), "extra": 1})
    assert not validator.is_valid({key: value for key, value in on_the_wire().items() if key != "stop"})


def test_a_decimal_may_be_negative_unless_its_bound_says_otherwise() -> None:
    validator = Draft202012Validator(SCHEMAS["Position"]["properties"]["realised_pnl"])
    assert validator.is_valid("-12.50")
    assert not validator.is_valid("twelve")
