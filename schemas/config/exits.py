"""``exits``: how a position is left, beyond its one stop and its one target (docs/fills.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.config.section import Positive, Section

Measure = Literal["reward", "percent"]
"""Of a distance from the price: multiples of the distance of the stop, or percent of the price."""

_BY = "unit of `at`: reward, in distances of the stop; percent, of the price"


class Rung(Section):
    """A target at which a part leaves."""

    share_pct: float = Field(gt=0, le=100, description="of the quantity (of leg A, if there are two legs)")
    by: Measure = Field("reward", description=_BY)
    at: float = Field(gt=0, description="distance of this target from the price of the signal")


def check_shares(ladder: tuple[Rung, ...]) -> tuple[Rung, ...]:
    """There is no more than all of a position."""
    total = sum(rung.share_pct for rung in ladder)
    if total > 100 * (1 + 1e-9):
        raise ValueError(f"the shares of the rungs are {total:g} % together: at most 100 % can leave")
    return ladder


class DualConfig(Section):
    """Two legs: A with the stop and the target of the signal, B with a loss in money and a near target."""

    stop_money: Positive | None = Field(
        None, description="what leg B loses at its stop, account currency; its stop is never beyond that of leg A"
    )
    share_pct: float = Field(50.0, gt=0, lt=100, description="of the quantity, in leg A; the rest is leg B")
    by: Measure = Field("reward", description=_BY)
    at: float = Field(1.0, gt=0, description="distance of leg B's target from the price of the signal")


class ExitsConfig(Section):
    """Nothing of it: a position leaves as a whole, at its stop, at its target, or when its strategy says so."""

    ladder: Annotated[tuple[Rung, ...], AfterValidator(check_shares)] = Field(
        (), description="targets before the last one, each for a share"
    )
    dual: DualConfig = Field(DualConfig(), description="two legs; without stop_money there is one")
