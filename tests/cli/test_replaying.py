"""A run from its first word to its run folder, and what the records in it promise each other."""

from __future__ import annotations

import csv
import hashlib
import json
import platform
import re
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest

from connectors.simulated import write_market
from connectors.simulated_spec import SYMBOLS, MarketSpec
from schemas.topics import TOPICS
from tests.command import MINUTE, START, Result, candles, csv_lines, penstock, write_csv
from tests.replaying import records, run_json

TOPIC_FILES = {
    "bars.jsonl",
    "signals.jsonl",
    "orders.jsonl",
    "rejections.jsonl",
    "fills.jsonl",
    "positions.jsonl",
    "equity.jsonl",
    "alerts.jsonl",
    "metrics.jsonl",
    "deadletters.jsonl",
    "events.jsonl",
}
FIGURE_FILES = {"trades.csv", "equity.csv", "state.json", "summary.json", "summary.html", "run.json"}
HASHED = TOPIC_FILES - {"events.jsonl"}

RAISES_AT = START + 1_500 * MINUTE
FUSSY = f'''
import numpy as np

from flows.indicators.rsi import RSI
from flows.strategies.base import Signals, Strategy


class Fussy(Strategy):
    """Buys what is oversold, and raises on one candle of a market that trades below 10,000."""

    version = "1.2.3"

    def __init__(self, params):
        super().__init__(params)
        self.rsi = RSI(14)

    def on_candles(self, candles):
        rsi = self.rsi(candles)
        if np.any((candles.ts == {RAISES_AT}) & (candles.close < 10_000)):
            raise RuntimeError("too cheap for me")
        return Signals(long=rsi < 30, flat=rsi > 60, stop_distance=candles.close * 0.01,
                       target_distance=candles.close * 0.03, reason="oversold")
'''
SETTINGS = """\
strategies:
  - use: sma_cross
    params: {fast: 5, slow: 15, stop_pct: 0.5}
  - use: fussy:Fussy
    symbols: [BTC/USDT, ETH/USDT]
  - {use: sma_cross, name: slow_shadow, mode: shadow, params: {fast: 20, slow: 60}}
risk:
  max_open_positions: 4
  per_trade_pct: ${PER_TRADE:-0.2}
"""
INPUTS = ("market/BTC_USDT-1m.parquet", "market/ETH_USDT-1m.parquet", "SOL_USDT-5m.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory: three markets, one of them of 5m with a bad row and a hole; settings; a strategy."""
    found = tmp_path_factory.mktemp("work")
    write_market(found / "market", MarketSpec(symbols=SYMBOLS[:2], days=2, seed=11))
    five = csv_lines(candles(576, 5 * MINUTE))
    write_csv(found / "SOL_USDT-5m.csv", [*five[:200], "nonsense", *five[205:]])
    (found / "penstock.yaml").write_text(SETTINGS)
    (found / "fussy.py").write_text(FUSSY)
    return found


@pytest.fixture(scope="module")
def first(folder: Path) -> Result:
    """The whole of it, with a report, by two workers."""
    words = ("--out", "runs/rich", "--set", "broker.slippage_pct=0.01", "--workers", "2")
    result = penstock(folder, "replay", *INPUTS, *words, PENSTOCK__PORTFOLIO__CASH="50000")
    assert result.code == 0, result.err
    return result


@pytest.fixture(scope="module")
def run(first: Result, folder: Path) -> Path:
    return folder / "runs/rich"


def test_a_run_folder_has_these_files_and_no_others(run: Path) -> None:
    assert {path.name for path in run.iterdir()} == TOPIC_FILES | FIGURE_FILES
    assert [path.name for path in run.parent.iterdir()] == ["rich"]
    assert (run / "summary.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_the_run_ends_with_where_it_is(first: Result) -> None:
    *_, figures, where, report = first.out.splitlines()
    assert re.fullmatch(r"6,332 candles in \d+\.\d\d s", figures)
    assert (where, report) == ("run folder  runs/rich", "report      runs/rich/summary.html")


@pytest.mark.parametrize("topic", sorted(name.removesuffix(".jsonl") for name in TOPIC_FILES - {"bars.jsonl"}))
def test_every_record_is_valid_and_there_is_one_of_each_kind(run: Path, topic: str) -> None:
    model = TOPICS[topic].record
    lines = (run / f"{topic}.jsonl").read_bytes().splitlines()
    assert lines
    for line in lines:
        given = json.loads(line)
        record = model.model_validate_json(line).model_dump(mode="json")
        assert {name: record[name] for name in given} == given
        assert {name for name, field in model.model_fields.items() if field.is_required()} <= given.keys()


@pytest.mark.parametrize("topic", ["signals", "orders", "rejections", "fills", "alerts", "deadletters"])
def test_ids_are_unique(run: Path, topic: str) -> None:
    ids = [record["id"] for record in records(run, topic)]
    assert len(ids) == len(set(ids))


def test_a_position_opens_once_and_closes_at_most_once(run: Path) -> None:
    changes = [(record["id"], record["status"]) for record in records(run, "positions")]
    assert len(changes) == len(set(changes))
    opened = {position for position, status in changes if status == "open"}
    assert {position for position, _ in changes} == opened


def test_every_record_points_at_one_that_exists(run: Path) -> None:
    signals = {record["id"]: record for record in records(run, "signals")}
    orders = {record["id"]: record for record in records(run, "orders")}
    positions = [record for record in records(run, "positions") if record["mode"] == "live"]
    fills = records(run, "fills")
    for order in orders.values():
        if order["leg"] in ("entry", "exit"):
            assert signals[order["signal_id"]]["mode"] == "live"
            assert signals[order["signal_id"]]["ts"] == order["ts"]
        else:
            assert order["signal_id"] is None
    for rejection in records(run, "rejections"):
        assert signals[rejection["signal_id"]]["mode"] == rejection["mode"]
    for fill in fills:
        order = orders[fill["order_id"]]
        same = ("portfolio", "strategy", "symbol", "position_id", "leg", "side")
        assert [fill[name] for name in same] == [order[name] for name in same]
        assert fill["ts"] >= order["ts"]
    for position in positions:
        legs = {order["leg"] for order in orders.values() if order["position_id"] == position["id"]}
        assert "entry" in legs
        if position["status"] == "closed":
            assert position["exit_leg"] in legs
    assert {fill["position_id"] for fill in fills} == {position["id"] for position in positions}


def test_every_entry_has_a_stop_on_its_losing_side_and_the_figures_of_the_gates(run: Path) -> None:
    signals = {record["id"]: record for record in records(run, "signals")}
    entries = [order for order in records(run, "orders") if order["leg"] == "entry"]
    assert len(entries) > 50
    for order in entries:
        price = Decimal(str(signals[order["signal_id"]]["price"]))
        assert (Decimal(order["stop"]) < price) == (order["side"] == "buy")
        assert {"stop", "size", "cash", "minimum"} <= set(order["checks"])


def test_trades_are_the_closed_positions(run: Path) -> None:
    header, *lines = (run / "trades.csv").read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("pnl")
    closed = [record for record in records(run, "positions") if record["status"] == "closed"]
    assert [line.split(",")[place] for line in lines] == [record["realised_pnl"] for record in closed]


def test_the_account_ends_with_its_cash_and_what_its_trades_earned(run: Path) -> None:
    state = json.loads((run / "state.json").read_text(encoding="utf-8"))
    last = {record["id"]: record for record in records(run, "positions") if record["mode"] == "live"}
    earned = sum(Decimal(record["realised_pnl"]) for record in last.values() if record["status"] == "closed")
    still_open = {record["id"] for record in last.values() if record["status"] == "open"}
    assert state["starting_cash"] == "50000"
    assert {position["id"] for position in state["positions"]} == still_open
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))["account"]
    assert summary["final_equity"] == pytest.approx(50_000 + float(earned) + summary["open_pnl"], abs=0.01)


