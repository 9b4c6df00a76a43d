from pathlib import Path

import pytest

from connectors.errors import CandleFileError, about


def test_the_file_is_named_before_the_message() -> None:
    with pytest.raises(CandleFileError, match=r"^folder/a\.csv is empty$"), about(Path("folder/a.csv")):
        raise CandleFileError("is empty")


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError, match="x"), about(Path("a.csv")):
        raise KeyError("x")


def test_a_candle_file_error_is_a_value_error() -> None:
    assert issubclass(CandleFileError, ValueError)
