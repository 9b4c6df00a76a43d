from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flows.kernel import Announce, kernel

USE = """
from flows.kernel import announce_compiling
announce_compiling(lambda: print("compiling"))
from flows.indicators.ema import EMA
from flows.columns import Candles
print(EMA(2)(Candles.of([1.0, 2.0, 4.0])).tolist())
"""


@kernel
def _running(values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    total = 0.0
    for i in range(len(values)):
        total += values[i]
        out[i] = total


@kernel
def _ratio(a: float, b: float) -> float:
    return a / b


@kernel
def _nested(values: NDArray[np.float64]) -> float:
    out = np.empty(len(values))
    _running(values, out)
    return float(out[-1])


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), max_size=50))
def test_sums_keep_their_order_to_the_last_bit(values: list[float]) -> None:
    out = np.empty(len(values))
    _running(np.array(values), out)
    total, expected = 0.0, []
    for value in values:
        total += value
        expected.append(total)
    assert out.tolist() == expected


def test_values_that_are_not_numbers_are_not_optimised_away() -> None:
    out = np.empty(3)
    _running(np.array([1.0, np.nan, 1.0]), out)
    assert np.isnan(out).tolist() == [False, True, True]


def test_division_by_zero_is_infinite_or_not_a_number_and_not_an_error() -> None:
    assert (_ratio(1.0, 0.0), _ratio(-1.0, 0.0)) == (np.inf, -np.inf)
    assert np.isnan(_ratio(0.0, 0.0))


def test_a_kernel_can_call_another() -> None:
    assert _nested(np.array([1.0, 2.0])) == 3.0


def test_the_announcement_is_made_once() -> None:
    said: list[str] = []
    announce = Announce(lambda: said.append("compiling"))
    for _ in range(3):
        announce.on_start(None)
        announce.on_end(None)
    assert said == ["compiling"]


def use(**environment: str) -> list[str]:
    """Lines that a fresh process prints when it uses a compiled indicator."""
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    command = [sys.executable, "-c", USE]
    done = subprocess.run(
        command, env={**kept, **environment}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_only_the_first_use_on_a_machine_compiles_and_says_so(tmp_path: Path) -> None:
    first, second = use(NUMBA_CACHE_DIR=str(tmp_path)), use(NUMBA_CACHE_DIR=str(tmp_path))
    assert first[0] == "compiling"
    assert first.count("compiling") == 1
    assert second == first[1:]


def test_what_was_compiled_is_kept_in_the_cache_of_the_user(tmp_path: Path) -> None:
    use(XDG_CACHE_HOME=str(tmp_path))
    assert list(tmp_path.glob("penstock/kernels-*/**/*.nbi")) != []


RACE = """
import sys
from flows.kernel import kernel
from tests.flows.test_kernel import _ratio
kind = float if int(sys.argv[1]) else int
print(_ratio(kind(7), kind(2)))
"""


def test_processes_that_compile_different_signatures_at_once_do_not_mix_up_their_code(tmp_path: Path) -> None:
    for attempt in range(2):
        folder = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / str(attempt))}
        for _ in range(2):  # cold, and from the cache
            words = [[sys.executable, "-c", RACE, str(number % 2)] for number in range(4)]
            running = [subprocess.Popen(one, env=folder, stdout=subprocess.PIPE, text=True) for one in words]
            said = [process.communicate(timeout=120)[0].strip() for process in running]
            assert [process.returncode for process in running] == [0] * 4
            assert said == ["3.5"] * 4
