from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.config.explain import explain


def short(text: str) -> str:
    if len(text) > 3:
        raise ValueError("too long for a ticker")
    return text


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = Field(1, ge=1, lt=10, description="levels")


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int = Field(1, gt=0, description="candles")
    ratio: float = 1.0
    size: Decimal = Field(Decimal(1), gt=0, description="base currency")
    kind: Literal["first", "second"] = "first"
    ticker: Annotated[str, AfterValidator(short)] = "A"
    code: str = Field("a", pattern="^[a-z]+$")
    on: bool = True
    inner: Inner = Inner()
    names: tuple[str, ...] = ()
    by_name: dict[str, Inner] = {}
    api_key: str = Field("", max_length=3)
    must: int = Field(0, description="days")

    @model_validator(mode="after")
    def _together(self) -> "Model":
        if self.must == 13:
            raise ValueError("13 is unlucky")
        return self


class Needs(BaseModel):
    value: int = Field(description="days")


def explained(model: type[BaseModel] = Model, prefix: tuple[str | int, ...] = (), **values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values, strict=True)
    return [str(problem) for problem in explain(caught.value, model, prefix)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": "5"}, "count: expected a whole number, got the text '5'; write it without quotes (candles)"),
        ({"count": "many"}, "count: expected a whole number, got the text 'many' (candles)"),
        ({"count": 1.5}, "count: expected a whole number, got 1.5 (candles)"),
        ({"count": True}, "count: expected a whole number, got true (candles)"),
        ({"count": None}, "count: expected a whole number, got nothing (candles)"),
        ({"count": 0}, "count: has to be > 0, got 0 (candles)"),
        ({"ratio": [1]}, "ratio: expected a number, got a list"),
        ({"kind": "secnd"}, "kind: expected 'first' or 'second', got the text 'secnd'; did you mean second?"),
        ({"kind": 7}, "kind: expected 'first' or 'second', got 7"),
        ({"ticker": "ABCD"}, "ticker: too long for a ticker"),
        ({"ticker": 5}, "ticker: expected text, got 5; put it in quotes"),
        ({"code": "A"}, "code: has to be of the form ^[a-z]+$, got the text 'A'"),
        ({"on": "yes"}, "on: expected true or false, got the text 'yes'"),
        ({"inner": 5}, "inner: expected a section with keys, got 5"),
        ({"inner": {"depth": 10}}, "inner.depth: has to be ≥ 1, < 10, got 10 (levels)"),
        ({"inner": {"dpth": 10}}, "inner.dpth: unknown key; did you mean depth?"),
        ({"depth": 1}, "depth: unknown key; did you mean inner.depth?"),
        ({"inner": {"zzz": 1}}, "inner.zzz: unknown key; known here: depth"),
        ({"by_name": {"a.b": {"depth": 0}}}, "by_name.a.b.depth: has to be ≥ 1, < 10, got 0 (levels)"),
        ({"must": 13}, "13 is unlucky"),
    ],
    ids=str,
)
def test_an_error_says_what_was_expected_and_what_is_there(values: dict[str, Any], message: str) -> None:
    assert explained(**values) == [message]


def test_a_missing_value_is_told_with_its_meaning() -> None:
    assert explained(Needs) == ["value: missing (days)"]


def test_the_value_of_a_secret_is_not_shown() -> None:
    (message,) = explained(api_key="hunter2")
    assert message == "api_key: string should have at most 3 characters, got a secret that is not shown"


def test_the_prefix_goes_before_every_key() -> None:
    assert explained(Model, ("strategies", 0, "params"), count=0, x=1) == [
        "strategies.0.params.count: has to be > 0, got 0 (candles)",
        "strategies.0.params.x: unknown key; known here: " + ", ".join(Model.model_fields),
    ]


def test_an_unknown_key_is_wrong_itself_and_a_wrong_value_is_not() -> None:
    check: Callable[..., Any] = Model.model_validate
    with pytest.raises(ValidationError) as caught:
        check({"x": 1, "count": 0})
    assert {problem.key: problem.of_key for problem in explain(caught.value, Model)} == {"x": True, "count": False}
