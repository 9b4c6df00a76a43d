from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.lazy import Lazy, LazyGroup


class Group(LazyGroup):
    lazy = {"broken": Lazy("no_such_module:x", "Never imported."), "dates": Lazy("tests_lazy_target:run", "Runs.")}  # noqa: RUF012


app = typer.Typer(cls=Group)


@app.callback()
def options() -> None:
    """A group."""


def test_listing_imports_nothing() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "Never imported." in result.output


def test_running_imports_that_command_alone(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tests_lazy_target.py").write_text("def run(n: int = 1) -> None:\n    print('ran', n)\n")  # type: ignore[operator]
    result = CliRunner().invoke(app, ["dates", "--n", "3"])
    assert (result.exit_code, result.output) == (0, "ran 3\n")


def test_a_command_that_cannot_be_imported_fails_when_it_is_run() -> None:
    result = CliRunner().invoke(app, ["broken"])
    assert isinstance(result.exception, ModuleNotFoundError)


def test_help_is_broken_at_the_width_of_the_terminal_alone(penstock: Callable[..., Any]) -> None:
    lines = [line.strip() for line in penstock("deadletters", "requeue", "--help", COLUMNS="80").out.splitlines()]
    assert "before is found and left alone, for as long as that message is on the topic:" in lines


def test_a_group_of_commands_has_no_options_of_the_whole(penstock: Callable[..., Any]) -> None:
    assert "--install-completion" in penstock("--help").out
    assert "--install-completion" not in penstock("topics", "--help").out
