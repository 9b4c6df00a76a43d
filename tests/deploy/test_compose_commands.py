"""The very commands of docker-compose.yml, on this machine's broker instead of the one in a container."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import pytest

from connectors.sharding import shard_of
from connectors.simulated import BLOCK, MarketSpec, SimulatedMarket
from schemas.candle import Candle
from schemas.topics import TOPICS
from tests.deploy.compose import command, compose, surroundings
from tests.kafka.topics import raw

pytestmark = pytest.mark.long

SYMBOLS = len(MarketSpec().symbols)


def once(name: str, broker: str, prefix: str, folder: Path, files: dict[str, Path] | None = None) -> str:
    """What a service says that runs to its end."""
    service = compose()["services"][name]
    done = subprocess.run(
        command(service, files),
        cwd=folder,
        env=surroundings(service, broker, PENSTOCK__KAFKA__PREFIX=prefix),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def feeding(broker: str, prefix: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The feeder at work."""
    service = compose({"DEMO_SPEED": "600"})["services"]["feeder"]
    environ = surroundings(service, broker, PENSTOCK__KAFKA__PREFIX=prefix)
    with subprocess.Popen(command(service), cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_topics_creates_what_is_missing_and_is_done_when_nothing_is(kafka: str, tmp_path: Path) -> None:
    prefix = f"{uuid4().hex[:8]}."
    ended = f"{len(TOPICS)} created, 0 were there already, at {kafka}"
    assert once("topics", kafka, prefix, tmp_path).splitlines()[-1] == ended
    again = f"0 created, {len(TOPICS)} were there already, at {kafka}\n"
    assert once("topics", kafka, prefix, tmp_path) == again


def test_live_topics_goes_by_the_users_configuration(kafka: str, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(f"kafka:\n  bootstrap_servers: {kafka}\n", encoding="utf-8")
    mount = {"/etc/penstock/penstock.yaml": config}
    out = once("live-topics", "not-asked:1", f"{uuid4().hex[:8]}.", tmp_path, mount)
    assert out.splitlines()[-1] == f"{len(TOPICS)} created, 0 were there already, at {kafka}"


def test_the_feeder_goes_on_behind_what_it_published_however_it_ended(kafka: str, tmp_path: Path) -> None:
    prefix = f"{uuid4().hex[:8]}."
    once("topics", kafka, prefix, tmp_path)
    day = BLOCK * SYMBOLS
    with feeding(kafka, prefix, tmp_path):  # killed on the way out
        first = wait_for(lambda: len(raw(kafka, f"{prefix}candles")), day + 3 * SYMBOLS)
    with feeding(kafka, prefix, tmp_path) as feeder:
        wait_for(lambda: len(raw(kafka, f"{prefix}candles")), first + 3 * SYMBOLS)
        feeder.send_signal(signal.SIGTERM)
        said, _ = feeder.communicate(timeout=30)
        assert feeder.returncode == 0
        assert said.endswith(f" candles published to {prefix}candles\n")

    rows = [(row.partition(), Candle.model_validate_json(row.value())) for row in raw(kafka, f"{prefix}candles")]
    market = SimulatedMarket(MarketSpec()).next(2 * BLOCK)
    for column, symbol in enumerate(market.symbols):
        own = [(partition, candle) for partition, candle in rows if candle.symbol == symbol]
        assert {partition for partition, _ in own} == {shard_of(symbol, TOPICS["candles"].partitions)}
        wanted = zip(market.ts.tolist(), market.open[:, column], market.close[:, column], strict=True)
        assert [(one.ts, one.open, one.close) for _, one in own] == list(chain(wanted))[: len(own)]
        assert len(own) > BLOCK


def wait_for(count: Callable[[], int], wanted: int) -> int:
    """The count, as soon as it is at least that."""
    until = monotonic() + 60
    while (there := count()) < wanted:
        assert monotonic() < until, f"{there} of {wanted} after a minute"
        sleep(0.2)
    return there
