"""The records that an account makes, and the counts that its daily metrics and final state are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flows.columns import Floats
from flows.outbox import Outbox
from flows.portfolio.book import Book, Closed, Holding
from flows.portfolio.control import base
from flows.portfolio.gates.base import Refusal
from flows.portfolio.gates.stop import UNGUARDED
from flows.portfolio.rounding import money
from schemas.alert import Alert
from schemas.config.root import Config
from schemas.equity import Equity
from schemas.fill import Fill
from schemas.ids import event_id
from schemas.metric import Metric
from schemas.position import Position
from schemas.record import Mode
from schemas.rejection import Rejection
from schemas.wire import wire

if TYPE_CHECKING:
    from flows.portfolio.control.steering import Steering

AlertRow, EquityRow, FillRow, MetricRow = wire(Alert), wire(Equity), wire(Fill), wire(Metric)
PositionRow, RejectionRow = wire(Position), wire(Rejection)
COUNTS = ("orders", "fills", "rejections", "positions_closed")


class Ledger:
    """Posts records, and tells the steering of the account, if it has any.

    A shadow account posts positions, refusals and equity, marked as such, but no order or fill.
    """

    def __init__(self, portfolio: str, mode: Mode, strategy: str | None) -> None:
        self.portfolio, self.mode, self.strategy = portfolio, mode, strategy
        self.steering: Steering | None = None
        self.counts = dict.fromkeys(COUNTS, 0)
        self.realised = Decimal(0)
        self.fees = Decimal(0)
        self.unguarded: set[tuple[str, str]] = set()  # strategies that gave no stop, or no target: code of the refusal

    def order(self, outbox: Outbox, order: Any) -> None:
        """An order that passed."""
        self.counts["orders"] += 1
        if self.mode == "live":
            outbox["orders"].append(order)
        if self.steering:
            self.steering.ordered(order, outbox)

    def withdrawn(self, order_id: str, code: str) -> None:
        """An entry that was taken back before it was filled: an alert of the desk tells it."""
        if self.steering:
            self.steering.withdrawn(order_id, code)

    def fill(self, outbox: Outbox, order: Any, price: Decimal, fee: Decimal, ts: int, candle_ts: int) -> None:
        """An order that was filled; the paper broker fills each in one piece."""
        self.counts["fills"] += 1
        self.fees += fee
        if self.mode == "live":
            outbox["fills"].append(self._fill(order, price, fee, ts, candle_ts))
        if self.steering:
            self.steering.filled(order, price, ts, outbox)

    def _fill(self, order: Any, price: Decimal, fee: Decimal, ts: int, candle_ts: int) -> Any:
        return FillRow(
            id=f"{order.id}:1",
            ts=ts,
            candle_ts=candle_ts,
            portfolio=self.portfolio,
            strategy=order.strategy,
            symbol=order.symbol,
            order_id=order.id,
            position_id=order.position_id,
            leg=order.leg,
            side=order.side,
            quantity=order.quantity,
            price=price,
            fee=fee,
        )

    def position(self, outbox: Outbox, holding: Holding, ts: int, closed: Closed | None) -> None:
        """A position that was opened, or changed, or closed."""
        if closed is not None:
            self.counts["positions_closed"] += 1
            self.realised += closed.realised_pnl
        outbox["positions"].append(self._position(holding, ts, closed))
        if closed is not None and self.steering:
            self.steering.closed(base.Closed(ts, holding.strategy, holding.symbol, closed.realised_pnl), outbox)

    def _position(self, holding: Holding, ts: int, closed: Closed | None) -> Any:
        fees = closed.fees if closed else holding.fees
        return PositionRow(
            id=holding.id,
            ts=ts,
            portfolio=self.portfolio,
            strategy=holding.strategy,
            symbol=holding.symbol,
            mode=self.mode,
            side="long" if holding.side > 0 else "short",
            status="closed" if closed else "open",
            quantity=closed.quantity if closed else holding.quantity,
            entry_price=holding.entry_price,
            entry_ts=holding.entry_ts,
            stop=holding.stop,
            target=holding.target,
            exit_price=closed.exit_price if closed else None,
            exit_ts=closed.exit_ts if closed else None,
            exit_leg=closed.exit_leg if closed else None,
            realised_pnl=closed.realised_pnl if closed else holding.gained - fees,
            fees=fees,
        )

    def rejection(self, outbox: Outbox, signal: Any, side: Any, gate: str, refusal: Refusal) -> None:
        """A signal that a gate refused."""
        self.counts["rejections"] += 1
        facts = [self.portfolio, signal.strategy, signal.symbol, signal.ts, "rejection"]
        if signal.strategy == base.MANUAL:
            facts.append(signal.id)  # people may try more than once behind a candle
        row = RejectionRow(
            id=event_id(*facts),
            ts=signal.ts,
            portfolio=self.portfolio,
            strategy=signal.strategy,
            symbol=signal.symbol,
            mode=self.mode,
            side=side,
            signal_id=signal.id,
            gate=gate,
            code=refusal.code,
            figures=refusal.named(),
            message=refusal.message(),
        )
        outbox["rejections"].append(row)
        if refusal.code in UNGUARDED and signal.strategy != base.MANUAL:  # who trades by hand is answered
            self._unguarded(outbox, signal, refusal)
        if self.steering:
            self.steering.refused(signal, gate, outbox)

    def _unguarded(self, outbox: Outbox, signal: Any, refusal: Refusal) -> None:
        """An alert, once: the strategy may be one that never gives a stop or a target, a shadow included."""
        if (signal.strategy, refusal.code) in self.unguarded:
            return
        self.unguarded.add((signal.strategy, refusal.code))
        row = AlertRow(
            id=event_id(self.portfolio, self.mode, signal.strategy, refusal.code, signal.ts),
            ts=signal.ts,
            level="warning",
            code=refusal.code,
            symbol=signal.symbol,
            strategy=signal.strategy,
            message=f"{refusal.message()} (told once; each refusal is on rejections)",
            figures=refusal.named(),
        )
        outbox["alerts"].append(row)

    def equity(self, outbox: Outbox, rows: Floats) -> None:
        """The intervals that ended, as the compiled walk left them."""
        for row in rows.tolist():
            outbox["equity"].append(self._equity(*row))

    def _equity(
        self,
        end: float,
        equity: float,
        low: float,
        high: float,
        cash: float,
        gross: float,
        fall_pct: float,
        exposed: float,
        instants: float,
    ) -> Any:
        return EquityRow(
            ts=int(end),
            portfolio=self.portfolio,
            mode=self.mode,
            strategy=self.strategy,
            equity=round(equity, 8),
            equity_low=round(low, 8),
            equity_high=round(high, 8),
            cash=round(cash, 8),
            gross_exposure=round(gross, 8),
            net_exposure=round(equity - cash, 8),
            drawdown_pct=round(fall_pct, 8),
            exposed=int(exposed),
            instants=int(instants),
        )

    def day(self, outbox: Outbox, ended: int, cash: Decimal, equity: float) -> None:
        """The metrics of a UTC day that has ended: what happened so far, in all."""
        labels = {"portfolio": self.portfolio, "mode": self.mode, "strategy": self.strategy or ""}
        figures = {f"{name}_total": float(count) for name, count in self.counts.items()}
        figures |= {"realised_pnl": float(self.realised), "fees_total": float(self.fees)}
        figures |= {"cash": float(cash), "equity": round(equity, 8)}
        for name, value in figures.items():
            outbox["metrics"].append(MetricRow(ts=ended, name=name, value=value, labels=labels))

    def state(self, tally: Any, config: Config, book: Book) -> dict[str, Any]:
        """The account at the last instant, for ``state.json``."""
        y = {name: tally[name].item() for name in tally.dtype.names}
        fallen = y["fall"] > 0
        part = ("b_end", "b_equity", "b_low", "b_high", "b_cash", "b_gross", "b_fall", "b_exposed", "b_instants")
        open_interval = [100 * y[name] if name == "b_fall" else y[name] for name in part]
        return {
            "portfolio": self.portfolio,
            "mode": self.mode,
            "strategy": self.strategy,
            "currency": config.portfolio.currency,
            "starting_cash": config.portfolio.cash,
            "cash": money(book.cash),
            "equity": round(y["equity"], 8),
            "peak": round(y["peak"], 8),
            "first_ts": y["first_ts"] if y["instants"] else None,
            "last_ts": y["now"] if y["instants"] else None,
            "instants": y["instants"],
            "exposed_instants": y["exposed"],
            "drawdown": {
                "max_pct": round(100 * y["fall"], 8),
                "max_abs": round(y["fall_abs"], 8),
                "peak_ts": y["fall_peak_ts"] if fallen else None,
                "valley_ts": y["fall_valley_ts"] if fallen else None,
                "end_ts": y["fall_end_ts"] or None,
            },
            "realised_pnl": money(self.realised),
            "fees": money(self.fees),
            "counts": dict(self.counts),
            "positions": [self._position(book.holdings[key], y["now"], None) for key in sorted(book.holdings)],
            "open_interval": self._equity(*open_interval) if y["b_instants"] else None,
        }

    def snapshot(self) -> dict[str, Any]:
        """All state."""
        return {
            "counts": dict(self.counts),
            "realised": self.realised,
            "fees": self.fees,
            "unguarded": sorted(self.unguarded),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :meth:`snapshot` gave."""
        self.counts, self.realised, self.fees = dict(state["counts"]), state["realised"], state["fees"]
        self.unguarded = set(state["unguarded"])