def test_the_output_hash_is_that_of_the_files(run: Path) -> None:
    digests = {name.removesuffix(".jsonl"): hashlib.sha256((run / name).read_bytes()).hexdigest() for name in HASHED}
    text = "".join(f"{topic} {digest}\n" for topic, digest in sorted(digests.items()))
    told = run_json(run)
    assert told["outputs"] == digests
    assert told["output_hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_run_json_tells_inputs_versions_and_how_it_was_run(run: Path, folder: Path) -> None:
    told = run_json(run)
    assert [(item["path"], item["symbol"], item["timeframe_ms"], item["rows"]) for item in told["inputs"]] == [
        ("market/BTC_USDT-1m.parquet", "BTC/USDT", MINUTE, 2_880),
        ("market/ETH_USDT-1m.parquet", "ETH/USDT", MINUTE, 2_880),
        ("SOL_USDT-5m.csv", "SOL/USDT", 5 * MINUTE, 572),
    ]
    for item in told["inputs"]:
        assert item["sha256"] == hashlib.sha256((folder / item["path"]).read_bytes()).hexdigest()
    assert told["run"] == "rich"
    assert told["how"] == {"workers": 2, "processes": 1}
    assert told["versions"]["python"] == platform.python_version()
    assert told["versions"]["bytewax"] == version("bytewax")
    phases = {"compiler", "read", "market", "portfolio", "flow", "gather", "summary", "report"}
    assert set(told["seconds"]) == phases | {f"strategy {name}" for name in ("fussy", "slow_shadow", "sma_cross")}


def test_run_json_has_each_setting_with_its_origin_and_its_meaning(run: Path) -> None:
    told = run_json(run)["configuration"]
    settings = told["config"]
    assert (settings["portfolio"]["cash"], told["origin"]["portfolio.cash"]) == (
        "50000",
        "env PENSTOCK__PORTFOLIO__CASH",
    )
    assert (settings["broker"]["slippage_pct"], told["origin"]["broker.slippage_pct"]) == (0.01, "--set")
    assert (settings["risk"]["per_trade_pct"], told["origin"]["risk.per_trade_pct"]) == (0.2, "penstock.yaml:9")
    assert (settings["broker"]["fee_pct"], told["origin"]["broker.fee_pct"]) == (0.05, "default")
    assert told["meaning"]["risk.per_trade_pct"] == "of equity at risk in one trade; 1.0 = 1 %"
    assert told["meaning"]["strategies.2.params.slow"] == "length of the slow average, candles"


def test_config_show_agrees_with_run_json(run: Path, folder: Path) -> None:
    words = ("--set", "broker.slippage_pct=0.01")
    shown = penstock(folder, "config", "show", "--format", "json", *words, PENSTOCK__PORTFOLIO__CASH="50000")
    wanted = json.loads(shown.out)
    assert wanted["config"]["portfolio"]["currency"] is None
    wanted["config"]["portfolio"]["currency"] = "USDT"  # left to the files, and settled when they were read
    assert wanted == run_json(run)["configuration"]
    checked = penstock(folder, "config", "check", *words)
    assert checked.out == "penstock.yaml: no problems; strategies: sma_cross, fussy, slow_shadow\n"


def test_events_tell_the_life_of_the_run(run: Path) -> None:
    events = records(run, "events")
    assert [event["name"] for event in events] == ["run.started", *["data.loaded"] * 3, "run.finished"]
    assert {event["run"] for event in events} == {"rich"}
    assert events[0]["figures"]["command"].startswith("replay market/BTC_USDT-1m.parquet market/ETH_USDT-1m.parquet")
    assert [event["figures"]["symbol"] for event in events[1:4]] == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    assert events[-1]["figures"]["output_hash"] == run_json(run)["output_hash"]


def test_symbols_of_different_timeframes_trade_in_one_account(run: Path) -> None:
    signals = [record for record in records(run, "signals") if record["strategy"] == "sma_cross"]
    assert {(record["symbol"], record["timeframe"]) for record in signals} == {
        ("BTC/USDT", "1m"),
        ("ETH/USDT", "1m"),
        ("SOL/USDT", "5m"),
    }
    assert {record["ts"] % (5 * MINUTE) for record in signals if record["symbol"] == "SOL/USDT"} == {0}
    assert {fill["symbol"] for fill in records(run, "fills")} == {"BTC/USDT", "ETH/USDT", "SOL/USDT"}
    (alert,) = [record for record in records(run, "alerts") if record["code"] == "CANDLE_GAP"]
    assert (alert["symbol"], alert["figures"]["missing"]) == ("SOL/USDT", 5)


def test_a_strategy_sees_only_its_symbols(run: Path) -> None:
    seen = {record["symbol"] for record in records(run, "signals") if record["strategy"] == "fussy"}
    assert seen == {"BTC/USDT", "ETH/USDT"}
    assert {record["version"] for record in records(run, "signals") if record["strategy"] == "fussy"} == {"1.2.3"}


def test_a_strategy_that_raises_is_quarantined_on_that_symbol_and_all_else_goes_on(run: Path) -> None:
    (alert,) = [record for record in records(run, "alerts") if record["code"] == "STRATEGY_RAISED"]
    assert (alert["strategy"], alert["symbol"], alert["ts"]) == ("fussy", "ETH/USDT", RAISES_AT)
    assert (alert["level"], alert["figures"]) == ("critical", {"error": "RuntimeError: too cheap for me"})
    signals = records(run, "signals")
    latest: dict[tuple[str, str], int] = {}
    for record in signals:
        latest[record["strategy"], record["symbol"]] = record["ts"]
    assert latest["fussy", "ETH/USDT"] < RAISES_AT
    assert latest["fussy", "BTC/USDT"] > RAISES_AT
    assert latest["sma_cross", "ETH/USDT"] > RAISES_AT


def test_a_shadow_strategy_is_judged_on_paper_and_makes_no_order(run: Path) -> None:
    for topic in ("orders", "fills"):
        assert "slow_shadow" not in {record["strategy"] for record in records(run, topic)}
    for topic in ("signals", "positions"):
        modes = {(record["strategy"], record["mode"]) for record in records(run, topic)}
        assert modes == {("sma_cross", "live"), ("fussy", "live"), ("slow_shadow", "shadow")}
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    closed = [r for r in records(run, "positions") if r["mode"] == "shadow" and r["status"] == "closed"]
    assert list(summary["shadow"]) == ["slow_shadow"]
    assert summary["shadow"]["slow_shadow"]["trades"]["trades"] == len(closed) > 0
    assert set(summary["account"]["by_strategy"]) == {"sma_cross", "fussy"}


def test_a_shadow_strategy_moves_nothing_in_the_portfolio(run: Path, folder: Path) -> None:
    alone = folder / "alone.yaml"
    alone.write_text("".join(line for line in SETTINGS.splitlines(keepends=True) if "shadow" not in line))
    words = ("--config", "alone.yaml", "--out", "alone", "--set", "broker.slippage_pct=0.01", "--no-html")
    result = penstock(folder, "replay", *INPUTS, *words, PENSTOCK__PORTFOLIO__CASH="50000")
    assert result.code == 0, result.err
    assert {path.name for path in (folder / "alone").iterdir()} == (TOPIC_FILES | FIGURE_FILES) - {"summary.html"}
    assert "report" not in result.out.splitlines()[-1]
    for topic in ("orders", "fills", "positions", "rejections", "equity"):
        live = [record for record in records(run, topic) if record.get("mode") != "shadow"]
        assert records(folder / "alone", topic) == live, topic


def test_the_last_row_of_equity_csv_is_what_the_account_came_to(run: Path) -> None:
    state = json.loads((run / "state.json").read_text())
    with (run / "equity.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    last = {row["strategy"]: float(row["equity"]) for row in rows}
    assert last == {"": state["equity"], **{name: of["equity"] for name, of in state["shadow"].items()}}
