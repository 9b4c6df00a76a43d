"""How an entry is parted: a ladder of targets, and two legs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.portfolio.legs import Legs
from schemas.config.exits import ExitsConfig
from schemas.config.instruments import Instrument
from tests.flows.portfolio.gates.intents import an_intent

HALF = Instrument(tick=Decimal("0.5"), lot=Decimal("0.01"), min_notional=Decimal(10))
THIRDS = [{"share_pct": 33.3, "at": 1}, {"share_pct": 33.3, "at": 2}]


def legs(side: int, quantity: str, target: str | None = None, instrument: Instrument = HALF, **exits: Any) -> list[Any]:
    """(quantity, stop, target) of each part of an entry at 100 with a stop 4 away."""
    intent = an_intent(side, risk=4.0, instrument=instrument)
    intent.lots, intent.stop = Decimal(quantity), Decimal(100 - 4 * side)
    intent.target = None if target is None else Decimal(target)
    made = Legs(ExitsConfig.model_validate(exits)).of(intent)
    return [tuple(None if x is None else str(x) for x in (one.quantity, one.stop, one.target)) for one in made]


def test_without_a_ladder_and_a_second_leg_there_are_no_parts() -> None:
    assert legs(1, "10", "120") == []


@pytest.mark.parametrize(
    ("side", "target", "ladder", "parts"),
    [
        (1, "120", THIRDS, [("3.33", "96", "104"), ("3.33", "96", "108"), ("3.34", "96", "120")]),
        (-1, "80", THIRDS, [("3.33", "104", "96"), ("3.33", "104", "92"), ("3.34", "104", "80")]),
        (1, None, THIRDS, [("3.33", "96", "104"), ("3.33", "96", "108"), ("3.34", "96", None)]),
        (1, None, [{"share_pct": 50, "by": "percent", "at": 1.3}], [("5", "96", "101"), ("5", "96", None)]),
        (-1, None, [{"share_pct": 50, "by": "percent", "at": 1.3}], [("5", "104", "99"), ("5", "104", None)]),
        (1, "106", THIRDS, [("3.33", "96", "104"), ("6.67", "96", "106")]),
        (1, "104", THIRDS, []),
        (1, None, [{"share_pct": 50, "at": 1}, {"share_pct": 50, "at": 2}], [("5", "96", "104"), ("5", "96", "108")]),
        (1, "120", [{"share_pct": 50, "at": 0.1}], []),
        (1, "120", [{"share_pct": 0.5, "at": 1}], []),
        (1, "120", [{"share_pct": 99.5, "at": 1}, {"share_pct": 0.1, "at": 2}], []),
    ],
    ids=[
        "in distances of the stop",
        "of a short",
        "without a last target",
        "in percent, on the tick towards the price",
        "in percent, of a short",
        "a rung beyond the last target is the last target",
        "all rungs at the last target: one part",
        "nothing is left after the rungs",
        "a rung that the tick moves onto the price is not made",
        "a rung below the smallest order is not made",
        "what is left is below the smallest order and goes with the last rung: one part",
    ],
)
def test_a_ladder(side: int, target: str | None, ladder: list[Any], parts: list[Any]) -> None:
    assert legs(side, "10", target, ladder=ladder) == parts


@pytest.mark.parametrize(
    ("side", "dual", "parts"),
    [
        # 5 units may lose 10: the stop is 2 away.
        (1, {"stop_money": 10}, [("5", "98", "104"), ("5", "96", "120")]),
        (-1, {"stop_money": 10}, [("5", "102", "96"), ("5", "104", "80")]),
        (1, {"stop_money": 11.9}, [("5", "98", "104"), ("5", "96", "120")]),
        (1, {"stop_money": 10, "share_pct": 75, "at": 0.5}, [("2.5", "96", "102"), ("7.5", "96", "120")]),
        (1, {"stop_money": 10, "by": "percent", "at": 30}, [("5", "98", "120"), ("5", "96", "120")]),
        (1, {"stop_money": 1}, []),
        (1, {"stop_money": 10, "share_pct": 99.5}, []),
        (1, {"stop_money": 10, "share_pct": 0.5}, []),
    ],
    ids=[
        "half and half",
        "of a short",
        "its stop goes to the tick towards the price",
        "its stop is never beyond that of leg A",
        "nor its target",
        "a stop that the tick moves onto the price: no leg B",
        "leg B below the smallest order: no leg B",
        "leg A below the smallest order: no leg B",
    ],
)
def test_two_legs(side: int, dual: dict[str, Any], parts: list[Any]) -> None:
    assert legs(side, "10", "120" if side > 0 else "80", dual=dual) == parts


def test_the_ladder_parts_leg_a() -> None:
    assert legs(1, "10", "120", dual={"stop_money": 10}, ladder=THIRDS) == [
        ("5", "98", "104"),
        ("1.66", "96", "104"),
        ("1.66", "96", "108"),
        ("1.68", "96", "120"),
    ]


def test_more_than_all_cannot_leave() -> None:
    with pytest.raises(ValueError, match="the shares of the rungs are 110 % together: at most 100 % can leave"):
        ExitsConfig.model_validate({"ladder": [{"share_pct": 60, "at": 1}, {"share_pct": 50, "at": 2}]})


RUNGS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict, share_pct=st.sampled_from([0.3, 5, 20, 25]), at=st.floats(0.01, 20), by=st.sampled_from(["reward", "percent"])
)


@given(
    st.sampled_from([1, -1]),
    st.integers(1, 100_000).map(lambda lots: str(Decimal(lots) / 100)),
    st.sampled_from([None, 3, 7.5, 40]),
    st.lists(RUNGS, max_size=4),
    st.builds(dict, stop_money=st.sampled_from([None, 0.5, 30, 4000]), share_pct=st.sampled_from([1, 50, 99])),
)
def test_the_parts_are_the_whole_and_none_risks_more_or_wants_more_than_it(
    side: int, quantity: str, reward: float | None, ladder: list[Any], dual: dict[str, Any]
) -> None:
    target = None if reward is None else str(100 + side * reward)
    made = legs(side, quantity, target, ladder=ladder, dual=dual)
    if not made:
        return
    assert len(made) > 1
    assert sum(Decimal(one[0]) for one in made) == Decimal(quantity)
    for part, stop, goal in made:
        assert Decimal(part) % HALF.lot == 0
        assert Decimal(part) * 100 >= HALF.min_notional
        assert 0 < (100 - Decimal(stop)) * side <= 4
        assert goal is not None or target is None
        if goal is not None:
            assert 0 < (Decimal(goal) - 100) * side <= (Decimal(target) - 100) * side if target else True
