"""``penstock download``: candles of the past, from an exchange into Parquet files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import UserError

if TYPE_CHECKING:
    from cli.downloading import Download
    from connectors.exchanges.interface import Exchange

SETTLED_MS = 60_000
"""How long after its end a candle is taken: trades may still be on their way, and our clock may be ahead."""
SHOWN = 10


def download(
    exchange: Annotated[str, typer.Option(metavar="NAME", help="See `penstock exchanges list`.")],
    symbols: Annotated[str, typer.Option(metavar="S,S…", help="Markets as ccxt writes them: BTC/USDT, BTC/USDT:USDT.")],
    timeframe: Annotated[str, typer.Option(metavar="1m", help="Length of a candle.")],
    since: Annotated[str, typer.Option(metavar="TIME", help="Candles that open then or later: 2024-01-01, 30d (ago).")],
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Candles that open before; without it, all that have closed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to write to; without it, history/EXCHANGE.")
    ] = None,
    rest_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Another address of the exchange's REST, as of a mirror.")
    ] = None,
) -> None:
    """Download candles of the past into Parquet files, one a market, which penstock replay takes.

    The same command goes on where it ended, and with another time adds what is not there yet. What the exchange does
    not have is said at the end.
    """
    from cli.exchanges import known
    from cli.instant import millis

    there = known(exchange, rest_url=rest_url)
    names = _markets(there, symbols, timeframe)
    first, end = millis(since, "--since"), _end(until, timeframe)
    if first >= end:
        raise UserError(f"--since {since}: no {timeframe} candle has opened and closed between it and --until")
    work = _prepared(there, names, timeframe, (first, end), out or Path("history") / there.id)
    _run(work)
    whole = [symbol for symbol in work.histories if symbol not in work.failed]
    for symbol in whole:
        _report(work, symbol)
    if work.failed:
        told: dict[str, list[str]] = {}
        for symbol, error in work.failed.items():
            told.setdefault(str(error), []).append(symbol)
        kept = any(work.histories[symbol].covered for symbol in work.failed)
        said = "; ".join(f"{', '.join(names)}: {error}" for error, names in told.items())
        raise UserError(said + ("; the same command goes on from what has come" if kept else ""))


def _markets(there: Exchange, symbols: str, timeframe: str) -> list[str]:
    from connectors.naming import to_name

    names = list(dict.fromkeys(name.strip() for name in symbols.split(",") if name.strip()))
    if not names:
        raise UserError("--symbols: name at least one market, as in BTC/USDT")
    if timeframe not in there.history:
        has = ", ".join(there.history) or "no candles of the past"
        raise UserError(f"--timeframe {timeframe}: {there.name} has {has}")
    for name in names:
        try:
            there.to_exchange(name)
            to_name(name, timeframe)
        except ValueError as error:
            raise UserError(f"--symbols: {error}") from None
    return names


def _end(until: str | None, timeframe: str) -> int:
    import time

    from cli.instant import millis
    from schemas.timeframe import to_millis

    settled = int(time.time() * 1_000) - SETTLED_MS - to_millis(timeframe) + 1
    return settled if until is None else min(settled, millis(until, "--until"))


def _prepared(there: Exchange, names: list[str], timeframe: str, span: tuple[int, int], out: Path) -> Download:
    from cli.downloading import Download
    from connectors.naming import to_name
    from sinks.candle_history import CandleHistory

    histories = {
        name: CandleHistory(out / f"{to_name(name, timeframe)}.parquet", (there.id, name, timeframe)) for name in names
    }
    return Download(there, histories, timeframe, *span)


def _run(work: Download) -> None:
    import asyncio

    from cli.progress import shown
    from connectors.feed.wall import Wall
    from schemas.timeframe import to_millis

    length = to_millis(work.timeframe)
    try:
        with shown(work.asked // length, lambda: work.done // length, "downloading"):
            asyncio.run(work.run(Wall(), lambda error: print(f"{error}; trying again", file=sys.stderr)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\ninterrupted: the same command goes on from what has come", file=sys.stderr)
        raise typer.Exit(130) from None


def _report(work: Download, symbol: str) -> None:
    from schemas.timeframe import to_millis

    history, length = work.histories[symbol], to_millis(work.timeframe)
    opened = history.within(work.since, work.until)
    if not len(opened):
        print(f"{symbol}: {work.exchange.name} has no candles between {_time(work.since)} and {_time(work.until)}")
        return
    print(f"{history.path}: {len(opened):,} candles, {_time(opened[0])} to {_time(opened[-1])}")
    gaps = history.gaps(work.since, work.until)
    if gaps:
        missing = sum(until - since for since, until in gaps) // length
        where = "1 gap" if len(gaps) == 1 else f"{len(gaps):,} gaps"
        print(f"  missing: {missing:,} candles in {where}, for {work.exchange.name} has none there")
    for since, until in gaps[:SHOWN]:
        print(f"    {(until - since) // length:,} from {_time(since)}")
    if len(gaps) > SHOWN:
        print(f"    and {len(gaps) - SHOWN:,} more")


def _time(ms: int) -> str:
    from datetime import UTC, datetime

    when = datetime.fromtimestamp(ms // 1_000, UTC).isoformat(timespec="seconds")
    return when.removesuffix("+00:00").removesuffix(":00") + "Z"
