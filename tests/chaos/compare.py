"""Two lists of records beside each other: what is lost, what is there twice, what came out differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Row(NamedTuple):
    """One record: ``id`` names it, rows of one ``order`` have to come in the same order in both lists."""

    order: str
    id: str
    value: bytes


@dataclass(frozen=True)
class Verdict:
    """What is wrong with the rows found, one line each; all empty when they are those expected."""

    expected: int
    found: int
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    diverged: tuple[str, ...]

    @property
    def wrong(self) -> tuple[str, ...]:
        """Everything that is wrong."""
        return (
            *(f"lost: {one}" for one in self.lost),
            *(f"duplicated: {one}" for one in self.duplicated),
            *(f"diverged: {one}" for one in self.diverged),
        )


def compare(expected: Sequence[Row], found: Sequence[Row]) -> Verdict:
    """Every record id by id and value by value, and the order of those that have one.

    A record that was not expected has diverged: what it should have been is lost, or nothing at all was wanted.
    """
    wanted, there = _by(expected, lambda row: row.id), _by(found, lambda row: row.id)
    lost, duplicated, diverged = [], [], []
    for id_, rows in wanted.items():
        others = there.get(id_, [])
        lost += [f"{id_} {row.value!r:.300}" for row in rows[len(others) :]]
        duplicated += [f"{id_} {row.value!r:.300}" for row in others[len(rows) :]]
        for row, other in zip(rows, others, strict=False):
            if row != other:
                diverged.append(f"{id_} is {other.value!r:.300}, not {row.value!r:.300} (of {other.order})")
    diverged += [f"{id_} {rows[0].value!r:.300}: not expected" for id_, rows in there.items() if id_ not in wanted]
    diverged += _out_of_order(expected, found, wanted.keys() & there.keys())
    return Verdict(len(expected), len(found), tuple(lost), tuple(duplicated), tuple(diverged))


def _by(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def _out_of_order(expected: Sequence[Row], found: Sequence[Row], both: set[str]) -> list[str]:
    """Of what is in both lists, the first time that each is there."""
    wanted, there = _by(expected, lambda row: row.order), _by(found, lambda row: row.order)
    wrong = []
    for order, rows in there.items():
        are = _ids(rows, both)
        should = _ids(wanted.get(order, []), both)
        if are != should and set(are) == set(should):
            at = next(at for at, (one, other) in enumerate(zip(are, should, strict=True)) if one != other)
            wrong.append(f"{order}: {are[at]} comes where {should[at]} should be")
    return wrong


def _ids(rows: Iterable[Row], both: set[str]) -> list[str]:
    return list(dict.fromkeys(row.id for row in rows if row.id in both))
