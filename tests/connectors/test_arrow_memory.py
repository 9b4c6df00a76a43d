from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from connectors.arrow_memory import reader
from tests.command import environment

ENDS_AT_ONCE = """
import sys, time
from pathlib import Path
from connectors.tables import read_table

path = Path(sys.argv[1])
sys.setswitchinterval(0.4)  # so a thread that wants the lock still waits for it when the interpreter ends
for _ in range(3):
    read_table(path, path.read_bytes())
until = time.perf_counter() + 0.1
while time.perf_counter() < until:
    pass
sys.exit(2)
"""


@pytest.mark.parametrize(("data", "begin"), [(b"ts,open\n", 0), (b"ts,open\n", 3), (b"ts", 2), (b"", 0)])
def test_a_copy_reads_as_the_bytes(data: bytes, begin: int) -> None:
    assert reader(data, begin).read() == data[begin:]


@pytest.mark.parametrize("name", ["candles.csv", "candles.parquet"])
def test_a_process_that_ends_right_behind_reading_a_file_has_its_own_exit_code(name: str, tmp_path: Path) -> None:
    columns = {role: [60.0, 120.0] for role in ("ts", "open", "high", "low", "close", "volume")}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "candles.parquet")
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "candles.csv").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-c", ENDS_AT_ONCE, str(tmp_path / name)]
    for _ in range(6):
        done = subprocess.run(command, env=environment(), capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (2, b"")
