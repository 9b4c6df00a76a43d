"""The base of the configuration's sections, and the field types that they share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.config.shape import Form
from schemas.timeframe import to_millis


def _is_timeframe(text: str) -> str:
    to_millis(text)
    return text


Duration = Annotated[str, AfterValidator(_is_timeframe), Form("a count and one of s, m, h, d, w")]
Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Section(BaseModel):
    """Immutable; an unknown key is an error; every field has a default and a description with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
