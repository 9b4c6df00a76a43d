from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.columns import Candles
from flows.indicators.bollinger import Bollinger
from flows.indicators.sma import SMA
from flows.module import Module


class Counter(Module):
    def __init__(self) -> None:
        self.count = self.state(dtype=np.int64)
        self.level = self.state(2, fill=-1.0)
        self.name = "counter"


class Nest(Module):
    def __init__(self) -> None:
        self.one = Counter()
        self.listed = [Counter(), Counter()]
        self.pair = (Counter(), 3)
        self.named = {"a": Counter(), "b": 4}
        self.own = self.state(fill=np.nan)


NAMES = ["one", "listed.0", "listed.1", "pair.0", "named.a"]


def test_state_has_a_row_for_each_symbol_with_its_fill() -> None:
    counter = Counter()
    counter.reserve(2)
    assert counter.count.tolist() == [0, 0]
    assert counter.count.dtype == np.int64
    assert counter.level.tolist() == [[-1.0, -1.0], [-1.0, -1.0]]


def test_growing_keeps_what_is_there_and_fills_the_rest() -> None:
    counter = Counter()
    counter.reserve(1)
    counter.count[0], counter.level[0] = 7, 5.0
    counter.reserve(3)
    assert counter.count[:3].tolist() == [7, 0, 0]
    assert counter.level[:3].tolist() == [[5.0, 5.0], [-1.0, -1.0], [-1.0, -1.0]]


def test_reserving_less_than_there_is_does_not_shrink() -> None:
    counter = Counter()
    counter.reserve(3)
    counter.reserve(1)
    assert len(counter.count) == 3


def test_growing_one_symbol_at_a_time_copies_seldom() -> None:
    counter = Counter()
    arrays = set()
    for slots in range(1, 1001):
        counter.reserve(slots)
        assert len(counter.count) >= slots
        arrays.add(id(counter.count))
    assert len(counter.count) == 1024
    assert len(arrays) <= 11


def test_modules_in_attributes_lists_tuples_and_dicts_are_found() -> None:
    assert [name for name, _ in Nest().children()] == NAMES


def test_reserving_reaches_all_modules_below() -> None:
    nest = Nest()
    nest.reserve(2)
    assert [len(child.count) for _, child in nest.children() if isinstance(child, Counter)] == [2] * 5


def test_the_state_dict_names_every_array_by_its_path() -> None:
    expected = {"own"} | {f"{name}.{array}" for name in NAMES for array in ("count", "level")}
    assert set(Nest().state_dict()) == expected


def test_the_state_dict_is_a_copy() -> None:
    nest = Nest()
    nest.reserve(1)
    saved = nest.state_dict()
    nest.one.count[0] = 9
    assert saved["one.count"].tolist() == [0]


def test_what_is_loaded_is_a_copy_too() -> None:
    nest = Nest()
    nest.reserve(1)
    saved = nest.state_dict()
    nest.load_state_dict(saved)
    nest.one.count[0] = 9
    assert saved["one.count"].tolist() == [0]


def test_loading_puts_back_every_array_and_the_room_for_symbols() -> None:
    first = Nest()
    first.reserve(3)
    for index, (_, child) in enumerate(first.children()):
        assert isinstance(child, Counter)
        child.count[:] = index
    second = Nest()
    second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    assert [child.count.tolist() for _, child in second.children() if isinstance(child, Counter)] == [
        [index] * 3 for index in range(5)
    ]
    second.reserve(4)
    assert second.listed[1].count[:4].tolist() == [2, 2, 2, 0]


def test_state_saved_before_any_row_can_be_loaded_and_used() -> None:
    module = Bollinger(2)
    module.load_state_dict(Bollinger(2).state_dict())
    assert module(Candles.of([1.0, 3.0])).middle[1] == 2.0


def test_a_module_without_state_of_its_own_grows_after_loading() -> None:
    first = Bollinger(2)
    first(Candles.of([1.0, 3.0]))
    second = Bollinger(2)
    second.load_state_dict(first.state_dict())
    second.reserve(5)
    assert len(second.moments.count) >= 5


def test_a_state_of_another_structure_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="count"):
        Counter().load_state_dict({})


def test_only_declared_arrays_are_state() -> None:
    class Loose(Module):
        def __init__(self) -> None:
            self.table = np.zeros(3)
            self.seen = self.state()

    assert set(Loose().state_dict()) == {"seen"}


def test_state_stays_state_when_it_is_assigned_anew() -> None:
    counter = Counter()
    counter.reserve(1)
    counter.count = np.array([5])
    assert counter.state_dict()["count"].tolist() == [5]


def test_a_module_has_no_warmup_unless_it_says_so() -> None:
    assert Module().warmup == 0
    assert SMA(3).warmup == 2


@given(slots=st.lists(st.integers(0, 40), min_size=1, max_size=10))
def test_there_is_always_room_for_the_most_symbols_seen(slots: list[int]) -> None:
    nest = Nest()
    for count in slots:
        nest.reserve(count)
    assert all(len(array) >= max(slots) for array in nest.state_dict().values())
