"""What holds of the orders of a portfolio, whatever was killed: read off its topics, without asking it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, groupby
from typing import Any

import msgspec

from tests.chaos.compare import Row

BY_HAND = "manual"


def broken(rows: Mapping[str, Sequence[Row]]) -> list[str]:
    """Every promise that is not kept, in words."""
    orders = {row.id: msgspec.json.decode(row.value) for row in rows["orders"]}
    fills = [msgspec.json.decode(row.value) for row in rows["fills"]]
    places = defaultdict[str, list[Any]](list)
    for row in rows["positions"]:
        one = msgspec.json.decode(row.value)
        if one["mode"] == "live":
            places[one["id"]].append(one)
    filled = Counter(fill["order_id"] for fill in fills)
    wrong = [f"order {id_} was filled {times} times" for id_, times in filled.items() if times > 1]
    wrong += [f"order {id_} was filled, but never made" for id_ in filled.keys() - orders.keys()]
    own = defaultdict[str, list[Any]](list)
    for fill in fills:
        own[fill["position_id"]].append((orders.get(fill["order_id"], fill), fill))
    for id_ in own.keys() | places.keys():
        wrong += [f"position {id_}: {why}" for why in _position(own[id_], places[id_])]
    return wrong + list(_intents(rows["signals"], orders, filled))


def _position(own: Sequence[tuple[Any, Any]], places: Sequence[Any]) -> Iterator[str]:
    """One position: what has left is what has come, and the stop is for what is still there."""
    parts: list[tuple[Decimal, Decimal, Decimal | None]] | None = []
    held, left = Decimal(0), list[Decimal]()
    for order, fill in own:
        quantity = Decimal(fill["quantity"])
        if quantity != Decimal(order["quantity"]):
            yield f"order {order['id']} was filled in part"
        if order["leg"] == "entry":
            parts, held = _parts(order), quantity
            if sum(one[0] for one in parts) != quantity:
                yield "its parts are not all of it"
        else:
            before, held = held, held - quantity
            if order["leg"] in ("close", "exit") and quantity < before and " % " in order["reason"]:
                parts = None  # a share of each part, rounded: what each is then is for the tests of the account
            if parts is not None and quantity not in _leaving(order, parts, before):
                yield f"{order['leg']} of {quantity} of {before} in {parts}"
            parts = None if parts is None else _rest(order, parts, quantity)
        left.append(held)
    told = [quantity for quantity, _ in groupby(Decimal(one["quantity"]) for one in places if one["status"] == "open")]
    if told != [one for one in left if one]:
        yield f"it was told as {told}, but its fills leave {left}"
    closed = sum(one["status"] == "closed" for one in places)
    if min(left, default=Decimal(0)) < 0 or closed != (left[-1:] == [0]):
        yield f"its fills leave {left}, and it was closed {closed} times"


def _parts(order: Any) -> list[tuple[Decimal, Decimal, Decimal | None]]:
    """Quantity, stop, target; the nearest stop first: stops that move keep their order, or meet."""
    parts = [
        (Decimal(one["quantity"]), Decimal(one["stop"]), _price(one["target"]))
        for one in order.get("tranches") or [order]
    ]
    return sorted(parts, key=lambda one: one[1], reverse=order["side"] == "buy")


def _price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _leaving(order: Any, parts: Sequence[tuple[Decimal, Decimal, Decimal | None]], held: Decimal) -> list[Decimal]:
    """What may leave by an order: a target takes its own parts, a stop the nearest ones, anything else all."""
    if order["leg"] == "target":
        return [sum((one[0] for one in parts if one[2] == _price(order["price"])), Decimal(0))]
    if order["leg"] == "stop":
        return list(accumulate(one[0] for one in parts))
    return [held]


def _rest(order: Any, parts: list[tuple[Decimal, Decimal, Decimal | None]], quantity: Decimal) -> list[Any]:
    if order["leg"] == "target":
        return [one for one in parts if one[2] != _price(order["price"])]
    gone = [*accumulate(one[0] for one in parts)]
    return [one for one, upto in zip(parts, gone, strict=True) if upto > quantity]


def _intents(signals: Sequence[Row], orders: Mapping[str, Any], filled: Counter[str]) -> Iterator[str]:
    """No click is traded twice."""
    intent = {}
    for row in signals:
        signal = msgspec.json.decode(row.value)
        if signal["strategy"] == BY_HAND:
            intent[signal["id"]] = signal["reason"]
    entries = [order for order in orders.values() if order["strategy"] == BY_HAND and order["leg"] == "entry"]
    traded = Counter(intent.get(order["signal_id"], "nobody") for order in entries if filled[order["id"]])
    yield from (f"{whose} was traded {times} times" for whose, times in traded.items() if times > 1)
    yield from (f"order {order['id']} was by hand of nobody" for order in entries if order["signal_id"] not in intent)
