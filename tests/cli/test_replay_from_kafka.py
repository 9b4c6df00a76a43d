"""``penstock replay --from-kafka``: the candles of a topic, as if they were files."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cli import main as command_line
from tests.command import MINUTE, PENSTOCK, START, Result, Rows, candles, environment, penstock, write_csv
from tests.connectors.kafka.messages import message
from tests.connectors.kafka.reading import produce
from tests.kafka.topics import QUIET
from tests.replaying import records, run_json

CROSS = ("--set", "strategies.0.use=sma_cross", "--set", "strategies.0.params={fast: 3, slow: 8}")
MARKETS = {"BTC": candles(900), "ETH": candles(950, phase=3), "SOL": candles(800, phase=5), "XRP": candles(1_000)}
Place = dict[str, str]


@pytest.fixture
def place(kafka: str, tmp_path: Path) -> Place:
    """An installation of the test's own, with its topics."""
    place = {"PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka, "PENSTOCK__KAFKA__PREFIX": f"{uuid4().hex[:8]}."}
    assert penstock(tmp_path, "topics", "create", **place).code == 0
    return place


def files(folder: Path, markets: dict[str, Rows]) -> list[str]:
    return [write_csv(folder / f"{base}_USDT-1m.csv", rows).name for base, rows in markets.items()]


def published(folder: Path, place: Place, markets: dict[str, Rows]) -> list[str]:
    names = files(folder, markets)
    result = penstock(folder, "publish", *names, **place)
    assert result.code == 0, result.err
    return names


def ran(folder: Path, place: Place, *words: str) -> Result:
    result = penstock(folder, "replay", "--no-html", *CROSS, *words, **place)
    assert result.code == 0, result.err
    return result


def refused(folder: Path, place: Place, *words: str) -> str:
    result = penstock(folder, "replay", "--from-kafka", *words, *CROSS, **place)
    assert (result.code, result.out) == (2, ""), result.err
    return result.err


def topic(place: Place) -> str:
    return place["PENSTOCK__KAFKA__PREFIX"] + "candles"


def test_the_topic_gives_the_same_outputs_as_the_files_with_workers_and_processes_too(
    place: Place, tmp_path: Path
) -> None:
    names = published(tmp_path, place, MARKETS)
    ran(tmp_path, place, *names, "--out", "files")
    result = ran(tmp_path, place, "--from-kafka", "--out", "topic", "--html")
    ran(tmp_path, place, "--from-kafka", "--out", "spread", "--processes", "2", "--set", "run.batch_rows=70")
    one, other, spread = (run_json(tmp_path / name) for name in ("files", "topic", "spread"))
    assert records(tmp_path / "files", "orders")
    assert other["outputs"] == spread["outputs"] == one["outputs"]
    assert other["output_hash"] == spread["output_hash"] == one["output_hash"]
    for figures in ("summary.json", "state.json", "trades.csv", "equity.csv"):
        assert (tmp_path / "topic" / figures).read_bytes() == (tmp_path / "files" / figures).read_bytes()
    assert "3,650 candles in" in result.out
    assert [
        (item["topic"], item["partition"], item["begin"], item["end"], item["rows"], item["timeframes"])
        for item in other["inputs"]
    ] == [
        (topic(place), 0, 0, 900, 900, {"BTC/USDT": MINUTE}),
        (topic(place), 1, 0, 0, 0, {}),
        (topic(place), 2, 0, 1_800, 1_800, {"SOL/USDT": MINUTE, "XRP/USDT": MINUTE}),
        (topic(place), 3, 0, 950, 950, {"ETH/USDT": MINUTE}),
    ]
    page = (tmp_path / "topic" / "summary.html").read_text()
    assert all(f'"name":"{base}/USDT"' in page for base in MARKETS)


def test_since_and_until_are_closes_of_candles_and_give_what_files_with_just_these_give(
    place: Place, tmp_path: Path
) -> None:
    published(tmp_path, place, MARKETS)
    part = {base: rows[120:600] for base, rows in MARKETS.items()}
    (tmp_path / "part").mkdir()
    names = [f"part/{name}" for name in files(tmp_path / "part", part)]
    ran(tmp_path, place, *names, "--out", "files")
    bounds = ("--since", "2024-01-01T02:00", "--until", str(START + 600 * MINUTE))
    result = ran(tmp_path, place, "--from-kafka", *bounds, "--out", "topic")
    assert run_json(tmp_path / "topic")["output_hash"] == run_json(tmp_path / "files")["output_hash"]
    assert "1,920 candles in" in result.out


def test_what_is_no_candle_becomes_a_dead_letter_of_its_offset_and_changes_nothing_else(
    place: Place, kafka: str, tmp_path: Path
) -> None:
    names = published(tmp_path, place, {"BTC": MARKETS["BTC"]})
    last = START // MINUTE + 900
    produce(kafka, topic(place), [b"{", message(last - 1, low=20.0), message(last, "DOGE/USDT", timeframe="7y")])
    ran(tmp_path, place, *names, "--out", "files")
    result = ran(tmp_path, place, "--from-kafka", "--out", "topic")
    letters = records(tmp_path / "topic", "deadletters")
    assert [(one["source"], one["partition"], one["position"], one["reason"], one["raw"]) for one in letters] == [
        (topic(place), 0, 900, "MESSAGE_INVALID", "{"),
        (topic(place), 0, 901, "HIGH_BELOW_LOW", message(last - 1, low=20.0).decode()),
        (topic(place), 0, 902, "TIMEFRAME_UNKNOWN", message(last, "DOGE/USDT", timeframe="7y").decode()),
    ]
    assert "3 of 903 rows were refused" in result.err
    one, other = (run_json(tmp_path / name)["outputs"] for name in ("files", "topic"))
    assert {name for name in one if one[name] != other[name]} == {"deadletters"}


SLOW = ("--set", "run.batch_rows=4", "--set", "run.checkpoint_every_s=0.1")


def interrupted(folder: Path, place: Place, *words: str) -> None:
    """A replay that was ended by SIGTERM after its first checkpoints."""
    events = folder / "run.partial" / "events.jsonl"
    with subprocess.Popen(
        [PENSTOCK, "replay", "--from-kafka", "--no-html", "--out", "run", *CROSS, *SLOW, *words],
        cwd=folder,
        env=environment(**place),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        until = time.monotonic() + 60
        while not events.exists() or events.read_text().count("checkpoint.saved") < 2:
            assert running.poll() is None, "the run ended before it could be interrupted"
            assert time.monotonic() < until, "waited in vain"
            select.select([], [], [], 0.005)
        running.send_signal(signal.SIGTERM)
    assert running.returncode == 130


def test_an_interrupted_replay_goes_on_with_the_offsets_it_began_with_whatever_has_come_since(
    place: Place, tmp_path: Path
) -> None:
    names = published(tmp_path, place, {"BTC": candles(8_000)})
    interrupted(tmp_path, place, "--since", "36500d")
    more = [(ts + 8_000 * MINUTE, *prices) for ts, *prices in candles(50)]
    (tmp_path / "more").mkdir()
    published(tmp_path / "more", place, {"BTC": more})  # type: ignore[dict-item]
    result = ran(tmp_path, place, "--from-kafka", "--out", "run", *SLOW, "--since", "36500d")
    assert "going on from the last checkpoint in run.partial" in result.err
    assert "8,000 candles in" in result.out
    ran(tmp_path, place, *names, "--out", "files")
    assert run_json(tmp_path / "run")["output_hash"] == run_json(tmp_path / "files")["output_hash"]


def test_an_interrupted_replay_whose_messages_are_gone_says_so_and_can_begin_anew(
    place: Place, kafka: str, tmp_path: Path
) -> None:
    published(tmp_path, place, {"BTC": candles(8_000)})
    interrupted(tmp_path, {**place, "PENSTOCK__KAFKA__CLIENT": json.dumps({"sasl.password": "hunter2"})})
    left = [path for path in (tmp_path / "run.partial").rglob("*") if path.is_file()]
    telling = [path for path in left if b"hunter2" in path.read_bytes()]
    assert [(path.name, path.stat().st_mode & 0o077) for path in telling] == [("plan.json", 0)]  # its owner's alone
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_records([TopicPartition(topic(place), 0, 7_000)]).values():
        future.result()
    assert refused(tmp_path, place, "--out", "run", *SLOW) == (
        f"penstock: {topic(place)}-0: offsets 0 to 7999 are to be replayed, but the broker does not have all of them "
        "any more: retention has deleted some. Start anew with what is left: give another --out, or --overwrite\n"
    )
    result = ran(tmp_path, place, "--from-kafka", "--out", "run", "--overwrite")
    assert "1,000 candles in" in result.out


def test_candles_with_timestamps_that_are_no_times_of_sending_are_told_with_what_to_set(
    place: Place, kafka: str, tmp_path: Path
) -> None:
    producer = Producer({"bootstrap.servers": kafka}, logger=QUIET)
    for minute in range(28_000_000, 28_000_030):  # in the year 2023
        producer.produce(topic(place), message(minute), b"BTC/USDT", partition=0, timestamp=1)
    assert producer.flush(60) == 0
    told = refused(tmp_path, place)
    assert told.startswith(
        f"penstock: Kafka at {kafka}: all candles on {topic(place)} close more than market.max_ahead "
    )
    assert told.endswith("--set market.max_ahead=36500d takes them all the same\n")
    result = ran(tmp_path, place, "--from-kafka", "--out", "run", "--set", "market.max_ahead=36500d")
    assert "30 candles in" in result.out


def test_nothing_to_replay_says_what_there_is(place: Place, kafka: str, tmp_path: Path) -> None:
    where = f"penstock: Kafka at {kafka}: {topic(place)}"
    assert refused(tmp_path, place) == f"{where} holds no candles: penstock publish puts some there\n"
    published(tmp_path, place, {"BTC": candles(10)})
    there = "the first there is closes at 2024-01-01T00:01:00Z, the last at 2024-01-01T00:10:00Z"
    assert refused(tmp_path, place, "--since", "2024-01-01T00:10") == (
        f"{where} has no candle that closes after 2024-01-01T00:10:00Z: {there}\n"
    )
    assert refused(tmp_path, place, "--since", "2023-01-01", "--until", "2024-01-01") == (
        f"{where} has no candle that closes after 2023-01-01T00:00:00Z until 2024-01-01T00:00:00Z: {there}\n"
    )


def test_a_topic_that_is_not_there_is_named(kafka: str, tmp_path: Path) -> None:
    missing = {"PENSTOCK__KAFKA__BOOTSTRAP_SERVERS": kafka, "PENSTOCK__KAFKA__PREFIX": "none."}
    said = refused(tmp_path, missing)
    assert said.startswith(f"penstock: Kafka at {kafka}: topic none.candles: ")
    assert said.endswith("; make it, or set kafka.prefix\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("a.csv", "--from-kafka"), "a.csv and --from-kafka: replay either files or what is on the broker"),
        (
            ("--from-kafka", "--symbol", "BTC/USDT"),
            "--symbol BTC/USDT names the market of a file; on a topic each candle says its own",
        ),
        (("--from-kafka", "--of", "orders"), "--of orders: write candles or journal"),
        (
            ("--from-kafka", "--since", "2024-01-02", "--until", "2024-01-01"),
            "--since 2024-01-02 is not before --until 2024-01-01: nothing lies between them",
        ),
        (
            ("--from-kafka", "--since", "noon"),
            "--since noon: write a time as 2024-01-01T00:00Z, epoch ms, or how long ago: 24h",
        ),
        (("a.csv", "--of", "journal"), "--of journal: it belongs to --from-kafka; files are replayed whole"),
        (("a.csv", "--since", "24h"), "--since 24h: it belongs to --from-kafka; files are replayed whole"),
        ((), "name files of candles or trades (PATH…), or --from-kafka to replay what is on the broker"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: tuple[str, ...], wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["penstock", "replay", *words])
    assert (command_line.run(), capsys.readouterr().err) == (2, f"penstock: {wrong}\n")
