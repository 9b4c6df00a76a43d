from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.kafka.decode import Decoded, decode, decode_trades, explain, only
from schemas.candle import Candle
from tests.connectors.kafka.messages import (
    BROKEN,
    GOOD,
    HEAD,
    TAIL,
    TWICE,
    UNUSUAL,
    accepted,
    fuzzed,
    gives_twice,
    message,
)

FIELDS = ("symbol", "timeframe", "ts", "open", "high", "low", "close", "volume")
# What pydantic says of a candle whose form and types are right: for the checks of the market stage.
BY_VALUE = {"greater_than", "greater_than_equal", "value_error", "string_too_short", "string_too_long"}


def rows(found: Decoded) -> list[tuple[object, ...]]:
    columns = (found.ts, found.open, found.high, found.low, found.close, found.volume)
    return list(zip(found.symbol, found.timeframe, *(column.tolist() for column in columns), strict=True))


def row(candle: Candle) -> tuple[object, ...]:
    return tuple(getattr(candle, name) for name in FIELDS)


def indices(found: Decoded, count: int) -> list[int]:
    return list(range(count)) if found.index is None else found.index.tolist()


def is_double(error: str, value: bytes) -> bool:
    """Whether the message was refused, and rightly, for a key that it gives twice."""
    return error.endswith(": Key is given more than once") and gives_twice(value)


def compare(values: list[bytes | None]) -> None:
    """What is accepted is what pydantic accepts, with the same values; what is refused has pydantic's error."""
    found = decode(values)
    at = indices(found, len(values))
    read = dict(zip(at, rows(found), strict=True))
    unread = {one.index: one for one in found.unread}
    assert len(at) == len(found)
    assert sorted([*read, *unread]) == list(range(len(values)))
    for index, value in enumerate(values):
        candle = accepted(value)
        if candle is not None and candle.ts < 2**63:
            assert read[index] == row(candle)
            continue
        if index in unread:
            assert unread[index].raw == value
            if candle is None and value is not None and not is_double(unread[index].error, value):
                with pytest.raises(ValidationError) as wrong:
                    Candle.model_validate_json(value)
                assert unread[index].error == explain(wrong.value)
            continue
        with pytest.raises(ValidationError) as wrong:
            Candle.model_validate_json(value or b"")
        assert {error["type"] for error in wrong.value.errors()} <= BY_VALUE


def test_good_messages_become_columns_in_their_order() -> None:
    found = decode([message(1), message(3, "ETH/USDT", open=9.5, volume=0)])
    assert rows(found) == [
        ("BTC/USDT", "1m", 60_000, 10.0, 12.5, 9.0, 11.0, 1.5),
        ("ETH/USDT", "1m", 180_000, 9.5, 12.5, 9.0, 11.0, 0.0),
    ]
    assert (found.index, found.unread) == (None, ())


def test_no_message_is_no_row() -> None:
    assert (len(decode([])), decode([]).unread) == (0, ())


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_message_harms_no_other_and_is_kept_whole(number: int) -> None:
    found = decode([GOOD, BROKEN[number], message(2)])
    assert [one[2] for one in rows(found)] == [60_000, 120_000]
    assert indices(found, 3) == [0, 2]
    (unread,) = found.unread
    assert (unread.index, unread.raw) == (1, BROKEN[number])
    assert "\n" not in unread.error
    assert 0 < len(unread.error) < 3000


@pytest.mark.parametrize("number", range(len(UNUSUAL)))
def test_an_unusual_message_that_pydantic_takes_is_taken_with_the_same_values(number: int) -> None:
    assert accepted(UNUSUAL[number]) is not None
    compare([GOOD, UNUSUAL[number], message(2)])


@pytest.mark.parametrize("cut", range(1, len(GOOD)))
def test_two_halves_are_no_candle_even_beside_a_message_that_holds_two(cut: int) -> None:
    compare([GOOD[:cut], GOOD[cut:], GOOD + b"," + GOOD])
    compare([GOOD[:cut] + b"}", b"{" + GOOD[cut:], GOOD + b"," + GOOD])
    assert len(decode([GOOD[:cut], GOOD[cut:], GOOD + b"," + GOOD])) == 0


def test_the_halves_of_a_candle_that_a_comma_would_join_are_refused() -> None:
    head, tail = GOOD.split(b", ", 1)
    assert len(decode([head, tail, GOOD + b"," + GOOD]).unread) == 3
    assert accepted(HEAD + TAIL) is not None


