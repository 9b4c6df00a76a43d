"""The base of every record, and the field types that all of them share.

A record is defined once, here, as a pydantic model. It validates what comes from outside and exports the JSON
Schema for consumers in other languages. Inside the hot path the same definition is used through
:mod:`schemas.wire`, which derives a fast struct from the model.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Millis = Annotated[int, Field(ge=0, description="milliseconds since 1970-01-01 UTC")]
Symbol = Annotated[
    str, Field(min_length=1, max_length=64, description="market as ccxt writes it: BTC/USDT, BTC/USDT:USDT")
]
Id = Annotated[str, Field(min_length=1, max_length=64, description="uuid5 of facts of the event (schemas.ids)")]
Price = Annotated[float, Field(gt=0, allow_inf_nan=False, description="quote currency per unit of the base")]
Exact = Annotated[Decimal, Field(allow_inf_nan=False, description="exact decimal, a string on the wire")]
Figures = Annotated[dict[str, float | int | str | None], Field(description="name to figure, as decided on")]
Mode = Literal["live", "shadow"]


class Record(BaseModel):
    """Base of the records: immutable, and a field that is not declared is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
