from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sinks.columns import read_run
from sinks.report import payload as module
from sinks.report.payload import embed, payload
from sinks.state import read_state
from tests.sinks.run_folders import OHLC, empty_run, make_run


def test_a_curve_with_too_many_points_keeps_its_extremes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candles = make_run(tmp_path, days=5, trades=30)
    run = read_run(tmp_path)
    monkeypatch.setattr(module, "MOST_POINTS", 7)
    drawn = payload(read_state(tmp_path), run, candles)["equity"]
    live = run.curve.of(None)
    assert len(drawn["t"]) == 7
    assert drawn["t"][-1] == live["ts"][-1]
    assert min(drawn["lo"]) == round(live["equity_low"].min(), 2)
    assert max(drawn["hi"]) == round(live["equity_high"].max(), 2)
    assert max(drawn["dd"]) == round(live["drawdown_pct"].max(), 3)


def test_trades_are_given_singly_while_they_are_few(tmp_path: Path) -> None:
    candles = make_run(tmp_path, days=5, trades=30)
    run = read_run(tmp_path)
    [symbol] = payload(read_state(tmp_path), run, candles)["symbols"]
    rounds = run.trades.rounds[run.trades.rows("live")]
    assert [trade[0] for trade in symbol["trades"]] == rounds.entry_ts.tolist()
    assert [trade[2] for trade in symbol["trades"]] == rounds.exit_ts.tolist()
    assert [trade[5] for trade in symbol["trades"]] == np.round(rounds.pnl, 2).tolist()
    assert symbol["trades"][0][1] == float(run.trades.text["entry_price"][0].as_py()) or symbol["digits"] < 2


def test_many_trades_are_counted_by_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candles = make_run(tmp_path, days=5, trades=30)
    run = read_run(tmp_path)
    monkeypatch.setattr(module, "MOST_SINGLE", 29)
    [symbol] = payload(read_state(tmp_path), run, candles)["symbols"]
    rounds = run.trades.rounds[run.trades.rows("live")]
    assert "trades" not in symbol
    assert sum(symbol["long"]) == (rounds.sign > 0).sum()
    assert sum(symbol["short"]) == (rounds.sign < 0).sum()
    assert sum(symbol["exits"]) == 30
    assert sum(symbol["pnl"]) == pytest.approx(rounds.pnl.sum(), abs=0.005 * len(symbol["i"]))
    starts = symbol["first"] + np.array(symbol["i"]) * symbol["step"]
    at = int(np.flatnonzero((starts <= rounds.entry_ts[0]) & (rounds.entry_ts[0] < starts + symbol["step"]))[0])
    assert symbol["long"][at] + symbol["short"][at] >= 1


def test_symbols_with_the_most_trades_come_first_and_the_rest_is_left_out(tmp_path: Path) -> None:
    candles = make_run(tmp_path, ("A/X", "B/X"), days=2, trades=11)
    extra = {f"Z{n}/X": candles["A/X"] for n in range(9)}
    drawn = payload(read_state(tmp_path), read_run(tmp_path), extra | candles)
    assert [symbol["name"] for symbol in drawn["symbols"]][:3] == ["A/X", "B/X", "Z0/X"]
    assert (len(drawn["symbols"]), drawn["symbols_in_all"]) == (8, 11)
    assert sum(len(symbol["i"]) for symbol in drawn["symbols"]) <= 6_400


def test_an_empty_run_draws_its_only_instant(tmp_path: Path) -> None:
    empty_run(tmp_path)
    none = OHLC(np.array([], np.int64), *(np.array([]) for _ in range(4)))
    drawn = payload(read_state(tmp_path), read_run(tmp_path), {"BTC/USDT": none})
    assert drawn["equity"]["e"] == [100_000]
    assert drawn["symbols"][0]["i"] == []


def test_nothing_in_the_data_can_end_its_element() -> None:
    text = embed({"name": "</script><!-- & -->"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": "</script><!-- & -->"}


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        embed([float("nan")])


def test_the_curve_goes_from_the_starting_cash_to_the_last_instant(tmp_path: Path) -> None:
    candles = make_run(tmp_path, days=5, trades=30)
    state = read_state(tmp_path)
    drawn = payload(state, read_run(tmp_path), candles)["equity"]
    assert (drawn["t"][0], drawn["e"][0], drawn["dd"][0]) == (state.first_ts, float(state.starting_cash), 0.0)
    assert (drawn["t"][-1], drawn["e"][-1]) == (state.last_ts, round(state.equity, 2))
