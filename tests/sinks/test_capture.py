from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.capture import CaptureError, files_of, lines
from schemas.capture import NANOS, Line, Note, decode_line, encode_line, whole
from sinks import capture

START = int(datetime(2026, 3, 1, 13, 59, 58, tzinfo=UTC).timestamp()) * NANOS


def recorded(count: int, step_ns: int = NANOS // 4, start: int = START) -> list[Line]:
    return [Line(start + step_ns * at, at % 3, b'{"n":%d}' % at) for at in range(count)]


def write(folder: Path, what: list[Line]) -> None:
    writer = capture.Capture(folder, "binance")
    for line in what:
        writer.write(line)
    writer.close()


def test_what_was_written_is_read_again_from_a_file_for_each_hour(tmp_path: Path) -> None:
    sent = recorded(20)
    write(tmp_path, sent)
    hour = [path.relative_to(tmp_path).as_posix() for path in files_of(tmp_path)]
    assert hour == ["binance/2026-03-01/13.ndjson.zst", "binance/2026-03-01/14.ndjson.zst"]
    assert list(lines(tmp_path)) == sent
    assert list(lines(tmp_path / hour[0])) == sent[:8]


def test_a_second_session_in_the_same_hour_goes_on_behind_the_first(tmp_path: Path) -> None:
    write(tmp_path, recorded(5))
    write(tmp_path, recorded(5, start=START + NANOS * 30 * 60))
    assert list(lines(tmp_path)) == recorded(5) + recorded(5, start=START + NANOS * 30 * 60)


def test_wherever_a_file_is_cut_whole_blocks_are_read_and_the_next_session_repairs_it(tmp_path: Path) -> None:
    sent = recorded(8)
    write(tmp_path, sent)
    path = files_of(tmp_path)[0]
    data = path.read_bytes()
    blocks = [cut for cut in range(1, len(data) + 1) if whole(data[:cut]) == cut]
    assert blocks[-1] == len(data)
    assert len(blocks) == 2  # two seconds
    more = recorded(2, start=START + NANOS)
    for cut in range(1, len(data)):
        path.write_bytes(data[:cut])
        kept = sent[: 4 * sum(end <= cut for end in blocks)]
        assert list(lines(path)) == kept
        write(tmp_path, more)
        assert list(lines(path)) == kept + more


def test_frames_are_on_disk_a_second_later_without_an_end(tmp_path: Path) -> None:
    writer = capture.Capture(tmp_path, "binance")
    for line in recorded(6):
        writer.write(line)
    assert list(lines(tmp_path)) == recorded(4)
    writer.flush()
    assert list(lines(tmp_path)) == recorded(6)
    with pytest.raises(capture.CaptureError, match=r"13\.ndjson\.zst: another process is recording to it"):
        write(tmp_path, recorded(1))


@given(some.integers(0, 2**62), some.integers(0, 300), some.binary())
def test_every_frame_survives_as_it_came(ns: int, socket: int, frame: bytes) -> None:
    line = Line(ns, socket, frame)
    text = encode_line(line)
    assert text.count(b"\n") == 1
    assert decode_line(text[:-1]) == line


def test_notes_survive(tmp_path: Path) -> None:
    sent = [
        Line(START, 0, Note("opened", exchange="kraken", symbols=("BTC/USD",), streams=("trades",))),
        Line(START + 1, 1, Note("lost", why="closed with 1006")),
        Line(START + 2, 0, Note("answered", kind="trades", symbol="BTC/USD", body='[\n"a"]')),
    ]
    write(tmp_path, sent)
    assert list(lines(tmp_path)) == sent


def test_a_capture_of_another_program_is_read_line_by_line(shared_data: Path) -> None:
    path = shared_data / "binance-ws/btcusdt_20240808.gz"
    read = list(lines(path))
    assert len(read) == 41_249
    assert read[0].ns == 1723161253937085768
    written = b"".join(encode_line(line) for line in read)
    assert written == gzip.decompress(path.read_bytes())


def test_of_a_gzip_file_that_is_cut_off_all_is_read_that_is_there(tmp_path: Path) -> None:
    text = b"".join(encode_line(line) for line in recorded(3_000))
    path, packed = tmp_path / "cut.gz", gzip.compress(text)
    path.write_bytes(packed[: len(packed) // 2])
    there = zlib.decompressobj(31).decompress(path.read_bytes())
    assert len(there) > 10_000
    assert list(lines(path)) == recorded(there.count(b"\n"))
    path.write_bytes(packed[:10] + b"\xff" * 500)
    with pytest.raises(CaptureError, match=r"cut.gz: damaged behind line 0: "):
        list(lines(path))


def test_what_is_no_recording_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b'17 {}\n{"e":"trade"}\n')
    with pytest.raises(CaptureError, match=r"a\.ndjson: line 2 does not begin with the time it was received at"):
        list(lines(path))
    zst = tmp_path / "00.ndjson.zst"
    zst.write_bytes(b"17 {}\n")
    with pytest.raises(CaptureError, match=r"00\.ndjson\.zst: is not compressed with zstd"):
        list(lines(zst))
    with pytest.raises(CaptureError, match="there is no such recording"):
        list(lines(tmp_path / "none.gz"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CaptureError, match=r"holds no file \*\.ndjson\.zst"):
        list(lines(empty))
