"""What every channel around a price returns."""

from __future__ import annotations

from typing import NamedTuple

from flows.columns import Floats


class Bands(NamedTuple):
    """Three columns, each NaN during the warm-up."""

    upper: Floats
    middle: Floats
    lower: Floats
