"""Validation errors in words: what was expected at a key, what is there, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.config.problem import Problem
from schemas.config.secrets import is_secret
from schemas.config.shape import bounds, field_at, shape_at, shape_of
from schemas.config.tree import resolve, show

_BOUNDS = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "string_pattern_mismatch"}


def explain(error: ValidationError, model: type[BaseModel], prefix: Sequence[str | int] = ()) -> list[Problem]:
    """A problem for each error of a validation of ``model``; ``prefix`` is the path of the model itself.

    >>> from schemas.config.risk import RiskConfig
    >>> try:
    ...     RiskConfig(per_trade_pc=1)
    ... except ValidationError as error:
    ...     print(explain(error, RiskConfig, ("risk",))[0])
    risk.per_trade_pc: unknown key; did you mean per_trade_pct?
    """
    return [_problem(one, model, prefix) for one in error.errors(include_url=False)]


def _problem(error: ErrorDetails, model: type[BaseModel], prefix: Sequence[str | int]) -> Problem:
    path = error["loc"]
    key = ".".join(map(str, (*prefix, *path)))
    if error["type"] == "extra_forbidden":
        return Problem(f"unknown key; {_suggest(str(path[-1]), path[:-1], model)}", key, of_key=True)
    field = field_at(model, path)
    unit = f" ({field.description})" if field and field.description else ""
    if error["type"] == "missing":
        return Problem(f"missing{unit}", key)
    secret = any(is_secret(str(step)) for step in path)
    return Problem(_message(error, model, secret) + unit, key)


def _message(error: ErrorDetails, model: type[BaseModel], secret: bool) -> str:
    path, given = error["loc"], error["input"]
    field, shape = field_at(model, path), shape_at(model, path)
    if shape is not None and shape.type is Decimal and isinstance(given, str):
        given = resolve(given)
    got = "a secret that is not shown" if secret else show(given)
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] in _BOUNDS and field is not None and bounds(field):
        return f"has to be {bounds(field)}, got {got}"
    if error["type"] == "literal_error" and shape is not None:
        choices = [choice for choice in getattr(shape.type, "__args__", ()) if isinstance(choice, str)]
        close = get_close_matches(given, choices, n=1) if isinstance(given, str) else []
        return f"expected {shape.name}, got {got}" + (f"; did you mean {close[0]}?" if close else "")
    if shape is not None and error["type"].endswith(("_type", "_parsing", "_from_float")):
        number = shape.name.startswith(("a number", "a whole number", "true"))
        bare = number and isinstance(given, str) and not isinstance(resolve(given), str) and not secret
        quoted = shape.name.startswith("text") and isinstance(given, bool | int | float)
        hint = "; write it without quotes" if bare else "; put it in quotes" if quoted else ""
        return f"expected {shape.name}, got {got}{hint}"
    message = error["msg"]
    return f"{message[0].lower()}{message[1:]}, got {got}"


def _suggest(name: str, path: Sequence[str | int], model: type[BaseModel]) -> str:
    shape = shape_at(model, path)
    names = list(shape.type.model_fields) if shape is not None and shape.kind == "section" else []
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    elsewhere = [".".join(found) for found in _keys(model) if found[-1] == name]
    if elsewhere:
        return f"did you mean {' or '.join(elsewhere)}?"
    return f"known here: {', '.join(names)}" if names else "no keys are known here"


def _keys(annotation: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    shape = shape_of(annotation)
    if shape.kind == "section":
        for name, field in shape.type.model_fields.items():
            yield (*path, name)
            yield from _keys(field.annotation, (*path, name))
