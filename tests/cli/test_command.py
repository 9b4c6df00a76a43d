"""``penstock command`` and a live run: asked, answered, killed, and computed again from the journal."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from confluent_kafka import Producer

from cli.command import arguments
from cli.errors import UserError
from tests.command import START, Rows, penstock, write_csv
from tests.live import Installation

SECOND = 1_000
SETTINGS = """
strategies: [{use: sma_cross, params: {fast: 20, slow: 50}}]
market: {max_wait: 1s, stale_after: 1m}
commands:
  senders: {ann: ["*"], bot: [buy, status], config: [set]}
  max_age: 36500d  # the candles are of long ago
run: {equity_every: 1m, checkpoint_every_s: 1}
serve: {port: 0}
"""
BUY = ("buy", "BTC/USDT", "stop=95", "target=110", "intent=click")
SAME = ("orders", "fills", "positions", "rejections", "breakers", "replies", "audit")


def flat(folder: Path, begin: int, end: int) -> Path:
    rows: Rows = [(START + n * SECOND, 100.0, 101.0, 99.0, 100.0, 1.0) for n in range(begin, end)]
    (folder / str(begin)).mkdir()
    return write_csv(folder / str(begin) / "BTC_USDT-1s.csv", rows)


@pytest.fixture
def installation(kafka: str, tmp_path: Path) -> Installation:
    found = Installation(kafka, tmp_path)
    (tmp_path / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
    found.done("topics", "create")
    return found


def told(installation: Installation, *words: str, sender: str = "ann") -> tuple[int, str]:
    """Exit code and answer."""
    result = installation.command("command", *words, "--sender", sender)
    return result.code, result.out or result.err


def test_commands_are_answered_survive_a_kill_and_are_in_the_journal(installation: Installation) -> None:
    folder = installation.folder
    installation.done("publish", flat(folder, 0, 90))
    producer = Producer({"bootstrap.servers": installation.kafka})
    producer.produce(installation.topic("commands"), b'{"id": "x"}', b"main")
    producer.flush()
    with installation.running() as run:
        run.until(lambda: installation.values("equity"), bool)
        assert told(installation, *BUY, sender="eve") == (1, "refused: SENDER_UNKNOWN: sender=eve\n")
        assert told(installation, "pause", sender="bot") == (
            *(1, "refused: SENDER_NOT_ALLOWED: sender=bot command=pause\n"),
        )
        code, said = told(installation, *BUY, sender="bot")
        assert (code, said.startswith("done: DONE: intent=click order_id=")) == (0, True)
        assert told(installation, *BUY)[1].startswith("refused: INTENT_PENDING")
        installation.done("publish", flat(folder, 90, 160))
        run.until(lambda: installation.values("fills"), bool)
        assert told(installation, "set", "risk.max_open_positions=1")[0] == 0
        run.process.send_signal(signal.SIGKILL)
        run.wait()
    with installation.running() as run:
        code, said = told(installation, *BUY)
        assert (code, said.startswith("refused: INTENT_EXECUTED: intent=click")) == (1, True)
        assert told(installation, "close", "BTC/USDT", "share_pct=50") == (0, "done: DONE: orders=1\n")
        code, said = told(installation, "close", "all")
        assert (code, "to do it: penstock command --sender ann confirm" in said) == (0, True)
        code, said = told(installation, "confirm", said.split()[-1])
        assert (code, said.startswith("done: DONE: orders=1 confirms=")) == (0, True)
        installation.done("publish", flat(folder, 160, 230))
        run.until(lambda: installation.values("fills"), lambda found: len(found) == 3)
        code, said = told(installation, "status", "--json")
        assert (code, json.loads(said)["figures"]["positions"]) == (0, 0)
        assert run.end() == 0
    (letter,) = installation.records("deadletters")
    assert (letter["reason"], letter["raw"]) == ("COMMAND_INVALID", '{"id": "x"}')
    assert len({row["id"] for row in installation.records("audit")}) == len(installation.records("audit")) == 10
    words = ("replay", "--from-kafka", "--of", "journal", "--no-html", "--out", "again")
    installation.done(*words)
    for topic in SAME:
        path = folder / f"again/{topic}.jsonl"
        again = path.read_bytes().splitlines() if path.exists() else []
        assert again == installation.values(topic), topic


def test_who_may_give_none_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    result = penstock(tmp_path, "command", "pause")
    assert result.code == 2
    assert result.err.startswith("penstock: commands.senders names nobody")


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("close", ["BTC/USDT"], {"symbol": "BTC/USDT"}),
        ("close", ["strategy=a"], {"strategy": "a"}),
        ("close", ["share_pct=50", "BTC/USDT"], {"symbol": "BTC/USDT", "share_pct": "50"}),
        ("close", ["all", "share_pct=50"], {"share_pct": "50"}),
        ("buy", ["BTC/USDT", "stop=95"], {"symbol": "BTC/USDT", "stop": "95"}),
        ("reset", ["drawdown"], {"breaker": "drawdown"}),
        ("set", ["risk.groups={majors:", "[BTC/USDT]}"], {"risk.groups": "{majors: [BTC/USDT]}"}),
        ("set", ["exits.stop=percent", "exits.stop_at=", "5"], {"exits.stop": "percent", "exits.stop_at": "5"}),
    ],
)
def test_words_are_arguments(name: str, words: list[str], found: dict[str, str]) -> None:
    assert arguments(name, words) == found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("close", []),
        ("close", ["share_pct=50"]),
        ("close", ["all", "BTC/USDT"]),
        ("pause", ["now"]),
        ("set", ["risk.quantity"]),
        ("set", []),
    ],
)
def test_a_word_too_many_or_too_few_is_a_mistake(name: str, words: list[str]) -> None:
    with pytest.raises(UserError):
        arguments(name, words)


def test_a_saved_configuration_is_told_to_the_portfolio_and_an_invalid_one_changes_nothing(
    installation: Installation,
) -> None:
    path = installation.folder / "penstock.yaml"
    with installation.running() as run:
        run.until(
            lambda: installation.command("command", "status", "--sender", "ann", "--wait", "5").code, lambda n: n == 0
        )
        path.write_text(SETTINGS + "risk: {max_open_positions: 0}\n", encoding="utf-8")
        run.until(run.said, lambda said: "penstock.yaml was saved, and nothing changes:" in said)
        assert "risk.max_open_positions" in run.said()
        path.write_text(SETTINGS + "risk: {max_open_positions: 2}\nbroker: {fee_pct: 0.2}\n", encoding="utf-8")
        run.until(run.said, lambda said: "penstock.yaml: done: DONE: risk.max_open_positions=2" in said)
        assert "broker.fee_pct: a restart takes that up" in run.said()
        path.write_text(SETTINGS + "risk: {max_open_positions: 3, sessions: [mon-fri 08:00-16:30]}\n", encoding="utf-8")
        run.until(run.said, lambda said: "risk.max_open_positions=3" in said)
        assert run.end() == 0
    assert [row["after"] for row in installation.records("audit") if row["sender"] == "config"] == [
        {"risk.max_open_positions": 2},
        {"risk.sessions": '["mon-fri 08:00-16:30"]', "risk.max_open_positions": 3},
    ]


def test_what_comes_out_otherwise_than_before_trips_the_breaker_of_divergence(installation: Installation) -> None:
    """The settings are changed under what was published behind the last checkpoint: it is computed again, otherwise."""
    folder, path = installation.folder, installation.folder / "penstock.yaml"
    settings = SETTINGS.replace("checkpoint_every_s: 1", "checkpoint_every_s: 600").replace("config: [set]", "")
    path.write_text(settings + "breakers: {divergence: {alarms: 1}}\n", encoding="utf-8")
    rows: Rows = []
    for n in range(400):
        price = 100.0 + (n % 100 if n % 200 < 100 else 100 - n % 100) / 10
        rows.append((START + n * SECOND, price, price + 1, price - 1, price, 1.0))
    installation.done("publish", write_csv(folder / "BTC_USDT-1s.csv", rows))
    with installation.running() as run:
        run.until(lambda: installation.values("orders"), bool)
        run.process.send_signal(signal.SIGKILL)
        run.wait()
    with installation.running("--set", "risk.per_trade_pct=0.1", "--accept-changes") as run:
        run.until(lambda: installation.values("breakers"), bool)
        code, said = told(installation, "status", "--json")
        assert (code, json.loads(said)["figures"]["tripped"]) == (0, "divergence (portfolio)")
        assert run.end() == 0
    (trip,) = installation.records("breakers")
    alerts = [row for row in installation.records("alerts") if row["code"] == "OUTPUT_DIVERGED"]
    first = alerts[0]["figures"]
    assert (trip["breaker"], trip["state"], trip["figures"]) == (
        "divergence",
        "REDUCING",
        {"by": "sink", "what": f"OUTPUT_DIVERGED {first['topic']} {first['id']}", "alarms": 1, "most": 1},
    )
    heard = [row["command"] for row in installation.records("journal") if row.get("command")]
    alarms = [row for row in heard if row["sender"] == "sink"]
    assert [row["name"] for row in alarms] == ["alarm"] * len(alerts)
    assert heard[-1]["name"] == "status"
