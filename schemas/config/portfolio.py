"""``portfolio``: the account."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from schemas.config.section import Positive, Section


class PortfolioConfig(Section):
    """The account that the strategies share."""

    name: str = Field("main", pattern=r"^[a-z0-9_-]{1,32}$", description="part of every id: renaming it makes new ids")
    cash: Positive = Field(Decimal(100_000), le=Decimal(10) ** 15, description="starting cash, in the account currency")
    currency: str | None = Field(
        None, description="account currency; none: the quote currency of the symbols, which must then be one"
    )
    leverage: float = Field(1.0, ge=1, le=125, description="gross position value per unit of equity; 1.0 = none")
