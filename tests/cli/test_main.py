import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from cli.main import Commands

Run = Callable[..., Any]
HEAVY = {"numba", "numpy", "pyarrow", "bytewax", "pydantic", "yaml", "jinja2", "msgspec", "cli.replay"}


def test_help_lists_every_command(penstock: Run) -> None:
    result = penstock("--help")
    assert result.code == 0
    for name, command in Commands.lazy.items():
        assert f" {name} " in result.out
        assert command.help.split()[0] in result.out


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from cli.main import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_the_version_is_that_of_the_package(penstock: Run) -> None:
    assert penstock("--version").out == f"penstock {version('penstock')}\n"


@pytest.mark.parametrize("name", Commands.lazy)
def test_every_command_has_help_of_its_own(penstock: Run, name: str) -> None:
    result = penstock(name, "--help")
    assert result.code == 0, result.err
    assert f"{name} " in result.out


def test_a_mistyped_command_gets_a_suggestion(penstock: Run) -> None:
    result = penstock("conifg")
    assert (result.code, result.out) == (2, "")
    assert "Did you mean 'config'?" in result.err


def test_a_mistake_of_the_user_is_one_message_without_a_traceback(penstock: Run) -> None:
    result = penstock("config", "check", "--set", "risk.per_trade_pct=-1")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "penstock: --set risk.per_trade_pct: has to be > 0, ≤ 100, got -1 (of equity at risk in one trade; 1.0 = 1 %)\n"
    )


@pytest.mark.parametrize("way", [{"args": ["--debug"]}, {"environ": {"PENSTOCK_DEBUG": "1"}}], ids=str)
def test_debug_shows_the_traceback(penstock: Run, way: dict[str, Any]) -> None:
    args = [*way.get("args", []), "config", "check", "--set", "risk.per_trade_pct=-1"]
    result = penstock(*args, **way.get("environ", {}))
    assert result.code == 2
    assert "Traceback" in result.err
    assert result.err.splitlines()[-1].startswith("penstock: --set risk.per_trade_pct: has to be > 0")
