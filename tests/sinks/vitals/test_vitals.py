"""What the flow tells is what a scrape shows."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import TOPICS
from schemas.wire import wire
from sinks.vitals.metrics import METRICS
from sinks.vitals.vitals import Vitals
from tests.schemas.examples import EXAMPLES
from tests.sinks.vitals.scraping import Clock, of, samples


def record(topic: str, **changes: Any) -> Any:
    return wire(TOPICS[topic].record)(**{**EXAMPLES[topic], **changes})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vitals(clock: Clock) -> Vitals:
    return Vitals("1.2.3", strategies=["fast", "slow"], clock=clock, now=lambda: 500.0)


def test_records_in_are_the_offsets_since_the_part_was_opened(vitals: Vitals) -> None:
    for part, offset in (("candles-0", 100), ("eu.candles-a-11", 0), ("candles-0", 130), ("candles-0", 131)):
        vitals.on_rows(part, offset)
    assert of("penstock_records_in_total", vitals.exposition()) == {
        'penstock_records_in_total{partition="0",topic="candles"}': 31,
        'penstock_records_in_total{partition="11",topic="eu.candles-a"}': 0,
    }


def test_a_part_that_goes_back_counts_what_it_reads_again(vitals: Vitals) -> None:
    for offset in (100, 110, 105, 110):
        vitals.on_rows("candles-0", offset)
    assert list(of("penstock_records_in_total", vitals.exposition()).values()) == [15]


def test_records_out_are_what_was_published(vitals: Vitals) -> None:
    vitals.published("orders", 2)
    vitals.published("orders", 3)
    vitals.published("alerts", 1)
    assert of("penstock_records_out_total", vitals.exposition()) == {
        'penstock_records_out_total{topic="orders"}': 5,
        'penstock_records_out_total{topic="alerts"}': 1,
    }


def test_the_commit_age_is_that_of_the_oldest_part(vitals: Vitals, clock: Clock) -> None:
    assert of("penstock_commit_age_seconds", vitals.exposition()) == {}
    vitals.on_rows("candles-0", 0)
    vitals.on_rows("candles-1", 0)
    clock.at += 7
    assert of("penstock_commit_age_seconds", vitals.exposition()) == {"penstock_commit_age_seconds": 7}
    vitals.on_durable("candles-0", 0)
    clock.at += 2
    assert of("penstock_commit_age_seconds", vitals.exposition()) == {"penstock_commit_age_seconds": 9}
    vitals.on_durable("candles-1", 0)
    assert of("penstock_commit_age_seconds", vitals.exposition()) == {"penstock_commit_age_seconds": 2}


def test_an_epoch_is_the_time_between_two_durable_snapshots_of_a_part(vitals: Vitals, clock: Clock) -> None:
    vitals.on_rows("candles-0", 0)
    for seconds, part in ((3, "candles-0"), (1, "candles-1"), (9, "candles-0"), (11, "candles-1")):
        clock.at += seconds
        vitals.on_durable(part, 0)
    found = of("penstock_epoch_seconds", vitals.exposition())
    assert (found["penstock_epoch_seconds_count"], found["penstock_epoch_seconds_sum"]) == (2, 10 + 20)
    assert found['penstock_epoch_seconds_bucket{le="10.0"}'] == 1
    assert found['penstock_epoch_seconds_bucket{le="20.0"}'] == 2


def test_troubles_are_counted_and_new_partitions_are_one(vitals: Vitals) -> None:
    vitals.on_trouble("candles-0", "broker down")
    vitals.on_trouble("candles-0", "broker still down")
    vitals.on_partitions("candles", 8)
    assert of("penstock_troubles", vitals.exposition()) == {
        'penstock_troubles_total{part="candles-0"}': 2,
        'penstock_troubles_total{part="candles"}': 1,
    }


def test_trades_that_are_in_no_candle_are_counted_by_symbol(vitals: Vitals) -> None:
    late = record("metrics", name="trades_late", value=3, labels={"symbol": "BTC/USDT"})
    twice = record("metrics", name="trades_duplicate", value=2, labels={"symbol": "BTC/USDT"})
    vitals.observe({"metrics": [late, twice, record("metrics", name="candles_accepted", value=9)]})
    vitals.observe({"metrics": [late]})
    assert of("penstock_trades_left_out", vitals.exposition()) == {
        'penstock_trades_left_out_total{symbol="BTC/USDT",what="duplicate"}': 2,
        'penstock_trades_left_out_total{symbol="BTC/USDT",what="late"}': 6,
    }


def test_outboxes_are_counted_by_reason_code_and_level(vitals: Vitals) -> None:
    late, twice = record("deadletters", reason="ROW_LATE"), record("deadletters", reason="ROW_DUPLICATE")
    gap, raised = record("alerts"), record("alerts", code="STRATEGY_RAISED", level="critical", strategy="slow")
    vitals.observe({"deadletters": [late, twice, late], "orders": [record("orders")]})
    vitals.observe({"deadletters": [late], "rejections": [record("rejections")] * 2, "alerts": [gap, raised, gap]})
    text = vitals.exposition()
    assert of("penstock_dead_letters", text) == {
        'penstock_dead_letters_total{reason="ROW_LATE"}': 3,
        'penstock_dead_letters_total{reason="ROW_DUPLICATE"}': 1,
    }
    assert of("penstock_refusals", text) == {'penstock_refusals_total{code="FUNDS_INSUFFICIENT"}': 2}
    assert of("penstock_alerts", text) == {
        'penstock_alerts_total{code="CANDLE_GAP",level="warning"}': 2,
        'penstock_alerts_total{code="STRATEGY_RAISED",level="critical"}': 1,
    }
    assert of("penstock_strategy_errors", text) == {
        'penstock_strategy_errors_total{strategy="fast"}': 0,
        'penstock_strategy_errors_total{strategy="slow"}': 1,
    }


def test_equity_is_that_of_the_last_record_of_each_account(vitals: Vitals) -> None:
    live: dict[str, Any] = {"mode": "live", "strategy": None}
    first = record("equity", **live, equity=100.0, drawdown_pct=0.0)
    last = record("equity", **live, equity=90.5, drawdown_pct=9.5)
    shadow = record("equity", mode="shadow", strategy="slow", equity=70.0, drawdown_pct=30.0)
    vitals.observe({"equity": [first, shadow, last]})
    text = vitals.exposition()
    assert of("penstock_equity", text) == {
        'penstock_equity{mode="live",strategy=""}': 90.5,
        'penstock_equity{mode="shadow",strategy="slow"}': 70.0,
    }
    assert of("penstock_drawdown", text) == {
        'penstock_drawdown_percent{mode="live",strategy=""}': 9.5,
        'penstock_drawdown_percent{mode="shadow",strategy="slow"}': 30.0,
    }


def test_the_watermark_lag_is_the_wall_clock_minus_event_time(vitals: Vitals) -> None:
    vitals.watermark("candles-0", 380_000)
    vitals.watermark("candles-0", 440_000)
    vitals.watermark("candles-1", 499_750)
    assert of("penstock_watermark", vitals.exposition()) == {
        'penstock_watermark_lag_seconds{shard="candles-0"}': 60,
        'penstock_watermark_lag_seconds{shard="candles-1"}': 0.25,
    }


def test_candle_to_order_goes_from_a_millisecond_to_a_minute(vitals: Vitals) -> None:
    for seconds in (-5.0, 0.0008, 0.0151, 59.0, 61.0):
        vitals.candle_to_order(seconds)
    found = of("penstock_candle_to_order_seconds", vitals.exposition())
    bounds = ("0.001", "0.015", "0.025", "60.0", "+Inf")
    counts = [found[f'penstock_candle_to_order_seconds_bucket{{le="{bound}"}}'] for bound in bounds]
    assert counts == [2, 2, 3, 4, 5]
    assert found["penstock_candle_to_order_seconds_sum"] == pytest.approx(0.0 + 0.0008 + 0.0151 + 59 + 61)


def test_strategies_have_their_seconds(vitals: Vitals) -> None:
    vitals.strategy_seconds("fast", 0.25)
    vitals.strategy_seconds("fast", 0.5)
    assert of("penstock_strategy_seconds", vitals.exposition()) == {
        'penstock_strategy_seconds_total{strategy="fast"}': 0.75,
        'penstock_strategy_seconds_total{strategy="slow"}': 0,
    }


def tell_everything(vitals: Vitals) -> None:
    vitals.on_rows("candles-0", 1)
    vitals.on_durable("candles-0", 1)
    vitals.on_trouble("candles-0", "x")
    vitals.observe({topic: [record(topic)] for topic in ("deadletters", "rejections", "alerts", "breakers", "equity")})
    vitals.observe({"alerts": [record("alerts", code="STRATEGY_RAISED")]})
    vitals.observe({"metrics": [record("metrics", name="trades_late", labels={"symbol": "BTC/USDT"})]})
    vitals.published("orders", 1)
    vitals.watermark("candles-0", 0)
    vitals.candle_to_order(1.0)
    vitals.strategy_seconds("fast", 1.0)


def test_what_is_exposed_is_what_is_defined_and_nothing_else() -> None:
    vitals = Vitals("1.2.3", lags=lambda: {"candles-0": 1})
    tell_everything(vitals)
    ours = [
        family
        for family in text_string_to_metric_families(vitals.exposition().decode())
        if family.name.startswith("penstock_")
    ]
    total = {family.name: "_total" if family.type == "counter" else "" for family in ours}
    shown = {family.name + total[family.name]: family for family in ours}
    assert sorted(shown) == sorted(METRICS)
    for name, metric in METRICS.items():
        family = shown[name]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert {sample.name for sample in family.samples} == set(metric.series)
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert labels == set(metric.labels)
    assert samples(vitals.exposition())['penstock_build_info{version="1.2.3"}'] == 1


def test_process_and_python_are_exposed_too(vitals: Vitals) -> None:
    names = {family.name for family in text_string_to_metric_families(vitals.exposition().decode())}
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "python_info", "python_gc_collections"} <= names
    assert [name for name in names if name.endswith("_created")] == []


def test_two_of_them_have_nothing_in_common() -> None:
    one, other = Vitals("1"), Vitals("1")
    one.published("orders", 1)
    assert of("penstock_records_out_total", other.exposition()) == {}


def test_nonsense_does_not_raise_and_is_logged_once_as_an_error(
    vitals: Vitals, caplog: pytest.LogCaptureFixture
) -> None:
    nonsense: Any = object()
    with caplog.at_level(logging.INFO, "penstock.vitals"):
        for _ in range(2):
            vitals.observe({"alerts": [nonsense]})
            vitals.published("orders", -1)
            vitals.on_rows(nonsense, nonsense)
    assert [entry.getMessage() for entry in caplog.records] == [
        f"the metrics of {name} are not complete" for name in ("observe", "published", "on_rows")
    ]
    vitals.published("orders", 1)
    assert list(of("penstock_records_out", vitals.exposition()).values()) == [1]


def test_a_breaker_is_open_from_its_trip_to_its_reset(vitals: Vitals) -> None:
    shadow = {"mode": "shadow", "scope": "portfolio", "symbol": None}
    vitals.observe({"breakers": [record("breakers", symbol=None), record("breakers", **shadow)]})
    vitals.observe({"breakers": [record("breakers", scope="symbol", strategy=None)]})
    vitals.observe({"breakers": [record("breakers", symbol=None, event="CircuitBreakerReset")]})
    vitals.breaker("drawdown", "portfolio", "", tripped=True)
    assert of("penstock_breaker_tripped", vitals.exposition()) == {
        'penstock_breaker_tripped{breaker="losses",mode="live",scope="strategy s",strategy=""}': 0,
        'penstock_breaker_tripped{breaker="losses",mode="shadow",scope="portfolio",strategy="s"}': 1,
        'penstock_breaker_tripped{breaker="losses",mode="live",scope="symbol BTC/USDT",strategy=""}': 1,
        'penstock_breaker_tripped{breaker="drawdown",mode="live",scope="portfolio",strategy=""}': 1,
    }
