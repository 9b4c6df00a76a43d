from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.outbox import Outbox, new_outbox
from flows.portfolio.ledger import AlertRow
from flows.portfolio.stage import PortfolioStage
from schemas.slices import END, Slices
from schemas.wire import encode
from tests.flows.portfolio import stories
from tests.flows.portfolio.audit import Audit
from tests.flows.portfolio.markets import Market, commanded_markets, markets
from tests.flows.portfolio.stories import BTC, MINUTE, SHARD, among, at, flat, slices, stage_of, tell, wired, wish

# A market is some hundred draws; the first example also loads the compiled walk.
BIG = [HealthCheck.too_slow, HealthCheck.data_too_large]
random = settings(deadline=None, max_examples=80, suppress_health_check=BIG)
BOTH = {"a": "live", "b": "live"}
ONE_SHADOW = {"a": "live", "b": "shadow"}


@random
@given(markets())
def test_every_promise_holds_at_every_instant(market: Market) -> None:
    stage, audit = PortfolioStage(market.config()), Audit(market.config())
    for minute, part in zip(market.minutes, market.by_instant(), strict=False):
        audit.instant([row for row in market.rows if row.minute == minute], stage.step(part))
        kept(stage, audit)


@random
@given(commanded_markets())
def test_every_promise_holds_whatever_is_commanded(market: Market) -> None:
    stage, audit = PortfolioStage(market.config()), Audit(market.config())
    given, answered = list(market.commands), 0
    for minute, part in zip(market.minutes, market.by_instant(), strict=False):
        audit.instant([row for row in market.rows if row.minute == minute], stage.step(part))
        kept(stage, audit)
        until = min((later for later in market.minutes if later > minute), default=10**6)
        while given and given[0].ts < at(until):
            audit.command(given[0], stage.command(given[0], given[0].ts))
            kept(stage, audit)
            given.pop(0)
            answered += 1
    assert answered == len(market.commands)


def kept(stage: PortfolioStage, audit: Audit) -> None:
    """The auditor's books are the account's, and what is held has its stop."""
    audit.agrees(stage.live.state())
    audit.follow(stage.live.broker.guards)
    for symbol in stage.live.slots:
        # A candle with every price in it sets off the stops of all that is held, and nothing else.
        hits = stage.live.broker.triggered(symbol, audit.marks.get(symbol, 1.0), 1e12, 0.0)
        found = sorted((hit.strategy, hit.level, one.quantity) for hit in hits for one in hit.tranches)
        assert found == sorted(
            (name, stop, quantity)
            for (held, name), position in audit.held.items()
            if held == symbol
            for quantity, stop, _ in position.parts
        )
        assert all(hit.leg == "stop" for hit in hits)


@random
@given(markets())
def test_each_order_is_filled_once_or_waits_and_positions_follow_their_fills(
    market: Market,
) -> None:
    outbox = stage_of(market.config(), market.by_instant())
    filled = [fill.order_id for fill in outbox["fills"]]
    assert len(filled) == len(set(filled))
    orders = {order.id: order for order in outbox["orders"]}
    assert len(orders) == len(outbox["orders"])
    assert set(filled) <= set(orders)
    last = {row.symbol: row.minute for row in sorted(market.rows)}
    withdrawn = {alert.figures["order_id"] for alert in outbox["alerts"] if alert.code.startswith("ENTRY_")}
    assert not withdrawn & set(filled)
    unfilled = [order for order in orders.values() if order.id not in {*filled, *withdrawn}]
    for order in unfilled:
        wait = market.config().entries.candles - 1 if order.price and not order.reduce_only else 0
        assert order.ts <= at(last[order.symbol]) <= order.ts + wait * MINUTE
    held: dict[str, Decimal] = {}
    changes = []
    for row in outbox["positions"]:
        if row.status == "closed" or held.get(row.id) != row.quantity:  # else its stop went to the entry
            changes.append(row.id)
        held[row.id] = row.quantity
    assert changes == [fill.position_id for fill in outbox["fills"]]
    closed = [row.id for row in outbox["positions"] if row.status == "closed"]
    opened = [fill.position_id for fill in outbox["fills"] if fill.leg == "entry"]
    assert len(closed) == len(set(closed))
    assert set(closed) <= set(opened)


