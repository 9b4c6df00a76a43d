"""A file with bad rows: each becomes one dead letter, and nothing else changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.command import MINUTE, START, candles, csv_lines, penstock, write_csv
from tests.replaying import records, run_json

ROWS = candles(400)
CROSS = ("--set", "strategies.0.use=sma_cross", "--set", "strategies.0.params={fast: 3, slow: 8}", "--no-html")
NAMES = ("ts", "open", "high", "low", "close", "volume")

# Bad rows, put before the good row with this index, and what becomes of each.
LINES = csv_lines(ROWS)


def line(index: int, **changes: object) -> str:
    values = dict(zip(NAMES, ROWS[index], strict=True))
    return ",".join(map(str, (values | changes).values()))


BAD = {
    20: (line(20, close="oops"), "VALUE_NOT_FINITE"),
    40: (line(40, ts="yesterday"), "TIME_UNREADABLE"),
    60: (line(60, high=ROWS[60][3], low=ROWS[60][2]), "HIGH_BELOW_LOW"),
    80: (line(80, low=-1.0), "PRICE_NOT_POSITIVE"),
    100: (LINES[99], "ROW_DUPLICATE"),
    120: (line(119, volume=7.0), "ROW_CONFLICT"),
    140: (LINES[100], "ROW_OUT_OF_ORDER"),
    160: (line(160, ts=ROWS[160][0] - 30_000), "TIME_MISALIGNED"),
    180: (",".join(LINES[180].split(",")[:4]), "TIME_UNREADABLE"),
    200: (LINES[200] + ",1,2,3", "TIME_UNREADABLE"),
    220: (line(220, volume=-1.0), "VOLUME_NEGATIVE"),
    240: (line(240, close=ROWS[240][2] + 1), "PRICE_OUTSIDE_RANGE"),
    260: (line(260, open="inf"), "VALUE_NOT_FINITE"),
}
HOLE = range(300, 303)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[int, tuple[str, str]]]:
    """Two runs: of a file with bad rows, and of the same file without them; and the bad rows by position."""
    folder = tmp_path_factory.mktemp("broken")
    lines, where = list[str](), dict[int, tuple[str, str]]()
    for index, good in enumerate(LINES):
        if index in BAD:
            lines.append(BAD[index][0])
            where[len(lines)] = BAD[index]
        if index not in HOLE:
            lines.append(good)
    (folder / "bad").mkdir()
    write_csv(folder / "bad" / "BTC_USDT-1m.csv", lines)
    write_csv(folder / "BTC_USDT-1m.csv", [good for index, good in enumerate(LINES) if index not in HOLE])
    for source, out in (("bad/BTC_USDT-1m.csv", "broken"), ("BTC_USDT-1m.csv", "clean")):
        result = penstock(folder, "replay", source, "--out", out, *CROSS)
        assert result.code == 0, result.err
    return folder / "broken", folder / "clean", where


def test_each_bad_row_is_one_dead_letter_with_its_reason_and_position(
    broken: tuple[Path, Path, dict[int, tuple[str, str]]],
) -> None:
    run, clean, where = broken
    letters = records(run, "deadletters")
    assert sorted((letter["position"], letter["reason"]) for letter in letters) == [
        (position, reason) for position, (_, reason) in where.items()
    ]
    assert {(letter["source"], letter["symbol"]) for letter in letters} == {("BTC_USDT-1m.csv", "BTC/USDT")}
    assert all(letter["error"].startswith(f"{letter['reason']}: ts=") for letter in letters)
    assert records(clean, "deadletters") == []


def test_every_refused_row_is_kept_as_it_came(broken: tuple[Path, Path, dict[int, tuple[str, str]]]) -> None:
    run, _, where = broken
    raw = {letter["position"]: letter["raw"] for letter in records(run, "deadletters")}
    assert raw == {position: text for position, (text, _) in where.items()}


def test_bad_rows_change_nothing_for_the_good_ones(broken: tuple[Path, Path, dict[int, tuple[str, str]]]) -> None:
    run, clean, _ = broken
    for topic in ("signals", "orders", "fills", "positions", "rejections", "equity"):
        assert (run / f"{topic}.jsonl").read_bytes() == (clean / f"{topic}.jsonl").read_bytes(), topic
    assert len(records(run, "fills")) > 10


def test_missing_candles_and_a_corrected_one_are_an_alert_with_its_figures(
    broken: tuple[Path, Path, dict[int, tuple[str, str]]],
) -> None:
    run, _, _ = broken
    alert, corrected = sorted(records(run, "alerts"), key=lambda one: str(one["code"]), reverse=True)
    first, last = START + 301 * MINUTE, START + 303 * MINUTE
    assert (alert["code"], alert["symbol"], alert["ts"]) == ("CANDLE_GAP", "BTC/USDT", last + MINUTE)
    assert alert["figures"] == {"missing": 3, "first_ts": first, "last_ts": last}
    assert (corrected["code"], corrected["symbol"]) == ("CANDLE_CORRECTED", "BTC/USDT")
    assert corrected["figures"]["volume"] == 7.0


def test_overwrite_replaces_the_run_and_leaves_nothing_of_it(
    broken: tuple[Path, Path, dict[int, tuple[str, str]]], tmp_path: Path
) -> None:
    _, run, _ = broken
    write_csv(tmp_path / "BTC_USDT-1m.csv", ROWS)
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "of the first run").touch()
    again = penstock(
        tmp_path, "replay", "BTC_USDT-1m.csv", "--out", "run", *CROSS, "--overwrite", "--set", "risk.per_trade_pct=0.25"
    )
    assert again.code == 0, again.err
    assert not (tmp_path / "run" / "of the first run").exists()
    assert run_json(tmp_path / "run")["configuration"]["config"]["risk"]["per_trade_pct"] == 0.25
    assert not (tmp_path / "run.partial").exists()
