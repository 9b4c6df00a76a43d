"""`make bench-kafka`: penstock and its peers on one Kafka broker, side by side; `--write` puts the page into docs/.

The broker is Apache Kafka 4.1.1 from Maven Central's jars, started for this alone. Peers have an environment of their
own, made by `make kafka-peers`. The short form: `--minutes 300 --rounds 1 --seconds 5`.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.kafka.heat import Heat, heat
from benchmarks.kafka.live import latency, recovery
from benchmarks.kafka.market import Feed, simulated
from benchmarks.kafka.sheet import Job, Live, Results, page
from benchmarks.kafka.sides import HERE, OUR_PYTHON, PEER_PYTHON, SIDES
from benchmarks.machine import machine
from tests.kafka.broker import Broker

DOCS = HERE.parents[1] / "docs/benchmarks-kafka.md"
WARM = 60
"""Minutes of candles that warm a side up, and that a live penstock has behind it."""
BURST, BURST_S = 20, 0.02
BURST_WARM_S = 10
"""Seconds of live market before the latency counts: broker and process are new to requests of this size."""
MANY, MANY_S = 1_000, 0.5


def main() -> None:
    """All sides in turns; the table to stdout, with ``--write`` the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks-kafka.md, too")
    parser.add_argument("--rounds", type=int, default=3, help="of everything [3]")
    parser.add_argument("--symbols", type=int, default=100, help="[100]")
    parser.add_argument("--minutes", type=int, default=5_000, help=f"candles of a symbol, more than {WARM} [5000]")
    parser.add_argument("--seconds", type=int, default=30, help="of live market for the latency [30]")
    parser.add_argument("--only", nargs="+", choices=SIDES, default=list(SIDES), metavar="SIDE", help=", ".join(SIDES))
    arg = parser.parse_args()
    if not PEER_PYTHON.exists():
        sys.exit("the peers are not installed: run make kafka-peers")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        broker = Broker(folder / "kafka", flags=())  # not those of the tests, with which it is quick to start only
        try:
            results = measured(broker.start().address, folder, arg, load)
        finally:
            broker.stop()
    text = page(results)
    print(text)
    if arg.write:
        DOCS.write_text(text)
        say(f"written: {DOCS}")


def measured(address: str, folder: Path, arg: argparse.Namespace, load: float) -> Results:
    """Everything, on a running broker."""
    feed = simulated(arg.symbols, arg.minutes)
    heats = race(arg.only, feed, arg.rounds, address, folder)
    live = None
    if "penstock" in arg.only:
        burst, many = simulated(BURST, WARM + int((BURST_WARM_S + arg.seconds) / BURST_S)), simulated(MANY, WARM + 240)
        late, back = [], []
        for turn in range(arg.rounds):
            say(f"round {turn + 1}: latency, recovery")
            late.append(latency(burst, WARM, BURST_WARM_S, BURST_S, address, folder))
            back.append(recovery(many, WARM, MANY_S, address, folder))
        live = Live(late, back, BURST, 1_000 * BURST_S, BURST_WARM_S, WARM, 1_000 * MANY_S)
    few = SIDES["Faust"].most or len(feed)
    job = Job(arg.symbols, arg.minutes, WARM, len(feed.signals), few)
    return Results([*machine(load), versions()], os.cpu_count() or 1, job, heats, live)


def race(names: list[str], feed: Feed, rounds: int, address: str, folder: Path) -> dict[str, list[Heat]]:
    """All sides in turns. A first short round, which does not count, warms up the broker and what compiles."""
    short = feed.head(2 * WARM * len(feed.symbols))
    for name in names:
        say(f"warming up: {name}")
        heat(SIDES[name], short, WARM, address, folder)
    heats: dict[str, list[Heat]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names:
            heats[name].append(heat(SIDES[name], feed, WARM, address, folder))
            say(f"round {turn + 1}: {name}: {heats[name][-1].rate:,.0f} candles/s")
    return heats


def versions() -> str:
    """Of everything that ran."""
    ask = "import importlib.metadata as m, sys; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=', ')"

    def of(python: Path, *names: str) -> str:
        return subprocess.run([python, "-c", ask, *names], capture_output=True, text=True, check=True).stdout.strip()

    ours = of(OUR_PYTHON, "penstock", "bytewax", "confluent-kafka", "msgspec")
    theirs = of(PEER_PYTHON, "quixstreams", "confluent-kafka", "faust-streaming", "aiokafka")
    return f"Apache Kafka 4.1.1; Python {platform.python_version()}; {ours}; apart from these: {theirs}"


def say(text: str) -> None:
    """Progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
