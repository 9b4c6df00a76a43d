"""Which trace a record belongs to, in the form of W3C Trace Context (https://www.w3.org/TR/trace-context/).

A trace is one candle: all that was made at its close has its trace id, in every process and again after a crash. An
order has the trace of its signal; its fill happens at another candle and has the trace of that one. The ids in the
records (``signal_id``, ``order_id``, ``position_id``) lead from one to the other; ``penstock trace`` goes that way.
What belongs to no candle of one symbol (equity, metrics, dead letters, …) has a trace of its own.
"""

from __future__ import annotations

from hashlib import blake2b

OF_A_CANDLE = frozenset({"candles", "signals", "orders", "rejections", "fills", "positions", "alerts"})
"""Topics whose records, if they name a symbol, were made at the close ``ts`` of a candle of it."""


def trace_id(symbol: str, ts: int) -> str:
    """The trace of the candle of ``symbol`` that closed at ``ts`` (epoch ms UTC): 32 hexadecimal digits.

    >>> trace_id("BTC/USDT", 1_640_995_260_000)
    '227b1e760324164d0db050fac1b3216c'
    """
    return blake2b(f"{symbol}|{ts}".encode(), digest_size=16).hexdigest()


def span_id(topic: str, id_: str) -> str:
    """The span of a record, by its topic and its id there: 16 hexadecimal digits.

    >>> span_id("orders", "8afae159-2730-564c-9835-a71761348c7b")
    '626175f0d437d733'
    """
    return blake2b(f"{topic}|{id_}".encode(), digest_size=8).hexdigest()


def traceparent(topic: str, id_: str, symbol: str | None, ts: int) -> str:
    """The header ``traceparent`` of a record: version, trace, span, and that it was sampled.

    >>> traceparent("orders", "8afae159-2730-564c-9835-a71761348c7b", "BTC/USDT", 1_640_995_260_000)
    '00-227b1e760324164d0db050fac1b3216c-626175f0d437d733-01'
    """
    if symbol is None or topic not in OF_A_CANDLE:
        # The text of a candle ends in a digit, so this one is none.
        trace = blake2b(f"{topic}|{id_}|".encode(), digest_size=16).hexdigest()
    else:
        trace = trace_id(symbol, ts)
    return f"00-{trace}-{span_id(topic, id_)}-01"
