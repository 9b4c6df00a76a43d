"""Messages of the topic of candles: good ones, and everything that can be wrong with one."""

from __future__ import annotations

import json
import random
from typing import Any

from pydantic import ValidationError

from schemas.candle import Candle

MINUTE = 60_000


def candle(minute: int, symbol: str = "BTC/USDT", **changes: Any) -> dict[str, Any]:
    row = {"symbol": symbol, "timeframe": "1m", "ts": minute * MINUTE}
    return {**row, "open": 10.0, "high": 12.5, "low": 9.0, "close": 11.0, "volume": 1.5, **changes}


def message(minute: int, symbol: str = "BTC/USDT", **changes: Any) -> bytes:
    return json.dumps(candle(minute, symbol, **changes)).encode()


def without(key: str) -> bytes:
    return json.dumps({name: value for name, value in candle(1).items() if name != key}).encode()


GOOD = message(1)
HEAD, TAIL = GOOD[:30], GOOD[30:]

# Pydantic takes the last of each; a message that says two things is refused.
TWICE: list[bytes] = [
    GOOD[:-1] + b',"open":10.0}',
    GOOD[:-1] + b',"open":"11.0"}',
    GOOD.replace(b'"open"', b'"open": 11.0, "\\u006fpen"'),
    GOOD.replace(b'"open"', b'"open": "[,]", "open"'),
    GOOD.replace(b'"open"', b'"open": ' + b"9" * 4000 + b', "open"'),
    GOOD.replace(b'"symbol"', b'"symbol": "ETH/USDT", "symbol"'),
]

# Every one is refused, by its form or its types.
BROKEN: list[bytes | None] = [
    None,
    b"",
    b" ",
    b"null",
    b"[]",
    b"7",
    b'"candle"',
    b"{}",
    b"}{",
    HEAD,
    TAIL,
    GOOD + b"," + GOOD,
    GOOD + GOOD,
    b"[" + GOOD + b"]",
    b"\xef\xbb\xbf" + GOOD,
    GOOD.decode().encode("utf-16"),
    GOOD.replace(b"BTC", b"B\xff\xfe"),
    GOOD.replace(b"BTC", b"\\ud800"),
    GOOD.replace(b"BTC", b"B\nC"),
    GOOD.replace(b"10.0", b"NaN"),
    GOOD.replace(b"10.0", b"Infinity"),
    GOOD.replace(b"10.0", b"1e999"),
    GOOD.replace(b"10.0", b"1" + b"0" * 400),
    GOOD.replace(b"10.0", b"010.0"),
    GOOD.replace(b"10.0", b"+10.0"),
    GOOD.replace(b"10.0", b"null"),
    GOOD.replace(b"10.0", b'"ten"'),
    GOOD.replace(b"10.0", b"[" * 5000 + b"]" * 5000),
    GOOD.replace(b"10.0", b"[" * 200_000),
    GOOD.replace(b"10.0", b'{"a":' * 3000 + b"1" + b"}" * 3000),
    GOOD.replace(b"60000", b"60000.5"),
    GOOD.replace(b"60000", b"9" * 30),
    GOOD.replace(b"60000", b"9" * 5000),
    GOOD.replace(b'"1m"', b"1"),
    message(1, extra=1),
    json.dumps({**candle(1), **{f"key{n}": n for n in range(50)}}).encode(),
    *(without(key) for key in candle(1)),
    *TWICE,
]

# Pydantic takes every one, though the struct takes only some.
UNUSUAL: list[bytes] = [
    b" \n" + GOOD + b"\t",
    json.dumps(candle(1), indent=4).encode(),
    GOOD.replace(b"10.0", b'"10.0"'),
    GOOD.replace(b"10.0", b"10"),
    GOOD.replace(b"10.0", b"true").replace(b"9.0", b"0.5"),
    GOOD.replace(b"60000", b"60000.0"),
    GOOD.replace(b"60000", b'"60000"'),
    GOOD.replace(b"60000", b"6e4"),
    GOOD.replace(b'"open"', b'"\\u006fpen"'),
    GOOD.replace(b"BTC", "₿".encode()),
    GOOD.replace(b"BTC", b"B,T,C"),
    json.dumps(dict(reversed(candle(1).items()))).encode(),
]


def accepted(value: bytes | None) -> Candle | None:
    """What pydantic makes of a message, if that gives no key twice."""
    try:
        candle = Candle.model_validate_json(value) if value is not None else None
    except ValidationError:
        return None
    return None if candle is None or gives_twice(value) else candle


def gives_twice(value: bytes | None) -> bool:
    """Whether a message, an object without objects inside, gives a key twice."""
    pairs: list[tuple[str, Any]] = json.loads(value or b"{}", object_pairs_hook=list, parse_int=float)
    return len({key for key, _ in pairs}) < len(pairs)


def fuzzed(rng: random.Random) -> bytes | None:
    """A message that was good before something happened to it; a few are good still."""
    if rng.random() < 0.2:
        return rng.choice(BROKEN[:24] + BROKEN[29:])
    raw = bytearray(rng.choice([GOOD, *UNUSUAL]))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(raw) or 1)
        kind = rng.randrange(5)
        if kind == 0:
            raw[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del raw[at:]
        elif kind == 2:
            del raw[at : at + rng.randint(1, 8)]
        elif kind == 3:
            raw[at:at] = raw[at : at + rng.randint(1, 12)]
        else:
            raw[at:at] = rng.choice([b",", b"{", b"}", b'"', b"[", b"\\", b"\n", b"e9", b"-", b"NaN"])
    return bytes(raw)