@random
@given(
    st.one_of(markets(), commanded_markets()),
    st.sampled_from([BOTH, ONE_SHADOW, {"a": "shadow", "b": "shadow"}]),
    st.data(),
)
def test_the_records_do_not_depend_on_cuts_shards_their_order_or_a_restart(
    market: Market, modes: dict[str, str], data: st.DataObject
) -> None:
    whole = tell(market.stage(modes), [slices(market.rows, market.wishes)])
    shards = [f"shard-{number}" for number in range(data.draw(st.integers(1, 3)))]
    home = {symbol: data.draw(st.sampled_from(shards)) for symbol in market.symbols}
    queues: dict[str, list[Slices]] = {}
    for shard in shards:
        cuts = sorted(data.draw(st.sets(st.sampled_from(market.minutes), max_size=4)))
        own = [symbol for symbol in market.symbols if home[symbol] == shard]
        edges = list(zip([0, *cuts], [*cuts, 10**6], strict=True))
        queues[shard] = [market.part(a, b, own, shard, END if b == 10**6 else None) for a, b in edges]
    stage, outbox = market.stage(modes), new_outbox()
    while any(queues.values()):
        shard = data.draw(st.sampled_from([name for name in shards if queues[name]]))
        for topic, records in tell(stage, among(shards, [queues[shard].pop(0)])).items():
            outbox[topic].extend(records)
        if data.draw(st.booleans()):
            state = pickle.loads(pickle.dumps(stage.snapshot()))
            stage = market.stage(modes)
            stage.restore(state)
    assert wired(outbox) == wired(whole)


@random
@given(markets(), st.sampled_from([BOTH, ONE_SHADOW]), st.data())
def test_what_was_said_of_a_prefix_is_a_prefix_of_what_is_said_of_all(
    market: Market, modes: dict[str, str], data: st.DataObject
) -> None:
    config, end = market.config(modes), data.draw(st.sampled_from(market.minutes))
    whole = wired(stage_of(config, [slices(market.rows, market.wishes)]))
    early = wired(stage_of(config, [market.part(0, end, market.symbols, SHARD)]))
    assert "state" not in early
    for topic, records in early.items():
        assert records == whole[topic][: len(records)]
    assert all(b'"ts":' in record for topic in early for record in early[topic])
    for topic in ("orders", "fills", "positions", "rejections"):
        later = whole.get(topic, [])[len(early.get(topic, [])) :]
        assert all(_ts(record) > at(end) for record in later)


def _ts(record: bytes) -> int:
    ts: int = msgspec.json.decode(record)["ts"]
    return ts


@random
@given(markets())
def test_a_shadow_moves_nothing_in_the_portfolio(market: Market) -> None:
    beside = stage_of(market.config(ONE_SHADOW), market.by_instant())
    alone = Market(market.changes, market.rows, [one for one in market.wishes if one.strategy == "a"])
    without = stage_of(market.config({"a": "live"}), alone.by_instant())
    assert _of_mode(beside, "live") == _of_mode(without, "live")
    assert {**beside["state"][0], "shadow": {}} == without["state"][0]


