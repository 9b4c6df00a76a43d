from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.admin import Topics
from connectors.kafka.connection import Connection
from flows.deployment import (
    Deployment,
    DeploymentError,
    check_currency,
    find,
    made_with,
    open_state,
    refuse_real_money,
)
from schemas.config.broker import BrokerConfig
from schemas.config.root import Config
from sinks.state_folder import StateError, StateFolder
from tests.kafka.topics import QUIET

# -- real money ---------------------------------------------------------------------------------------------------


def test_paper_is_always_allowed() -> None:
    refuse_real_money(BrokerConfig(), switched_on=False)
    refuse_real_money(BrokerConfig(), switched_on=True)
    refuse_real_money(BrokerConfig(exchange="kraken", api_key_file="k", api_secret_file="s"), switched_on=True)


@pytest.mark.parametrize(
    ("settings", "switched_on", "said"),
    [
        (
            {"exchange": "kraken", "api_key_file": "key", "api_secret_file": "secret"},
            False,
            "broker.mode is exchange, which trades with real money: it has to be switched on with --real-money, too; "
            "or set broker.mode=paper",
        ),
        ({}, True, "broker.exchange: name the exchange"),
        ({"exchange": "", "api_key_file": "key"}, True, "broker.exchange: name the exchange"),
        ({"exchange": "kraken"}, True, "broker.api_key_file: name a file that holds it"),
        (
            {"exchange": "kraken", "api_key_file": "none", "api_secret_file": "secret"},
            True,
            "broker.api_key_file: none is no file, or holds nothing",
        ),
        (
            {"exchange": "kraken", "api_key_file": "empty", "api_secret_file": "secret"},
            True,
            "broker.api_key_file: empty is no file, or holds nothing",
        ),
        (
            {"exchange": "kraken", "api_key_file": ".", "api_secret_file": "secret"},
            True,
            "broker.api_key_file: . is no file, or holds nothing",
        ),
        ({"exchange": "kraken", "api_key_file": "key"}, True, "broker.api_secret_file: name a file that holds it"),
        (
            {"exchange": "kraken", "api_key_file": "key", "api_secret_file": "empty"},
            True,
            "broker.api_secret_file: empty is no file, or holds nothing",
        ),
        (
            {"exchange": "kraken", "api_key_file": "key", "api_secret_file": "secret"},
            True,
            "broker.mode exchange: this version executes no orders on an exchange; set broker.mode=paper",
        ),
    ],
)
def test_real_money_is_refused_with_the_first_thing_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], switched_on: bool, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("k", encoding="utf-8")
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    (tmp_path / "empty").touch()
    with pytest.raises(DeploymentError) as refused:
        refuse_real_money(BrokerConfig(mode="exchange", **settings), switched_on=switched_on)
    assert str(refused.value) == said


# -- broker and topics --------------------------------------------------------------------------------------------


def settings(address: str, **changes: dict[str, Any]) -> Config:
    """An installation of the test's own; ``changes`` by section."""
    name = uuid.uuid4().hex[:8]
    tree: dict[str, Any] = {
        "kafka": {"bootstrap_servers": address, "prefix": f"{name}.", "deployment": name},
        "strategies": [{"use": "sma_cross"}],
    }
    for section, values in changes.items():
        tree[section] = {**tree.get(section, {}), **values}
    return Config.model_validate(tree)


def installed(config: Config) -> Deployment:
    Topics(Connection(config.kafka)).create()
    return find(config)


def test_missing_topics_are_named_with_what_to_do(kafka: str) -> None:
    config = settings(kafka)
    with pytest.raises(DeploymentError) as missing:
        find(config)
    prefix = config.kafka.prefix
    assert str(missing.value).startswith(f"Kafka at {kafka} lacks {prefix}candles, {prefix}trades, ")
    assert str(missing.value).endswith(f", {prefix}events: penstock topics create")


def test_the_shards_are_the_partitions_of_the_candle_topic(kafka: str) -> None:
    deployment = installed(settings(kafka))
    prefix = deployment.config.kafka.prefix
    assert deployment.shards == tuple(f"{prefix}candles-{number}" for number in range(4))
    listed = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=60)
    assert deployment.cluster == listed.cluster_id


# -- what a state is made with ------------------------------------------------------------------------------------

SOME = Deployment(Config.model_validate({"strategies": [{"use": "sma_cross"}]}), None, ("candles-0",), "c")  # type: ignore[arg-type]


