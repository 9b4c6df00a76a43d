"""``exits``: how a position is left, beyond its one stop and its one target (docs/fills.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.config.section import Own, Positive, Section

Measure = Literal["reward", "percent", "atr"]
"""Of a distance from the price: distances of the stop, percent of the price, or average true ranges."""

_BY = "unit of `at`: reward, in distances of the stop; percent, of the price; atr, in average true ranges"


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

    stop: Literal["signal", "percent", "atr"] = Field(
        "signal", description="where the stop is: as the signal says, or stop_at away from its price"
    )
    stop_at: float = Field(2.0, gt=0, description="percent of the price, or average true ranges (risk.atr_period)")
    target: Literal["signal", "reward", "percent", "atr"] = Field(
        "signal", description="where the target is: as the signal says, or target_at away from its price"
    )
    target_at: float = Field(
        2.0, gt=0, description="distances of the stop, percent of the price, or average true ranges"
    )
    require_target: bool = Field(
        True, description="refuse an entry that has no target (TARGET_MISSING); false: a stop is enough"
    )
    ladder: Annotated[tuple[Rung, ...], AfterValidator(check_shares)] = Field(
        (), description="targets before the last one, each for a share"
    )
    dual: DualConfig = Field(DualConfig(), description="two legs; without stop_money there is one")
    break_even_at: float | None = Field(
        None, gt=0, description="the stop goes to the entry when the price was so many distances of the stop ahead"
    )
    break_even_after: int | None = Field(
        None, ge=1, description="the stop goes to the entry when so many targets were reached"
    )
    trail: Literal["none", "percent", "atr", "chandelier"] = Field(
        "none", description="stop that follows: percent or atr, behind the close; chandelier, behind the best price"
    )
    trail_at: float = Field(3.0, gt=0, description="percent of the close, or average true ranges")
    time_candles: int | None = Field(None, ge=1, description="a position is left when so many candles have closed")

    @property
    def uses_atr(self) -> bool:
        """Whether anything of it is measured in average true ranges."""
        near = [self.dual.by] if self.dual.stop_money is not None else []
        measures = [self.stop, self.target, *near, *(rung.by for rung in self.ladder)]
        return "atr" in measures or self.trail in ("atr", "chandelier")

    @property
    def ages(self) -> bool:
        """Whether what a candle has done to a position has to be looked at when it closes."""
        return (self.break_even_at, self.break_even_after, self.time_candles) != (None, None, None)

    def with_own(self, own: OwnExits) -> ExitsConfig:
        """With what a strategy has set for itself.

        >>> ExitsConfig(trail="atr", time_candles=9).with_own(OwnExits(trail_at=2, time_candles=None)).trail_at
        2.0
        """
        shared, given = self.model_dump(), own.model_dump()
        dual = {**shared["dual"], **given.pop("dual", {})}
        return ExitsConfig.model_validate({**shared, **given, "dual": dual})


class OwnDual(Own, DualConfig):
    """Of a strategy's own exits."""


class OwnExits(Own, ExitsConfig):
    """The keys of ``exits`` that a strategy sets for itself."""

    dual: OwnDual = Field(OwnDual(), description="two legs; without stop_money there is one")
