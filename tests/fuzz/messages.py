"""Candles with everything else that can come over a wire among them, the same for the same seed.

A bad message is bad for sure: a name of a fault stands for one that must become exactly one dead letter.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.connectors.kafka.messages import accepted, candle

Headers = list[tuple[str, str | bytes | None]]  # as a producer takes them; here all are bytes
Message = tuple[bytes, bytes | None, Headers, str]  # key, value, headers, kind
Fault = Callable[[random.Random, dict[str, Any]], bytes | None]

GOOD = "good"
SYMBOLS = ("BTC/USDT", "ETH/USDT:USDT", "ÄÖ/USDT")
BAD_IN_A_ROW = 8  # at most
BIGGEST = 999_000  # bytes of a value that a producer and a broker take as they come, with key and headers
NUMBERS = ("ts", "open", "high", "low", "close", "volume")


def fuzzed(seed: int, count: int) -> Iterator[Message]:
    """``count`` bad messages, and good ones before, between and behind them.

    The good ones are, turn by turn, the next minute of each of :data:`SYMBOLS`, from the first one on.
    """
    rng, bad, good = random.Random(seed), 0, 0
    while bad < count or good % len(SYMBOLS):
        for _ in range(min(rng.randint(0, BAD_IN_A_ROW), count - bad) if good >= len(SYMBOLS) else 0):
            fault = rng.choice(RARE) if rng.random() < 0.001 else rng.choice(COMMON)
            yield _key(rng), FAULTS[fault](rng, _next(rng.randint(good, good + 9))), _headers(rng), fault
            bad += 1
        row = _next(good)
        yield row["symbol"].encode(), _raw(row), [("schema", b"Candle/1")], GOOD
        good += 1


def place(good: int) -> tuple[str, int]:
    """Symbol and close time of a good message by its number among the good ones.

    >>> place(0), place(4)
    (('BTC/USDT', 60000), ('ETH/USDT:USDT', 120000))
    """
    return SYMBOLS[good % len(SYMBOLS)], (good // len(SYMBOLS) + 1) * 60_000


def _next(good: int) -> dict[str, Any]:
    symbol, ts = place(good)
    return {**candle(0, symbol), "ts": ts}


def _raw(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def _with(row: dict[str, Any], key: str, written: bytes) -> bytes:
    """The candle with that text for the value of a key."""
    return _raw({**row, key: "HERE"}).replace(b'"HERE"', written)


def _key(rng: random.Random) -> bytes:
    return rng.choice([b"", b"BTC/USDT", b"\\", rng.randbytes(rng.randint(0, 12))])


def _headers(rng: random.Random) -> Headers:
    names = ("id", "schema", "traceparent", "a=b", "naïve", "\\", "")
    return [(rng.choice(names), rng.choice([None, b"", b"1=2", rng.randbytes(9)])) for _ in range(rng.randint(0, 3))]


def _truncated(rng: random.Random, row: dict[str, Any]) -> bytes:
    raw = _raw(row)
    return raw[: rng.randint(1, len(raw) - 1)]


def _head_lost(rng: random.Random, row: dict[str, Any]) -> bytes:
    raw = _raw(row)
    return raw[rng.randint(1, len(raw) - 1) :]


def _wrong_type(rng: random.Random, row: dict[str, Any]) -> bytes:
    number, text = rng.choice(NUMBERS), rng.choice(("symbol", "timeframe"))
    values: dict[str, tuple[Any, ...]] = {
        number: (None, [], [1], {}, {"value": 1}, "ten", ""),
        text: (None, [], {}, 7, 1.5, True, ["BTC/USDT"]),
    }
    key = rng.choice((number, text))
    return _raw({**row, key: rng.choice(values[key])})


def _not_finite(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _with(row, rng.choice(NUMBERS), rng.choice([b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"nan"]))


def _out_of_range(rng: random.Random, row: dict[str, Any]) -> bytes:
    key = rng.choice(NUMBERS)
    written = [b"-1", b"-60000", b"-1e308", b"1" + b"0" * 400, b"1" + b"0" * 5000]
    if key == "ts":
        written += [str(number).encode() for number in (2**63, 2**64, -(2**63), 10**30, 1e300, 60_000.5)]
    else:
        written += [b"-5e-324", b"0" if key != "volume" else b"-0.1"]
    return _with(row, key, rng.choice(written))


def _contradiction(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _raw({**row, **rng.choice([{"high": 1.0}, {"low": 99.0}, {"open": 13.0}, {"close": 8.0}])})


def _misaligned(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _raw({**row, "ts": row["ts"] + rng.randint(1, 59_999)})


def _ahead(rng: random.Random, row: dict[str, Any]) -> bytes:
    """A time that nobody lives to see."""
    return _raw({**row, "ts": row["ts"] + 60_000 * rng.randint(10**8, 10**13)})


def _again(rng: random.Random, row: dict[str, Any]) -> bytes:
    """The first candle of a symbol once more, as it was or with another figure."""
    return _raw({**row, "ts": 60_000, "volume": rng.choice([1.5, 2.5])})


def _wrong_symbol(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _raw({**row, "symbol": rng.choice(["", "x" * rng.randint(65, 500)])})


def _wrong_timeframe(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _raw({**row, "timeframe": rng.choice(["5m", "1h", "1M", "", "m", "0m", "-1m", "1 m", "60s", "x" * 99])})


def _missing_key(rng: random.Random, row: dict[str, Any]) -> bytes:
    gone = rng.sample(sorted(row), rng.randint(1, len(row) - 1))
    return _raw({key: value for key, value in row.items() if key not in gone})


def _extra_key(rng: random.Random, row: dict[str, Any]) -> bytes:
    more = {rng.choice(["extra", "Open", "open ", "", "__proto__", "\x00"]): 1}
    return _raw({**more, **row} if rng.random() < 0.5 else {**row, **more})


def _duplicate_key(rng: random.Random, row: dict[str, Any]) -> bytes:
    key = rng.choice(sorted(row))
    value = json.dumps(rng.choice([row[key], row["close"], "ETH/USDT"])).encode()
    return _raw(row)[:-1] + b', "' + key.encode() + b'": ' + value + b"}"


def _other_encoding(rng: random.Random, row: dict[str, Any]) -> bytes:
    text = _raw({**row, "symbol": "ÄÖ/USDT"}).decode()
    return text.encode(rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "utf-8-sig", "cp500"]))


def _broken_utf8(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _with(
        row, "symbol", b'"B' + rng.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\\ud800"]) + b'C"'
    )


def _control_character(rng: random.Random, row: dict[str, Any]) -> bytes:
    return _with(row, "symbol", b'"B' + bytes([rng.randrange(32)]) + b'C"')


def _not_json(rng: random.Random, row: dict[str, Any]) -> bytes:
    raw = _raw(row)
    forms = [
        str(row).encode(),
        raw[:-1] + b",}",
        b"// candle\n" + raw,
        raw + b"x",
        raw.replace(b":", b"=", 1),
        _with(row, "open", rng.choice([b"010.0", b"+10.0", b"0x0a", b".5", b"10.", b"1_0", b"10,0", b"- 1"])),
        b"ts=60000 open=10.0",
        b"<candle/>",
    ]
    return rng.choice(forms)


def _not_one_object(rng: random.Random, row: dict[str, Any]) -> bytes:
    raw = _raw(row)
    forms = [
        b"[" + raw + b"]",
        raw + raw,
        raw + b"," + raw,
        raw + b"\n" + raw,
        b"{}",
        b"[]",
        b"}{",
        json.dumps(raw.decode()).encode(),
    ]
    return rng.choice([*forms, b"7", b"true", b"null", b'"candle"', b"{" + raw + b"}"])


def _binary(rng: random.Random, row: dict[str, Any]) -> bytes:
    return rng.choice(
        [
            rng.randbytes(rng.randint(1, 300)),
            gzip.compress(_raw(row), mtime=0),
            b"\x00" * 99,
            b"{" + rng.randbytes(50) + b"}",
        ]
    )


def _mutated(rng: random.Random, row: dict[str, Any]) -> bytes:
    """A few bytes changed, doubled or lost; what happens to be a candle still is changed further."""
    raw = bytearray(_raw(row))
    while True:
        at, length = rng.randrange(len(raw) + 1), rng.randint(1, 8)
        raw[at : at + length] = rng.choice(
            [b"", raw[at : at + length] * 2, rng.randbytes(length), b'"', b"{", b"}", b","]
        )
        if accepted(bytes(raw)) is None:
            return bytes(raw)


def _deep(rng: random.Random, row: dict[str, Any]) -> bytes:
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    depth = rng.choice([200, 5_000, 150_000])
    nested = opening * depth + rng.choice([b"1" + closing * depth, b""])
    return rng.choice([nested, _with(row, "open", nested), _raw(row)[:-1] + b',"open":' + nested + b"}"])


def _huge(rng: random.Random, row: dict[str, Any]) -> bytes:
    size = rng.choice([BIGGEST, rng.randint(100_000, BIGGEST)])
    filled = _with(row, rng.choice(["symbol", "open", "more"]), b'"' + b"x" * (size - 200) + b'"')
    digits = _with(row, "open", b"9" * (size - 200))
    return rng.choice(
        [filled, digits, b"[" + b"1," * (size // 2 - 9) + b"1]", b" " * size, b"{" * size, b"\xff" * size]
    )


FAULTS: dict[str, Fault] = {
    "truncated": _truncated,
    "head lost": _head_lost,
    "wrong type": _wrong_type,
    "not finite": _not_finite,
    "out of range": _out_of_range,
    "contradiction": _contradiction,
    "misaligned": _misaligned,
    "ahead": _ahead,
    "again": _again,
    "wrong symbol": _wrong_symbol,
    "wrong timeframe": _wrong_timeframe,
    "missing key": _missing_key,
    "extra key": _extra_key,
    "duplicate key": _duplicate_key,
    "other encoding": _other_encoding,
    "broken utf-8": _broken_utf8,
    "control character": _control_character,
    "not json": _not_json,
    "not one object": _not_one_object,
    "binary": _binary,
    "mutated": _mutated,
    "empty": lambda rng, row: b"",
    "blank": lambda rng, row: rng.choice([b" ", b"\n", b"\t \r\n"]),
    "null": lambda rng, row: None,
    "deep": _deep,
    "huge": _huge,
}
RARE = ("deep", "huge")  # for their size: one in a thousand
COMMON = tuple(fault for fault in FAULTS if fault not in RARE)
