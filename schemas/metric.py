"""Metric: one number with its labels at one instant of event time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.record import Millis, Record


class Metric(Record):
    """A measurement, in the form that time-series databases know."""

    ts: Annotated[Millis, Field(description="event time, epoch ms UTC")]
    name: Annotated[str, Field(description="snake_case, unit as suffix")]
    value: float
    labels: dict[str, str]
