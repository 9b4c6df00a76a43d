"""``make chaos``: the long form of the kill matrix, on a broker of its own."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import monotonic

from tests.chaos.market import Market, simulated
from tests.chaos.matrix import Matrix, Outcome
from tests.chaos.plan import LONG, Round, plan
from tests.kafka.broker import Broker

INSTANTS = 100  # published in a round, as a rule
EMPTY_SHARE_OF_KILLS = 0.1


def matrix(folder: Path, address: str, name: str, rounds: Sequence[Round], seed: int, *, every_shard: bool) -> Outcome:
    """One installation through some rounds. At least a day of candles is left for the end."""
    days = 2 + len(rounds) * INSTANTS // 1440
    symbols = simulated(every_shard=every_shard)
    # Without it, a shard that is empty for ever would be waited for in each of the many starts.
    max_wait = "5s" if every_shard else "1s"
    one = Matrix(folder, address, name, lambda: Market(folder, symbols, days, seed), Random(seed), max_wait)
    return one.run(rounds, lambda text: print(text, file=sys.stderr, flush=True))


def table(kills: Counter[str], outcomes: dict[str, Outcome]) -> str:
    """What was done and what came of it."""
    lines = [f"{'kill -9':<60} {'times':>7}"]
    lines += [f"{kind:<60} {times:>7}" for kind, times in sorted(kills.items())]
    missed = sum(outcome.missed for outcome in outcomes.values())
    lines += [f"{'in all':<60} {sum(kills.values()):>7}", *([f"points not reached: {missed}"] if missed else []), ""]
    codes = sum((outcome.codes for outcome in outcomes.values()), Counter[str]())
    lines += [f"{codes.total()} commands: {', '.join(f'{code} {times}' for code, times in codes.most_common())}", ""]
    lines += [f"{'topic':<36} {'expected':>9} {'found':>9} {'lost':>6} {'duplicated':>11} {'diverged':>9}"]
    for name, outcome in outcomes.items():
        for topic, one in outcome.verdicts.items():
            wrong = (len(one.lost), len(one.duplicated), len(one.diverged))
            figures = f"{one.expected:>9,} {one.found:>9,} {wrong[0]:>6} {wrong[1]:>11} {wrong[2]:>9}"
            lines.append(f"{f'{topic} ({name})':<36} {figures}")
    return "\n".join(lines)


def main() -> int:
    """Exit code 1 when anything is lost, duplicated or diverged, or a process ended but as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder, began = Path(tempfile.mkdtemp(prefix="penstock-chaos-")), monotonic()
    broker = Broker(folder / "broker").start()
    outcomes = {}
    try:
        empty = max(4, round(EMPTY_SHARE_OF_KILLS * given.kills))
        for name, count in (("full", given.kills - empty), ("gap", empty)):
            rounds = list(plan(LONG, count - 1, Random(given.seed)))
            outcomes[name] = matrix(folder / name, broker.address, name, rounds, given.seed, every_shard=name == "full")
    finally:
        broker.stop()
    kills = sum((outcome.kills for outcome in outcomes.values()), Counter[str]())
    print(table(kills, outcomes))
    wrong = [line for outcome in outcomes.values() for line in outcome.problems]
    wrong += [
        f"{topic}: {line}" for one in outcomes.values() for topic, each in one.verdicts.items() for line in each.wrong
    ]
    for line in wrong[:50]:
        print(line)
    print(f"seed {given.seed}, {monotonic() - began:.0f} s, {len(wrong)} wrong" + (f": see {folder}" if wrong else ""))
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
