"""Any journal, in any order, restarted anywhere."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.portfolio.align import Aligner
from schemas.slices import END, Cause, Slices, notice
from tests.flows.portfolio.stories import BTC, ETH, MINUTE, SOL, Row, among, at, slices, wish
from tests.flows.portfolio.waits import HOUR, TWO

XRP = "XRP/USDT"


HOME = {BTC: "one", ETH: "one", SOL: "two", XRP: "two"}


@st.composite
def journals(draw: st.DrawFn) -> list[Slices]:
    """Slices of two shards, with rows of each symbol in the order of time, time-outs and silence; then the end."""
    minute, upto = dict.fromkeys(HOME, 0), dict.fromkeys(TWO, 0)
    entries: list[Slices] = []
    for _ in range(draw(st.integers(0, 25))):
        shard = draw(st.sampled_from(TWO))
        kind: Cause = draw(st.sampled_from(("candles", "candles", "candles", "timeout", "silence")))
        if kind != "candles":
            instant = at(draw(st.integers(0, 15)))
            entries.append(notice(shard, TWO, upto[shard], instant, kind, draw(st.integers(0, 9_000))))
            continue
        rows = []
        for symbol in draw(st.lists(st.sampled_from([name for name in HOME if HOME[name] == shard]), max_size=3)):
            minute[symbol] += draw(st.sampled_from((1, 1, 1, 2, 4)))
            rows.append(Row(minute[symbol], 1, 9, 1, minute[symbol] / 4, symbol))
        wishes = [wish(row.minute, "flat", row.close, symbol=row.symbol) for row in rows if draw(st.booleans())]
        said = slices(rows, wishes, shard, -1, upto[shard])
        if len(rows) > 1 and draw(st.booleans()):  # the first of them flat candles, made by the last one
            said = replace(said, position=np.full(len(rows), said.upto - 1))
        upto[shard] = said.upto
        entries.append(said)
    entries += [slices([], (), shard, END, upto[shard]) for shard in draw(st.permutations(TWO))]
    return among(TWO, entries)


def folded(entries: list[Slices], stops: set[int], lateness: int) -> list[tuple[list[Any], Any]]:
    """Notices and block of each entry; restarted before some of them."""
    aligner = Aligner(lateness)
    found: list[tuple[list[Any], Any]] = []
    for number, entry in enumerate(entries):
        if number in stops:
            state = pickle.dumps(aligner.snapshot())
            aligner = Aligner(lateness)
            aligner.restore(pickle.loads(state))
        notices = [(one.code, one.ts, one.shard, one.upto, one.symbol, one.figures) for one in aligner.push(entry)]
        block = aligner.pop()
        if block is None:
            found.append((notices, None))
            continue
        names = [block.symbols[slot] for slot in block.slot.tolist()]
        rows = list(zip(block.ts.tolist(), names, block.close.tolist(), strict=True))
        signals = [signal.id for signal in block.signals]
        found.append((notices, (rows, signals, block.watermark, aligner.waiting())))
    return found


@settings(deadline=None, max_examples=300)
@given(journals(), st.sets(st.integers(0, 27)), st.sampled_from((0, 2 * MINUTE, HOUR)))
def test_any_journal_gives_every_row_once_in_the_order_of_time_whenever_it_was_restarted(
    entries: list[Slices], stops: set[int], lateness: int
) -> None:
    whole = folded(entries, set(), lateness)
    assert folded(entries, stops, lateness) == whole
    blocks = [block for _, block in whole if block is not None]
    done = -1
    for rows, _, watermark, _ in blocks:
        assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
        assert all(done < ts <= watermark for ts, *_ in rows)
        assert watermark > done
        done = watermark
    assert done == END
    came = [(symbol, close) for rows, *_ in blocks for _, symbol, close in rows]
    for symbol in HOME:
        own = [one.close[row] for one in entries for row, slot in enumerate(one.slot) if one.symbols[slot] == symbol]
        assert [close for name, close in came if name == symbol] == own  # its own order is the order of time
    signals = [signal for _, ids, *_ in blocks for signal in ids]
    assert sorted(signals) == sorted(signal.id for one in entries for signal in one.signals)
    ids = [(code, shard, symbol, upto, ts) for notices, _ in whole for code, ts, shard, upto, symbol, _ in notices]
    told = [one for one in ids if one[0] != "FEED_STALE" or one[4] < 0]
    assert len(told) == len(set(told))


@settings(deadline=None, max_examples=100)
@given(journals())
def test_what_is_waited_for_is_what_a_time_out_sets_free(entries: list[Slices]) -> None:
    aligner = Aligner(2 * MINUTE)
    for entry in entries:
        aligner.push(entry)
        aligner.pop()
        instant, behind = aligner.waiting()
        if instant < 0:
            continue
        assert behind
        again = Aligner(2 * MINUTE)
        again.restore(aligner.snapshot())
        for shard in behind:
            again.push(notice(shard, TWO, aligner.shards[shard].upto, instant, "timeout", 1_000))
        block = again.pop()
        assert block is not None
        assert block.watermark >= instant
        assert again.waiting() == (-1, {})
