"""``penstock strategies``: what is installed, what it does, and a start for one of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, describe or start strategies.", no_args_is_help=True, add_completion=False)


@app.command(name="list")
def list_() -> None:
    """List the installed strategies."""
    from rich.table import Table

    from flows.registry import describe, installed
    from schemas.config.problem import ConfigError

    table = Table("name", "version", "what it does", box=None, pad_edge=False)
    for name in installed():
        try:
            info = describe(name)
            table.add_row(info.name, info.version, info.doc.partition("\n")[0])
        except ConfigError as error:
            table.add_row(name, "?", str(error))
    _print(table)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help="Installed name, or module:Class from the working directory.")],
) -> None:
    """Describe a strategy: version, documentation, parameters with default, bounds and unit."""
    from rich.markup import escape
    from rich.table import Table

    from flows.registry import describe as find

    info = find(name)
    print(f"{info.name} {info.version} ({info.path})\n\n{info.doc}\n")
    if not info.parameters:
        print("It has no parameters.")
        return
    table = Table("parameter", "type", "default", "bounds", "meaning", box=None, pad_edge=False)
    for row in info.parameters:
        table.add_row(*map(escape, (row.name, row.type, row.default, row.bounds, row.description)))
    _print(table)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the strategy, as in my_breakout.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder to write to.")] = Path(),
) -> None:
    """Write a working strategy and its test, to be changed into your own."""
    from cli.new_strategy import write

    strategy, test, path = write(name, folder)
    print(f"Wrote {strategy} and {test}.")
    print(f"  test it:    python -m pytest {test}")
    print(f"  look at it: penstock strategies describe {path}")
    print(f"  run it:     penstock replay CANDLES --set strategies.0.use={path}")
    print(f"              or in penstock.yaml:  strategies: [{{use: '{path}'}}]")


def _print(table: object) -> None:
    import sys

    from rich.console import Console

    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console.width = 200  # lines in a pipe are not folded at 80
    console.print(table)
