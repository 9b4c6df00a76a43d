"""The page that the benchmark prints, and writes as docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from growth import Size
from race import Figures, Race
from risk import Risk
from risk import section as risk_section
from table import table
from trades import Bench, section

SIGNAL = "sma_cross 10/20: indicators plus signal"

INTRO = """\
`make bench ARGS=--write` writes this page. Every figure is of one go, on one machine: all sides in turns
(A B C A B C …), each process bound to one core, medians over {rounds} rounds. Other work on the machine moves all of
them."""

NOTES = """\
How to read the tables:

- **files, rows/s**: from the Parquet file to the files of the result, without starting the interpreter and importing.
  For penstock that is the finished run folder without HTML (phases `read`, `flow`, `gather`, `summary` of `run.json`:
  every signal, order, fill, position and equity record as JSON lines, `trades.csv`, `equity.csv`, `summary.json`).
  For backtesting.py and vectorbt it is reading, the simulation, `trades.csv` and an hourly `equity.csv`, no more; for
  nautilus_trader and the numba loop the same without equity; for csp, which has no portfolio, the crossings alone.
- **time, of penstock's**: the same span, a candle, as a multiple of penstock's in the same round (median over the
  rounds). Above 1: slower than penstock. Below 1: faster.
- **memory, rows/s**: candles in memory to the finished simulation in memory; nothing is read or written. Penstock has
  no such mode.
- **process, s**: the whole process: interpreter, imports, one run. For vectorbt and the numba loop it holds compiling
  what their caches do not keep; their other figures are warm, the median of three later runs in one process.
  Penstock's figures are always those of a new process, with its kernels in numba's cache.
- **trades** are closed ones. "Same trades" compares them with penstock's, row by row: times, sides and quantities
  exactly, prices, P&L and fees to 1e-9. nautilus_trader fills a market order at the close of the bar that caused it, so
  its trades are compared with those of penstock under `broker.fill_at=close`; its speed is compared as all others'.

What each side runs: the crossing of two simple moving averages, always in the market after the first crossing, one
unit, no fees, no target, no stop within reach. backtesting.py gets the crossings computed beforehand, so that its
`next` looks at one number; vectorbt is `Portfolio.from_signals` on shifted signals, with its plain trade records (the
readable ones take seconds); nautilus_trader is a bar-by-bar strategy on its own averages, one order a reversal, logging
off, on the first 50,000 candles at most, because its one position, reversed again and again, is the slower the longer
it lives; csp is two rolling sums and a Python node; the numba loop keeps no orders, no equity and no checks, and is
the limit. The scripts are in `benchmarks/peers/`. This vectorbt is the newest that goes with nautilus_trader 1.221 and
its pandas 2.
Prices of the random walk lie on a grid of 0.5, so that averages which are equal are equal in every library."""

ASIDE = """\
With interpreter and imports, the first is {whole} candles/s.
Whole processes on the SMA 10/20 cross, as multiples of penstock's: {process}.
In memory alone, without reading or writing anything, vectorbt does {memory} rows/s: penstock does not do that job, and
is not ahead of that figure."""

PHASES = """\
`market`: indicators, strategies and slices. `portfolio`: broker, book, gates, and the records of what they did.
`rest of flow`: Bytewax, checkpoints, encoding and writing. `gather`: the outputs into the run folder. `summary`:
metrics, `trades.csv`, `equity.csv`. `start`: all else of the process: interpreter, imports, configuration.