def test_values_that_only_the_model_refuses_pass_for_the_market_stage_to_refuse() -> None:
    values = [message(1, high=8.0), message(1, open=-1.0), message(1, volume=-1.0), message(-1)]
    assert len(decode([*values])) == 4
    assert not any(accepted(value) for value in values)


def test_the_error_is_in_the_words_of_pydantic() -> None:
    (missing,) = decode([b'{"symbol":"A","timeframe":"1m","ts":1,"open":1,"high":1,"low":1,"close":"x"}']).unread
    assert missing.error == (
        "close: Input should be a valid number, unable to parse string as a number; volume: Field required"
    )
    (far,) = decode([message(1, ts=2**63)]).unread
    assert far.error == "ts: 9223372036854775808 does not fit into 64 bits"


@pytest.mark.parametrize("number", range(len(TWICE)))
def test_a_key_that_is_given_twice_is_refused_alone_and_among_others(number: int) -> None:
    key = "symbol" if number == len(TWICE) - 1 else "open"
    for values in ([TWICE[number]], [GOOD, TWICE[number], message(2)], [GOOD, TWICE[number], b"{"]):
        found = decode([*values])
        assert [one.error for one in found.unread if one.raw == TWICE[number]] == [
            f"{key}: Key is given more than once"
        ]
        assert len(found) == values.count(GOOD) + values.count(message(2))


@given(st.lists(st.randoms(use_true_random=False).map(fuzzed) | st.just(GOOD), max_size=6))
def test_a_batch_is_accepted_just_as_pydantic_accepts_each_message(values: list[bytes | None]) -> None:
    compare(values)


def test_thousands_of_fuzzed_messages_are_judged_as_pydantic_judges_them() -> None:
    rng = random.Random(7)
    for _ in range(40):
        compare([fuzzed(rng) for _ in range(100)])


FULL = message(1, quote_volume=16.5, count=3, taker_buy_volume=0.5, vwap=11.0, bid=10.5, ask=11.5)


def test_what_a_candle_may_leave_out_is_taken_with_and_without_in_one_batch() -> None:
    found = decode([FULL, GOOD, message(2, count=None), FULL])
    assert (len(found), found.unread) == (4, ())
    doubled = [FULL[:-1] + b',"count":3}', FULL[:-1] + b',"vwap":null}']
    assert [one.error for one in decode([FULL, *doubled]).unread] == [
        f"{key}: Key is given more than once" for key in ("count", "vwap")
    ]


def test_quotes_become_a_column_and_there_is_none_where_nobody_knows_any() -> None:
    assert decode([GOOD, message(2, bid=None, ask=None)]).quote is None
    found = decode([GOOD, FULL, message(3, bid=9.5)])
    assert found.quote is not None
    np.testing.assert_array_equal(found.quote, [[np.nan] * 2, [10.5, 11.5], [9.5, np.nan]])
    kept = only(found, np.array([False, True, True])).quote
    assert kept is not None
    np.testing.assert_array_equal(kept, found.quote[1:])


def trade(**changes: object) -> bytes:
    row = {"symbol": "BTC/USDT", "ts": 7, "id": "42", "price": 61837.63, "amount": 0.02, "side": "sell"}
    return json.dumps({**row, **changes}).encode()


def test_trades_become_columns_and_what_is_none_is_told() -> None:
    values = [trade(), trade(id="x-1", side="buy"), trade(side="up"), None, trade(id=43)]
    found = decode_trades(values)
    assert found.index is not None
    assert found.index.tolist() == [0, 1]
    assert (found.price.tolist(), found.buy.tolist()) == ([61837.63] * 2, [False, True])
    assert (found.id[0], found.id[1] < 0) == (42, True)
    assert [(one.index, one.error) for one in found.unread] == [
        (2, "side: Input should be 'buy' or 'sell'"),
        (3, "the message is null; a trade is an object"),
        (4, "id: Input should be a valid string"),
    ]


def test_ids_are_the_same_numbers_alone_and_among_others() -> None:
    texts = ["1", "12", "007", "", "-3", "1_0", "\u0663", "9" * 18, "9" * 19, "0", "a|b"]
    numbers = decode_trades([trade(id=text) for text in texts]).id.tolist()
    assert numbers == [decode_trades([trade(id=text)]).id.item() for text in texts]
    assert [text for text, number in zip(texts, numbers, strict=True) if number >= 0] == ["1", "12", "9" * 18, "0"]
    assert len(set(numbers)) == len(texts)
