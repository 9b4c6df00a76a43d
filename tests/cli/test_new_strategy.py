import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.errors import UserError
from cli.new_strategy import write

Run = Callable[..., Any]


@pytest.mark.parametrize("options", [(), ("--dir", "mine/own")], ids=["here", "below"])
def test_the_written_test_passes_and_the_strategy_is_found(penstock: Run, tmp_path: Path, options: tuple[str]) -> None:
    result = penstock("strategies", "new", "my_cross", *options)
    assert result.code == 0, result.err
    folder = "/".join(options[1:])
    test = tmp_path / folder / "test_my_cross.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    path = f"{folder.replace('/', '.')}.my_cross:MyCross".lstrip(".")
    assert f"penstock replay CANDLES --set strategies.0.use={path}" in result.out
    assert penstock("config", "check", "--set", f"strategies.0.use={path}").code == 0


def test_the_written_files_are_in_the_style_of_this_repository(tmp_path: Path) -> None:
    strategy, test, _ = write("my_cross", tmp_path)
    root = Path(__file__).resolve().parents[2]
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(root / "pyproject.toml"), "--no-cache"]
    subprocess.run([*ruff, "format", "--check", *config, str(strategy), str(test)], check=True, timeout=60)
    ignored = ["--ignore", "I001,D"]  # which imports are first-party depends on where the file is
    subprocess.run([*ruff, "check", *config, *ignored, str(strategy), str(test)], check=True, timeout=60)


@pytest.mark.parametrize("name", ["", "9a", "My", "a-b", "a.b", "class", "_a", "a/b", "a" * 33])
def test_what_cannot_be_a_module_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be the name of a strategy"):
        write(name, tmp_path)


@pytest.mark.parametrize("name", ["json", "numpy", "sma_cross", "flows"])
def test_a_name_that_is_taken_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="would be found first"):
        write(name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "test_my_own.py").write_text("mine")
    with pytest.raises(UserError, match=r"test_my_own\.py is there already"):
        write("my_own", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["test_my_own.py"]
