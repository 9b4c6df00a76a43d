"""Makes a plausible, consistent run folder out of the record models: equity is the sum of what the positions earned."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.alert import Alert
from schemas.deadletter import DeadLetter
from schemas.equity import Equity
from schemas.event import Event
from schemas.fill import Fill
from schemas.ids import event_id
from schemas.order import Order
from schemas.position import Position
from schemas.rejection import Rejection
from schemas.signal import Signal
from schemas.topics import TOPICS
from schemas.wire import encode, wire

MINUTE, HOUR = 60_000, 3_600_000
START = 1_640_995_200_000  # 2022-01-01T00:00:00Z
CASH = 100_000
FILES = [name for name, topic in TOPICS.items() if topic.direction == "out"]
REFUSALS = (
    ("stop_required", "RISK_STOP_MISSING"),
    ("open_positions", "LIMIT_OPEN_POSITIONS"),
    ("open_positions", "LIMIT_SAME_SYMBOL"),
    ("cash", "FUNDS_INSUFFICIENT"),
    ("reward_to_risk", "RISK_REWARD_TOO_SMALL"),
)


@dataclass(frozen=True)
class OHLC:
    """Candles of one symbol, as the report takes them: ``ts`` is the close, ms."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]


@dataclass
class Account:
    """One account on its way through the minutes."""

    mode: str
    strategy: str | None
    equity: NDArray[np.float64]
    gross: NDArray[np.float64]
    exposed: NDArray[np.bool_]
    positions: list[Any] = field(default_factory=list)


def write_lines(path: Path, records: list[Any]) -> None:
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))


