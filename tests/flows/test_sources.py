"""Replays from a real broker that break off and go on: the source keeps its place, whatever is replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal
from uuid import uuid4

import msgspec
import pytest
from bytewax.recovery import init_db_dir
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.admin import Topics
from connectors.kafka.candle_topic import CandleTopic
from connectors.kafka.connection import Connection
from connectors.kafka.stretch import feed_of, read, stretches
from flows.build import market_stage
from flows.cluster import ClusterError, run_spread
from flows.kafka_plan import Wanted, make_kafka_plan
from flows.plan import Plan
from flows.process import run_process
from flows.replay import dataflow
from flows.sources import Hooks, source
from flows.timing import Timing
from schemas.config.load import load
from schemas.config.root import Config
from schemas.window import Window
from schemas.wire import encode
from sinks.run_folder import Workspace
from tests.connectors.kafka.messages import candle
from tests.connectors.kafka.reading import produce

SETS = ("strategies.0.use=sma_cross", "strategies.0.params={fast: 3, slow: 8}", "run.checkpoint_every_s=1e-6")
ROWS = 120


def nothing(*_: object) -> None:
    return None


@pytest.fixture
def config(kafka: str) -> Config:
    """An installation with candles of one market in one partition, one of them bad, and the journal of them."""
    sets = [*SETS, "run.batch_rows=7", f"kafka.bootstrap_servers={kafka}", f"kafka.prefix={uuid4().hex[:8]}."]
    config = load(None, {}, sets).config
    Topics(Connection(config.kafka)).create()
    close = [10 + 4 * abs((at % 20) - 10) / 10 for at in range(ROWS)]
    rows = [candle(at + 1, open=now, high=now + 1, low=now - 1, close=now) for at, now in enumerate(close)]
    values = [msgspec.json.encode(row) for row in rows]
    produce(kafka, config.kafka.topic("candles"), [*values[:50], b"{", *values[50:]])
    journal(kafka, config)
    return config


def journal(kafka: str, config: Config) -> None:
    """What the market stage says of the candles, an entry for every few of them."""
    feed = feed_of(config.kafka.settings(), "test", config.kafka.topic("candles"), nothing)
    part = stretches(feed)[0]
    stage, topic = market_stage(config, [part.name], Timing()), CandleTopic(part.topic, 0)
    messages = [message for some in read(feed, part) for message in some]
    said = [stage.step(topic.batch(messages[at : at + 7])).slices for at in range(0, len(messages), 7)]
    entries = [encode(one.record()) for one in said if one is not None]
    produce(kafka, config.kafka.topic("journal"), entries, key="main")


class StopError(RuntimeError):
    """Stops a run from within."""


def stopping_at(least: int) -> Callable[[str, int], None]:
    def on_rows(_: str, rows: int) -> None:
        if rows >= least:
            raise StopError

    return on_rows


def run(plan: Plan, folder: Path, hooks: Hooks) -> None:
    if not (folder / "recovery").exists():
        (folder / "recovery").mkdir(parents=True)
        init_db_dir(folder / "recovery", 1)  # type: ignore[no-untyped-call]
    flow = dataflow(plan, folder / "parts", source(plan, plan.load, hooks), Timing())
    run_process(flow, folder / "recovery", plan.config.run.checkpoint_every_s)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / "parts").rglob("*.jsonl"))}


@pytest.mark.parametrize("of", ["candles", "journal"])
def test_a_replay_that_broke_off_goes_on_from_its_checkpoint_to_the_same_parts(
    of: Literal["candles", "journal"], config: Config, tmp_path: Path
) -> None:
    plan, series = make_kafka_plan(Wanted(of, Window()), config, "1", nothing)
    assert {symbol: len(one) for symbol, one in series.items()} == {"BTC/USDT": ROWS}
    run(plan, tmp_path / "whole", Hooks(nothing, nothing))
    broken = tmp_path / "broken"
    with pytest.raises(StopError):
        run(plan, broken, Hooks(stopping_at(60), nothing))
    read, safe = list[int](), list[int]()
    run(plan, broken, Hooks(lambda _, rows: read.append(rows), lambda _, rows: safe.append(rows)))
    run(plan, broken, Hooks(nothing, nothing))  # broke off behind the end: there is nothing more to say
    assert contents(broken) == contents(tmp_path / "whole")
    assert contents(broken)["parts/portfolio-main/orders.jsonl"]
    assert contents(broken)["parts/portfolio-main/state.jsonl"].count(b"\n") == 1
    ours = [rows for rows in read if rows]
    assert min(ours) > 7, "it started again from the first row"
    assert max(ours) == plan.rows == {"candles": ROWS + 1, "journal": ROWS}[of]
    assert set(safe) <= {0, *read}


def test_a_plan_of_topics_survives_its_way_through_json(config: Config) -> None:
    plan, _ = make_kafka_plan(Wanted("candles", Window(until=90 * 60_000), (None, "5400000")), config, "1", nothing)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert plan.shards.keys() == {f"{config.kafka.topic('candles')}-{number}" for number in range(4)}
    assert (plan.rows, plan.symbols, plan.config.portfolio.currency) == (91, ["BTC/USDT"], "USDT")


def test_an_earlier_plan_keeps_its_end_only_for_who_wants_the_same(kafka: str, config: Config) -> None:
    wanted = Wanted("candles", Window(), (None, None))
    before, _ = make_kafka_plan(wanted, config, "1", nothing)
    produce(kafka, config.kafka.topic("candles"), [msgspec.json.encode(candle(ROWS + 1))])
    assert make_kafka_plan(wanted, config, "1", nothing, before)[0] == before
    assert make_kafka_plan(wanted, config, "1", nothing)[0].rows == before.rows + 1
    other = Wanted("candles", Window(since=0), ("0", None))
    assert make_kafka_plan(other, config, "1", nothing, before)[0].inputs[0].rows == before.rows + 1


def delete_before(kafka: str, topic: str, offset: int) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
        future.result()


def test_a_journal_whose_first_entries_are_gone_begins_behind_them_and_says_so(kafka: str, config: Config) -> None:
    whole, _ = make_kafka_plan(Wanted("journal", Window()), config, "1", nothing)
    delete_before(kafka, config.kafka.topic("journal"), 5)
    part, _ = make_kafka_plan(Wanted("journal", Window()), config, "1", nothing)
    assert (whole.inputs[0].notes, whole.rows) == ((), ROWS)
    assert part.inputs[0].notes == (
        "entries before offset 5 are gone by retention: the account begins without a position behind them",
    )
    assert 0 < part.rows < ROWS


def test_what_is_deleted_while_several_processes_read_ends_the_run_with_a_word_on_it(
    kafka: str, config: Config, tmp_path: Path
) -> None:
    plan, _ = make_kafka_plan(Wanted("candles", Window()), config, "1", nothing)
    workspace = Workspace(tmp_path / "run", list(plan.shards))
    workspace.begin(plan.model_dump_json(), overwrite=False)
    delete_before(kafka, config.kafka.topic("candles"), 5)
    with pytest.raises(ClusterError, match=r"offsets 0 to 120 are to be replayed, but .* retention has deleted some"):
        run_spread(plan, workspace, workers=1, processes=2)
