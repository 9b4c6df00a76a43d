"""Overrides: ``PENSTOCK__RISK__PER_TRADE_PCT=0.5`` in the environment, ``--set risk.per_trade_pct=0.5``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from schemas.config.problem import ConfigError, Problem, Where
from schemas.config.root import Config
from schemas.config.shape import Shape, shape_of
from schemas.config.strategies import StrategyConfig
from schemas.config.tree import Branch, Leaf, Row, Tree, parse

PREFIX = "PENSTOCK__"


def from_environment(tree: Branch, environ: Mapping[str, str]) -> list[Problem]:
    """Put every ``PENSTOCK__SECTION__KEY`` into the tree; upper and lower case are the same. Returns the problems."""
    problems: list[Problem] = []
    names: dict[str, str] = {}
    for name in sorted(environ, key=_natural):
        if not name.upper().startswith(PREFIX):
            continue
        where = Where(f"env {name}")
        if name.upper() in names:
            problems.append(Problem(f"given twice: also as {names[name.upper()]}", where=where))
            continue
        names[name.upper()] = name
        steps = name[len(PREFIX) :].split("__")
        if all(steps):
            problems += _put(tree, steps, environ[name], where, fold=True)
        else:
            problems.append(Problem("an empty part in the name: write PENSTOCK__SECTION__KEY", where=where))
    return problems


def from_sets(tree: Branch, sets: Sequence[str]) -> list[Problem]:
    """Put every ``key=value`` into the tree, in order. Returns the problems."""
    problems: list[Problem] = []
    for text in sets:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not all(key.split(".")):
            problems.append(Problem("write --set section.key=value", where=Where(f"--set {key}")))
        else:
            problems += _put(tree, steps_of(key), value.strip(), Where(f"--set {key}"), fold=False)
    return problems


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in name.upper().split("__")]


def steps_of(key: str) -> list[str]:
    """Cut a dotted key, but not a symbol: ``instruments.symbols.BRK.B/USD.lot`` has four steps."""
    steps: list[str] = []
    annotation: Any = Config
    rest = key
    while rest:
        shape = shape_of(annotation)
        if shape.kind == "mapping" and shape_of(shape.item).kind == "section":
            name, _, last = rest.rpartition(".")
            if name and "/" not in last:
                return [*steps, name, last]
            return [*steps, rest]
        if _has_dotted_keys(shape):
            return [*steps, rest]
        step, _, rest = rest.partition(".")
        steps.append(step)
        if shape.kind == "section":
            found = shape.type.model_fields.get(step)
            annotation = found.annotation if found else Any
        else:
            annotation = shape.item
    return steps


def _has_dotted_keys(shape: Shape) -> bool:
    """Whether it maps names with dots to scalars, as ``kafka.client`` does: what is left of a key is one name."""
    return shape.kind == "mapping" and shape_of(shape.item).kind == "scalar" and shape.item is not Any


def _put(tree: Branch, steps: Sequence[str], text: str, where: Where, *, fold: bool) -> list[Problem]:
    """Walk to the place, making what is missing on the way, and put the value there.

    A key that no model knows is put, too: validation reports it with all the others. Where the file has something of
    the wrong type on the way, nothing is put: validation reports that.
    """
    here: Tree = tree
    annotation: Any = Config
    for number, given in enumerate(steps):
        shape = shape_of(annotation)
        last = number == len(steps) - 1
        if isinstance(here, Row):
            index = _index(here, given)
            if isinstance(index, str):
                return [Problem(index, ".".join(steps[: number + 1]), where)]
            annotation = shape.item
            if last:
                here.items[index : index + 1] = [_value(text, shape_of(annotation), where)]
                return []
            if index == len(here.items):
                here.items.append(Branch(where))
            here = here.items[index]
            continue
        if not isinstance(here, Branch):
            return []
        step = _fold(given, here, shape) if fold else given
        default: Any = None
        if shape.kind == "section":
            field = shape.type.model_fields.get(step)
            annotation, default = (field.annotation, field.default) if field else (Any, None)
        else:
            annotation = shape.item
        if last:
            here.keys[step] = where
            here.items[step] = _value(text, shape_of(annotation), where)
            return []
        below = here.items.get(step)
        if below is None or (isinstance(below, Leaf) and below.value is None):
            here.keys[step] = where
            below = here.items[step] = _start(shape_of(annotation), default, where)
        here = below
    return []


def _fold(step: str, here: Branch, shape: Shape) -> str:
    """The key that is meant by a step in any case: a field or key that is there; else a symbol stays as it is."""
    known: list[str] = [*here.items, *(shape.type.model_fields if shape.kind == "section" else ())]
    for name in known:
        if name.lower() == step.lower():
            return name
    if _has_dotted_keys(shape):
        name, file, _ = step.lower().partition("_file")
        return name.replace("_", ".") + file
    return step if shape.kind == "mapping" and shape_of(shape.item).kind == "section" else step.lower()


def _start(shape: Shape, default: Any, where: Where) -> Tree:
    """What an override finds below a key that the file does not have: for a list, the default one."""
    if shape.kind != "list":
        return Branch(where)
    row = Row(Where("default"))
    for item in default or ():
        given = item.model_dump(exclude_unset=True) if isinstance(item, BaseModel) else {}
        at = Where("default")
        row.items.append(Branch(at, dict.fromkeys(given, at), {k: Leaf(str(v), at) for k, v in given.items()}))
    return row


def _index(row: Row, step: str) -> int | str:
    """The index that is meant, by number or by a strategy's name; or what is wrong with it."""
    labels = [_label(item) for item in row.items]
    if step.isdigit():
        if int(step) <= len(labels):
            return int(step)
        return f"there is no number {step}: {len(labels)} given, counted from 0; the next one is {len(labels)}"
    found = [index for index, label in enumerate(labels) if label and label.lower() == step.lower()]
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"{label or '?'} ({index})" for index, label in enumerate(labels)) or "none"
    return f"no strategy is named {step!r}; there are: {there}"


def _label(item: Tree) -> str | None:
    if not isinstance(item, Branch):
        return None
    texts = {key: leaf.text for key, leaf in item.items.items() if isinstance(leaf, Leaf)}
    return StrategyConfig.model_construct(use=texts.get("use", ""), name=texts.get("name")).label or None


def _value(text: str, shape: Shape, where: Where) -> Tree:
    """The value of an override: text where text is expected, YAML flow for lists and sections, else a plain scalar."""
    if shape.kind == "list" and not text.startswith("["):
        return Row(where, [Leaf(part.strip(), where, quoted=True) for part in text.split(",") if part.strip()])
    if shape.kind == "scalar" and shape.type is not Any:
        null = shape.nullable and text in ("", "~", "null")
        return Leaf(text, where, quoted=shape.type not in (bool, int, float, Decimal) and not null)
    if re.match(r"[\[{\"']", text):
        try:
            parsed = parse(text, str(where))
        except ConfigError:
            return Leaf(text, where, quoted=True)
        return _moved(parsed, where) if parsed is not None else Leaf("", where)
    return Leaf(text, where)


def _moved(tree: Tree, where: Where) -> Tree:
    if isinstance(tree, Leaf):
        return Leaf(tree.text, where, tree.quoted)
    if isinstance(tree, Row):
        return Row(where, [_moved(item, where) for item in tree.items])
    return Branch(where, dict.fromkeys(tree.keys, where), {k: _moved(v, where) for k, v in tree.items.items()})
