"""Hot reload: what a saved file puts in force, and what a restart then makes of the file."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.command import START, write_csv
from tests.live import Installation, Run

SETTINGS = """
strategies: [{use: sma_cross, params: {fast: 20, slow: 50}}]
market: {max_wait: 1s, stale_after: 1m}
commands: {senders: {ann: ["*"], config: [set]}}
run: {checkpoint_every_s: 1}
serve: {port: 0}
"""


class Saved:
    """A configuration file, saved again and again while a run watches it."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.path = installation, installation.folder / "penstock.yaml"

    def save(self, per_trade_pct: float, fee_pct: float, more: str = "") -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(
            f"{SETTINGS}risk: {{per_trade_pct: {per_trade_pct}{more}}}\nbroker: {{fee_pct: {fee_pct}}}\n",
            encoding="utf-8",
        )
        fresh.rename(self.path)

    def told(self, run: Run, *lines: str) -> None:
        """It has said these lines since the announcement, and nothing else."""
        run.until(lambda: said(run), lambda found: len(found) >= len(lines))
        assert said(run) == [f"penstock.yaml{line}" for line in lines]

    def made_with(self) -> tuple[Any, Any]:
        kept = json.loads((self.installation.folder / "state/made-with.json").read_bytes())
        return kept["risk"]["per_trade_pct"], kept["broker"]["fee_pct"]

    def status(self, run: Run) -> None:
        """It is at work."""
        words = ("command", "status", "--sender", "ann", "--wait", "5")
        run.until(lambda: self.installation.command(*words).code, lambda code: code == 0)


def said(run: Run) -> list[str]:
    return [line for line in run.said().splitlines() if line.startswith("penstock.yaml")]


@pytest.fixture
def saved(kafka: str, tmp_path: Path) -> Saved:
    installation = Installation(kafka, tmp_path)
    found = Saved(installation)
    found.save(1.0, 0.05)
    installation.done("topics", "create")
    return found


def killed(run: Run) -> None:
    run.process.send_signal(signal.SIGKILL)
    run.wait()


FEE = ": broker.fee_pct: a restart takes that up (--accept-changes)"


def test_what_needs_a_restart_is_asked_about_there_whatever_else_was_saved_since(saved: Saved) -> None:
    with saved.installation.running() as run:
        saved.status(run)
        saved.save(1.0, 0.5)
        saved.told(run, FEE)
        saved.save(0.9, 0.5)
        done = (FEE, FEE, ": done: DONE: risk.per_trade_pct=0.9")
        saved.told(run, *done)
        assert saved.made_with() == (0.9, 0.05)
        saved.save(0.9, 0.5, ", max_leverage: 0")
        run.until(run.said, lambda text: "penstock.yaml was saved, and nothing changes:" in text)
        killed(run)
    saved.save(0.8, 0.5)
    refused = saved.installation.command("run")
    assert (refused.code, refused.err.splitlines()[1:]) == (
        *(2, ["  broker.fee_pct: 0.05 → 0.5", "  risk.per_trade_pct: 0.9 → 0.8"]),
    )
    assert saved.made_with() == (0.9, 0.05)


def test_what_was_taken_is_no_question_at_a_restart_and_going_back_to_what_is_in_force_none_either(
    saved: Saved,
) -> None:
    with saved.installation.running() as run:
        saved.status(run)
        saved.save(0.6, 0.06)
        done = (FEE, ": done: DONE: risk.per_trade_pct=0.6")
        saved.told(run, *done)
        assert saved.made_with() == (0.6, 0.05)
        saved.save(0.6, 0.05)
        saved.told(run, *done, " was saved: all of it is in force")
        killed(run)
    with saved.installation.running() as run:
        saved.status(run)
        saved.save(0.6, 0.05, ", max_open_positions: 2")
        saved.told(run, ": done: DONE: risk.max_open_positions=2")
        assert run.end() == 0


