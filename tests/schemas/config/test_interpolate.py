from collections.abc import Mapping
from typing import Any

from schemas.config.interpolate import interpolate
from schemas.config.tree import Branch, Leaf, parse


def run(text: str, environ: Mapping[str, str]) -> tuple[Any, list[str]]:
    tree = parse(f"a: {text}", "c.yaml")
    assert tree is not None
    tree, problems = interpolate(tree, environ)
    assert isinstance(tree, Branch)
    leaf = tree.items["a"]
    return leaf.value if isinstance(leaf, Leaf) else leaf, [str(problem) for problem in problems]


def test_a_variable_is_replaced_and_gets_its_type_afterwards() -> None:
    assert run("${N}", {"N": "5"}) == (5, [])
    assert run("'${N}'", {"N": "5"}) == ("5", [])
    assert run("x-${N}-y", {"N": "5"}) == ("x-5-y", [])
    assert run("${N}${M}", {"N": "1", "M": "2"}) == (12, [])


def test_the_default_is_taken_when_the_variable_is_unset_or_empty() -> None:
    assert run("${N:-7}", {}) == (7, [])
    assert run("${N:-7}", {"N": ""}) == (7, [])
    assert run("${N:-7}", {"N": "8"}) == (8, [])
    assert run("x${N:-}", {}) == ("x", [])


def test_an_empty_variable_without_default_is_empty() -> None:
    assert run("${N}", {"N": ""}) == (None, [])


def test_a_missing_variable_is_a_problem_with_place_key_and_name() -> None:
    assert run("${CASH}", {})[1] == [
        "c.yaml:1:4: a: environment variable CASH is not set; set it, or give a default: ${CASH:-default}"
    ]


def test_every_missing_variable_is_told() -> None:
    tree = parse("a: ${A}\nb: [x, '${B} ${C}']\n", "c.yaml")
    assert tree is not None
    problems = interpolate(tree, {})[1]
    assert [(problem.key, str(problem.where)) for problem in problems] == [
        ("a", "c.yaml:1:4"),
        ("b.1", "c.yaml:2:8"),
        ("b.1", "c.yaml:2:8"),
    ]


def test_a_value_is_not_interpolated_again() -> None:
    assert run("${N}", {"N": "${M}", "M": "5"}) == ("${M}", [])


def test_two_dollars_make_a_literal() -> None:
    assert run("$${N}", {"N": "5"}) == ("${N}", [])


def test_a_malformed_variable_is_a_problem() -> None:
    assert run("'${1x}'", {})[1] == [
        "c.yaml:1:4: a: '${' without a name and a '}'; write ${NAME}, ${NAME:-default}, or $${ for a literal ${"
    ]


def test_a_dollar_alone_is_a_dollar() -> None:
    assert run("5$ $x", {}) == ("5$ $x", [])
