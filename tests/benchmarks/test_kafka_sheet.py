from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from benchmarks.kafka import market, sheet
from benchmarks.kafka.heat import Heat
from benchmarks.kafka.live import Latency, Recovery
from benchmarks.kafka.sheet import Job, Live, Results, page


def results(**seconds: list[float]) -> Results:
    """``seconds`` of 1,000 candles in each round of each side, and a live penstock that just does what is wanted."""
    names = {"ours": "penstock", "two": "penstock, 2 processes", "bytewax": "Bytewax", "loop": "bare loop, signals"}
    heats = {names[key]: [Heat(1_000, each, 50, 2.0) for each in values] for key, values in seconds.items()}
    live = Live(
        [Latency(100, 1_000.0, 15.0, 60.0, 70.0, 90.0)], [Recovery(1_000, 10.0, 250_000)], 20, 20.0, 10.0, 60, 500.0
    )
    return Results(["date: today"], 2, Job(10, 100, 60, 50, 30), heats, live)


def verdicts(text: str) -> dict[str, tuple[str, str]]:
    """What was measured and the verdict, by what was wanted."""
    part = text.partition("## What was wanted")[2].partition("##")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if "|" in line]
    return {row[0]: (row[2], row[3]) for row in cells[2:]}


def test_what_is_just_reached_is_met() -> None:
    assert verdicts(page(results(ours=[1.0], two=[0.5], bytewax=[5.0], loop=[0.4]))) == {
        "times as fast as Bytewax": ("5.00", "met"),
        "share of the bare loop, signals, %": ("40", "met"),
        "two processes, times one": ("2.00", "met"),
        "candle to order, p50, ms": ("15.0", "met"),
        "candle to order, p99, ms": ("60.0", "met"),
        "back to work after a kill, s": ("10.0", "met"),
    }


def test_what_is_not_reached_is_missed() -> None:
    found = verdicts(page(results(ours=[1.0], two=[0.6], bytewax=[4.9], loop=[0.3])))
    assert found["times as fast as Bytewax"] == ("4.90", "MISSED")
    assert found["share of the bare loop, signals, %"] == ("30", "MISSED")
    assert found["two processes, times one"] == ("1.67", "MISSED")


def test_ratios_are_taken_within_a_round() -> None:
    found = verdicts(page(results(ours=[1.0, 2.0, 4.0], bytewax=[6.0, 14.0, 32.0])))
    assert found["times as fast as Bytewax"] == ("7.00", "met")


def test_a_rate_stands_with_its_range() -> None:
    assert "| 1,000 (500-2,000) |" in page(results(ours=[1.0, 2.0, 0.5]))


@pytest.mark.parametrize("module", [market, sheet])
def test_the_examples_in_docstrings_are_true(module: ModuleType) -> None:
    done = doctest.testmod(module)
    assert (done.failed, done.attempted > 0) == (0, True)
