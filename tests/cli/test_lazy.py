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
