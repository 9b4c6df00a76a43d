"""Tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from cli.tail import printable


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> None:
    """Print rows below their titles, aligned; ``right`` are the columns that are numbers.

    Cells may come from outside: they are shown as they are, without control characters.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles, box=None, pad_edge=False)
    for number, column in enumerate(table.columns):
        column.no_wrap, column.overflow = True, "fold"
        column.justify = "right" if number in right else "left"
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console.width = 400  # lines in a pipe are not folded
    console.print(table)
