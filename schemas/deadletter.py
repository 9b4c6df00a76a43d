"""DeadLetter: an input that could not be used, kept whole, with the exact reason.

Key and headers of a message are bytes, too. They are written as text from which :func:`bytes_of` and
:func:`header_of` make the same bytes again: a backslash is doubled, and a byte that is not UTF-8 becomes ``\\xff``.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Annotated, Literal

from pydantic import Field

from schemas.record import Id, Millis, Record

_FORM = r"a backslash doubled, bytes that are not UTF-8 as \xff"
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|\\)")


class DeadLetter(Record):
    """Nothing is dropped without one of these."""

    id: Id
    ts: Annotated[Millis, Field(description="event time of the stream when it came, epoch ms UTC")]
    source: Annotated[str, Field(description="file, or topic")]
    position: Annotated[int, Field(ge=0, description="row of the file counted from 1, or offset in the partition")]
    symbol: str | None
    reason: Annotated[str, Field(description="CATEGORY_CONDITION")]
    error: Annotated[str, Field(description="reason with the figures: CATEGORY_CONDITION: key=value")]
    raw: Annotated[str | None, Field(description="the input as it came; none for a message without a value")]
    encoding: Annotated[
        Literal["utf-8", "base64"], Field(description="how raw is written: base64 where the input is not UTF-8")
    ]
    left_out: Annotated[
        int, Field(ge=0, description="bytes left out of raw at its end, for it is too large; they are at its source")
    ]
    partition: Annotated[int | None, Field(description="partition of the topic; none for a file")]
    key: Annotated[str | None, Field(description=f"key of the message, if it has one; {_FORM}")]
    headers: Annotated[
        tuple[str, ...],
        Field(description=f"headers of the message, as NAME=VALUE, NAME alone for a null; {_FORM}, = in NAME as \\x3d"),
    ]


def text_of(raw: bytes) -> str:
    r"""Bytes as text, none of them lost.

    >>> print(text_of(b"BTC\\ \xff"))
    BTC\\ \xff
    """
    return raw.replace(b"\\", rb"\\").decode("utf-8", "backslashreplace")


def bytes_of(text: str) -> bytes:
    r"""The bytes that :func:`text_of` made a text of.

    >>> bytes_of(text_of(b"BTC\\ \xff"))
    b'BTC\\ \xff'
    """
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"\\", text.encode())


def header_text(name: str, value: bytes | None) -> str:
    """A header as text.

    >>> header_text("trace", b"1=2"), header_text("gone", None)
    ('trace=1=2', 'gone')
    """
    written = text_of(name.encode()).replace("=", r"\x3d")
    return written if value is None else f"{written}={text_of(value)}"


def header_of(text: str) -> tuple[str, bytes | None]:
    """The header that :func:`header_text` made a text of.

    >>> header_of("trace=1=2"), header_of("gone")
    (('trace', b'1=2'), ('gone', None))
    """
    name, there, value = text.partition("=")
    return bytes_of(name).decode(), bytes_of(value) if there else None


def value_of(letter: DeadLetter) -> bytes | None:
    """The bytes of the input."""
    if letter.raw is None:
        return None
    return b64decode(letter.raw) if letter.encoding == "base64" else letter.raw.encode()
