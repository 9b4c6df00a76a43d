"""The page that the benchmark prints, and writes as docs/benchmarks-kafka.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.kafka.heat import Heat
from benchmarks.kafka.live import Latency, Recovery
from benchmarks.table import table

INTRO = """\
`make bench-kafka ARGS=--write` writes this page. Every figure is of one go, on one machine, with one broker: all
sides in turns (A B C A B C …), {rounds} rounds, medians with the smallest and the largest in brackets. The broker,
the side and what measures it share the machine's {cores} cores; nothing is bound to one. Other work on the machine
moves all figures."""

NOTES = """\
The job: {symbols} symbols of the simulated market, {minutes:,} one-minute candles each ({rows:,}), as `penstock
publish` writes them (JSON, key: the symbol), in the order of their times on a topic with four partitions; on each
symbol the crossing of two simple moving averages, 10 and 20; a message on a topic for each crossing ({signals:,}).

How it is timed, the same for all: a side is a process of its own, on fresh topics. The first {warm} minutes of
candles are there when it starts, and when it has answered them, it is warm; that does not count. The rest lies on the
same topic in a transaction that is still open, so nobody can read it yet. The clock starts when that transaction is
committed, and stops when a consumer with `read_committed` holds the last message that the side owes. Then the side is
ended, and every message it wrote is compared with crossings computed in another way: none missing, none changed, none
twice, or there is no page. A ratio is taken within a round, and is the median over the rounds.

- **penstock**: `penstock run`, as it comes. Each crossing is a signal, passes the risk gates, and becomes orders,
  fills, positions and equity, each a message with an id and a trace, exactly once. Timed are the signals. One candle in
  {share} raises one, so most of the time goes into decisions.
- **Bytewax**: its own Kafka source and sink, JSON decoded per message, the strategy as a `stateful_map`. Without a
  recovery store, so without any promise about a crash.
- **Quix Streams**: a stateful `apply` of a StreamingDataFrame, `exactly-once`, commits every second.
- **Faust**: an agent and a table by symbol, `exactly_once`, commits every second, a producer that lingers 5 ms; on the
  first {few} candles.
- **bare loop**: confluent-kafka's `consume` in batches, msgspec for each message, `produce`. *signals*: the strategy
  in plain Python, a message for each crossing. *every candle*: no strategy, a message for each candle. No state is
  kept, nothing is promised: this is the limit of a loop in Python.

The scripts of the peers are in `benchmarks/kafka/peers/`; all of them run the same few lines of strategy. Prices lie
on a grid of 0.5, so that averages which are equal are equal for every side."""

LIVE = """\
**Latency**: {symbols} symbols, a candle of each every {every:g} ms, so {rate:,.0f} candles/s came. From the moment
right before a candle is handed to a producer (`linger.ms=0`) to the moment at which a consumer with `read_committed`
holds the entry order on it; {orders:,} orders a round, each of them there once. Worst: {worst}. The first {warm} s of
the live market do not count: broker and process are new to requests of this size, and compile; their p99: {cold}.

**Recovery**: {many:,} symbols, {history} candles of each and more in a checkpoint, a candle of each every {pace:g} ms.
From `kill -9` of the running process, which is started again at once, to the first order for a candle that was
published after the kill. Every order, of before and after, was there once.