def changed(dotted: str, value: Any) -> Deployment:
    section, name = dotted.split(".")
    tree = SOME.config.model_dump()
    tree[section][name] = value
    return Deployment(Config.model_validate(tree), SOME.topics, SOME.shards, SOME.cluster)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kafka.bootstrap_servers", "elsewhere:9092"),
        ("kafka.client", {"socket.timeout.ms": "5000"}),
        ("kafka.replication", 3),
        ("kafka.start", "end"),
        ("market.shards", 7),
        ("market.file_time", "close"),
        ("market.max_wait", "1s"),
        ("market.stale_after", "1s"),
        ("run.html", False),
        ("run.batch_rows", 7),
        ("run.checkpoint_every_s", 1.0),
        ("serve.host", "0.0.0.0"),
        ("serve.port", 0),
    ],
)
def test_settings_that_no_state_depends_on_may_change(key: str, value: Any) -> None:
    assert changed(key, value).config != SOME.config
    assert made_with(changed(key, value)) == made_with(SOME)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kafka.prefix", "other."),
        ("kafka.deployment", "other"),
        ("market.allowed_lateness", "2m"),
        ("market.empty_candle", "flat"),
        ("market.max_flat", 7),
        ("run.equity_every", "1m"),
        ("portfolio.cash", "1"),
        ("risk.per_trade_pct", 1.0),
        ("broker.fee_pct", 1.0),
        ("broker.mode", "exchange"),
    ],
)
def test_settings_that_the_state_is_made_with_are_kept(key: str, value: Any) -> None:
    section, name = key.split(".")
    mine, other = made_with(SOME), made_with(changed(key, value))
    assert other[section].pop(name) != mine[section].pop(name)
    assert other == mine


def test_a_secret_is_not_kept() -> None:
    assert "hunter2" not in str(made_with(changed("kafka.client", {"sasl.password": "hunter2"})))


def test_the_code_of_the_strategies_and_the_cluster_are_kept() -> None:
    kept = made_with(SOME)
    assert (kept["cluster"], kept["shards"]) == ("c", 1)
    assert list(kept["code"]) == ["sma_cross"]
    version, digest = kept["code"]["sma_cross"].split()
    assert (version, len(digest)) == ("2.0.0", 64)


# -- state and consumer group -------------------------------------------------------------------------------------

ALL = (None, 1)


def commit(config: Config, topic: str, partition: int, offset: int) -> None:
    """What a run would have committed."""
    made = {"bootstrap.servers": config.kafka.bootstrap_servers, "group.id": config.kafka.group}
    consumer = Consumer(made, logger=QUIET)
    at = TopicPartition(config.kafka.topic(topic), partition, offset)
    consumer.commit(offsets=[at], asynchronous=False)
    consumer.close()


def say(deployment: Deployment, *parts: str | None) -> None:
    """Put entries of the portfolio into the journal, by whom it is said, if it is."""
    producer = Producer({"bootstrap.servers": deployment.config.kafka.bootstrap_servers}, logger=QUIET)
    for part in parts:
        headers: list[tuple[str, str | bytes | None]] = [] if part is None else [("part", part.encode())]
        producer.produce(deployment.config.kafka.topic("journal"), b"entry", b"main", headers=headers)
    assert producer.flush(60) == 0


def committed(config: Config) -> dict[tuple[str, int], int]:
    made = {"bootstrap.servers": config.kafka.bootstrap_servers, "group.id": config.kafka.group}
    asked = [("candles", number) for number in range(4)] + [("journal", 0)]
    consumer = Consumer(made, logger=QUIET)
    found = consumer.committed([TopicPartition(config.kafka.topic(name), number) for name, number in asked], 60)
    consumer.close()
    return {at: one.offset for at, one in zip(asked, found, strict=True) if one.offset >= 0}


def begin(
    deployment: Deployment, path: Path, *, share: tuple[int | None, int] = ALL, rebuild: bool = False
) -> StateFolder:
    folder = StateFolder(path)
    open_state(deployment, folder, share, rebuild=rebuild, accept=False)
    return folder


