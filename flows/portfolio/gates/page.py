"""``docs/gates.md``, written from the gates: ``python -m flows.portfolio.gates.page docs`` (``make docs``)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from flows.portfolio.gates import GATES
from flows.portfolio.gates.base import Gate
from schemas.config.root import Config

HEAD = """\
# Gates and refusals

<!-- Written from flows/portfolio/gates by `make docs`. Do not edit. -->

Every entry passes these gates, in this order, and the first one that refuses is the last one asked. A gate that is
"off" needs a setting to be there at all; the others are always asked. What an entry passed is in the `checks` of its
order, gate by gate, with the figures it was decided on. A refusal is a record on `rejections`: the gate, the code, the
figures, and all of it as one line, `CODE: key=value key=value`. Caps make an entry smaller where `risk.over_cap` is
`shrink`, and say so with `shrunk_to`, a value in the account currency. Exits pass no gate.

All settings are in [configuration.md](configuration.md).

"""


def settings_of(gate: type[Gate]) -> list[str]:
    """The settings that a gate reads, as its constructor's docstring names them."""
    return re.findall(r"``([a-z]+\.[a-z_.]+)``", gate.__init__.__doc__ or "")


def gates_page() -> str:
    """The whole page: the gates in their order, then every code by its name."""
    return f"{HEAD}{_table(_gates())}\n## Every code\n\n{_table(_codes())}"


def _gates() -> Iterator[tuple[str, ...]]:
    yield "", "gate", "rule", "settings", "by default"
    for number, gate in enumerate(GATES, 1):
        rule = " ".join((gate.__doc__ or "").split()).replace("``", "`")
        keys = ", ".join(f"`{key}`" for key in settings_of(gate))
        yield str(number), f"`{gate.name}`", rule, keys, "on" if gate.wanted(Config()) else "off"


def _codes() -> Iterator[tuple[str, ...]]:
    yield "code", "gate", "when"
    found = {code: gate for gate in GATES for code in gate.codes}
    for code in sorted(found):
        yield f"`{code}`", f"`{found[code].name}`", found[code].codes[code]


def _table(rows: Iterator[tuple[str, ...]]) -> str:
    head, *rest = rows
    cells = [head, ("---",) * len(head), *rest]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in cells)


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs") / "gates.md"
    path.write_text(gates_page(), encoding="utf-8")
    print(path)
