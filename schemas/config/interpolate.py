"""``${NAME}`` and ``${NAME:-default}`` in the values of a configuration file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from schemas.config.problem import Problem
from schemas.config.tree import Branch, Leaf, Row, Tree

_FORM = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<has>:-(?P<default>[^}]*))?\}|(?P<bad>\$\{)")


def interpolate(tree: Tree, environ: Mapping[str, str], path: tuple[str, ...] = ()) -> tuple[Tree, list[Problem]]:
    """The tree with every variable replaced, and a problem for each one that is missing or malformed.

    As in a shell, ``:-`` applies when the variable is unset or empty. ``$${`` is a literal ``${``. A value without
    quotes gets its type after the replacement (``cash: ${CASH}`` is a number), one in quotes stays a text.
    """
    problems: list[Problem] = []
    if isinstance(tree, Leaf):
        return _leaf(tree, environ, path, problems), problems
    if isinstance(tree, Row):
        row = Row(tree.where)
        for index, item in enumerate(tree.items):
            new, found = interpolate(item, environ, (*path, str(index)))
            row.items.append(new)
            problems += found
        return row, problems
    branch = Branch(tree.where, dict(tree.keys))
    for key, item in tree.items.items():
        branch.items[key], found = interpolate(item, environ, (*path, key))
        problems += found
    return branch, problems


def _leaf(leaf: Leaf, environ: Mapping[str, str], path: tuple[str, ...], problems: list[Problem]) -> Leaf:
    def put(found: re.Match[str]) -> str:
        name, value = found["name"], environ.get(found["name"] or "")
        if name is None:
            if found["bad"]:
                message = "'${' without a name and a '}'; write ${NAME}, ${NAME:-default}, or $${ for a literal ${"
                problems.append(Problem(message, ".".join(path), leaf.where))
            return "${"
        if found["has"] and not value:
            return found["default"]
        if value is None:
            message = f"environment variable {name} is not set; set it, or give a default: ${{{name}:-default}}"
            problems.append(Problem(message, ".".join(path), leaf.where))
            return ""
        return value

    return replace(leaf, text=_FORM.sub(put, leaf.text)) if "${" in leaf.text else leaf
