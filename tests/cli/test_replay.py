"""What ``penstock replay`` takes and what it refuses."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from cli import main as command_line
from cli.errors import Debug
from tests.command import MINUTE, Result, Rows, candles, penstock, write_csv
from tests.replaying import records, run_json

ROWS = candles(400)
CROSS = ("--set", "strategies.0.use=sma_cross", "--set", "strategies.0.params={fast: 3, slow: 8}", "--no-html")
NAMES = ("ts", "open", "high", "low", "close", "volume")


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """The command's entry point called in this process: for refusals, which come before anything runs."""
    for name in os.environ:
        if name.upper().startswith("PENSTOCK"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Debug, "on", False)
    monkeypatch.setattr(
        "cli.replaying.announce_compiling", lambda say: None
    )  # it would stay registered in this process

    def run(*words: str) -> Result:
        monkeypatch.setattr("sys.argv", ["penstock", *words])
        return Result(command_line.run(), *capfd.readouterr())

    return run


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A working directory with candles of several markets, and some things that are none."""
    for name in ("BTC_USDT-1m", "ETH_USDT-1m", "ETH_BTC-1m", "btc_usdt-1m-spot"):
        write_csv(tmp_path / f"{name}.csv", candles(30))
    (tmp_path / "notes.txt").write_text("ts,open,high,low,close\n")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "header.csv").write_text("ts,open,high,low,close\n")
    (tmp_path / "words.csv").write_text("one,two\n1,2\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("kept")
    return tmp_path


def refused(files: Path, ask: Callable[..., Result], *words: str) -> str:
    """The one message with which a command is refused; nothing may have come or gone."""
    before = sorted(files.rglob("*"))
    result = ask("replay", *words)
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    assert "defect" not in result.err
    assert sorted(files.rglob("*")) == before
    return result.err


BTC = "BTC_USDT-1m.csv"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.csv"], "gone.csv does not exist: check the path"),
        (
            ["notes.txt"],
            "notes.txt is not a candle file by its ending: use one of .csv, .csv.gz, .feather, .parquet",
        ),
        (["folder"], "folder is a folder: name the candle files in it"),
        (["empty.csv"], "empty.csv is empty: it needs a header and rows"),
        (["header.csv"], "header.csv has no rows below its header: nothing to read"),
        (
            [BTC, "btc_usdt-1m-spot.csv"],
            f"{BTC} and btc_usdt-1m-spot.csv both hold BTC/USDT: leave one out, or rename it",
        ),
        (
            [BTC, "ETH_BTC-1m.csv"],
            "one account cannot add up ETH/BTC in BTC, BTC/USDT in USDT: keep them in runs of their own",
        ),
        (
            [BTC, "--set", "portfolio.currency=EUR"],
            "portfolio.currency is EUR, but BTC/USDT is quoted in USDT: make them one",
        ),
        (
            [BTC, "ETH_USDT-1m.csv", "--symbol", "BTC/USDT"],
            "--symbol names one market, but there are 2 files: name them as freqtrade does",
        ),
        ([BTC, "--out", "there"], "there exists: give another --out, or --overwrite to replace it"),
        (
            [BTC, "--out", "there", "--overwrite"],
            "there is not a run folder (it has no run.json), so --overwrite leaves it: give another --out",
        ),
        ([BTC, "--out", "."], "--out .: name a folder of its own for the run, as in --out runs/NAME"),
        ([BTC, "--out", ".."], "--out ..: name a folder of its own for the run, as in --out runs/NAME"),
        ([BTC, "--config", "gone.yaml"], "gone.yaml"),
        ([BTC, "--set", "risk.per_trade=1"], "--set risk.per_trade: unknown key; did you mean per_trade_pct?"),
        ([BTC, "--set", "strategies.0.use=nothing"], "no strategy is named 'nothing'"),
        ([BTC, "--set", "strategies.0.params.fast=0"], "strategies.0.params.fast"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_replayed_is_refused_with_one_message_and_leaves_nothing_behind(
    words: list[str], message: str, files: Path, ask: Callable[..., Result]
) -> None:
    said = refused(files, ask, *(["--out", "run"] if "--out" not in words else []), *words)
    assert said.startswith("penstock: ")
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_file_without_the_columns_is_told_what_to_name_them(files: Path, ask: Callable[..., Result]) -> None:
    said = refused(files, ask, "words.csv", "--out", "run")
    assert said.startswith("penstock: words.csv has no column for time")
    assert "columns found: one, two" in said


@pytest.mark.parametrize("option", ["--workers", "--processes"])
def test_less_than_one_worker_or_process_is_refused(option: str, files: Path, ask: Callable[..., Result]) -> None:
    said = refused(files, ask, BTC, "--out", "run", option, "0")
    assert f"Invalid value for '{option}'" in said


def test_no_file_at_all_is_refused(files: Path, ask: Callable[..., Result]) -> None:
    assert "name files of candles or trades (PATH…), or --from-kafka" in refused(files, ask)


def test_an_interrupted_run_of_another_plan_in_the_way_is_left_as_it_is(
    files: Path, ask: Callable[..., Result]
) -> None:
    (files / "run.partial").mkdir()
    (files / "run.partial" / "plan.json").write_text("{}")
    said = refused(files, ask, BTC, "--out", "run")
    assert said == (
        "penstock: run.partial holds an interrupted run of other inputs, settings or strategies: finish it with the "
        "command that began it, give another --out, or --overwrite to start anew\n"
    )
    assert (files / "run.partial" / "plan.json").read_text() == "{}"


def test_a_refusal_in_a_real_process_has_exit_code_2_and_no_traceback(files: Path) -> None:
    assert penstock(files, "replay", "gone.csv") == Result(2, "", "penstock: gone.csv does not exist: check the path\n")
    assert not (files / "runs").exists()


def as_csv(path: Path, rows: Rows, per_second: float) -> None:
    write_csv(path, [",".join([str(int(row[0] * per_second / 1000)), *map(repr, row[1:])]) for row in rows])


def as_gz(path: Path, rows: Rows, per_second: float) -> None:
    plain = path.with_name("plain.csv")
    as_csv(plain, rows, per_second)
    path.write_bytes(gzip.compress(plain.read_bytes()))


def as_iso(path: Path, rows: Rows) -> None:
    times = [datetime.fromtimestamp(row[0] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for row in rows]
    lines = [",".join([time, *map(repr, row[1:])]) for time, row in zip(times, rows, strict=True)]
    path.write_text("\n".join(["date,open,high,low,close,volume", *lines, ""]))


def as_table(rows: Rows, unit: str) -> pa.Table:
    ts, *prices = zip(*rows, strict=True)
    factor = {"ms": 1, "us": 1_000, "ns": 1_000_000}[unit]
    time = pa.array([t * factor for t in ts], pa.int64())
    times = time.cast(pa.timestamp(unit, "UTC")) if unit == "us" else time
    return pa.table([times, *(pa.array(column) for column in prices)], names=["timestamp", *NAMES[1:]])


FORMATS: dict[str, Callable[[Path, Rows], object]] = {
    "csv in s": lambda folder, rows: as_csv(folder / "BTC_USDT-1m.csv", rows, 1),
    "csv in ISO 8601, newest first": lambda folder, rows: as_iso(folder / "BTC_USDT-1m.csv", rows[::-1]),
    "csv.gz in us": lambda folder, rows: as_gz(folder / "BTC_USDT-1m.csv.gz", rows, 1e6),
    "feather in ns": lambda folder, rows: pyarrow.feather.write_feather(
        as_table(rows, "ns"), folder / "BTC_USDT-1m.feather"
    ),
    "parquet with timestamps": lambda folder, rows: pyarrow.parquet.write_table(
        as_table(rows, "us"), folder / "BTC_USDT-1m.parquet"
    ),
}


@pytest.fixture(scope="module")
def plain_hash(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("plain")
    write_csv(folder / "BTC_USDT-1m.csv", ROWS)
    result = penstock(folder, "replay", "BTC_USDT-1m.csv", "--out", "run", *CROSS)
    assert result.code == 0, result.err
    assert len(records(folder / "run", "fills")) > 10
    found: str = run_json(folder / "run")["output_hash"]
    return found


@pytest.mark.parametrize("kind", list(FORMATS))
def test_the_same_candles_give_the_same_outputs_in_every_format(kind: str, plain_hash: str, tmp_path: Path) -> None:
    FORMATS[kind](tmp_path, ROWS)
    (path,) = tmp_path.glob("BTC_USDT-1m.*")
    result = penstock(tmp_path, "replay", path.name, "--out", "run", *CROSS)
    assert result.code == 0, result.err
    run = run_json(tmp_path / "run")
    assert run["output_hash"] == plain_hash
    assert ("rows were newest first: reversed" in run["inputs"][0]["notes"]) == ("newest first" in kind)


def test_a_file_of_any_name_is_named_by_symbol_and_its_rows_tell_the_timeframe(plain_hash: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "my candles.csv", ROWS)
    result = penstock(tmp_path, "replay", "my candles.csv", "--symbol", "BTC/USDT", "--out", "run", *CROSS)
    assert result.code == 0, result.err
    run = run_json(tmp_path / "run")
    assert (run["inputs"][0]["symbol"], run["inputs"][0]["timeframe_ms"]) == ("BTC/USDT", MINUTE)
    assert run["output_hash"] == plain_hash


def test_without_out_the_run_is_named_for_symbol_strategy_and_time(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(30))
    result = penstock(tmp_path, "replay", "BTC_USDT-1m.csv", *CROSS)
    assert result.code == 0, result.err
    (run,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"btc_usdt-sma_cross-\d{8}-\d{6}", run.name)
    assert result.out.splitlines()[-1] == f"run folder  runs/{run.name}"


BARE = """
from flows.indicators.rsi import RSI
from flows.strategies.base import Signals, Strategy