The phases of the peers, seconds:"""

GROWTH = """\
SMA crosses, one file a symbol, the same number of candles in all, from files to the finished run folder. Memory is
measured apart on fewer candles, so that symbols and not candles fill it: from {first} to {last} symbols the peak grows
by {further:,.0f} kB a symbol."""


@dataclass(frozen=True)
class Results:
    """All that was measured in one go."""

    machine: Sequence[str]
    rounds: int
    many: Race
    few: Race
    real: Race | None
    sizes: Sequence[Size]
    light: Sequence[Size]
    risk: Risk
    indicators: Sequence[dict[str, str | float]]
    bars: Bench


def page(results: Results) -> str:
    """Markdown of all results."""
    races = [race for race in (results.many, results.few, results.real) if race is not None]
    parts = [
        "# Benchmarks",
        INTRO.format(rounds=results.rounds),
        "\n".join(f"- {line}" for line in results.machine),
        "## What was wanted",
        _targets(results),
        "## Penstock and its peers",
        *(part for race in races for part in (f"### {race.title}: {race.candles}, {race.rows:,} candles", _race(race))),
        NOTES if results.real else f"{NOTES}\n\nThe real candles of `../shared/data` were not at hand.",
        "## Where the time goes",
        _phases(races),
        PHASES,
        _peer_phases(races),
        "## Growth",
        _growth(results),
        risk_section(results.risk),
        "## Trades to candles",
        section(results.bars),
        "## Indicators",
        _indicators(results.indicators),
    ]
    return "\n\n".join(parts) + "\n"


def _rate(rows: int, seconds: float | None) -> str:
    return "-" if seconds is None else f"{rows / seconds:,.0f}"


def _race(race: Race) -> str:
    times = ["files, rows/s", "time, of penstock's", "memory, rows/s", "process, s"]
    sides = list(race.figures.values())
    rows = [
        [
            side.name,
            f"{side.rows:,}",
            _rate(side.rows, side.files),
            "1" if side.name == "penstock" else f"{side.slower:.3g}",
            _rate(side.rows, side.memory),
            f"{side.whole:.2f}",
            f"{side.peak_mb:,.0f}",
            "-" if side.name == "csp" else f"{side.count:,}",
        ]
        for side in sides
    ]
    head = ["side", "candles", *times, "peak MB", "trades"]
    same = "\n".join(f"- {side.name}: {side.equal}" for side in sides if side.name != "penstock")
    return f"{table(head, rows)}\n\nSame trades:\n\n{same}"


def _targets(results: Results) -> str:
    few, many = results.few.figures["penstock"], results.many.figures
    signal = next(float(row["ns_at_10000"]) for row in results.indicators if row["module"] == SIGNAL)
    rate = few.rows / few.files
    wanted = [
        ("candles/s to a run folder, a few trades a day", "1,000,000", f"{rate:,.0f}", rate >= 1e6),
        _ahead("nautilus_trader", many["nautilus_trader"], 20),
        _ahead("backtesting.py", many["backtesting.py"], 10),
        _ahead("vectorbt", many["vectorbt"], 1),
        ("indicators plus signal, ns a candle, batches of 10,000", "at most 50", f"{signal:.1f}", signal <= 50),
    ]
    rows = [[what, goal, found, "met" if met else "MISSED"] for what, goal, found, met in wanted]
    same = [name for name in many if name != "penstock" and many[name].rows == few.rows]
    rest = ASIDE.format(
        whole=_rate(few.rows, few.whole),
        process=", ".join(f"{name} {many[name].whole / many['penstock'].whole:.2f}" for name in same),
        memory=_rate(many["vectorbt"].rows, many["vectorbt"].memory),
    )
    return f"{table(['what', 'wanted', 'measured', ''], rows)}\n\n{rest}"


def _ahead(name: str, side: Figures, wanted: float) -> tuple[str, str, str, bool]:
    goal = f"{wanted:g}" if wanted > 1 else "above 1"
    met = side.slower >= wanted if wanted > 1 else side.slower > wanted
    return f"times as fast as {name}, SMA 10/20, files to files", goal, f"{side.slower:.2f}", met


def _phases(races: Sequence[Race]) -> str:
    rows = []
    for race in races:
        side = race.figures["penstock"]
        seconds = dict(side.phases)
        rest = seconds["flow"] - seconds["market"] - seconds["portfolio"]
        shown = [seconds["read"], seconds["market"], seconds["portfolio"], rest, seconds["gather"], seconds["summary"]]
        cells = [f"{1e9 * value / side.rows:,.0f}" for value in (*shown, side.files, side.whole - side.files)]
        rows.append([f"{race.title}, {race.candles}, ns a candle", *cells])
    head = ["penstock", "read", "market", "portfolio", "rest of flow", "gather", "summary", "sum", "start"]
    return table(head, rows)


def _peer_phases(races: Sequence[Race]) -> str:
    names = ["read", "signals", "simulate", "records", "trades", "equity"]
    rows = [
        [
            f"{race.title}, {race.candles}: {side.name}",
            *(f"{side.phases[name]:.4f}" if name in side.phases else "-" for name in names),
        ]
        for race in races
        for side in race.figures.values()
        if side.name != "penstock"
    ]
    return table(["side", *names], rows)


def _growth(results: Results) -> str:
    many, few = results.sizes, results.light
    one, last = few[0], few[-1]
    rows = [
        [
            f"{size.symbols:,}",
            f"{1e9 * size.seconds / size.rows:,.0f}",
            f"{size.whole:.2f}",
            f"{size.trades:,}",
            f"{size.peak_mb:,.0f}",
            f"{light.peak_mb:,.0f}",
            f"{light.trades:,}",
        ]
        for size, light in zip(many, few, strict=True)
    ]
    large, small = f"{many[0].rows:,} candles, SMA 20/100", f"{one.rows:,} candles, SMA 10/20"
    head = ["symbols", f"{large}: ns a candle", "process, s", "trades", "peak MB", f"{small}: peak MB", "trades"]
    further = 1024 * (last.peak_mb - one.peak_mb) / (last.symbols - one.symbols)
    return f"{GROWTH.format(first=one.symbols, last=last.symbols, further=further)}\n\n{table(head, rows)}"


def _indicators(rows: Sequence[dict[str, str | float]]) -> str:
    cells = [[str(row["module"]), f"{row['ns_at_10000']:.1f}", f"{row['ns_at_1']:,.0f}"] for row in rows]
    return table(["module, ns a candle", "batches of 10,000", "batches of 1"], cells)