def test_a_first_run_begins_and_the_next_one_takes_up(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    first = begin(deployment, tmp_path / "a")
    assert [path.name for path in first.recovery.iterdir()] == ["part-0.sqlite3"]
    commit(deployment.config, "candles", 0, 5)
    with pytest.raises(StateError, match="another penstock run is at work here"):
        begin(deployment, tmp_path / "a")
    other = begin(deployment, tmp_path / "b", share=(1, 2), rebuild=True)
    assert [path.name for path in other.recovery.iterdir()] == ["part-1.sqlite3"]


def reopened(deployment: Deployment, path: Path, *, rebuild: bool = False, accept: bool = False) -> StateFolder:
    """As by the next process: what is open in this one holds the lock, so it looks at a copy."""
    copy = path.with_name(f"{path.name}-{uuid.uuid4().hex[:4]}")
    copy.mkdir()
    (copy / "recovery").mkdir()
    for file in ("made-with.json", "recovery/part-0.sqlite3"):
        (copy / file).write_bytes((path / file).read_bytes())
    folder = StateFolder(copy)
    open_state(deployment, folder, ALL, rebuild=rebuild, accept=accept)
    return folder


def test_changed_settings_are_listed_and_can_be_accepted(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    begin(deployment, tmp_path / "state")
    reopened(deployment, tmp_path / "state")
    tree = deployment.config.model_dump()
    tree["portfolio"]["cash"], tree["risk"]["per_trade_pct"] = "5", 2.5
    other = replace(deployment, config=Config.model_validate(tree))
    with pytest.raises(DeploymentError) as refused:
        reopened(other, tmp_path / "state")
    said, *changes = str(refused.value).splitlines()
    assert said.endswith(
        " was made with other settings; go back to them, give another --state, kafka.deployment and portfolio.name, "
        "or carry the state over with --accept-changes"
    )
    assert changes == ["portfolio.cash: 100000 → 5", "risk.per_trade_pct: 0.5 → 2.5"]
    accepted = reopened(other, tmp_path / "state", accept=True)
    assert accepted.changes(made_with(other)) == []


def test_checkpoints_of_another_layout_cannot_be_accepted(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    begin(deployment, tmp_path / "state")
    made = tmp_path / "state/made-with.json"
    known = json.loads(made.read_bytes())
    made.write_text(json.dumps({name: value for name, value in known.items() if name != "layout"}))
    with pytest.raises(DeploymentError, match=r"was made by another version of penstock.* start with --rebuild"):
        reopened(deployment, tmp_path / "state", accept=True)


def test_another_cluster_is_a_change(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    begin(deployment, tmp_path / "state")
    with pytest.raises(DeploymentError, match=f"\ncluster: {deployment.cluster} → other$"):
        reopened(replace(deployment, cluster="other"), tmp_path / "state")


@pytest.mark.parametrize("other", [{"kafka": {"prefix": "other."}}, {"market": {"bars": {"timeframes": ["1m"]}}}])
def test_a_state_of_other_topics_is_not_taken_up(kafka: str, tmp_path: Path, other: dict[str, Any]) -> None:
    deployment = installed(settings(kafka))
    begin(deployment, tmp_path / "state")
    tree = deployment.config.model_dump()
    for section, values in other.items():
        tree[section] = {**tree[section], **values}
    changed = installed(Config.model_validate(tree))
    market = changed.config.kafka.topic(changed.config.market.topic)
    with pytest.raises(DeploymentError, match=f" was made from other topics than {market}: go back to those settings"):
        reopened(changed, tmp_path / "state", accept=True)


def test_a_damaged_checkpoint_ends_it_before_it_begins(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    folder = begin(deployment, tmp_path / "state")
    (folder.recovery / "part-0.sqlite3").write_bytes(b"rubbish" * 100)
    with pytest.raises(StateError, match=r"part-0.sqlite3 is damaged \(file is not a database\)"):
        reopened(deployment, tmp_path / "state")


def test_an_empty_folder_is_refused_when_the_group_has_read_before(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    commit(deployment.config, "candles", 0, 0)
    commit(deployment.config, "candles", 2, 42)
    name = deployment.config.kafka
    with pytest.raises(DeploymentError) as refused:
        begin(deployment, tmp_path / "state")
    assert str(refused.value) == (
        f"{tmp_path / 'state'} is empty, but consumer group {name.group} has read up to offset 42 of "
        f"{name.prefix}candles already: give the --state it was run with, restore that from a backup, make it anew "
        "from the topics with --rebuild, or begin as somebody else with another kafka.deployment and portfolio.name"
    )
    assert list((tmp_path / "state").iterdir()) == []


def test_rebuild_forgets_what_the_group_has_read(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    commit(deployment.config, "candles", 2, 42)
    commit(deployment.config, "journal", 0, 7)
    assert committed(deployment.config) == {("candles", 2): 42, ("journal", 0): 7}
    folder = begin(deployment, tmp_path / "state", rebuild=True)
    assert committed(deployment.config) == {}
    assert not folder.fresh
    begin(deployment, tmp_path / "next")


def test_rebuild_of_what_was_never_begun_is_a_beginning(kafka: str, tmp_path: Path) -> None:
    assert not begin(installed(settings(kafka)), tmp_path / "state", rebuild=True).fresh


def test_a_state_that_is_there_is_not_rebuilt(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    begin(deployment, tmp_path / "state")
    with pytest.raises(DeploymentError, match="has a state: move it away before --rebuild makes it anew from the top"):
        reopened(deployment, tmp_path / "state", rebuild=True)


def test_a_journal_whose_beginning_is_gone_cannot_make_the_account_anew(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    journal = deployment.config.kafka.topic("journal")
    say(deployment, *[None] * 5)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_records([TopicPartition(journal, 0, 3)])[TopicPartition(journal, 0)].result()
    commit(deployment.config, "journal", 0, 5)
    with pytest.raises(DeploymentError, match=f"^--rebuild: retention has deleted the first 3 messages of {journal}, "):
        begin(deployment, tmp_path / "state", rebuild=True)
    assert committed(deployment.config) == {("journal", 0): 5}


def test_rebuild_reads_the_market_from_its_beginning(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka, kafka={"start": "end"}))
    commit(deployment.config, "candles", 0, 5)
    with pytest.raises(DeploymentError, match=r"^kafka\.start is end: --rebuild needs the market topics from their"):
        begin(deployment, tmp_path / "state", rebuild=True)
    assert committed(deployment.config) == {("candles", 0): 5}


def test_a_portfolio_of_another_deployment_is_not_taken_over(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    say(deployment, "somebody.candles-0")
    with pytest.raises(DeploymentError) as refused:
        begin(deployment, tmp_path / "state")
    assert str(refused.value) == (
        f"{deployment.config.kafka.topic('journal')} has entries of portfolio main by another deployment "
        "(somebody.candles-0), and its orders have the ids that those of this one would have: set another "
        "portfolio.name"
    )


def test_a_deployment_whose_name_goes_on_behind_a_dot_is_another_one(kafka: str, tmp_path: Path) -> None:
    deployment = installed(settings(kafka))
    other = f"{deployment.config.kafka.deployment}.b.{deployment.config.kafka.topic('candles')}-0"
    say(deployment, other)
    with pytest.raises(DeploymentError, match=re.escape(f"by another deployment ({other})")):
        begin(deployment, tmp_path / "state")


@pytest.mark.parametrize(
    ("symbols", "currency", "said"),
    [
        (["*"], None, "one account cannot add up ETH/BTC in BTC, BTC/USDT in USDT: keep them in runs of their own"),
        (["BTC/USDT"], None, None),
        (["BTC/USDT"], "EUR", "portfolio.currency is EUR, but BTC/USDT is quoted in USDT: make them one"),
    ],
)
def test_what_is_traded_is_quoted_in_one_currency(
    kafka: str, symbols: list[str], currency: str | None, said: str | None
) -> None:
    config = settings(kafka, portfolio={"currency": currency})
    (strategy,) = config.strategies
    named = strategy.model_copy(update={"symbols": tuple(symbols)})
    deployment = installed(config.model_copy(update={"strategies": (named,)}))
    producer = Producer({"bootstrap.servers": kafka}, logger=QUIET)
    for key in (b"BTC/USDT", b"ETH/BTC", None):
        producer.produce(deployment.config.kafka.topic("candles"), b"{}", key)
    assert producer.flush(60) == 0
    if said is None:
        check_currency(deployment)
        return
    with pytest.raises(DeploymentError) as refused:
        check_currency(deployment)
    assert str(refused.value) == said


def test_its_own_entries_and_those_of_nobody_are_no_hindrance(kafka: str, tmp_path: Path) -> None:
    for number, first in enumerate((None, "ours")):
        deployment = installed(settings(kafka))
        kafka_config = deployment.config.kafka
        say(deployment, first and f"{kafka_config.deployment}.{kafka_config.topic('candles')}-0")
        begin(deployment, tmp_path / str(number))
