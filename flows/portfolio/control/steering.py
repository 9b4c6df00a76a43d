"""Steering: what holds an account's trading up, and what is done to its orders and positions then."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flows.columns import Ints
from flows.outbox import Outbox
from flows.portfolio.control import breakers_of
from flows.portfolio.control.base import ALL, Breaker, Closed, Decided, Filled, Place, Trip
from flows.portfolio.control.intents import Intents
from flows.portfolio.control.levels import NEVER
from flows.portfolio.control.notices import Notices
from flows.portfolio.control.states import COMMAND, HALTED, REDUCING
from flows.portfolio.control.unwind import close, withdraw
from flows.portfolio.gates.base import Refusal
from schemas.config.root import Config
from schemas.timeframe import to_millis

if TYPE_CHECKING:
    from flows.portfolio.account import Account

LEVEL = {"block": REDUCING, "reduce": REDUCING, "halt": HALTED, "close": HALTED}
Key = tuple[str, Place]


class Tripped(NamedTuple):
    """A breaker that is open, and when it closes by itself."""

    ts: int
    until: int | None


class Due(NamedTuple):
    """What is to be done there before this instant is over."""

    place: Place
    by: str
    share_pct: float  # of each position, what is to leave
    withdraws: bool  # entries that wait


class Steering:
    """The breakers and trading states of one account.

    What happens is told as it happens. A breaker that trips holds its place up at once; what it does to orders and
    positions is done at the end of the instant, before the next signal is decided.
    """

    def __init__(self, account: Account, config: Config) -> None:
        self.account, self.states = account, account.states
        self.notices = Notices(config.portfolio.name, account.mode, account.strategy)
        self.tripped: dict[Key, Tripped] = {}
        self.expected: dict[str, float] = {}  # by id of a market order that waits: the price it was decided at
        self.intents = Intents(0)
        self.by_hand: dict[str, int] = {}  # by symbol: the instant of the last trade by hand
        self._due: list[Due] = []
        self.breakers: list[Breaker] = []
        self.known: dict[str, Breaker] = {}  # those, and what has tripped and is not wanted any more
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Take new settings, what has tripped included: its level, and its end. A breaker keeps its counts."""
        before, self.known = self.known, breakers_of(config, {name for name, _ in self.tripped})
        self.breakers = [breaker for breaker in self.known.values() if breaker.wanted(config)]
        for name, breaker in self.known.items():
            if name in before:
                breaker.counts = before[name].counts
        for (name, place), tripped in self.tripped.items():
            breaker, until = self.known[name], self.known[name].until(tripped.ts)
            self.tripped[name, place] = tripped._replace(until=until)
            self.states.put(place, name, LEVEL[breaker.config.action], until)
        tally = self.account.tally
        if not tally["armed"]:  # until now nothing was looked at
            tally["armed"], tally["high"] = 1, tally["peak"]
        tally["floor"], tally["keep"], tally["most_shock"], tally["most_gap"] = -np.inf, -np.inf, np.inf, NEVER
        self._arm()
        self._on_closed = [(one, one.closed) for one in self.breakers if _overrides(one, "closed")]
        self._on_filled = [(one, one.filled) for one in self.breakers if _overrides(one, "filled")]
        self._on_decided = [(one, one.decided) for one in self.breakers if _overrides(one, "decided")]
        self.wind()

        self.intents.expire = to_millis(config.commands.intents_expire)
        self._commanded = bool(config.commands.senders)  # a sink that tells alarms has no intents

    def _arm(self) -> None:
        for breaker in self.breakers:
            if (breaker.name, ALL) not in self.tripped:
                breaker.arm(self.account.tally, self.account.memory.day_equity)

    # What happens.

    def ordered(self, order: Any, outbox: Outbox) -> None:
        """An order was made: at the market, with the last close in mind."""
        if self._on_filled and order.type != "limit":
            mark = self.account.lanes["mark"].item(self.account.slots[order.symbol])
            self.expected[order.id] = mark if order.price is None else float(order.price)
        if not order.reduce_only:
            if self._commanded and order.signal_id is not None:
                self.intents.begin(order.signal_id, order.ts, order.id, "ordered")
            self._decided(order.ts, order.strategy, order.symbol, outbox, refused=False)

    def refused(self, signal: Any, gate: str, outbox: Outbox) -> None:
        """A gate said no. What a trading state refuses, or what is there already, says nothing about the wishes."""
        if gate not in ("trading_state", "strategy_mode", "duplicate_intent"):
            self._decided(signal.ts, signal.strategy, signal.symbol, outbox, refused=True)

    def _decided(self, ts: int, strategy: str, symbol: str, outbox: Outbox, *, refused: bool) -> None:
        what = Decided(ts, strategy, symbol, refused)
        for breaker, decided in self._on_decided:
            if trip := decided(what):
                self._trip(breaker, trip, outbox)

    def filled(self, order: Any, price: Decimal, ts: int, outbox: Outbox) -> None:
        """An order was filled."""
        if self._commanded:
            self.intents.filled(order.id, price)
        expected = self.expected.pop(order.id, None)
        if expected is not None:
            side = 1 if order.side == "buy" else -1
            what = Filled(ts, order.strategy, order.symbol, side, float(price), expected)
            for breaker, filled in self._on_filled:
                if trip := filled(what):
                    self._trip(breaker, trip, outbox)

    def withdrawn(self, order_id: str, code: str) -> None:
        """An entry that waited was taken back, or its time was over."""
        self.intents.withdrawn(order_id, code)
        self.expected.pop(order_id, None)

    def closed(self, what: Closed, outbox: Outbox) -> None:
        """A position was closed."""
        for breaker, closed in self._on_closed:
            if trip := closed(what):
                self._trip(breaker, trip, outbox)

    def alarmed(self, figures: dict[str, Any], outbox: Outbox) -> None:
        """Something diverged."""
        for breaker in self.breakers:
            self._trip(breaker, breaker.alarmed(figures), outbox)

    def missed(self, symbol: str | None, figures: dict[str, Any], timeframes: Ints, outbox: Outbox) -> None:
        """A live run gave up on a symbol, or on a whole feed (None)."""
        for breaker in self.breakers:
            self._trip(breaker, breaker.missed(symbol, figures), outbox)
        self.settle(timeframes, outbox)

    # What is done about it.

    def instant(self, timeframes: Ints, outbox: Outbox) -> None:
        """The walk stopped at the end of an instant: something is due, or a level was reached."""
        tally, now = self.account.tally, self.account.tally["now"].item()
        self.drop(now, "configuration", outbox)
        for key in sorted(self.tripped):
            until = self.tripped[key].until
            if until is not None and until <= now:
                self.reset(key, now, "time", outbox)
        for place in self.states.expired(now):
            told = {"by": COMMAND, "state": self.states.at(place)}
            self.notices.alert(outbox, "TRADING_RESUMED", now, place, told, "info")
        self._noted(outbox)
        for breaker in self.breakers:
            if (breaker.name, ALL) not in self.tripped:
                self._trip(breaker, breaker.look(tally), outbox)
        self.settle(timeframes, outbox)
        self.wind()

    def _noted(self, outbox: Outbox) -> None:
        """What the walk has found in the candles of the instant, by symbol name."""
        lanes, names = self.account.lanes, list(self.account.slots)
        for slot in sorted(np.flatnonzero((lanes["gap"] > 0) | (lanes["jump"] > 0)).tolist(), key=names.__getitem__):
            gap, jump = lanes["gap"].item(slot), lanes["jump"].item(slot)
            lanes["gap"][slot], lanes["jump"][slot] = 0, 0.0
            for breaker in self.breakers:
                if gap:
                    self._trip(breaker, breaker.missed(names[slot], {"gap_ms": gap}), outbox)
                if jump:
                    self._trip(breaker, breaker.jumped(names[slot], {"shock": jump}), outbox)

    def day(self, ended: int, outbox: Outbox) -> None:
        """A UTC day has ended."""
        by_day = {breaker.name for breaker in self.breakers if breaker.config.reset == "day"}
        for key in sorted(self.tripped):
            if key[0] in by_day:
                self.reset(key, ended, "day", outbox)
        for breaker in self.breakers:
            breaker.day(self.account.memory.day_equity)
        self._arm()

    def _trip(self, breaker: Breaker, trip: Trip | None, outbox: Outbox) -> None:
        if trip is None:
            return
        place, figures = trip
        key = (breaker.name, place)
        if key in self.tripped:
            return
        ts = max(self.account.tally["now"].item(), 0)
        until = breaker.until(ts)
        self.tripped[key] = Tripped(ts, until)
        breaker.disarm(self.account.tally)
        self.states.put(place, breaker.name, LEVEL[breaker.config.action], until)
        state = self.states.at(place)
        self.notices.breaker(outbox, "CircuitBreakerTripped", ts, breaker, place, state, until, breaker.name, figures)
        shares = {"close": 100.0, "reduce": breaker.config.share_pct}
        self.hold(place, breaker.name, shares.get(breaker.config.action, 0.0))

    def hold(self, place: Place, by: str, share_pct: float = 0.0, *, withdraws: bool = True) -> None:
        """Entries that wait there are to be withdrawn, and positions to leave, before this instant is over."""
        self._due.append(Due(place, by, share_pct, withdraws))
        self.account.tally["alarm"] = 0

    def reset(self, key: Key, ts: int, by: str, outbox: Outbox) -> None:
        """Let a breaker that has tripped begin anew."""
        name, place = key
        breaker, tally = self.known[name], self.account.tally
        figures = {"tripped_ts": self.tripped.pop(key).ts, **breaker.figures(place, tally)}
        self.states.lift(place, name)
        breaker.begin(place, tally)
        if place == ALL and breaker in self.breakers:
            breaker.arm(tally, self.account.memory.day_equity)
        self.notices.breaker(
            outbox, "CircuitBreakerReset", ts, breaker, place, self.states.at(place), None, by, figures
        )

    def drop(self, ts: int, by: str, outbox: Outbox) -> None:
        """Reset what has tripped and is not wanted any more."""
        for key in sorted(self.tripped):
            if self.known[key[0]] not in self.breakers:
                self.reset(key, ts, by, outbox)
        self.known = {breaker.name: breaker for breaker in self.breakers}

    def wind(self) -> None:
        """Set the alarm to when something is due next: at once, when a breaker is to be dropped."""
        ends = [one.until for one in self.tripped.values() if one.until is not None]
        if any(self.known[name] not in self.breakers for name, _ in self.tripped):
            ends.append(0)
        self.account.tally["alarm"] = min([*ends, *self.states.ends()], default=NEVER)

    def settle(self, timeframes: Ints, outbox: Outbox) -> int:
        """Do what is due. To close a position may trip the next breaker.

        Returns how many positions were too small to be parted: a command is answered so, of a breaker an alert tells.
        """
        small = 0
        while self._due:
            due = self._due.pop(0)
            if due.withdraws:
                withdraw(self.account, self.notices, due.place, due.by, outbox)
            if due.share_pct:
                whole = close(self.account, due.place, due.share_pct, due.by, timeframes, outbox)
                small += len(whole)
                for holding in whole if due.withdraws else ():
                    now = self.account.tally["now"].item()
                    self.account.desk.too_small(holding, due.share_pct, now, due.by, outbox)
        return small

    def keeps(self, signal: Any, side: str, outbox: Outbox) -> bool:
        """Whether a wish to get out is refused, for trading is halted there. Stops and targets go on."""
        held = self.states.of(signal.strategy, signal.symbol)
        if held.level < HALTED:
            return False
        self.account.ledger.rejection(outbox, signal, side, "trading_state", Refusal("TRADING_HALTED", held.figures()))
        return True

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "states": self.states.snapshot(),
            "tripped": {(name, *place): tuple(one) for (name, place), one in self.tripped.items()},
            "expected": dict(self.expected),
            "intents": (self.intents.snapshot(), dict(self.by_hand)),
            "counts": {breaker.name: deepcopy(breaker.counts) for breaker in self.known.values()},
            "told": dict(self.notices.told),
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Put back what :meth:`snapshot` gave; None when nobody had asked for breakers or commands."""
        if state is None:
            return
        self.states.restore(state["states"])
        self.tripped = {(name, Place(*place)): Tripped(*one) for (name, *place), one in state["tripped"].items()}
        self.expected, (intents, by_hand) = dict(state["expected"]), state["intents"]
        self.intents.restore(intents)
        self.by_hand = dict(by_hand)
        self.notices.told = dict(state["told"])
        self.known = breakers_of(self.account.config, state["counts"])
        for name, breaker in self.known.items():
            breaker.counts = deepcopy(state["counts"].get(name, {}))
        self.configure(self.account.config)  # which may be another one than that of the snapshot


def _overrides(breaker: Breaker, name: str) -> bool:
    return getattr(type(breaker), name) is not getattr(Breaker, name)
