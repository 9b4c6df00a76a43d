"""Problems: what is wrong with a configuration, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Where:
    """The place a value was given at: a file with line and column counted from 1, an environment variable, --set.

    >>> str(Where("penstock.yaml", 12, 3)), Where("penstock.yaml", 12, 3).line_only
    ('penstock.yaml:12:3', 'penstock.yaml:12')
    """

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)

    @property
    def line_only(self) -> str:
        """Without the column."""
        return str(replace(self, column=None))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``key`` is dotted (``strategies.0.params.fast``); it and ``where`` may be unknown.

    ``of_key``: the key itself is what is wrong, not its value.
    """

    message: str
    key: str = ""
    where: Where | None = None
    of_key: bool = False

    def __str__(self) -> str:
        where = str(self.where or "")
        key = "" if where == f"--set {self.key}" else self.key
        return ": ".join(part for part in (where, key, self.message) if part)


class ConfigError(ValueError):
    """A configuration that cannot be used. ``problems`` holds every one that was found; ``str()`` gives a line each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