@random
@given(markets())
def test_a_shadow_does_on_paper_what_it_would_do_alone(market: Market) -> None:
    beside = stage_of(market.config(ONE_SHADOW), market.by_instant())
    alone = Market(market.changes, market.rows, [one for one in market.wishes if one.strategy == "b"])
    live = stage_of(market.config({"b": "live"}), alone.by_instant())
    shadow = _of_mode(beside, "shadow")
    assert "orders" not in shadow
    assert "fills" not in shadow
    relabelled = {
        topic: [line.replace(b'"mode":"live"', b'"mode":"shadow"') for line in lines]
        for topic, lines in _of_mode(live, "live").items()
    }
    for topic in ("positions", "rejections"):
        assert shadow.get(topic) == relabelled.get(topic)
    equity = [line.replace(b'"strategy":null', b'"strategy":"b"') for line in relabelled.get("equity", [])]
    assert shadow.get("equity", []) == equity
    counts: Any = beside["state"][0]["shadow"]["b"]["counts"]
    assert counts == live["state"][0]["counts"]


def _of_mode(outbox: Outbox, mode: str) -> dict[str, list[bytes]]:
    """The records of the portfolio itself, or of its shadows."""

    def is_of(record: Any) -> bool:
        if isinstance(record, AlertRow):  # which says whose it is: that of a shadow names its strategy
            return mode == ("shadow" if record.strategy == "b" else "live")
        said = record.labels["mode"] if hasattr(record, "labels") else getattr(record, "mode", "live")
        return bool(said == mode)

    found = {
        topic: [encode(record) for record in records if is_of(record)]
        for topic, records in outbox.items()
        if topic != "state"
    }
    return {topic: records for topic, records in found.items() if records}


# -- stories ------------------------------------------------------------------------------------------------------


def config(modes: dict[str, str]) -> Any:
    strategies = [{"use": "sma_cross", "name": name, "mode": mode} for name, mode in modes.items()]
    return stories.settings({"strategies": strategies, "run.equity_every": "1m"})


def test_a_shadow_posts_positions_rejections_and_equity_and_no_order_or_fill() -> None:
    wishes = [wish(1, "long", 100.0, 95.0, strategy="b"), wish(2, "long", 100.0, 95.0, strategy="b")]
    outbox = stage_of(config(ONE_SHADOW), [slices(flat((1, 2, 3), 100.0), wishes)])
    assert [(row.strategy, row.mode, row.status) for row in outbox["positions"]] == [("b", "shadow", "open")]
    assert [(row.strategy, row.mode, row.code) for row in outbox["rejections"]] == [("b", "shadow", "INTENT_DUPLICATE")]
    assert [(row.mode, row.strategy, row.exposed) for row in outbox["equity"]] == [
        ("live", None, 0),
        ("shadow", "b", 0),
        ("live", None, 0),
        ("shadow", "b", 1),
    ]
    assert "orders" not in outbox
    assert "fills" not in outbox


def test_the_state_is_posted_once_when_every_shard_has_ended() -> None:
    stage = PortfolioStage(config(ONE_SHADOW))
    parts = [
        slices(flat((1, 2), 100.0), shard="one"),
        slices([], shard="two", watermark=at(1)),
        slices([], shard="two"),
    ]
    first, second, third = (stage.step(part) for part in among(("one", "two"), parts))
    assert "state" not in first
    assert "state" not in second
    (state,) = third["state"]
    assert (state["mode"], state["instants"], list(state["shadow"])) == ("live", 2, ["b"])
    assert (state["shadow"]["b"]["strategy"], state["shadow"]["b"]["mode"]) == ("b", "shadow")


def test_nothing_is_decided_before_every_shard_has_reached_the_instant() -> None:
    stage = PortfolioStage(config(BOTH))
    wishes = [wish(1, "long", 100.0, 95.0)]
    parts = [slices(flat((1, 2), 100.0), wishes, "one"), slices([], shard="two", watermark=at(1))]
    before, outbox = (stage.step(part) for part in among(("one", "two"), parts))
    assert before == {}
    assert [order.ts for order in outbox["orders"]] == [at(1)]
    assert "fills" not in outbox


def test_a_stage_without_shadows_has_none_in_its_state() -> None:
    (state,) = stage_of(config(BOTH), [slices(flat((1,), 100.0, BTC))])["state"]
    assert state["shadow"] == {}
