"""The candles of all these tests, and installations of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.chaos.market import CONFIGURATION, SETTINGS_FILE, SHARDS, Market, simulated
from tests.faults.live import Live, Truth

Install = Callable[..., Live]


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """A day of five symbols, one shard empty of none, and its replay."""
    folder = tmp_path_factory.mktemp("truth")
    text = CONFIGURATION.format(address="127.0.0.1:1", name="truth", shards=SHARDS, max_wait="5s")
    (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
    market = Market(folder, simulated(every_shard=True), 1, 11)
    return Truth(market, market.replay())


@pytest.fixture
def install(tmp_path: Path, truth: Truth) -> Iterator[Install]:
    """Makes installations on a broker; what they started is ended with the test."""
    made: list[Live] = []

    def make(address: str, client: str = "", door: str | None = None) -> Live:
        name = f"faults-{uuid4().hex[:8]}"
        (tmp_path / name).mkdir()
        made.append(Live(tmp_path / name, address, name, truth, client, door or address))
        return made[-1]

    yield make
    for live in made:
        live.close()


@pytest.fixture
def live(install: Install, kafka: str) -> Live:
    """An installation on the broker of the tests."""
    return install(kafka)
