"""The configuration as it was written: a tree of texts, each with its place, before any type is known.

Scalars are read by the core schema of YAML 1.2 (section 10.3.2), but for its infinity, NaN, octal and hexadecimal
numbers: ``true`` and ``false`` are the only booleans, ``1e-8`` is a number, ``010`` is ten, and ``yes``, ``1:30`` and
``2024-01-01`` are texts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from schemas.config.problem import ConfigError, Problem, Where

Plain = None | bool | int | float | str
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar: its text, and whether quotes made it a text for certain."""

    text: str
    where: Where
    quoted: bool = False

    @property
    def value(self) -> Plain:
        """What the text says.

        >>> [Leaf(text, Where("x")).value for text in ("5", "1e-8", "true", "null", "1m", "007")]
        [5, 1e-08, True, None, '1m', 7]
        """
        return self.text if self.quoted else resolve(self.text)


@dataclass(slots=True)
class Branch:
    """A mapping. ``keys`` holds the place of each key, ``items`` its value."""

    where: Where
    keys: dict[str, Where] = field(default_factory=dict)
    items: dict[str, Tree] = field(default_factory=dict)


@dataclass(slots=True)
class Row:
    """A list."""

    where: Where
    items: list[Tree] = field(default_factory=list)


Tree = Leaf | Branch | Row


def resolve(text: str) -> Plain:
    """The value of a plain (unquoted) scalar.

    >>> resolve("0.50"), resolve("no"), resolve("")
    (0.5, 'no', None)
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text) and len(text) < 400:  # longer than any float, and Python refuses to read 4,300 digits
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def parse(text: str, source: str) -> Tree | None:
    """YAML as a tree; None for an empty document. ``source`` is the name of the file, for messages.

    Raises ConfigError with line and column for a syntax error, a key given twice, or an alias inside itself.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        hint = "; indent with spaces" if error.problem and "'\\t'" in error.problem else ""
        message = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError([Problem(f"not YAML: {message}{hint}", where=_where(source, mark))]) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(f"not YAML: {' '.join(str(error).split())}", where=Where(source))]) from None
    if node is None:
        return None
    problems: list[Problem] = []
    tree = _convert(node, source, (), problems, set())
    if problems:
        raise ConfigError(problems)
    return tree


def _where(source: str, mark: yaml.Mark | None) -> Where:
    return Where(source) if mark is None else Where(source, mark.line + 1, mark.column + 1)


def _convert(
    node: yaml.Node, source: str, path: tuple[str, ...], problems: list[Problem], above: set[yaml.Node]
) -> Tree:
    where = _where(source, node.start_mark)
    if node.tag.startswith("!"):
        problems.append(Problem(f"the tag {node.tag} means nothing here: remove it", ".".join(path), where))
    if isinstance(node, yaml.ScalarNode):
        return Leaf(node.value, where, quoted=node.style is not None)
    if node in above:
        problems.append(Problem("an alias that contains itself", ".".join(path), where))
        return Branch(where)
    above = above | {node}
    if isinstance(node, yaml.SequenceNode):
        return Row(where, [_convert(n, source, (*path, str(i)), problems, above) for i, n in enumerate(node.value)])
    branch = Branch(where)
    for key, value in node.value:
        at = _where(source, key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            problems.append(Problem("a key has to be a single word", ".".join(path), at))
            continue
        below = (*path, key.value)
        if key.value in branch.keys:
            first = branch.keys[key.value].line
            problems.append(Problem(f"given twice; the first one is in line {first}", ".".join(below), at))
            continue
        branch.keys[key.value] = at
        branch.items[key.value] = _convert(value, source, below, problems, above)
    return branch


def leaves(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """Every scalar of a tree with its path, in the order of writing."""
    if isinstance(tree, Leaf):
        yield path, tree
    elif isinstance(tree, Row):
        for index, item in enumerate(tree.items):
            yield from leaves(item, (*path, str(index)))
    else:
        for key, item in tree.items.items():
            yield from leaves(item, (*path, key))


def show(value: object) -> str:
    """A value as a person would write it, for messages: shortened.

    >>> show("a lot"), show(True), show([1, 2]), show(None)
    ("the text 'a lot'", 'true', 'a list', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 60 else f"the text {value[:57]!r}…"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a section with keys"
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)