def empty_run(folder: Path, **state: Any) -> Path:
    """A run in which nothing happened at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / f"{name}.jsonl").write_bytes(b"")
    (folder / "state.json").write_text(json.dumps(a_state() | state))
    return folder


def a_state(**changes: Any) -> dict[str, Any]:
    """The state.json of an account that never moved."""
    drawdown = {"max_pct": 0.0, "max_abs": 0.0, "peak_ts": None, "valley_ts": None, "end_ts": None}
    state = {
        "portfolio": "main",
        "currency": "USDT",
        "starting_cash": str(CASH),
        "cash": str(CASH),
        "equity": float(CASH),
        "first_ts": START + MINUTE,
        "last_ts": START + MINUTE,
        "instants": 1,
        "exposed_instants": 0,
        "drawdown": drawdown,
        "positions": [],
        "shadow": {},
    }
    return state | changes


def a_position(number: int, pnl: str, **changes: Any) -> Any:
    """A closed long of 1 BTC from 100 in minute ``number`` to the next one."""
    ts = START + number * HOUR
    fields: dict[str, Any] = {
        "id": f"position-{number}",
        "ts": ts + 2 * MINUTE,
        "portfolio": "main",
        "strategy": "sma_atr",
        "symbol": "BTC/USDT",
        "mode": "live",
        "side": "long",
        "status": "closed",
        "quantity": Decimal("1"),
        "entry_price": Decimal("100"),
        "entry_ts": ts,
        "stop": Decimal("95"),
        "target": None,
        "exit_price": Decimal("101"),
        "exit_ts": ts + MINUTE,
        "exit_leg": "exit",
        "realised_pnl": Decimal(pnl),
        "fees": Decimal("0.25"),
    }
    return Position(**(fields | changes))


def an_equity(ts: int, equity: float, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "ts": ts,
        "portfolio": "main",
        "mode": "live",
        "strategy": None,
        "equity": equity,
        "equity_low": equity,
        "equity_high": equity,
        "cash": equity,
        "gross_exposure": 0.0,
        "net_exposure": 0.0,
        "drawdown_pct": 0.0,
        "exposed": 0,
        "instants": 60,
    }
    return Equity(**(fields | changes))


def dumped(records: list[Any]) -> list[Any]:
    """Models as the wire structs would be encoded: decimals as strings."""
    return [record.model_dump(mode="json") for record in records]


def make_run(
    folder: Path, symbols: tuple[str, ...] = ("BTC/USDT",), days: int = 30, trades: int = 300, seed: int = 7
) -> dict[str, OHLC]:
    """Write a whole run; returns the candles it was made on. Trades are per folder, spread over the symbols."""
    empty_run(folder)
    rng = np.random.default_rng(seed)
    minutes = days * 1440
    candles = {symbol: _walk(rng, minutes, 40_000 / 7 ** (k % 5)) for k, symbol in enumerate(symbols)}
    live = Account("live", None, np.zeros(minutes), np.zeros(minutes), np.zeros(minutes, bool))
    paper = Account("shadow", "sma_cross", np.zeros(minutes), np.zeros(minutes), np.zeros(minutes, bool))
    for account, count in ((live, trades), (paper, trades // 4)):
        for k, symbol in enumerate(symbols):
            share = count // len(symbols) + (k < count % len(symbols))
            _trade(rng, account, symbol, candles[symbol], share)
    states = {}
    equity: list[Any] = []
    for account in (live, paper):
        curve = CASH + account.equity
        state, records = _mark(account, curve, candles[symbols[0]].ts)
        states[account.mode] = state
        equity += records
    equity.sort(key=lambda record: record.ts)
    positions = sorted(live.positions + paper.positions, key=lambda p: (p.ts, p.id))
    write_lines(folder / "equity.jsonl", equity)
    write_lines(folder / "positions.jsonl", positions)
    _decisions(rng, folder, positions)
    state = states["live"] | {"shadow": {"sma_cross": states["shadow"]}}
    (folder / "state.json").write_text(json.dumps(state))
    return candles


def _walk(rng: np.random.Generator, minutes: int, price: float) -> OHLC:
    close = price * np.exp(np.cumsum(rng.normal(0, 0.0006, minutes)))
    open_ = np.concatenate(([price], close[:-1]))
    wick = np.abs(rng.normal(0, 0.0004, (2, minutes)))
    high, low = np.maximum(open_, close) * (1 + wick[0]), np.minimum(open_, close) * (1 - wick[1])
    ts = START + np.arange(1, minutes + 1, dtype=np.int64) * MINUTE
    return OHLC(ts, open_, high, low, close)


def _trade(rng: np.random.Generator, account: Account, symbol: str, bars: OHLC, count: int) -> None:
    cuts = np.sort(rng.choice(np.arange(1, len(bars.ts) - 1), 2 * count, replace=False))
    fast = wire(Position)
    for number, (i, j) in enumerate(cuts.reshape(-1, 2).tolist()):
        rises = bars.open[j] > bars.open[i]
        sign = 1 if rises == (rng.random() < 0.58) else -1
        entry, exit_ = round(float(bars.open[i]), 2), round(float(bars.open[j]), 2)
        quantity = round(5_000 / entry, 5)
        fees = [round(quantity * entry * 0.0001, 4), round(quantity * exit_ * 0.0001, 4)]
        pnl = round(sign * quantity * (exit_ - entry) - sum(fees), 4)
        account.equity[i:j] += sign * quantity * (bars.close[i:j] - entry) - fees[0]
        account.equity[j:] += pnl
        account.gross[i:j] += quantity * bars.close[i:j]
        account.exposed[i:j] = True
        name = account.strategy or ("sma_atr" if number % 3 else "breakout")
        common = {
            "id": event_id(account.mode, name, symbol, number),
            "portfolio": "main",
            "strategy": name,
            "symbol": symbol,
            "mode": account.mode,
            "side": "long" if sign > 0 else "short",
            "quantity": Decimal(str(quantity)),
            "entry_price": Decimal(str(entry)),
            "entry_ts": int(bars.ts[i]) - MINUTE,
            "stop": Decimal(str(round(entry * (1 - sign * 0.02), 2))),
            "target": None,
        }
        paid = Decimal(str(fees[0]))
        opened = {"exit_price": None, "exit_ts": None, "exit_leg": None, "realised_pnl": -paid, "fees": paid}
        account.positions.append(fast(**common, **opened, status="open", ts=int(bars.ts[i])))
        account.positions.append(
            fast(
                **common,
                status="closed",
                ts=int(bars.ts[j]),
                exit_price=Decimal(str(exit_)),
                exit_ts=int(bars.ts[j]) - MINUTE,
                exit_leg=("exit", "stop", "target")[int(rng.integers(3))],
                realised_pnl=Decimal(str(pnl)),
                fees=Decimal(str(round(sum(fees), 4))),
            )
        )


def _mark(account: Account, curve: NDArray[np.float64], ts: NDArray[np.int64]) -> tuple[dict[str, Any], list[Any]]:
    peak = np.maximum.accumulate(np.maximum(curve, CASH))
    fall = 100 * (1 - curve / peak)
    valley = int(fall.argmax())
    top = int(curve[: valley + 1].argmax())
    later = np.flatnonzero(curve[valley:] >= peak[valley])
    drawdown = {
        "max_pct": float(fall[valley]),
        "max_abs": float(peak[valley] - curve[valley]),
        "peak_ts": int(ts[top]),
        "valley_ts": int(ts[valley]),
        "end_ts": int(ts[valley + later[0]]) if len(later) else None,
    }
    rows = curve.reshape(-1, 60)
    fast = wire(Equity)
    records = [
        fast(
            ts=int(ts[h * 60 + 59]),
            portfolio="main",
            mode=account.mode,
            strategy=account.strategy,
            equity=float(rows[h, -1]),
            equity_low=float(rows[h].min()),
            equity_high=float(rows[h].max()),
            cash=float(rows[h, -1] - account.gross[h * 60 + 59]),
            gross_exposure=float(account.gross[h * 60 + 59]),
            net_exposure=float(account.gross[h * 60 + 59]),
            drawdown_pct=float(fall[h * 60 : h * 60 + 60].max()),
            exposed=int(account.exposed[h * 60 : h * 60 + 60].sum()),
            instants=60,
        )
        for h in range(len(rows))
    ]
    state = a_state(
        cash=str(round(float(curve[-1]), 4)),
        equity=float(curve[-1]),
        last_ts=int(ts[-1]),
        instants=len(curve),
        exposed_instants=int(account.exposed.sum()),
        drawdown=drawdown,
    )
    return state, records


def _decisions(rng: np.random.Generator, folder: Path, positions: list[Any]) -> None:
    signals, orders, fills, rejections = [], [], [], []
    signal, order, fill, rejection = wire(Signal), wire(Order), wire(Fill), wire(Rejection)
    for p in positions:
        side = "buy" if (p.side == "long") == (p.status == "open") else "sell"
        at = p.exit_ts if p.status == "closed" else p.entry_ts
        price = p.exit_price if p.status == "closed" else p.entry_price
        leg = p.exit_leg if p.status == "closed" else "entry"
        base = {"symbol": p.symbol, "strategy": p.strategy, "portfolio": "main", "side": side}
        sid = event_id(p.id, leg, "signal")
        signals.append(
            signal(
                id=sid, ts=at, symbol=p.symbol, timeframe="1m", strategy=p.strategy, version="1.0.0", mode=p.mode,
                side="flat" if p.status == "closed" else p.side, price=float(price), stop=float(p.stop), target=None,
                confidence=1.0, missing=0, reason="fast average crossed the slow one", values={"fast": float(price)},
            )
        )  # fmt: skip
        if p.mode == "live":
            oid = event_id(p.id, leg)
            orders.append(
                order(
                    **base, id=oid, ts=at, leg=leg, type="market", quantity=p.quantity, price=None, stop=p.stop,
                    target=None, reduce_only=leg != "entry", position_id=p.id, signal_id=sid, reason="cross",
                    checks={"cash": {"needed": 1.0}},
                )
            )  # fmt: skip
            fills.append(
                fill(
                    **base, id=event_id(oid, "fill"), ts=p.ts, candle_ts=at, order_id=oid, position_id=p.id, leg=leg,
                    quantity=p.quantity, price=price, fee=p.fees,
                )
            )  # fmt: skip
        if rng.random() < 0.3:
            gate, code = REFUSALS[int(rng.integers(len(REFUSALS)) * rng.random())]
            rejections.append(
                rejection(
                    **base, id=event_id(sid, "no"), ts=at, mode=p.mode, signal_id=sid, gate=gate, code=code,
                    figures={"limit": 3}, message=f"{code}: limit=3",
                )
            )  # fmt: skip
    write_lines(folder / "signals.jsonl", signals)
    write_lines(folder / "orders.jsonl", orders)
    write_lines(folder / "fills.jsonl", fills)
    write_lines(folder / "rejections.jsonl", rejections)
    alert = Alert(
        id="a", ts=START, level="warning", code="DATA_GAP", symbol="BTC/USDT", strategy=None,
        message="DATA_GAP: <b>3</b> candles missing", figures={"missing": 3},
    )  # fmt: skip
    letter = DeadLetter(
        id="d", ts=START, source="btc.csv", position=17, symbol="BTC/USDT", reason="CANDLE_HIGH_BELOW_LOW",
        error="CANDLE_HIGH_BELOW_LOW: high=1 low=2", raw="</script><script>alert(1)</script>", encoding="utf-8",
        left_out=0,
        partition=None, key=None, headers=(),
    )  # fmt: skip
    write_lines(folder / "alerts.jsonl", dumped([alert, alert]))
    write_lines(folder / "deadletters.jsonl", dumped([letter]))
    event = Event(ts=START, name="run.started", run="test", figures={})
    write_lines(folder / "events.jsonl", dumped([event]))
