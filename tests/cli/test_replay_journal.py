"""``penstock replay --from-kafka --of journal``: what a live portfolio was told, decided once more."""

from __future__ import annotations

import select
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from connectors.kafka.journal_source import read_slices
from flows.portfolio.align import Aligner
from tests.command import MINUTE, PENSTOCK, START, candles, environment, penstock, write_csv
from tests.connectors.kafka.reading import produce
from tests.kafka.topics import QUIET, raw
from tests.replaying import records, run_json

pytestmark = pytest.mark.long

MARKETS = {"BTC": candles(900), "ETH": candles(950, phase=3), "SOL": candles(800, phase=5), "XRP": candles(1_000)}
COUNT = sum(map(len, MARKETS.values()))
SETTINGS = """
strategies:
  - use: sma_cross
    params: {fast: 3, slow: 8}
  - use: sma_cross
    name: paper
    mode: shadow
    params: {fast: 5, slow: 13}
market: {max_wait: 1s}
run: {checkpoint_every_s: 0.2, html: false}
serve: {port: 0}
"""
DECIDED = ("signals", "orders", "rejections", "fills", "positions", "equity", "alerts")
Place = dict[str, str]


@dataclass(frozen=True)
class Live:
    """A live run that has ended: where it was, and its settings and candle files in a folder."""

    kafka: str
    place: Place
    folder: Path

    def topic(self, name: str) -> str:
        return self.place["PENSTOCK__KAFKA__PREFIX"] + name

    def published(self, name: str) -> list[bytes]:
        return sorted(message.value() for message in raw(self.kafka, self.topic(name)))


def lines(out: Path, name: str) -> list[bytes]:
    return sorted((out / f"{name}.jsonl").read_bytes().splitlines())


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 90
    while not condition():
        assert running.poll() is None, "it ended early"
        assert time.monotonic() < until, "waited in vain"
        select.select([], [], [], 0.1)


