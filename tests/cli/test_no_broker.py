"""Commands without a broker. Each waits some seconds for one, so all of them wait at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.command import Result, candles, penstock, write_csv

NOWHERE = "127.0.0.1:1"
NAMED = {
    "check": ("topics", "check"),
    "create": ("topics", "create"),
    "list": ("topics", "list"),
    "tail": ("tail", "orders"),
    "publish": ("publish", "../BTC_USDT-1m.csv"),
}
OTHERS = {
    "replay": ("replay", "--from-kafka"),
    "doctor": ("doctor",),
    "doctor without a state folder": ("doctor", "--state", "../file/state"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nowhere")


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, Result]:
    """What each command says, in a folder of its own."""
    write_csv(folder / "BTC_USDT-1m.csv", candles(3))
    (folder / "file").write_text("")
    commands = NAMED | OTHERS
    with ThreadPoolExecutor(len(commands)) as at_once:
        found = {}
        for name, words in commands.items():
            (folder / name).mkdir()
            nowhere = {"PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": NOWHERE}
            found[name] = at_once.submit(penstock, folder / name, *words, **nowhere)
        return {name: result.result() for name, result in found.items()}


@pytest.mark.parametrize("name", NAMED)
def test_a_broker_that_is_not_there_is_named_with_what_to_do(name: str, said: dict[str, Result]) -> None:
    assert (said[name].code, said[name].out) == (2, "")
    (line,) = said[name].err.splitlines()
    assert line.startswith(f"penstock: Kafka at {NOWHERE}: ")
    assert "Connection refused" in line
    assert line.endswith("; start the broker, or set kafka.bootstrap_servers to where it is")


def test_a_replay_names_it_and_leaves_nothing_behind(said: dict[str, Result], folder: Path) -> None:
    assert (said["replay"].code, said["replay"].out) == (2, "")
    assert said["replay"].err.startswith(f"penstock: Kafka at {NOWHERE}: ")
    assert list((folder / "replay").iterdir()) == []


def test_the_doctor_finds_that_it_is_not_there_and_looks_at_the_rest(said: dict[str, Result]) -> None:
    result = said["doctor"]
    assert result.code == 1
    assert result.out.splitlines()[1].startswith("ok     state folder state: can be written, ")
    assert f"WRONG  broker: Kafka at {NOWHERE}: " in result.out
    assert "       do: start the broker, or set kafka.bootstrap_servers to where it is\n" in result.out


def test_the_doctor_finds_a_state_folder_that_cannot_be_written(said: dict[str, Result]) -> None:
    result = said["doctor without a state folder"]
    assert result.code == 1
    assert "WRONG  state folder ../file/state: " in result.out
    assert "       do: name a folder that can be written to with --state\n" in result.out
