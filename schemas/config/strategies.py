"""``strategies``: which strategies run, on what, and how."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from schemas.config.exits import OwnExits
from schemas.config.section import Section
from schemas.record import Mode


class StrategyConfig(Section):
    """One strategy."""

    use: str = Field(description="name of an installed strategy, or module.path:Class")
    name: str | None = Field(
        None, pattern=r"^[a-z0-9_-]{1,32}$", description="its name in records and ids; none: the name in `use`"
    )
    symbols: tuple[str, ...] = Field(("*",), description="ccxt symbols it sees; * for all")
    mode: Mode = Field("live", description="shadow: evaluated on paper beside the portfolio, never an order")
    exits: OwnExits = Field(
        OwnExits(), description="its own exits: any keys of `exits`; those that are not here are as there"
    )
    params: dict[str, Any] = Field({}, description="the strategy's own parameters: penstock strategies describe NAME")

    @property
    def label(self) -> str:
        """The name it has in records."""
        return self.name or self.use.rpartition(":")[2].rpartition(".")[2].lower()


def check_labels(strategies: tuple[StrategyConfig, ...]) -> tuple[StrategyConfig, ...]:
    """Two strategies of one name would make the same ids: refuse them."""
    seen: set[str] = set()
    for strategy in strategies:
        if strategy.label == "manual":
            raise ValueError("'manual' is what is traded by hand: give that strategy another `name`")
        if strategy.label in seen:
            raise ValueError(f"two strategies are named {strategy.label!r}: give one of them another `name`")
        seen.add(strategy.label)
    return strategies
