from __future__ import annotations

from flows.portfolio.memory import Memory


def closing(memory: Memory, *profits: float, strategy: str = "a") -> None:
    """Positions that put 50 at risk, one after the other."""
    for profit in profits:
        memory.entered(0, "order", 50.0)
        memory.filled("order", "id")
        memory.exited(("BTC/USDT", strategy), 0, "id", profit)


def test_trades_are_kept_by_strategy_in_units_of_what_was_at_risk_the_latest_ones() -> None:
    memory = Memory(10_000.0, 60_000, kept=3)
    closing(memory, -50.0, 100.0, 25.0, 0.0)
    closing(memory, 5.0, strategy="b")
    assert memory.trades == {"a": [2.0, 0.5, 0.0], "b": [0.1]}
    assert memory.risked == {}


def test_trades_that_nobody_asks_for_are_not_kept() -> None:
    memory = Memory(10_000.0, 60_000)
    closing(memory, -50.0)
    assert (memory.trades, memory.risked) == ({}, {})


def test_entries_are_counted_by_their_times_in_whatever_order_they_came() -> None:
    """A click at 0:65 that is obeyed before the instant 0:60 has been decided."""
    memory = Memory(10_000.0, 60_000)
    for ts in (10_000, 65_000, 60_000):
        memory.entered(ts, "", 0.0)
    assert memory.entries == [10_000, 60_000, 65_000]
    assert [memory.entries_since(ts) for ts in (9_999, 10_000, 60_000, 65_000)] == [3, 2, 1, 0]


def test_a_snapshot_is_all_of_it_and_a_copy() -> None:
    memory = Memory(10_000.0, 60_000, kept=3)
    closing(memory, -50.0)
    memory.entered(7, "order", 20.0)
    memory.filled("order", "open")
    memory.entered(8, "addition", 5.0)
    state = memory.snapshot()
    closing(memory, 100.0)
    other = Memory(1.0, 60_000, kept=3)
    other.restore(state)
    assert other.snapshot() == state
    assert (other.trades, other.risked, other.entries) == ({"a": [-1.0]}, {"open": 20.0}, [0, 7, 8])
    assert other.coming == {"addition": 5.0}


def test_what_is_withdrawn_was_never_at_risk() -> None:
    memory = Memory(10_000.0, 60_000, kept=3)
    memory.entered(0, "entry", 50.0)
    memory.filled("entry", "id")
    memory.entered(1, "first", 10.0)
    memory.entered(2, "second", 20.0)
    memory.filled("second", "id")
    memory.withdrawn("first")
    assert (memory.risked, memory.coming) == ({"id": 70.0}, {})
    memory.exited(("BTC/USDT", "a"), 3, "id", 35.0)
    assert memory.trades == {"a": [0.5]}
