"""The file that ``penstock strategies new`` writes: a small strategy that works, and a test that says so."""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path
from string import Template

from cli.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

STRATEGY = Template('''"""$title: describe the idea here."""

from __future__ import annotations

from pydantic import Field

from flows.columns import Candles
from flows.indicators.atr import ATR
from flows.indicators.cross import Cross
from flows.indicators.ema import EMA
from flows.strategies.base import Parameters, Signals, Strategy


class $cls(Strategy):
    """Long when the close crosses above its average, flat when it crosses below. Stop and target are some ATRs away."""

    version = "0.1.0"  # raise it when the signals change

    class Params(Parameters):
        """Parameters of $name: each with a default, bounds, and a description with its unit."""

        length: int = Field(50, ge=2, description="length of the average, candles")
        atr_length: int = Field(14, ge=1, description="length of the average true range, candles")
        stop_atr: float = Field(3.0, gt=0, description="distance of the stop from the close, ATRs")
        target_atr: float = Field(6.0, gt=0, description="distance of the target from the close, ATRs")

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self.stop_atr, self.target_atr = params.stop_atr, params.target_atr
        self.average = EMA(params.length)
        self.atr = ATR(params.atr_length)
        self.cross = Cross()

    def on_candles(self, candles: Candles) -> Signals:
        """Signals for a batch of candles of any symbols; NaN comparisons are false, so there is none in the warm-up."""
        average, atr = self.average(candles), self.atr(candles)
        crossed = self.cross(candles, candles.close, average)
        return Signals(
            long=(crossed > 0) & (atr > 0),
            flat=crossed < 0,
            stop_distance=self.stop_atr * atr,
            target_distance=self.target_atr * atr,
            reason="close crossed its average",
            values={"average": average, "atr": atr},
        )
''')

TEST = Template('''"""What $name does, said with exact rows. Run: python -m pytest $test"""

from __future__ import annotations

import numpy as np

from flows.columns import Candles
from $name import $cls

CLOSES = [10.0, 10.0, 9.0, 8.0, 11.0, 12.0, 12.0, 7.0]  # falls, crosses up at row 4, and down at row 7


def make() -> $cls:
    return $cls($cls.Params(length=3, atr_length=2, stop_atr=2.0, target_atr=3.0))


def test_it_goes_long_where_the_close_crosses_above_and_flat_where_it_crosses_below() -> None:
    signals = make().on_candles(Candles.of(CLOSES))
    assert np.flatnonzero(signals.long).tolist() == [4]
    assert np.flatnonzero(signals.flat).tolist() == [7]


def test_the_stop_is_two_atrs_away_and_the_target_three() -> None:
    signals = make().on_candles(Candles.of(CLOSES))
    # true ranges 0, 1, 1, 3: the average of two starts at 0.5 and moves half of the way: 0.75, 1.875
    assert signals.stop_distance is not None
    assert signals.stop_distance[4] == 2 * 1.875
    assert signals.target_distance is not None
    assert signals.target_distance[4] == 3 * 1.875


def test_cutting_the_candles_into_batches_changes_nothing() -> None:
    candles = Candles.of(CLOSES)
    whole = make().on_candles(candles)
    for cut in range(1, len(candles)):
        strategy = make()
        parts = strategy.on_candles(candles[:cut]), strategy.on_candles(candles[cut:])
        assert np.concatenate([part.long for part in parts]).tolist() == whole.long.tolist()
        assert np.concatenate([part.flat for part in parts]).tolist() == whole.flat.tolist()
''')


def write(name: str, folder: Path) -> tuple[Path, Path, str]:
    """Write ``NAME.py`` and ``test_NAME.py``. Returns their paths and the strategy's ``module:Class``.

    Raises UserError when the name cannot be a module's, is taken, or one of the files is there already.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} cannot be the name of a strategy: write lower_case_words, at most 32 characters")
    strategy, test = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in (strategy, test):
        if path.exists():
            raise UserError(f"{path} is there already: choose another name, or remove it")
    if _is_taken(name):
        raise UserError(f"{name!r} is the name of an installed module or strategy, which would be found first")
    words = {"name": name, "cls": _class_name(name), "title": name.replace("_", " ").capitalize(), "test": test.name}
    folder.mkdir(parents=True, exist_ok=True)
    strategy.write_text(STRATEGY.substitute(words), encoding="utf-8")
    test.write_text(TEST.substitute(words), encoding="utf-8")
    return strategy, test, f"{_module(strategy)}:{words['cls']}"


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_")) or "Mine"


def _is_taken(name: str) -> bool:
    from flows.registry import installed

    try:
        return name in installed() or find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _module(path: Path) -> str:
    """The dotted name under which the working directory offers a file; its bare name when it lies elsewhere."""
    try:
        below = path.resolve().relative_to(Path.cwd().resolve())
    except ValueError:
        return path.stem
    parts = below.with_suffix("").parts
    return ".".join(parts) if all(part.isidentifier() for part in parts) else path.stem
