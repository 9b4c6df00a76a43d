"""One account: the fold of aligned candles and signals into orders, fills, positions and equity."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from flows.columns import Ints
from flows.outbox import Outbox
from flows.portfolio.align import Block
from flows.portfolio.book import Holding
from flows.portfolio.control import steered
from flows.portfolio.control.states import States
from flows.portfolio.control.steering import Steering
from flows.portfolio.desk import Desk
from flows.portfolio.estimates import Estimates
from flows.portfolio.gates import gates_of
from flows.portfolio.gates.base import Exposure, Intent, Refusal, Standing
from flows.portfolio.legs import Legs
from flows.portfolio.parting import part_of
from flows.portfolio.pending import trigger
from flows.portfolio.scan import BREAK, DAY, DONE, NEVER, ROW, new_lanes, new_tally, scan, settle
from schemas.config.root import Config
from schemas.record import Mode
from schemas.timeframe import to_millis

DAY_MS = 86_400_000
WANTED = {"long": 1, "short": -1, "flat": 0}


class Account:
    """The desk and the gates of one portfolio (or of one shadow strategy).

    Within an instant, in this order: waiting orders fill at the opens, guards are checked inside the candles, both
    symbol by symbol; all symbols are marked; then the signals are decided, by symbol and strategy.
    """

    def __init__(self, config: Config, mode: Mode = "live", strategy: str | None = None) -> None:
        self.config, self.mode, self.strategy = config, mode, strategy
        self.desk = desk = Desk(config, mode, strategy)
        self.book, self.broker, self.memory, self.ledger = desk.book, desk.broker, desk.memory, desk.ledger
        self.orders = desk.orders
        self._ask(config)
        self.waits = config.entries.type != "market"
        self.interval = to_millis(config.run.equity_every)
        self.at_close = config.broker.fill_at == "close"
        self.tally = new_tally(float(config.portfolio.cash))
        self.lanes = new_lanes(0)
        self.estimates = Estimates(config)
        self.slots: dict[str, int] = {}
        self.states = States()
        self.steering = Steering(self, config) if steered(config) else None
        self.ledger.steering = self.steering

    def fold(self, block: Block, signals: Sequence[Any], outbox: Outbox) -> None:
        """Take complete instants and the signals of this account among them."""
        self._reserve(block.symbols)
        lanes, watch, ring = self.lanes, self.estimates.watch, self.estimates.ring
        room = 2 if not len(block) else int(block.ts[-1] - block.ts[0]) // self.interval + 3
        out = np.empty((min(room, len(block) + 2), 9))
        self.tally["rows_out"] = 0
        columns = (block.slot, block.ts, block.high, block.low, block.close)
        row, taken = 0, 0
        while True:
            due = signals[taken].ts if taken < len(signals) else NEVER
            row, why = scan(
                row, *columns, due, lanes, self.tally, self.interval, out, watch, ring, self.broker.trails.rows
            )
            if why == DONE and taken == len(signals):
                break
            if why == ROW:
                self._candle(block, row, outbox)
            elif why == DAY:
                ended = int(self.tally["day_end"][0])
                if ended:
                    self._sum_up()
                    self.ledger.day(outbox, ended, self.book.cash, float(self.tally["equity"][0]))
                    self.memory.day_equity = float(self.tally["equity"][0])
                    if self.steering:
                        self.steering.day(ended, outbox)
                self.tally["day_end"] = (int(block.ts[row]) + DAY_MS - 1) // DAY_MS * DAY_MS
            elif why == BREAK and self.steering:
                self.steering.instant(block.timeframes, outbox)
            else:
                until = taken
                while until < len(signals) and signals[until].ts == due:
                    until += 1
                self.decide(signals[taken:until], block.timeframes, outbox)
                taken = until
        self.ledger.equity(outbox, out[: int(self.tally["rows_out"][0])])

    def _reserve(self, symbols: Sequence[str]) -> None:
        """Slots of a block are the portfolio's own and only grow."""
        if len(symbols) > len(self.lanes):
            lanes = new_lanes(max(len(symbols), 2 * len(self.lanes)))
            lanes[: len(self.lanes)] = self.lanes
            self.lanes = lanes
            self.estimates.reserve(len(lanes))
        for slot in range(len(self.slots), len(symbols)):
            self.slots[symbols[slot]] = slot

    def _candle(self, block: Block, row: int, outbox: Outbox) -> None:
        """A candle that fills an order, or sets something off."""
        slot, ts = block.slot.item(row), block.ts.item(row)
        symbol, candle_ts = block.symbols[slot], ts - block.timeframes.item(slot)
        prices = block.open.item(row), block.high.item(row), block.low.item(row), block.close.item(row)
        self.desk.candle(symbol, ts, candle_ts, prices, outbox)
        self._settle(symbol)

    def _settle(self, symbol: str) -> None:
        """Tell the compiled walk what changed: cash, and the exposure and levels of one symbol."""
        net = size = 0.0
        for strategy in self.broker.guards.get(symbol, ()):
            holding = self.book.holdings[(symbol, strategy)]
            quantity = float(holding.quantity)
            net += quantity * holding.side
            size += quantity
        self.desk.catch_up(symbol)
        down, up, due = self.broker.levels(symbol)
        wake, trail = int(symbol in self.broker.waiting), self.broker.trails.first(symbol)
        cash = float(self.book.cash)
        settle(self.lanes, self.tally, self.slots[symbol], net, size, down, up, wake, due, trail, cash)
        if not self.book.holdings:
            self._sum_up()  # flat: no residue of adding may look like an exposure

    def _sum_up(self) -> None:
        """Equity and exposure anew from all positions: rounding errors of adding changes live no longer than a day."""
        equity, gross, marks = float(self.book.cash), 0.0, self.lanes["mark"]
        for (symbol, _), holding in sorted(self.book.holdings.items()):  # in one order: float sums depend on it
            value = float(holding.quantity) * marks.item(self.slots[symbol])
            equity += value * holding.side
            gross += value
        self.tally["equity"], self.tally["gross"] = equity, gross

    def decide(self, signals: Sequence[Any], timeframes: Ints, outbox: Outbox, clicked: int = 0) -> None:
        """The signals of one instant, after all its candles are marked. ``clicked``: when they were given by hand."""
        for signal in signals:
            want = WANTED[signal.side]
            holding = self.book.holdings.get((signal.symbol, signal.strategy))
            held = holding.side if holding and not holding.leaving else 0
            if holding and held and want != held:
                if self.steering and self.steering.keeps(signal, "sell" if held > 0 else "buy", outbox):
                    continue
                self._exit(holding, signal, timeframes, outbox)
            pending = self.desk.pending_of(signal.symbol, signal.strategy) if self.broker.pending else None
            if pending and (1 if pending.order.side == "buy" else -1) == want:
                held = want
            elif pending:
                self.desk.withdraw(pending, "ENTRY_WITHDRAWN", signal.ts, {"by": "signal"}, outbox)
            if want:
                adds = holding if held == want and not pending else None
                self._enter(signal, want, held if held == want else 0, adds, timeframes, outbox, clicked)
            if self.steering:
                self.steering.settle(timeframes, outbox)

    def _exit(self, holding: Holding, signal: Any, timeframes: Ints, outbox: Outbox) -> None:
        """Out of a position, or of a share of it."""
        quantity = holding.free
        if signal.share_pct is not None:
            quantity = part_of(holding, signal.share_pct, self.config.instruments.of(signal.symbol), signal.price)
        if quantity:
            value = -float(quantity) * signal.price
            self.place(self.orders.exit(holding, quantity, signal), value, timeframes, outbox)
        else:
            self.desk.too_small(holding, signal.share_pct, signal.ts, "signal", outbox)

    def _enter(
        self,
        signal: Any,
        side: int,
        held: int,
        adds: Holding | None,
        timeframes: Ints,
        outbox: Outbox,
        clicked: int,
    ) -> None:
        slot = self.slots[signal.symbol]
        standing = Standing(
            equity=self.tally["equity"].item(),
            gross=self.tally["gross"].item() + self.desk.committed,
            positions=len(self.book.holdings) + self.desk.coming,
            held=held,
            additions=self.config.entries.additions - adds.additions if adds else 0,
            held_quantity=float(adds.quantity) if adds else 0.0,
            memory=self.memory,
            atr=self.lanes["atr"].item(slot),
            vol=self.lanes["vol"].item(slot),
            expose=self._exposures,
            returns=self.estimates.ring,
            slot=slot,
            states=self.states,
            late_ms=self.tally["now"].item() - signal.ts,
        )
        intent = Intent(signal, side, signal.price, self.config.instruments.of(signal.symbol))
        intent.now = max(signal.ts, clicked)
        if self.waits:
            intent.trigger = trigger(self.config.entries, intent, standing.atr)
            intent.price = signal.price if intent.trigger is None else float(intent.trigger)
        checks = self.unasked.copy()
        for name, check in self.gates:
            verdict = check(intent, standing)
            if type(verdict) is Refusal:
                self.ledger.rejection(outbox, signal, "buy" if side > 0 else "sell", name, verdict)
                return
            checks[name] = verdict
        order = self.orders.entry(intent, checks, Legs(self.desk.exits_of(signal.strategy)).of(intent), adds)
        self.memory.entered(intent.now, order.id, intent.quantity * intent.risk)
        self.place(order, intent.quantity * intent.price, timeframes, outbox)

    def _exposures(self) -> list[Exposure]:
        """Positions as marked, and what waits, in one order."""
        found, slots, marks = [], self.slots, self.lanes["mark"]
        for (symbol, _), holding in sorted(self.book.holdings.items()):
            value = float(holding.quantity) * marks.item(slots[symbol])
            found.append(Exposure(symbol, slots[symbol], value, value * holding.side))
        coming: list[tuple[str, list[Any]]] = [*self.broker.waiting.items(), *self.broker.pending.items()]
        for symbol, tickets in sorted(coming, key=itemgetter(0)):
            for ticket in tickets:
                side = 1 if (ticket.order.side == "buy") == (ticket.value > 0) else -1
                found.append(Exposure(symbol, slots[symbol], ticket.value, ticket.value * side))
        return found

    def place(self, order: Any, value: float, timeframes: Ints, outbox: Outbox) -> None:
        """Hand an order that may leave to the broker: for the next open, or for this close."""
        self.ledger.order(outbox, order)
        if order.price is not None:
            wait_ms = self.config.entries.candles * int(timeframes[self.slots[order.symbol]])
            self.desk.pend(order, value, order.ts + wait_ms)
            self._settle(order.symbol)
            return
        if self.at_close:
            slot = self.slots[order.symbol]
            price = self.broker.market_price(order.symbol, self.lanes["mark"].item(slot), buy=order.side == "buy")
            self.desk.fill(order, price, order.ts, order.ts - int(timeframes[slot]), outbox)
            self._settle(order.symbol)
            return
        self.desk.wait(order, value)
        self.lanes["wake"][self.slots[order.symbol]] = 1

    def _ask(self, config: Config) -> None:
        """Ask these gates from now on. A copy of ``unasked`` has room for what all of them say: it need not grow."""
        self.gates = [(gate.name, gate.check) for gate in gates_of(config)]
        self.unasked: dict[str, Any] = {name: None for name, _ in self.gates}

    def configure(self, config: Config) -> None:
        """Take other settings, from now on; those of the past's figures stay (flows/portfolio/control/tuning.py)."""
        self.config = config
        self._ask(config)
        self.desk.configure(config)
        self.memory.window = to_millis(config.risk.order_window)
        if self.steering:
            self.steering.configure(config)

    def knows(self, symbol: str) -> bool:
        """Whether it has seen a candle of a symbol; one that is still to come in a block has its slot, too."""
        return symbol in self.slots and self.lanes["mark"].item(self.slots[symbol]) > 0

    def twin(self) -> Account:
        """An account of its own that stands as this one does: what is done there is only tried."""
        other = Account(self.config, self.mode, self.strategy)
        other.restore(self.snapshot())
        return other

    def adopt(self, other: Account) -> None:
        """Begin with the marks and estimates of another account, at its instant, and with nothing held."""
        self.slots = dict(other.slots)
        self.lanes, self.estimates.ring = other.lanes.copy(), other.estimates.ring.copy()
        for name in ("net", "size", "down", "up", "wake", "due", "trail"):  # what its positions have put there
            self.lanes[name] = new_lanes(1)[name]
        for name in ("now", "day_end", "sample_end", "samples", "looked", "unmarked"):
            self.tally[name] = other.tally[name]

    def state(self) -> dict[str, Any]:
        """The account in words, for ``state.json``."""
        for symbol in self.broker.trails.numbers:
            self.desk.catch_up(symbol)
        return self.ledger.state(self.tally[0], self.config, self.book)

    def snapshot(self) -> dict[str, Any]:
        """All state, as a copy."""
        return {
            "desk": self.desk.snapshot(),
            "tally": self.tally.copy(),
            "lanes": self.lanes.copy(),
            "ring": self.estimates.ring.copy(),
            "slots": dict(self.slots),
            "steering": self.steering.snapshot() if self.steering else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.desk.restore(state["desk"])
        self.tally, self.lanes, self.slots = state["tally"].copy(), state["lanes"].copy(), dict(state["slots"])
        self.estimates.ring = state["ring"].copy()
        if self.steering and state["steering"]:
            self.steering.restore(state["steering"])
