import pytest

from cli.errors import UserError, report
from schemas.config.problem import ConfigError, Problem


def test_what_a_user_can_put_right_has_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(UserError("do this")) == 2
    assert capsys.readouterr().err == "penstock: do this\n"


def test_several_problems_are_counted_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ConfigError([Problem("x", "a"), Problem("y", "b")])) == 2
    assert capsys.readouterr().err == "penstock: 2 problems\n  a: x\n  b: y\n"


def test_a_file_that_cannot_be_opened_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(FileNotFoundError(2, "No such file or directory", "a.csv")) == 2
    assert capsys.readouterr().err == "penstock: a.csv: No such file or directory\n"


def test_a_defect_has_exit_code_1_and_says_how_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(KeyError("x")) == 1
    assert capsys.readouterr().err == (
        "penstock: KeyError: 'x'\nThis is a defect of Penstock; with --debug before the command it shows where.\n"
    )
