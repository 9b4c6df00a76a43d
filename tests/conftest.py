"""What tests of several rooms share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.kafka.broker import Broker, jars

# Who is started in the background without job control ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "right-and-secret"
SHARED_DATA = ROOT.parent / "shared/data"

# A machine that is busy with something else is no fault of the code: nothing here is judged by the clock. And what is
# tested is the change at hand: the same examples each time. `make search` looks at others.
settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="PENSTOCK_SEARCH" not in os.environ,
)
settings.load_profile("untimed")

# What starts processes and brokers, the longest first: the many quick tests behind it are shared out evenly.
FIRST = (
    "tests/chaos/test_matrix.py",
    "tests/test_determinism.py",
    "tests/cli/test_run.py",
    "tests/cli/test_command.py",
    "tests/cli/test_watch.py",
    "tests/sinks/kafka/",
    "tests/faults/",
    "tests/cli/",
    "tests/connectors/kafka/",
    "tests/flows/test_",
    "tests/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By FIRST; within it, and behind it, as they were."""
    items.sort(key=lambda item: next((at for at, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real market data beside the repository; tests that need it are skipped without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real market data is not here: {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """Where the jars of Apache Kafka's broker are. Without Java and Maven a test is skipped; in CI it fails."""
    try:
        return jars()
    except RuntimeError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Kafka broker: {error}; or name one that runs with PENSTOCK_TEST_KAFKA=host:port")


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Apache Kafka broker: PENSTOCK_TEST_KAFKA, or one that is started for the tests."""
    named = os.environ.get("PENSTOCK_TEST_KAFKA")
    if named:
        yield named
        return
    request.getfixturevalue("kafka_jars")
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    try:
        yield broker.start().address
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def broker(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One that may be stopped, and that asks for a password at its door. Who stops it starts it again."""
    broker = Broker(tmp_path_factory.mktemp("broker"), users={"penstock": PASSWORD})
    try:
        yield broker.start()
    finally:
        broker.stop()