class Bare(Strategy):
    def __init__(self, params):
        super().__init__(params)
        self.rsi = RSI(3)

    def on_candles(self, candles):
        rsi = self.rsi(candles)
        return Signals(long=rsi < 30, flat=rsi > 60, stop_distance=candles.close * 0.01)
"""


def test_a_strategy_that_gives_no_target_is_told_what_to_set_and_trades_when_it_is(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(BARE)
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(300))
    words = ("replay", "BTC_USDT-1m.csv", "--set", "strategies.0.use=bare:Bare", "--no-html")
    result = penstock(tmp_path, *words, "--out", "bare")
    assert result.code == 0
    (told,) = [line for line in result.err.splitlines() if "TARGET_MISSING" in line]
    assert re.fullmatch(r"warning, at \S+: strategy bare: TARGET_MISSING: price=\S+ why=the signal gives none .*", told)
    refused = len(records(tmp_path / "bare", "rejections"))
    assert f"refused {refused}: TARGET_MISSING {refused}" in result.out
    assert records(tmp_path / "bare", "orders") == []
    for name, setting in (("off", "exits.require_target=false"), ("on", "exits.target=reward")):
        result = penstock(tmp_path, *words, "--out", name, "--set", setting)
        assert "TARGET_MISSING" not in result.out + result.err
        targets = {order["target"] for order in records(tmp_path / name, "orders") if order["leg"] == "entry"}
        assert targets
        assert (targets == {None}) == (name == "off")
