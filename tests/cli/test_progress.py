from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from cli import progress
from tests.command import PENSTOCK, candles, environment, write_csv

LINE = re.compile(r"replaying: ([\d,]+) of 20,000 rows, ([\d,]+) rows/s, (\d+) s left")
SLOW = ("--set", "run.batch_rows=2", "--no-html")


class Rows:
    """A count of rows that rises by 1,000 each time it is asked for, and tells when it was asked often enough."""

    def __init__(self, asked: int) -> None:
        self.enough = threading.Event()
        self._counts, self._asked = count(), asked

    def __call__(self) -> int:
        number = next(self._counts)
        if number == self._asked:
            self.enough.set()
        return 1_000 * number


def test_where_stderr_is_no_terminal_there_are_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.01)
    rows = Rows(4)
    with progress.shown(20_000, rows):
        assert rows.enough.wait(30)
    out, err = capsys.readouterr()
    lines = [LINE.fullmatch(line) for line in err.splitlines()]
    assert out == ""
    assert [line and line[1] for line in lines][:3] == ["1,000", "2,000", "3,000"]
    assert "\x1b" not in err


def test_the_rate_counts_from_where_this_run_began(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A run that was taken up at its last row has read nothing of its own yet.
    monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.01)
    asked = Rows(2)
    with progress.shown(20_000, lambda: (asked(), 20_000)[1]):
        assert asked.enough.wait(30)
    assert capsys.readouterr().err.splitlines()[0] == "replaying: 20,000 of 20,000 rows, 0 rows/s"


def test_an_error_inside_ends_the_display_and_passes_through() -> None:
    before = threading.active_count()
    with pytest.raises(KeyError), progress.shown(10, lambda: 0):
        raise KeyError("x")
    assert threading.active_count() == before


def test_a_run_without_a_terminal_prints_plain_lines(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(20_000))
    with subprocess.Popen(
        [PENSTOCK, "replay", "BTC_USDT-1m.csv", "--out", "run", "--set", "run.batch_rows=1", "--no-html"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        line = next(line for line in running.stderr if line.startswith("replaying"))
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    found = LINE.fullmatch(line.rstrip("\n"))
    assert found is not None, line
    assert 0 < int(found[1].replace(",", "")) <= 20_000


def test_a_run_on_a_terminal_shows_a_bar_with_rows_a_second_and_the_time_left(tmp_path: Path) -> None:
    write_csv(tmp_path / "BTC_USDT-1m.csv", candles(20_000))
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PENSTOCK, "replay", "BTC_USDT-1m.csv", "--out", "run", *SLOW],
        cwd=tmp_path,
        env=environment(TERM="xterm"),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        # One frame with a filled cell (a slow machine's first frames have none: 1 % is less than half a cell).
        shown = read_until(ours, r"replaying [━╸][^\r\n]*\d %  [\d,]+ rows/s [^\r\n]*\d:?\d\d")
        running.send_signal(signal.SIGTERM)
        drain(ours)
        running.wait(60)
    os.close(ours)
    assert "rows, " not in shown, "plain lines among the bar"


def read_until(terminal: int, wanted: str) -> str:
    """What a terminal was sent until a pattern stood there, colours left out."""
    seen, until = b"", time.monotonic() + 60
    while not re.search(wanted, plain := re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", seen.decode("utf-8", "replace"))):
        assert time.monotonic() < until, f"waited in vain; the terminal shows {plain!r}"
        if select.select([terminal], [], [], 1)[0]:
            try:
                seen += os.read(terminal, 65_536)
            except OSError as ended:  # as Linux says that nobody holds the other end any more
                raise AssertionError(f"the run ended before it showed that; the terminal shows {plain!r}") from ended
    return plain


def drain(terminal: int) -> None:
    """Read on until the other end is closed, so that the process can finish writing."""
    while True:
        try:
            if not os.read(terminal, 65_536):
                return
        except OSError:
            return
