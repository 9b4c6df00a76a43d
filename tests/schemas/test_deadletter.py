from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from schemas.deadletter import DeadLetter, bytes_of, header_of, header_text, text_of, value_of
from tests.schemas.examples import EXAMPLES


@given(some.binary() | some.text().map(str.encode))
def test_bytes_come_back_from_their_text(raw: bytes) -> None:
    assert bytes_of(text_of(raw)) == raw


@given(some.text(), some.none() | some.binary())
def test_a_header_comes_back_from_its_text(name: str, value: bytes | None) -> None:
    assert header_of(header_text(name, value)) == (name, value)


@pytest.mark.parametrize(
    ("raw", "encoding", "wanted"),
    [(None, "utf-8", None), ("", "utf-8", b""), ("ü", "utf-8", b"\xc3\xbc"), ("/w==", "base64", b"\xff")],
)
def test_the_input_of_a_dead_letter_is_its_bytes(raw: str | None, encoding: str, wanted: bytes | None) -> None:
    assert value_of(DeadLetter(**{**EXAMPLES["deadletters"], "raw": raw, "encoding": encoding})) == wanted
