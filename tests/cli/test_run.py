"""``penstock run`` on a real broker: what a replay gives, whatever happens on the way.

Partition 1 of the candles stays empty. Most tests look at one run, which is stopped half-way and goes on with two
processes; then a symbol falls silent and comes back, and in the end all do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.ports import free_addresses
from schemas.topics import TOPICS
from tests.command import START, Result, Rows, candles, penstock, write_csv
from tests.kafka.topics import QUIET
from tests.live import Installation, Run, get, serving_port

SECOND = 1_000
HALF, WHOLE, QUIET_TO, END = 250, 500, 560, 620  # candles
SYMBOLS = {"ADA": 2, "BTC": 0, "ETH": 3, "SOL": 2, "XRP": 2}  # … and their partitions
ROWS: dict[str, Rows] = {
    name: candles(END, step_ms=SECOND, price=5.0 * (1 + number), phase=12.0 * number)
    for number, name in enumerate(SYMBOLS)
}
SETTINGS = """
strategies: [{use: sma_cross, params: {fast: 4, slow: 11}}, {use: sma_atr, mode: shadow}]
risk: {max_open_positions: 3}
market: {max_wait: 2s, stale_after: 2s}
run: {equity_every: 1m, checkpoint_every_s: 1}
"""
PRICES = ("open", "high", "low", "close")
DECIDED = ("signals", "orders", "rejections", "fills", "positions")
BAD = b'{"symbol": "BTC/USDT", "ts": "noon"}'
DAY = 86_400_000
LATER = START + 7 * DAY
"""A candle that closes then was on the topic a day before."""


def write(folder: Path, begin: int, end: int, without: str = "") -> list[Path]:
    """The candles from one to another, a file for each symbol."""
    folder.mkdir()
    return [
        write_csv(folder / f"{name}_USDT-1s.csv", rows[begin:end]) for name, rows in ROWS.items() if name != without
    ]


def at(candle: int) -> int:
    """When a candle closes."""
    return START + SECOND * (candle + 1)


def replayed(folder: Path) -> dict[str, list[bytes]]:
    """What a replay of the whole files gives."""
    result = penstock(folder, "replay", *write(folder / "whole", 0, WHOLE), "--out", "replayed", "--no-html")
    assert result.code == 0, result.err
    return {topic: (folder / f"replayed/{topic}.jsonl").read_bytes().splitlines() for topic in (*DECIDED, "equity")}


def begun(kafka: str, folder: Path) -> Installation:
    """An installation with the first half of the candles on its topic."""
    installation = Installation(kafka, folder)
    (folder / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
    installation.done("topics", "create")
    installation.done("publish", *write(folder / "first", 0, HALF))
    return installation


def decided(installation: Installation) -> dict[str, list[bytes]]:
    return {topic: installation.values(topic) for topic in DECIDED}


def all_there(run: Run, installation: Installation, wanted: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
    """All that was decided, as soon as it is as much as in the replay."""
    counts = {topic: len(wanted[topic]) for topic in DECIDED}
    run.until(lambda: installation.values("positions"), lambda found: len(found) >= counts["positions"])

    def enough(found: dict[str, list[bytes]]) -> bool:
        return all(len(found[topic]) >= count for topic, count in counts.items())

    return run.until(lambda: decided(installation), enough)


@dataclass
class Story:
    """What one run did, as it was seen from outside."""

    installation: Installation
    replayed: dict[str, list[bytes]]
    live: dict[str, list[bytes]] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    second_run: Result | None = None
    doctor: str = ""
    port: int = 0


@pytest.fixture(scope="module")
def story(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    one = begun(kafka, folder)
    story = Story(one, replayed(folder), port=serving_port(2))
    producer = Producer({"bootstrap.servers": kafka}, logger=QUIET)
    producer.produce(one.topic("candles"), BAD, b"BTC/USDT", partition=0)
    assert producer.flush(60) == 0
    port = story.port
    serve = {"PENSTOCK__SERVE__PORT": str(port)}

    with one.running(**serve) as run:
        run.until(lambda: one.values("fills"), lambda found: len(found) > 0)
        run.until(lambda: get(port, "/health/ready"), lambda found: '"ok"' in found)
        story.metrics = [get(port, "/metrics")]
        story.codes.append(run.end())
        story.said.append(run.said())

    candle = {"symbol": "ETH/USDT", "timeframe": "1s", "ts": LATER, **dict.fromkeys(PRICES, 1.0), "volume": 0.0}
    value = json.dumps(candle).encode()
    producer.produce(one.topic("candles"), value, b"ETH/USDT", partition=3, timestamp=LATER - DAY)
    assert producer.flush(60) == 0
    one.done("publish", *write(folder / "second", HALF, WHOLE))
    with one.running("--processes", "2", **serve) as run:
        story.live = all_there(run, one, story.replayed)
        one.done("publish", *write(folder / "third", WHOLE, QUIET_TO, without="ADA"))
        run.until(lambda: alerts(one, "SYMBOL_QUIET"), lambda found: len(found) > 0)
        one.done("publish", *write(folder / "fourth", QUIET_TO, END))
        run.until(lambda: stale_at_the_end(one), lambda found: len(found) == 3)
        run.until(lambda: unread(one), lambda found: found == {})
        story.metrics += [get(port + number, "/metrics") for number in range(2)]
        story.health = [get(port + number, f"/health/{what}") for number in range(2) for what in ("live", "ready")]
        story.second_run = one.command("run", PENSTOCK__SERVE__PORT="0")
        story.doctor = one.command("doctor").out
        story.codes.append(run.end())
        story.said.append(run.said())
    return story


def alerts(installation: Installation, code: str) -> list[dict[str, Any]]:
    return [one for one in installation.records("alerts") if one["code"] == code]


def stale_at_the_end(installation: Installation) -> list[dict[str, Any]]:
    return [one for one in alerts(installation, "FEED_STALE") if one["ts"] == at(END - 1)]


def unread(installation: Installation) -> dict[tuple[str, int], tuple[int, int]]:
    """Partitions of candles and journal which the group has not committed up to their end: offset and end."""
    wanted = [(installation.topic("candles"), number) for number in range(4)] + [(installation.topic("journal"), 0)]
    consumer = Consumer({"bootstrap.servers": installation.kafka, "group.id": installation.name}, logger=QUIET)
    known = consumer.committed([TopicPartition(*place) for place in wanted], 60)
    consumer.close()
    committed = {(one.topic, one.partition): one.offset for one in known}
    admin = AdminClient({"bootstrap.servers": installation.kafka})
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    ends = admin.list_offsets({TopicPartition(*place): latest for place in wanted})
    found = {(place.topic, place.partition): future.result().offset for place, future in ends.items()}
    return {place: (committed.get(place, -1), end) for place, end in found.items() if committed.get(place) != end}


# -- what a replay gives ------------------------------------------------------------------------------------------


def test_stopped_half_way_and_gone_on_with_two_processes_it_gives_what_a_replay_gives(story: Story) -> None:
    assert {topic: len(story.replayed[topic]) > 5 for topic in DECIDED} == dict.fromkeys(DECIDED, True)
    for topic in DECIDED[1:]:  # these are of one portfolio, and in one order
        assert story.live[topic] == story.replayed[topic], topic
    assert sorted(story.live["signals"]) == sorted(story.replayed["signals"])
    assert story.installation.values("equity")[: len(story.replayed["equity"]) - 1] == story.replayed["equity"][:-1]


def test_each_end_was_in_good_order_and_nothing_was_wrong_on_the_way(story: Story) -> None:
    assert story.codes == [0, 0]
    first, second = (
        [line for line in said.splitlines() if not line.startswith(("compiling", "worker"))] for said in story.said
    )
    one = story.installation
    where = f"4 shards of {one.name}.candles at {one.kafka}"
    trading = "paper trading of portfolio main: sma_cross (live), sma_atr (shadow)"
    metrics = f"metrics at http://127.0.0.1:{story.port}/metrics, health at /health/live and /health/ready"
    bad = f"{one.name}.candles-0: 1 input could not be used (MESSAGE_INVALID): see `penstock deadletters list`"
    assert first == [trading, f"{where}, 1 process, state in state", metrics, bad]
    # What the first one read after its last checkpoint the second one reads again.
    ahead = bad.replace("candles-0", "candles-3").replace("MESSAGE_INVALID", "TIME_AHEAD")
    assert [line for line in second if line not in (bad, ahead)] == [
        trading,
        f"{where}, 2 processes, state in state",
        metrics,
    ]


def test_a_cluster_that_is_started_by_hand_gives_the_same(kafka: str, story: Story, tmp_path: Path) -> None:
    one = begun(kafka, tmp_path)
    addresses = [word for address in free_addresses(2) for word in ("--address", address)]
    off = {"PENSTOCK__SERVE__PORT": "0"}

    def words(number: int) -> list[str]:
        return ["--process", str(number), *addresses, "--state", f"state-{number}"]

    with one.running(*words(0), **off) as first, one.running(*words(1), **off) as second:
        first.until(lambda: one.values("fills"), lambda found: len(found) > 0)
        assert first.end() == 0
        assert second.end() in (0, 1)  # it may have noticed that the other one is gone
    one.done("publish", *write(tmp_path / "second", HALF, WHOLE))
    with one.running(*words(0), **off) as first, one.running(*words(1), **off):
        live = all_there(first, one, story.replayed)
    assert {topic: sorted(values) for topic, values in live.items()} == {
        topic: sorted(story.replayed[topic]) for topic in DECIDED
    }


# -- who does not come --------------------------------------------------------------------------------------------


def test_an_empty_partition_is_given_up_on_once_and_said_so(story: Story) -> None:
    (alert,) = alerts(story.installation, "SHARD_EMPTY")
    shard = story.installation.topic("candles-1")
    assert (alert["level"], alert["figures"]["shard"], alert["symbol"]) == ("info", shard, None)
    assert alert["figures"]["waited_s"] >= 2.0
    entries = [entry for entry in story.installation.records("journal") if entry["shard"] == shard]
    assert [(entry["cause"], entry["upto"], entry["ts"]) for entry in entries] == [("timeout", 0, [])]


def test_a_symbol_that_falls_silent_is_told_and_the_others_go_on(story: Story) -> None:
    (alert,) = alerts(story.installation, "SYMBOL_QUIET")
    assert (alert["symbol"], alert["level"]) == ("ADA/USDT", "warning")
    assert (alert["figures"]["last_ts"], alert["figures"]["alive"]) == (at(WHOLE - 1), 2)
    orders = [one for one in story.installation.records("orders") if at(WHOLE) <= one["ts"] <= at(QUIET_TO - 1)]
    assert {one["symbol"] for one in orders} == {"BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"}


def test_when_it_comes_back_it_is_waited_for_again(story: Story) -> None:
    back = [one for one in story.installation.records("orders") if one["ts"] >= at(QUIET_TO)]
    assert "ADA/USDT" in {one["symbol"] for one in back}
    assert alerts(story.installation, "CANDLE_LATE") == []
    (gap,) = alerts(story.installation, "CANDLE_GAP")
    assert (gap["symbol"], gap["figures"]["missing"]) == ("ADA/USDT", QUIET_TO - WHOLE)


def test_when_nothing_comes_at_all_each_feed_is_told_to_be_stale(story: Story) -> None:
    stale = stale_at_the_end(story.installation)
    names = [story.installation.topic(f"candles-{number}") for number in (0, 2, 3)]
    assert sorted(one["figures"]["shard"] for one in stale) == names
    assert all(one["figures"]["silent_s"] >= 3.0 for one in stale)


# -- what others see ----------------------------------------------------------------------------------------------


def test_every_record_names_itself_its_part_its_schema_and_its_trace(story: Story) -> None:
    parts = {f"{story.installation.name}.{story.installation.topic(f'candles-{n}')}" for n in range(4)}
    account = f"{story.installation.name}.portfolio-main"
    by_topic = {}
    for topic in (*DECIDED, "equity", "alerts", "journal", "deadletters"):
        messages = story.installation.messages(topic)
        found = [{name: value.decode() for name, value in one.headers()} for one in messages]
        assert len({one["id"] + str(number) * (topic == "journal") for number, one in enumerate(found)}) == len(found)
        assert {one["schema"] for one in found} == {f"{TOPICS[topic].record.__name__}/1"}
        assert all(len(one["traceparent"].split("-")) == 4 for one in found)
        by_topic[topic] = {one["part"] for one in found}
    assert by_topic["signals"] <= parts
    shards = [story.installation.topic(f"candles-{number}") for number in (0, 3)]
    assert by_topic["deadletters"] == {f"{story.installation.name}.{shard}" for shard in shards}
    assert all(by_topic[topic] == {account} for topic in ("orders", "rejections", "fills", "positions", "equity"))
    assert by_topic["journal"] == parts - {f"{story.installation.name}.{story.installation.topic('candles-1')}"} | {
        account
    }


def test_the_life_of_the_processes_is_told(story: Story) -> None:
    names = [one["name"] for one in story.installation.records("events")]
    assert names.count("run.started") == 3
    assert "checkpoint.saved" in names
    assert "run.failed" not in names


def test_metrics_and_health_of_each_process_are_served(story: Story) -> None:
    assert all('"status":"ok"' in one for one in story.health)
    first, *both = ([line for line in page.splitlines() if line[0] != "#"] for page in story.metrics)
    assert 'penstock_dead_letters_total{reason="MESSAGE_INVALID"} 1.0' in first
    assert total(first, "penstock_records_out_total", 'topic="orders"') > 0
    assert total(first, "penstock_candle_to_order_seconds_count") > 0
    topic = f'topic="{story.installation.topic("candles")}"'
    assert total(first, "penstock_records_in_total", topic) == 5 * HALF + 1
    # What came since the last checkpoint is read again.
    assert sum(total(page, "penstock_records_in_total", topic) for page in both) >= 5 * (END - HALF) - QUIET_TO + WHOLE
    assert sum(total(page, "penstock_consumer_lag") for page in both) == 0
    assert sum(total(page, "penstock_equity", 'mode="live"') for page in both) > 0


def total(page: list[str], name: str, *labels: str) -> float:
    """The sum over all series of a metric with these labels."""
    series = [line for line in page if re.split("[ {]", line)[0] == name and all(one in line for one in labels)]
    return sum(float(line.rpartition(" ")[2]) for line in series)


def test_the_doctor_finds_nothing_wrong_with_it(story: Story) -> None:
    assert "ok     checkpoints: state was made with these settings, a run is at work in it\n" in story.doctor
    assert f"ok     lag: group {story.installation.name} is at most 0 records behind\n" in story.doctor
    assert story.doctor.endswith("all well\n")


def test_the_offsets_of_the_group_are_where_the_partitions_end(story: Story) -> None:
    assert unread(story.installation) == {}


def test_an_order_is_traced_to_its_candle_and_its_position(story: Story) -> None:
    order = next(
        one for one in story.installation.records("orders") if one["leg"] == "entry" and one["signal_id"] is not None
    )
    found = json.loads(story.installation.done("trace", order["id"], "--json"))
    steps = [(step["topic"], step["record"]["id"] if "id" in step["record"] else step["ts"]) for step in found["steps"]]
    assert steps[0] == ("candles", order["ts"])
    assert ("signals", order["signal_id"]) in steps
    assert ("orders", order["id"]) in steps
    assert ("positions", order["position_id"]) in steps
    assert steps.index(("signals", order["signal_id"])) < steps.index(("orders", order["id"]))


def test_a_message_that_is_no_candle_is_a_dead_letter_with_all_of_it(story: Story) -> None:
    letters = story.installation.records("deadletters")
    (letter,) = [one for one in letters if one["reason"] == "MESSAGE_INVALID"]
    listed = story.installation.done("deadletters", "list", "--json").splitlines()
    assert letter in [json.loads(line)["value"] for line in listed]
    assert len(listed) == len(letters) == 2
    shown = story.installation.done("deadletters", "show", letter["id"])
    assert BAD.decode() in shown
    assert f"{story.installation.topic('candles')}, partition 0, offset {HALF}" in shown


def test_a_candle_from_the_future_is_a_dead_letter_with_an_alert_and_all_goes_on_as_without_it(story: Story) -> None:
    told = f"TIME_AHEAD: symbol=ETH/USDT ts={LATER} ahead_ms={DAY} max_ahead_ms=60000"
    (letter,) = [one for one in story.installation.records("deadletters") if one["reason"] == "TIME_AHEAD"]
    assert (letter["error"], letter["symbol"], letter["partition"]) == (told, "ETH/USDT", 3)
    assert (letter["position"], letter["ts"], letter["key"]) == (HALF, at(HALF - 1), "ETH/USDT")
    (alert,) = alerts(story.installation, "TIME_AHEAD")
    assert (alert["symbol"], alert["ts"], alert["level"]) == ("ETH/USDT", at(HALF - 1), "warning")
    assert alert["message"].startswith(f"{told} messages=1; ")
    behind = [one for one in story.installation.records("orders") if one["ts"] >= at(HALF)]
    assert "ETH/USDT" in {one["symbol"] for one in behind}


# -- what is refused ----------------------------------------------------------------------------------------------


def test_a_second_run_on_the_same_state_is_refused(story: Story) -> None:
    assert story.second_run is not None
    assert (story.second_run.code, story.second_run.out) == (2, "")
    assert story.second_run.err.startswith("penstock: state: another penstock run is at work here: stop it, or give")


def test_another_state_for_the_same_deployment_is_refused(story: Story) -> None:
    result = story.installation.command("run", "--state", "other")
    assert result.code == 2
    assert "other is empty, but consumer group" in result.err


def test_other_settings_than_those_of_the_state_are_refused(story: Story) -> None:
    result = story.installation.command("run", "--set", "risk.max_open_positions=4")
    assert result.code == 2
    assert result.err.splitlines()[1:] == ["  risk.max_open_positions: 3 → 4"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--process", "0"], "--process and --address go together: one --address for each process, counted from 0"),
        (["--address", "a:1"], "--process and --address go together"),
        (["--process", "1", "--address", "a:1"], "--process and --address go together"),
        (["--set", "broker.mode=exchange"], "broker.mode is exchange, which trades with real money: it has to be"),
        (["--set", "broker.mode=exchange", "--real-money"], "broker.exchange: name the exchange"),
        (["--set", "strategies.0.use=nobody"], "strategies.0.use: no strategy is named 'nobody'"),
    ],
)
def test_what_cannot_start_says_why_and_leaves_nothing_behind(words: list[str], said: str, tmp_path: Path) -> None:
    result = penstock(tmp_path, "run", *words)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert list(tmp_path.iterdir()) == []


def test_missing_topics_are_named_with_what_to_do(kafka: str, tmp_path: Path) -> None:
    one = Installation(kafka, tmp_path)
    result = one.command("run")
    assert result.code == 2
    assert result.err.startswith(f"penstock: Kafka at {kafka} lacks {one.name}.candles, ")
    assert result.err.endswith(f"{one.name}.events: penstock topics create\n")
    assert list(tmp_path.iterdir()) == []


def test_what_ends_one_of_several_processes_is_told_and_ends_the_run(kafka: str, tmp_path: Path) -> None:
    """The journal says something that nobody understands: only the process that reads it knows why it cannot go on."""
    one = Installation(kafka, tmp_path)
    one.done("topics", "create")
    producer = Producer({"bootstrap.servers": kafka}, logger=QUIET)
    producer.produce(one.topic("journal"), b"rubbish", b"main")
    assert producer.flush(60) == 0
    with one.running("--processes", "2", PENSTOCK__SERVE__PORT="0") as run:
        assert run.wait() == 2
    told = [line for line in run.said().splitlines() if line.startswith("penstock: ")]
    assert told[0].startswith(f"penstock: {one.topic('journal-0')}: the message at offset 0 is no entry of the journal")
    assert "Traceback" not in run.said()
    failed = [event["figures"]["error"] for event in one.records("events") if event["name"] == "run.failed"]
    assert [error.split(":")[0] for error in failed if not error.startswith("LostError")] == ["JournalError"]
