"""The path of a candle: what was made of it, and of that, by the ids in the records.

Back from any record to the signal it began with: a fill has its order, an order its signal; a stop or target has its
position, whose id is that of the order that opened it. And from there forward: orders and rejections have the signal,
fills the order, positions the fill; what closes a position has its id, and may have a signal of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.kafka.find import Finder, Found
from schemas.ids import event_id

RECORDS = ("orders", "fills", "positions", "rejections", "signals")
_RANK = {"signals": 1, "orders": 2, "rejections": 2, "fills": 3, "positions": 4}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path. ``found`` is None for a candle that is not on the topic any more."""

    topic: str
    symbol: str
    ts: int
    found: Found | None
    after_ms: int | None = None
    """Between the message of the candle at whose close this was made, and this message: by the clocks that stamp."""


@dataclass
class Path:
    """What has been found so far. ``candle`` is where to begin when that is a candle."""

    finder: Finder
    candle: tuple[str, int] | None = None
    found: list[Found] = field(default_factory=list)

    def of_candle(self, symbol: str, ts: int) -> list[Step]:
        """All that was made of the candle of ``symbol`` that closed at ``ts``. Empty when there is nothing, nor it."""
        self.candle = (symbol, ts)
        return self._forward(list(self.finder.records("signals", self._at_candle(), self._of_candle, ts)), [], ts)

    def of_trace(self, trace: str) -> list[Step]:
        """The same for the candle whose trace id this is. Empty when no record has it."""
        for topic in (*RECORDS, "alerts"):
            found = self.finder.traced(topic, trace)
            if found is not None and found["symbol"]:
                return self.of_candle(found["symbol"], found.ts)
        return []

    def whole(self, begun: str) -> list[str]:
        """The ids of records that begin so: of what belongs to an order, that of the order."""
        ids: set[str] = set()
        for topic in RECORDS:
            records = self.finder.records(topic, [begun], lambda one: str(one["id"]).startswith(begun))
            ids |= {str(one["id"]).partition(":")[0] for one in records}
        return sorted(ids)

    def of_record(self, id_: str) -> list[Step]:
        """From the record with an id back to its candle, and all that was made of that. Empty when there is none."""
        for topic in RECORDS:
            for found in self.finder.records(topic, [id_], lambda one: id_ in (one["id"], _text(one.seen.id))):
                first = self._first(found)
                signals = [first] if first.topic == "signals" else []
                return self._forward(signals, [] if signals else [first], first.ts)
        return []

    def _of_candle(self, one: Found) -> bool:
        return (one["symbol"], one.ts) == self.candle

    def _at_candle(self) -> list[str]:
        """What stands in every record of the candle to begin with, as our own JSON has it."""
        return [f'"ts":{self.candle[1]},'] if self.candle else []

    def _first(self, one: Found) -> Found:
        """The record that the path of this one began with, as far back as the topics go."""
        before: Found | None = None
        if one.topic == "fills":
            before = self._one("orders", one["order_id"])
        elif one["signal_id"]:
            before = self._one("signals", one["signal_id"])
        elif one.topic == "positions" and one["mode"] == "shadow":
            before = self._shadow_signal(one)
        elif one.topic in ("orders", "positions") and (one.topic, one["leg"]) != ("orders", "entry"):
            before = self._one("orders", one["position_id"] or one["id"])
        return one if before is None else self._first(before)

    def _one(self, topic: str, id_: str) -> Found | None:
        return next(iter(self.finder.records(topic, [id_], lambda one: one["id"] == id_)), None)

    def _shadow_signal(self, position: Found) -> Found | None:
        """A shadow account has no orders: the id of its position is made of the signal that opened it."""
        wanted = self.finder.records(
            "signals", [position["strategy"]], lambda one: opens(one, position["portfolio"]) == position["id"]
        )
        return next(iter(wanted), None)

    def _forward(self, signals: list[Found], others: list[Found], since: int) -> list[Step]:
        """All that followed from some signals, from other records without one, and from the candle to begin with."""
        ids = {one["id"] for one in signals}
        orders = self._orders(ids, {one["id"] for one in others}, since)
        ordered = {one["id"]: one.ts for one in orders}
        refused = self.finder.records("rejections", ids, lambda one: one["signal_id"] in ids, since)
        fills = list(
            self.finder.records(
                "fills",
                [*ordered, *self._at_candle()],
                lambda one: one["order_id"] in ordered or self._of_candle(one),
                since,
            )
        )
        later = {one["signal_id"] for one in orders if one["signal_id"]} - ids
        closing = self.finder.records("signals", later, lambda one: one["id"] in later, since)
        kept = [*others, *signals, *closing, *orders, *refused, *fills]
        kept += self._positions(kept, since)
        once = {(one.topic, one.seen.partition, one.seen.offset): one for one in kept}
        return self._steps(list(once.values()), ordered)

    def _orders(self, signal_ids: set[str], known: set[str], since: int) -> list[Found]:
        opened: set[str] = set()
        needles = {*signal_ids, *known, *self._at_candle()}

        def belongs(one: Found) -> bool:
            ours = one["signal_id"] in signal_ids or one["id"] in known or one["position_id"] in opened
            if ours and one["leg"] == "entry":
                opened.add(one["id"])
                needles.add(one["id"])  # what closes it comes behind it
            return ours or self._of_candle(one)

        return list(self.finder.records("orders", needles, belongs, since))

    def _positions(self, kept: list[Found], since: int) -> list[Found]:
        """What was opened with all that became of it, and what was closed."""
        opened = {
            one["id"] for one in kept if one.topic == "positions" or (one.topic, one["leg"]) == ("orders", "entry")
        }
        changed = {(one["position_id"], one.ts) for one in kept if one.topic == "fills"}
        shadows = [one for one in kept if one.topic == "signals" and one["mode"] == "shadow"]
        needles = {*opened, *(id_ for id_, _ in changed), *(one["strategy"] for one in shadows), *self._at_candle()}

        def belongs(one: Found) -> bool:
            shadow = one["mode"] == "shadow" and any(opens(signal, one["portfolio"]) == one["id"] for signal in shadows)
            return shadow or one["id"] in opened or (one["id"], one.ts) in changed or self._of_candle(one)

        return list(self.finder.records("positions", needles, belongs, since))

    def _steps(self, kept: list[Found], ordered: dict[str, int]) -> list[Step]:
        """In the order in which they came about, each behind its candle."""
        order = _order(kept, ordered)
        candles = {(str(one["symbol"]), one.ts) for one in kept} | ({self.candle} if self.candle else set())
        messages = {candle: self.finder.candle(*candle) for candle in sorted(candles, key=lambda one: one[::-1])}
        if not kept and not any(messages.values()):
            return []
        steps: list[Step] = []
        for candle, message in messages.items():
            steps.append(Step(self.finder.candles, *candle, message, None if message is None else 0))
            made = [one for one in kept if (one["symbol"], one.ts) == candle]
            made.sort(key=lambda one: order[id(one)])
            stamp = None if message is None else message.seen.ts
            steps += [Step(one.topic, *candle, one, None if stamp is None else one.seen.ts - stamp) for one in made]
        return steps


def _order(kept: list[Found], ordered: dict[str, int]) -> dict[int, tuple[int, ...]]:
    """What to sort the records of one candle by; ``ordered``: event times of orders, by their ids.

    Orders of earlier candles fill before anything is decided at the close. Each change of a position is right behind
    its fill: both are published in one order.
    """
    keys: dict[int, tuple[int, ...]] = {}
    fills: dict[tuple[str, int], list[tuple[int, ...]]] = {}
    for one in sorted(kept, key=lambda one: (_RANK[one.topic], one.seen.offset)):
        key: tuple[int, ...] = (1, _RANK[one.topic], one.seen.offset)
        if one.topic == "fills":
            key = (int(ordered.get(one["order_id"], -1) == one.ts), *key[1:])
            fills.setdefault((one["position_id"], one.ts), []).append(key)
        elif one.topic == "positions":
            mine = fills.get((one["id"], one.ts))
            key = (*mine.pop(0), 1) if mine else (0, *key[1:])
        keys[id(one)] = key
    return keys


def opens(signal: Found, portfolio: str) -> str:
    """The id of the position that a signal would open in a portfolio."""
    return event_id(portfolio, signal["strategy"], signal["symbol"], signal.ts, "entry")


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")
