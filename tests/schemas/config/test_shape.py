from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from schemas.config.root import Config
from schemas.config.run import RunConfig
from schemas.config.shape import bounds, field_at, shape_at, shape_of


class Inner(BaseModel):
    x: int = 0


def test_annotations_are_seen_through() -> None:
    assert shape_of(Annotated[Decimal | None, Field(gt=0)]).name == "a number or null"
    assert shape_of(Inner | None).type is Inner
    assert shape_of(list[Inner]).item is Inner
    assert shape_of(dict[str, Inner]).kind == "mapping"
    assert shape_of(int | str).kind == "scalar"
    assert shape_of(dict).item is Any
    assert shape_of(Literal["a"]).short == "a"


def test_a_path_leads_to_the_field_it_is_in() -> None:
    field = field_at(Config, ("strategies", 0, "params", "fast"))
    assert field is not None
    assert field.description is not None
    assert field.description.startswith("the strategy's own parameters")
    assert field_at(Config, ("risk", "nothing")) is None
    assert field_at(Config, ()) is None


def test_a_path_into_a_scalar_or_nowhere_has_no_shape() -> None:
    assert shape_at(Config, ("risk", "per_trade_pct", "x")) is None
    assert shape_at(Config, ("nothing",)) is None
    found = shape_at(Config, ("strategies", 0, "use"))
    assert found is not None
    assert found.type is str


def test_bounds_are_words() -> None:
    assert bounds(Config.model_fields["portfolio"].annotation.model_fields["leverage"]) == "≥ 1, ≤ 125"  # type: ignore[union-attr]
    assert bounds(RunConfig.model_fields["equity_every"]) == "a count and one of s, m, h, d, w"
    assert bounds(RunConfig.model_fields["html"]) == ""
