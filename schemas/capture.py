"""A recording of raw frames: where its files lie, and what a line of them is.

``DIR/<exchange>/<YYYY-MM-DD>/<HH>.ndjson.zst`` holds the frames of one hour, UTC, by the time they were received. A
line is ``<receive time, epoch ns> <frame>``. Behind the time of a frame that did not come on the first socket of the
feed stands the socket's number: ``1723161253937085768/2 {...}``. Times never fall, and no two lines have the same.

What happened beside the frames is a line, too, whose frame has ``penstock`` as its only key: see :class:`Note`. With it
a replay takes every decision that the feed took. A recording without notes, made by another program, is one socket.

Each file is a row of zstd frames of about a second. Whatever instant a process dies at, all but the last of them can be
read, and the next one to record cuts the torn one off.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

NANOS = 1_000_000_000
SUFFIX = ".ndjson.zst"
_MAGIC = b"\x28\xb5\x2f\xfd"
_MARK = b'{"penstock":'


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened beside the frames.

    ``opened``: the feed began; a socket is for ``symbols`` and ``streams`` of ``exchange``, candles of ``timeframe``.
    ``connected`` and ``lost``: a connection was made or is gone, ``why``. ``answered``: a REST request for the ``kind``
    of records of ``symbol`` was answered with ``body``, or failed (``why``). ``frame``: a frame that is no single line
    of text, as base64 in ``body``. ``closed``: the feed was ended in good order.
    """

    what: Literal["opened", "connected", "lost", "answered", "frame", "closed"]
    exchange: str = ""
    symbols: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    timeframe: str = ""
    kind: str = ""
    symbol: str = ""
    body: str = ""
    why: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line: when it was received (epoch ns), on which socket, and the frame or note itself."""

    ns: int
    socket: int
    said: bytes | Note


_decoder = msgspec.json.Decoder(dict[Literal["penstock"], Note])


def name_of(exchange: str, ns: int) -> str:
    """The file of an instant, below the folder of the recording.

    >>> name_of("binance", 1723161253937085768)
    'binance/2024-08-08/23.ndjson.zst'
    """
    return f"{exchange}/{datetime.fromtimestamp(ns // NANOS, UTC):%Y-%m-%d/%H}{SUFFIX}"


def encode_line(line: Line) -> bytes:
    r"""A line as it is written, with its line feed.

    >>> encode_line(Line(17, 0, b'{"e":"trade"}')), encode_line(Line(18, 2, Note("lost", why="timed out")))
    (b'17 {"e":"trade"}\n', b'18/2 {"penstock":{"what":"lost","why":"timed out"}}\n')
    """
    said = line.said
    if isinstance(said, bytes) and (b"\n" in said or b"\r" in said or said.startswith(_MARK)):
        said = Note("frame", body=b64encode(said).decode())
    if isinstance(said, Note):
        said = msgspec.json.encode({"penstock": said})
    at = f"{line.ns}/{line.socket}" if line.socket else str(line.ns)
    return b"%s %s\n" % (at.encode(), said)


def decode_line(text: bytes) -> Line:
    """The line that was written, without its line feed.

    >>> decode_line(b'17/2 {"e":"trade"}')
    Line(ns=17, socket=2, said=b'{"e":"trade"}')

    Raises ValueError, with what is wrong, when it is none.
    """
    head, found, said = text.partition(b" ")
    ns, _, socket = head.partition(b"/")
    if not found or not ns.isdigit() or not (socket or b"0").isdigit():
        raise ValueError("does not begin with the time it was received at, in ns, and a space")
    if not said.startswith(_MARK):
        return Line(int(ns), int(socket or 0), said)
    try:
        note = _decoder.decode(said)["penstock"]
    except (msgspec.DecodeError, KeyError) as wrong:
        raise ValueError(f"is a note that this version does not know ({wrong})") from None
    return Line(int(ns), int(socket or 0), b64decode(note.body) if note.what == "frame" else note)


def whole(data: Any) -> int:
    """How many bytes of a file are whole zstd frames (RFC 8878, section 3.1.1). ``data``: bytes, or a map of the file.

    >>> whole(b"(\\xb5/\\xfd\\x20\\x01\\x09\\x00\\x00a" + b"(\\xb5/\\xfd\\x20")
    10
    """
    end = 0
    while data[end : end + 4] == _MAGIC and end + 5 <= len(data):
        flags = data[end + 4]
        single, checksum, dictionary = flags >> 5 & 1, flags >> 2 & 1, (0, 1, 2, 4)[flags & 3]
        size = (single, 2, 4, 8)[flags >> 6]
        at, last = end + 5 + (1 - single) + dictionary + size, 0
        while not last:
            if at + 3 > len(data):
                return end
            block = int.from_bytes(data[at : at + 3], "little")
            last, kind = block & 1, block >> 1 & 3
            at += 3 + (1 if kind == 1 else block >> 3)  # a block of kind 1 is one byte, repeated
        at += 4 * checksum
        if at > len(data):
            return end
        end = at
    return end
