"""Buying and selling by hand: an intent with an id, through the same gates as a strategy's signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from flows.columns import Ints
from flows.outbox import Outbox, new_outbox
from flows.portfolio.control.base import MANUAL
from flows.portfolio.control.outcome import Outcome, Refused, done
from flows.portfolio.control.steering import Steering
from flows.portfolio.gates.base import Refusal
from schemas.ids import event_id
from schemas.signal import Signal
from schemas.timeframe import from_millis, to_millis
from schemas.wire import wire

if TYPE_CHECKING:
    from flows.portfolio.account import Account
    from flows.portfolio.control.commands import Given
    from flows.portfolio.stage import PortfolioStage

SignalRow = wire(Signal)


def trade(stage: PortfolioStage, steering: Steering, side: int, given: Given, outbox: Outbox) -> Outcome:
    """Carry out an intent, once. Raises Refused when it has been, is about to be, or when a gate says no.

    What is refused has changed nothing: all of it is tried on a twin of the account first, so that a position is not
    left for another one that may not be entered.
    """
    id_, symbol, now = given.argument("intent"), given.argument("symbol"), given.received_ms
    if not id_.strip():
        raise Refused("ARGUMENT_MISSING", argument="intent")
    life = steering.intents.of(id_, now)
    if life is not None and life.status != "failed":
        code = "INTENT_EXECUTED" if life.status == "executed" else "INTENT_PENDING"
        raise Refused(code, intent=id_, order_id=life.order_id, result=life.result)
    account = stage.live
    if not account.knows(symbol):
        raise Refused("SYMBOL_UNKNOWN", symbol=symbol)
    _too_soon(account, steering, symbol)
    signal = _signal(stage, symbol, side, given)
    outbox["signals"].append(signal)
    timeframes = stage.aligner.timeframes
    found = _too_old(stage, account.slots[symbol], now) or _tried(account, signal, timeframes, now)
    if found:
        gate, refusal = found
        account.ledger.rejection(outbox, signal, "buy" if side > 0 else "sell", gate, refusal)
        steering.intents.failed(id_, now, refusal.code)
        raise Refused(refusal.code, **refusal.named())
    orders = len(outbox["orders"])
    account.decide([signal], timeframes, outbox, now)
    steering.by_hand[symbol] = signal.ts
    entry = [order for order in outbox["orders"][orders:] if order.signal_id == signal.id][-1]
    steering.intents.begin(id_, now, entry.id, "ordered")
    if any(fill.order_id == entry.id for fill in outbox["fills"]):
        steering.intents.filled(entry.id, "filled")
    figures: dict[str, Any] = {"quantity": str(entry.quantity), "stop": str(entry.stop)}
    if entry.target is not None:
        figures["target"] = str(entry.target)
    return done(intent=id_, order_id=entry.id, signal_id=signal.id, **figures)


def _too_soon(account: Account, steering: Steering, symbol: str) -> None:
    """An order has the id of its instant, and one that waits has to be filled before the next."""
    for one in account.broker.waiting.get(symbol, ()):
        if one.order.strategy == MANUAL:
            why = f"an order that was given before waits for the symbol's next candle ({one.order.leg})"
            raise Refused("INTENT_TOO_SOON", symbol=symbol, order_id=one.order.id, why=why)
    if steering.by_hand.get(symbol) == account.tally["now"].item():
        raise Refused("INTENT_TOO_SOON", symbol=symbol, why="another one was ordered behind the same candle")


def _too_old(stage: PortfolioStage, slot: int, now: int) -> tuple[str, Refusal] | None:
    """The last close may be as old as the candle that follows it, which may be as late as a command.

    Returns what the gate ``stale_data`` says to it, which does not know of the click.
    """
    age = now - stage.live.lanes["seen"].item(slot)
    most = int(stage.aligner.timeframes[slot]) + to_millis(stage.config.commands.max_age)
    return ("stale_data", Refusal("DATA_STALE", {"age_ms": age, "most_ms": most})) if age > most else None


def _tried(account: Account, signal: Any, timeframes: Ints, now: int) -> tuple[str, Refusal] | None:
    """The gate that refuses it on a twin of the account, and what it says."""
    trial = new_outbox()
    account.twin().decide([signal], timeframes, trial, now)
    for row in trial["rejections"]:
        return row.gate, Refusal(row.code, row.figures)
    return None


def _signal(stage: PortfolioStage, symbol: str, side: int, given: Given) -> Any:
    account, command = stage.live, given.command
    slot = account.slots[symbol]
    price = account.lanes["mark"].item(slot)
    bid, ask = _number(given, "bid"), _number(given, "ask")
    stop = _number(given, "stop")
    if bid is not None and ask is not None:
        _plausible(bid, ask, price, stop)
    return SignalRow(
        id=event_id(stage.name, command.id, "intent"),
        ts=account.tally["now"].item(),
        symbol=symbol,
        timeframe=from_millis(int(stage.aligner.timeframes[slot])),
        strategy=MANUAL,
        version="1.0.0",
        mode="live",
        side="long" if side > 0 else "short",
        price=price,
        stop=stop,
        target=_number(given, "target"),
        confidence=1.0,
        missing=0,
        reason=f"intent {given.argument('intent')} of {command.sender}",
        values={},
        bid=bid,
        ask=ask,
    )


def _plausible(bid: float, ask: float, price: float, stop: float | None) -> None:
    """A spread says nothing when it lies where the order would never be: beyond the stop, or as far the other way."""
    if ask < bid:
        raise Refused("ARGUMENT_WRONG", why=f"ask {ask} is below bid {bid}")
    if stop is not None and (bid > price + abs(price - stop) or ask < price - abs(price - stop)):
        why = f"bid {bid} and ask {ask} are farther from the last close {price} than the stop {stop}"
        raise Refused("ARGUMENT_WRONG", why=why)


def _number(given: Given, name: str) -> float | None:
    value = given.command.arguments.get(name)
    if value is None:
        return None
    try:
        price = float(value)
    except (ValueError, OverflowError):
        price = math.nan
    if not 0 < price < math.inf:
        raise Refused("ARGUMENT_WRONG", why=f"{name} is a price above 0, not {value!r:.80}")
    return price