def settled(live: Live, group: str) -> bool:
    """Whether all candles are in the journal, none is waited for any more, and all of it is durable."""
    aligner, rows = Aligner(MINUTE), 0
    entries = raw(live.kafka, live.topic("journal"))
    for message in entries:
        slices = read_slices(message.value())
        rows += len(slices)
        aligner.push(slices)
        aligner.pop()
    if rows < COUNT or aligner.waiting()[0] >= 0:
        return False
    consumer = Consumer({"bootstrap.servers": live.kafka, "group.id": group}, logger=QUIET)
    try:
        (at,) = consumer.committed([TopicPartition(live.topic("journal"), 0)], 10)
        return bool(at.offset > (entries[-1].offset() or 0))
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def live(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """Four markets with a few bad messages; they end at different times, so the last instants need time-outs."""
    folder, name = tmp_path_factory.mktemp("live"), uuid4().hex[:8]
    place = {
        "PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka,
        "PENSTOCK__KAFKA__PREFIX": f"{name}.",
        "PENSTOCK__KAFKA__DEPLOYMENT": name,
    }
    found = Live(kafka, place, folder)
    (folder / "penstock.yaml").write_text(SETTINGS)
    files = [write_csv(folder / f"{base}_USDT-1m.csv", rows).name for base, rows in MARKETS.items()]
    assert penstock(folder, "topics", "create", **place).code == 0
    assert penstock(folder, "publish", *files, **place).code == 0
    produce(kafka, found.topic("candles"), [b"{", b"\xff"])
    with subprocess.Popen(
        [PENSTOCK, "run"], cwd=folder, env=environment(**place), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        wait_for(lambda: settled(found, name), running)
        running.send_signal(signal.SIGTERM)
    assert running.returncode == 0
    return found


def replayed(live: Live, out: Path, *words: str) -> Path:
    result = penstock(live.folder, "replay", "--from-kafka", "--out", out, *words, **live.place)
    assert result.code == 0, result.err
    return out


def refused(live: Live, *words: str, **place: str) -> str:
    result = penstock(live.folder, "replay", "--from-kafka", "--of", "journal", *words, **{**live.place, **place})
    assert (result.code, result.out) == (2, ""), result.err
    return result.err


def test_the_journal_gives_byte_for_byte_what_the_live_run_published_time_outs_too(live: Live, tmp_path: Path) -> None:
    out = replayed(live, tmp_path / "run", "--of", "journal")
    assert {name: lines(out, name) for name in DECIDED} == {name: live.published(name) for name in DECIDED}
    assert all(lines(out, name) for name in ("signals", "orders", "fills", "positions", "equity"))
    assert {alert["code"] for alert in records(out, "alerts")} >= {"SYMBOL_QUIET", "SHARD_EMPTY"}
    assert set(lines(out, "metrics")) <= set(live.published("metrics"))  # the others are the market's
    assert lines(out, "deadletters") == []
    state = msgspec.json.decode((out / "state.json").read_bytes())
    assert (state["instants"], state["last_ts"], set(state["shadow"])) == (1_000, START + 1_000 * MINUTE, {"paper"})
    (read,) = run_json(out)["inputs"]
    assert (read["topic"], read["partition"], read["begin"], read["rows"]) == (live.topic("journal"), 0, 0, COUNT)


def test_the_candles_give_the_decisions_and_dead_letters_of_the_live_run(live: Live, tmp_path: Path) -> None:
    out = replayed(live, tmp_path / "run")
    same = ("signals", "orders", "rejections", "fills", "positions", "deadletters")
    assert {name: lines(out, name) for name in same} == {name: live.published(name) for name in same}
    assert len(lines(out, "deadletters")) == 2


def test_with_other_limits_it_tells_what_would_have_been_decided_on_the_same_signals(
    live: Live, tmp_path: Path
) -> None:
    out = replayed(live, tmp_path / "run", "--of", "journal", "--set", "risk.max_open_positions=1")
    assert lines(out, "signals") == live.published("signals")
    assert {refusal["gate"] for refusal in records(out, "rejections")} == {"open_positions"}
    assert 0 < len(records(out, "orders")) < len(live.published("orders"))


def test_until_gives_the_account_as_it_was_and_since_one_that_begins_there(live: Live, tmp_path: Path) -> None:
    noon = START + 720 * MINUTE
    before = replayed(live, tmp_path / "until", "--of", "journal", "--until", "2024-01-01T12:00")
    for name in ("signals", "orders", "fills", "positions"):
        wanted = [line for line in live.published(name) if msgspec.json.decode(line)["ts"] <= noon]
        assert lines(before, name) == wanted, name
    state = msgspec.json.decode((before / "state.json").read_bytes())
    assert (state["last_ts"], state["instants"]) == (noon, 720)

    after = replayed(live, tmp_path / "since", "--of", "journal", "--since", "2024-01-01T12:00")
    wanted = [line for line in live.published("signals") if msgspec.json.decode(line)["ts"] > noon]
    assert lines(after, "signals") == wanted
    state = msgspec.json.decode((after / "state.json").read_bytes())
    assert (state["first_ts"], state["instants"], state["starting_cash"]) == (noon + MINUTE, 280, "100000")


def test_whose_entries_there_are_is_said_when_there_are_none_of_this_portfolio(live: Live) -> None:
    name = live.place["PENSTOCK__KAFKA__DEPLOYMENT"]
    where, what = f"penstock: Kafka at {live.kafka}: {live.topic('journal')}", "are replayed\n"
    said = refused(live, "--set", "portfolio.name=other")
    assert said.startswith(f"{where} has no entries of portfolio other of deployment {name}; there are entries of main")
    assert said.endswith(what)
    said = refused(live, PENSTOCK__KAFKA__DEPLOYMENT="somebody")
    assert f"of deployment somebody; there are entries of main (written by {name}." in said
    said = refused(live, "--since", "2025-01-01")
    assert "has no candle that closes after 2025-01-01T00:00:00Z: the first there is closes at 2024-01-01T00:01" in said


def test_an_empty_journal_is_said_to_be_empty(live: Live) -> None:
    prefix = f"{uuid4().hex[:8]}."
    admin = AdminClient({"bootstrap.servers": live.kafka})
    for future in admin.create_topics([NewTopic(f"{prefix}journal", 1, 1)]).values():
        future.result()
    assert "; it is empty." in refused(live, PENSTOCK__KAFKA__PREFIX=prefix)


def test_signals_of_a_strategy_that_the_configuration_does_not_name_are_no_guesswork(live: Live) -> None:
    assert refused(live, "--set", "strategies=[{use: sma_cross}]") == (
        f"penstock: {live.topic('journal')}-0 holds signals of paper, which the configuration does not name: give the "
        "configuration of the run that made them, with --config\n"
    )