def test_what_needs_figures_of_the_past_is_not_kept_and_another_of_the_same_file_is(saved: Saved) -> None:
    with saved.installation.running() as run:
        saved.status(run)
        saved.save(0.6, 0.05, ", var_window: 400")
        restart = ": risk.var_window: a restart takes that up (--accept-changes)"
        saved.told(run, restart, ": done: DONE: risk.per_trade_pct=0.6")
        killed(run)
    refused = saved.installation.command("run")
    assert (refused.code, refused.err.splitlines()[1:]) == (2, ["  risk.var_window: 500 → 400"])


def test_a_process_that_is_started_again_takes_up_nothing_unasked(saved: Saved) -> None:
    with saved.installation.running("--processes", "2") as run:
        saved.status(run)
        saved.save(0.9, 0.5)
        saved.told(run, FEE, ": done: DONE: risk.per_trade_pct=0.9")
        children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text(encoding="ascii").split()
        assert len(children) == 2
        os.kill(int(children[0]), signal.SIGKILL)
        assert run.wait() == 2
    assert "  broker.fee_pct: 0.05 → 0.5" in run.said().splitlines()


def test_what_somebody_has_set_outlives_other_saves_and_a_kill(saved: Saved) -> None:
    installation = saved.installation
    words = ("command", "set", "risk.per_trade_pct=0.8", "--sender", "ann")
    with installation.running() as run:
        saved.status(run)
        assert installation.done(*words) == "done: DONE: risk.per_trade_pct=0.8\n"
        saved.save(1.0, 0.05, ", max_open_positions: 2")
        saved.told(run, ": done: DONE: risk.max_open_positions=2")
        assert saved.made_with() == (1.0, 0.05)
        killed(run)
    with installation.running() as run:
        saved.status(run)
        assert installation.done(*words) == "done: DONE: risk.per_trade_pct=0.8\n"
        assert run.end() == 0
    key = "risk.per_trade_pct"
    changes = [(row["before"], row["after"]) for row in installation.records("audit") if key in row["after"]]
    assert changes == [({key: 1.0}, {key: 0.8}), ({key: 0.8}, {key: 0.8})]


def test_what_was_decided_before_a_save_is_decided_again_under_the_settings_of_then(saved: Saved) -> None:
    installation = saved.installation
    first = saved.path.rename(saved.path.with_name("first.yaml"))
    saved.save(1.0, 0.05)
    rows = [(START + n * 1_000, 100.0, 101.0, 99.0, 100.0, 1.0) for n in range(90)]
    installation.done("publish", write_csv(installation.folder / "BTC_USDT-1s.csv", rows))
    settings = {"RUN__CHECKPOINT_EVERY_S": "3600", "RUN__EQUITY_EVERY": "1m", "COMMANDS__MAX_AGE": "36500d"}
    long = {f"PENSTOCK__{name}": value for name, value in settings.items()}
    buy = ("command", "buy", "BTC/USDT", "stop=60", "target=200", "intent=one", "--sender", "ann")
    with installation.running(**long) as run:
        run.until(lambda: installation.values("equity"), bool)
        installation.done(*buy, **long)
        saved.save(0.5, 0.05)
        saved.told(run, ": done: DONE: risk.per_trade_pct=0.5")
        killed(run)
    with installation.running(**long) as run:
        assert installation.command("command", "status", "--sender", "ann", **long).code == 0
        assert installation.command(*buy, **long).out.startswith("refused: INTENT_PENDING")
        assert run.end() == 0
    assert "OUTPUT_DIVERGED" not in {alert["code"] for alert in installation.records("alerts")}
    installation.done("replay", "--from-kafka", "--of", "journal", "--out", "again", "--config", first, **long)
    for topic in ("orders", "rejections", "replies", "audit"):
        path = installation.folder / f"again/{topic}.jsonl"
        assert (path.read_bytes().splitlines() if path.exists() else []) == installation.values(topic), topic
    (order,) = installation.records("orders")
    assert order["quantity"] == "25"  # 1 % of 100,000, over a distance of 40
