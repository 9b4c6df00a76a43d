"""The base of the configuration's sections, and the field types that they share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer
from pydantic.fields import FieldInfo

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


class Own(Section):
    """A section that goes before a shared one, key by key: what was not given in it is not there."""

    @model_serializer(mode="wrap")
    def _given(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in whole(self).items() if key in self.model_fields_set}


def fields_of(section: BaseModel) -> dict[str, FieldInfo]:
    """The settings that a section has, in the order of its model."""
    fields = type(section).model_fields
    return {key: fields[key] for key in fields if not isinstance(section, Own) or key in section.model_fields_set}
