"""``penstock simulate``: candle files to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.errors import UserError


def simulate(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")] = Path("market"),
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal candles.")] = 7,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Length, days of 1m candles.")] = 30,
    symbols: Annotated[
        str | None, typer.Option(metavar="A/B,C/D", help="Some of the simulated markets; without it, all of them.")
    ] = None,
) -> None:
    """Write 1m candle files of a simulated market: seeded, several symbols, with regimes and jumps."""
    from connectors.simulated import write_market
    from connectors.simulated_spec import SYMBOLS, MarketSpec

    known = {item.symbol: item for item in SYMBOLS}
    wanted = list(known) if symbols is None else [name.strip() for name in symbols.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted or len(set(wanted)) < len(wanted):
        what = f"cannot simulate {', '.join(unknown)}" if unknown else "name each symbol once"
        raise UserError(f"--symbols: {what}; there are {', '.join(known)}")
    paths = write_market(out, MarketSpec(symbols=tuple(known[name] for name in wanted), days=days, seed=seed))
    rows = f"{days * 1440:,} candles of 1m each, seed {seed}"
    print(f"Simulated market ({rows}), not real prices:")
    for path in paths:
        print(f"  {path}")