**State**: that checkpoint has {state:,.0f} bytes a symbol, of all steps together."""


@dataclass(frozen=True)
class Job:
    """What all sides did."""

    symbols: int
    minutes: int
    warm: int
    signals: int
    few: int


@dataclass(frozen=True)
class Live:
    """What a running penstock did, once a round."""

    latency: Sequence[Latency]
    recovery: Sequence[Recovery]
    symbols: int
    every_ms: float
    warm_s: float
    history: int
    pace_ms: float


@dataclass(frozen=True)
class Results:
    """All that was measured in one go. ``live`` is None when penstock was not among the sides."""

    machine: Sequence[str]
    cores: int
    job: Job
    heats: Mapping[str, Sequence[Heat]]
    live: Live | None


def page(results: Results) -> str:
    """Markdown of all results."""
    job, rounds = results.job, max(map(len, results.heats.values()))
    notes = NOTES.format(
        symbols=job.symbols,
        minutes=job.minutes,
        rows=job.symbols * job.minutes,
        signals=job.signals,
        share=round(job.symbols * job.minutes / job.signals),
        warm=job.warm,
        few=f"{job.few:,}",
    )
    parts = [
        "# Benchmarks on Kafka",
        INTRO.format(rounds=rounds, cores=results.cores),
        "\n".join(f"- {line}" for line in results.machine),
        "## What was wanted",
        _targets(results) if results.live else "Penstock was not among the sides.",
        "## Candles to signals",
        _race(results.heats),
        notes,
    ]
    if results.live:
        parts += ["## Live", _live(results.live)]
    return "\n\n".join(parts) + "\n"


def _race(heats: Mapping[str, Sequence[Heat]]) -> str:
    rows = [
        [
            name,
            f"{runs[0].rows:,}",
            _spread((run.rate for run in runs), "{:,.0f}"),
            f"{1e6 / median(run.rate for run in runs):.2f}",
            f"{_ratio(heats, 'penstock', name):.2f}" if "penstock" in heats else "-",
            f"{runs[0].messages:,}",
            _spread((run.ready for run in runs), "{:.1f}"),
        ]
        for name, runs in heats.items()
    ]
    head = ["side", "candles", "candles/s", "µs a candle", "time, of penstock's", "messages", "start and warm-up, s"]
    return table(head, rows)


def _targets(results: Results) -> str:
    heats, live = results.heats, results.live
    assert live is not None
    rows: list[list[str]] = []

    def add(what: str, goal: str, figure: float, shown: str, met: Callable[[float], bool]) -> None:
        rows.append([what, goal, shown, "met" if met(figure) else "MISSED"])

    for name in ("Bytewax", "Quix Streams"):
        if name in heats:
            ratio = _ratio(heats, "penstock", name)
            add(f"times as fast as {name}", "at least 5", ratio, f"{ratio:.2f}", lambda found: found >= 5)
    for name in ("bare loop, signals", "bare loop, every candle"):
        if name in heats:
            share = 100 * _ratio(heats, "penstock", name)
            add(f"share of the {name}, %", "at least 40", share, f"{share:.0f}", lambda found: found >= 40)
    if "penstock, 2 processes" in heats:
        ratio = _ratio(heats, "penstock, 2 processes", "penstock")
        add("two processes, times one", "at least 1.7", ratio, f"{ratio:.2f}", lambda found: found >= 1.7)
    middle, high = [one.p50 for one in live.latency], [one.p99 for one in live.latency]
    back = [one.seconds for one in live.recovery]
    add("candle to order, p50, ms", "at most 15", median(middle), _spread(middle, "{:.1f}"), lambda ms: ms <= 15)
    add("candle to order, p99, ms", "at most 60", median(high), _spread(high, "{:.1f}"), lambda ms: ms <= 60)
    add("back to work after a kill, s", "at most 10", max(back), _spread(back, "{:.1f}"), lambda s: s <= 10)
    return table(["what", "wanted", "measured", ""], rows)


def _live(live: Live) -> str:
    return LIVE.format(
        symbols=live.symbols,
        every=live.every_ms,
        rate=median(one.rate for one in live.latency),
        orders=live.latency[0].orders,
        worst=", ".join(f"{one.worst:.0f} ms" for one in live.latency),
        warm=live.warm_s,
        cold=", ".join(f"{one.cold_p99:.0f} ms" for one in live.latency),
        many=live.recovery[0].symbols,
        state=live.recovery[-1].state / live.recovery[-1].symbols,
        history=live.history,
        pace=live.pace_ms,
    )


def _ratio(heats: Mapping[str, Sequence[Heat]], one: str, other: str) -> float:
    """How many times as fast one is as the other: the median over the rounds."""
    return median(mine.rate / its.rate for mine, its in zip(heats[one], heats[other], strict=True))


def _spread(values: Iterable[float], form: str) -> str:
    """The median, and the range where there are several.

    >>> _spread([3.0, 1.0, 2.0], "{:.1f}"), _spread([2.0], "{:.1f}")
    ('2.0 (1.0-3.0)', '2.0')
    """
    found = sorted(values)
    shown = form.format(median(found))
    return shown if len(found) == 1 else f"{shown} ({form.format(found[0])}-{form.format(found[-1])})"
