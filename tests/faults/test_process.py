"""The process itself: code that raises, signals, a clock that is set back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest

from tests.chaos.market import ROOT
from tests.faults.live import CLEAR, Live

RAISES = """
from flows.strategies.sma_cross import SmaCross

class Raises(SmaCross):
    def on_candles(self, candles):
        if (candles.close > 10_000).any():
            raise RuntimeError("no luck with BTC")
        return super().on_candles(candles)
"""
# What a defect of an operator looks like: it is put where Python finds it before all else.
DEFECT = """
import sys

class Defect:
    def find_spec(self, name, path, target=None):
        if name == "flows.live":
            from flows.portfolio.stage import PortfolioStage
            def step(self, slices):
                raise ZeroDivisionError("something that nobody thought of")
            PortfolioStage.step = step

sys.meta_path.insert(0, Defect())
"""


def test_a_strategy_that_raises_loses_a_symbol_and_nothing_else(live: Live) -> None:
    (live.folder / "unlucky.py").write_text(RAISES, encoding="utf-8")
    live.feed.publish(300)
    run = live.start("--set", "strategies.0.use=unlucky:Raises")
    live.until_said_all(run)
    topics = live.until(lambda topics: "STRATEGY_RAISED" in topics.codes(), run)
    raised = {one["symbol"]: one["message"] for one in topics.alerts if one["code"] == "STRATEGY_RAISED"}
    why = "STRATEGY_RAISED: RuntimeError: no luck with BTC; quarantined on BTC/USDT, open positions keep their stops"
    assert raised == {"BTC/USDT": why}
    assert run.end() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_defect_shows_itself_and_not_the_thread_that_is_gone(live: Live, processes: str) -> None:
    (live.folder / "sitecustomize.py").write_text(DEFECT, encoding="utf-8")
    live.feed.publish(100)
    run = live.start("--processes", processes, PYTHONPATH=f"{live.folder}:{ROOT}")
    run.until_said("penstock: ZeroDivisionError: something that nobody thought of\nThis is a defect of Penstock")
    if processes == "1":
        assert run.wait() == 1
    else:
        run.until_said("a process ended with exit code 1: starting all again in 0.5 s")
        assert run.end() == 0
    assert "Traceback" not in run.said()
    (live.folder / "sitecustomize.py").unlink()
    run = live.start()
    live.finish(run)
    assert run.end() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_it_can_be_interrupted_at_any_moment(live: Live, processes: str) -> None:
    draw = Random(5)
    live.feed.publish(700)
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        run = live.start("--processes", processes)
        run.until_said("state in state")
        sleep(draw.uniform(0.0, 1.5))
        began = monotonic()
        assert run.end(number) == code
        assert monotonic() - began < 20  # of a busy machine; nothing is waited for, but what is being published
        assert CLEAR.search(run.said()) is None, run.said()
    run = live.start()
    live.finish(run)
    assert run.end() == 0


# Another wall clock, by so many seconds as the file says that CLOCK names; time that has passed is as it was.
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static long ahead(void) {
    static volatile long *shared;
    if (!shared) {
        int file = open(getenv("CLOCK"), O_RDONLY);
        shared = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    }
    return *shared;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, at);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) at->tv_sec += ahead();
    return code;
}
"""


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that gives a process another clock; see ``kafka_jars`` for where there is no compiler."""
    folder = tmp_path_factory.mktemp("clock")
    if shutil.which("cc") is None:
        message = "no C compiler is here: apt-get install gcc libc6-dev"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    (folder / "clock.c").write_text(CLOCK, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"], cwd=folder, check=True)
    return folder / "clock.so"


def test_a_clock_that_is_set_back_changes_nothing(live: Live, clock: Path) -> None:
    ahead = live.folder / "ahead"
    ahead.write_bytes(bytes(8))
    live.feed.publish(300)
    run = live.start(LD_PRELOAD=str(clock), CLOCK=str(ahead))
    live.until_orders(1, run)
    with ahead.open("r+b") as file:
        file.write((-7_200).to_bytes(8, sys.byteorder, signed=True))
    live.finish(run)
    assert "penstock: the clock was set back by 7200 s: starting again from the last checkpoint" in run.said()
    assert run.end() == 0
