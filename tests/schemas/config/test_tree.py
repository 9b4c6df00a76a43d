import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config.problem import ConfigError
from schemas.config.tree import Branch, Leaf, Row, parse, resolve, show


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "c.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("010", 10),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-8", 1e-8),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        ("nan", "nan"),
        ("1e999", "1e999"),
        ("1m", "1m"),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(text: str, value: Any) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_what_python_writes_of_a_number_is_read_as_the_same_number(value: float | int | bool) -> None:
    text = str(value).lower()
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@given(st.text(max_size=40))
def test_no_text_makes_resolve_fail_or_give_infinity(text: str) -> None:
    value = resolve(text)
    assert not isinstance(value, float) or math.isfinite(value)


def test_a_quoted_scalar_is_a_text() -> None:
    tree = parse("a: '5'\nb: \"true\"\nc: |\n  7", "c.yaml")
    assert isinstance(tree, Branch)
    assert {key: item.value for key, item in tree.items.items() if isinstance(item, Leaf)} == {
        "a": "5",
        "b": "true",
        "c": "7",
    }


def test_keys_and_values_know_their_line_and_column() -> None:
    tree = parse("a:\n  b: 5\n  c: [x, y]\n", "c.yaml")
    assert isinstance(tree, Branch)
    a = tree.items["a"]
    assert isinstance(a, Branch)
    assert [str(a.keys["b"]), str(a.items["b"].where)] == ["c.yaml:2:3", "c.yaml:2:6"]
    c = a.items["c"]
    assert isinstance(c, Row)
    assert [str(item.where) for item in c.items] == ["c.yaml:3:7", "c.yaml:3:10"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_document_is_nothing(text: str) -> None:
    tree = parse(text, "c.yaml")
    assert tree is None or (isinstance(tree, Leaf) and tree.value is None)


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    assert problems("a:\n  b: 1\n  c: 2\n  b: 3\n") == ["c.yaml:4:3: a.b: given twice; the first one is in line 2"]


def test_a_syntax_error_has_its_line() -> None:
    assert problems("a: 1\nb: [1, 2\nc: 3\n") == [
        "c.yaml:3:2: not YAML: while parsing a flow sequence expected ',' or ']', but got ':'"
    ]


def test_a_tab_is_answered_with_what_to_do() -> None:
    assert problems("a:\n\tb: 1\n")[0].endswith("; indent with spaces")


def test_a_control_character_is_refused() -> None:
    assert problems("a: \x01")[0].startswith("c.yaml: not YAML: unacceptable character #x0001")


def test_two_documents_are_refused() -> None:
    assert problems("a: 1\n---\nb: 2\n")[0].startswith("c.yaml:2:1: not YAML: expected a single document")


def test_an_alias_inside_itself_is_refused_and_another_one_is_fine() -> None:
    assert problems("a: &x [*x]\n") == ["c.yaml:1:4: a.0: an alias that contains itself"]
    tree = parse("a: &x {n: 1}\nb: *x\n", "c.yaml")
    assert isinstance(tree, Branch)
    assert tree.items["a"] == tree.items["b"]


def test_a_tag_is_refused_instead_of_ignored() -> None:
    assert problems("a: !env HOME\n") == ["c.yaml:1:4: a: the tag !env means nothing here: remove it"]


def test_a_key_that_is_a_list_is_refused() -> None:
    assert problems("? [a, b]\n: 1\n") == ["c.yaml:1:3: a key has to be a single word"]


def test_a_long_text_is_shortened_for_a_message() -> None:
    assert show("x" * 100) == f"the text '{'x' * 57}'…"
