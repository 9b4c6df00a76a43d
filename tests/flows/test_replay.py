from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bytewax.recovery import init_db_dir
from bytewax.testing import cluster_main

from connectors.candle_file import CandleFileError
from flows.build import market_stage
from flows.plan import Plan, make_plan
from flows.process import run_process
from flows.replay import dataflow
from flows.sources import Hooks, source
from flows.timing import Timing
from schemas.config.load import load
from schemas.config.root import Config
from tests.command import candles, write_csv

SETS = ("strategies.0.use=sma_cross", "strategies.0.params={fast: 3, slow: 8}", "run.batch_rows=50")
SILENT = Hooks(lambda shard, rows: None, lambda shard, row: None)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Two markets in two shards, 120 rows each."""
    paths = [write_csv(tmp_path / f"{base}_USDT-1m.csv", candles(120, phase=len(base))) for base in ("BTC", "ETH")]
    return make_plan(paths, None, load(None, {}, SETS).config, "1")[0]


def contents(parts: Path) -> dict[str, bytes]:
    return {str(path.relative_to(parts)): path.read_bytes() for path in sorted(parts.rglob("*.jsonl"))}


def test_every_shard_and_the_portfolio_write_a_part_of_their_own(plan: Plan, tmp_path: Path) -> None:
    flow = dataflow(plan, tmp_path / "parts", source(plan, plan.load, SILENT), Timing())
    cluster_main(flow, [], 0)  # type: ignore[no-untyped-call]
    written = contents(tmp_path / "parts")
    assert {path for path, data in written.items() if data} == {
        "portfolio-main/equity.jsonl",
        "portfolio-main/fills.jsonl",
        "portfolio-main/orders.jsonl",
        "portfolio-main/positions.jsonl",
        "portfolio-main/state.jsonl",
        "shard-0000/signals.jsonl",
        "shard-0003/signals.jsonl",
    }
    assert b"BTC/USDT" in written["shard-0000/signals.jsonl"]
    assert b"BTC/USDT" not in written["shard-0003/signals.jsonl"]


def test_the_steps_have_the_names_under_which_checkpoints_keep_their_state(plan: Plan, tmp_path: Path) -> None:
    flow = dataflow(plan, tmp_path / "parts", source(plan, plan.load, SILENT), Timing())
    names = {step.step_id for step in flow.substeps}
    assert flow.flow_id == "penstock_replay"
    assert {f"penstock_replay.{name}" for name in ("candles", "market", "portfolio", "parts")} <= names


def test_the_surroundings_hear_of_rows_read_and_rows_safe(plan: Plan, tmp_path: Path) -> None:
    read, safe = list[tuple[str, int]](), list[tuple[str, int]]()
    hooks = Hooks(lambda *told: read.append(told), lambda *told: safe.append(told))
    recovery = tmp_path / "recovery"
    recovery.mkdir()
    init_db_dir(recovery, 1)  # type: ignore[no-untyped-call]
    run(often(plan), tmp_path, recovery, hooks)
    for shard in ("shard-0000", "shard-0003"):
        assert [rows for name, rows in read if name == shard] == [0, 50, 100, 120]
        rows = [row for name, row in safe if name == shard]
        assert rows == sorted(rows)
        assert {50, 100} <= set(rows)


def often(plan: Plan) -> Plan:
    """The same plan with a checkpoint after every batch."""
    config = load(None, {}, [*SETS, "run.checkpoint_every_s=1e-6"]).config
    return plan.model_copy(update={"config": config})


def run(plan: Plan, folder: Path, recovery: Path, hooks: Hooks = SILENT) -> None:
    flow = dataflow(plan, folder / "parts", source(plan, plan.load, hooks), Timing())
    run_process(flow, recovery, plan.config.run.checkpoint_every_s)


class StopError(RuntimeError):
    """Stops a run from within."""


def stopping_at(row: int) -> Callable[[str, int], None]:
    def on_rows(shard: str, rows: int) -> None:
        if shard == "shard-0003" and rows == row:
            raise StopError

    return on_rows


def test_a_run_that_broke_off_goes_on_from_its_checkpoint_to_the_same_parts(plan: Plan, tmp_path: Path) -> None:
    plan = often(plan)
    for name in ("whole", "broken"):
        (tmp_path / name / "recovery").mkdir(parents=True)
        init_db_dir(tmp_path / name / "recovery", 1)  # type: ignore[no-untyped-call]
    run(plan, tmp_path / "whole", tmp_path / "whole" / "recovery")
    broken = tmp_path / "broken"
    with pytest.raises(StopError):
        run(plan, broken, broken / "recovery", Hooks(stopping_at(100), lambda shard, row: None))
    read = list[int]()
    run(plan, broken, broken / "recovery", Hooks(lambda shard, rows: read.append(rows), lambda shard, row: None))
    assert contents(broken / "parts") == contents(tmp_path / "whole" / "parts")
    assert min(read) > 0, "it started again from the first row"


def test_a_file_that_changed_after_planning_stops_the_run(plan: Plan, tmp_path: Path) -> None:
    write_csv(Path(plan.inputs[0].name), candles(121))
    with pytest.raises(CandleFileError, match=r"BTC_USDT-1m\.csv has changed since the run began: start a new run"):
        plan.load("shard-0000")


def test_each_market_stage_has_strategies_of_its_own() -> None:
    config = Config()
    one, two = (market_stage(config, ["a", "b"], Timing()) for _ in range(2))
    assert one.shards == two.shards == ("a", "b")
    assert [runner.label for runner in one.runners] == ["sma_atr"]
    assert one.runners[0].strategy is not two.runners[0].strategy
