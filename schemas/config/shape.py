"""What the models expect at a key: read from their annotations, for overrides, messages and documentation."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    str: "text",
    SecretStr: "text",
}


@dataclass(frozen=True, slots=True)
class Form:
    """Goes into an annotation beside a validator, to say in words what the validator wants."""

    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The type at a key: a section, a list or a mapping of something, or a scalar.

    ``kind`` is "section", "list", "mapping" or "scalar"; ``type`` the section's model or the scalar's type; ``item``
    what a list or mapping holds; ``nullable`` whether null is allowed.
    """

    kind: Literal["section", "list", "mapping", "scalar"]
    type: Any
    item: Any = None
    nullable: bool = False

    @property
    def name(self) -> str:
        """In words, for messages.

        >>> shape_of(tuple[str, ...]).name, shape_of(float | None).name, shape_of(Literal["a", "b"]).name
        ('a list', 'a number or null', "'a' or 'b'")
        """
        words = {"section": "a section with keys", "list": "a list", "mapping": "a mapping"}.get(self.kind)
        if words is None and get_origin(self.type) is Literal:
            words = " or ".join(repr(choice) for choice in get_args(self.type))
        words = words or NAMES.get(self.type, getattr(self.type, "__name__", "a value"))
        return f"{words} or null" if self.nullable else words

    @property
    def short(self) -> str:
        """In a table's words.

        >>> shape_of(tuple[str, ...]).short, shape_of(float | None).short, shape_of(Literal["a", "b"]).short
        ('list of text', 'number or null', 'a, b')
        """
        if get_origin(self.type) is Literal:
            words = ", ".join(map(str, get_args(self.type)))
        elif self.kind in ("list", "mapping") and self.item is not Any:
            words = f"{self.kind} of {shape_of(self.item).short}"
        elif self.kind == "section":
            words = f"{self.type.__name__} section"
        else:
            words = self.name.removesuffix(" or null").removeprefix("a ")
        return f"{words} or null" if self.nullable else words


def shape_of(annotation: Any) -> Shape:
    """The shape of an annotation."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return shape_of(args[0])
    if origin in (Union, types.UnionType):
        rest = [arg for arg in args if arg is not type(None)]
        inner = shape_of(rest[0]) if len(rest) == 1 else Shape("scalar", annotation)
        return Shape(inner.kind, inner.type, inner.item, nullable=len(rest) < len(args))
    if origin in (tuple, list, set, frozenset, Sequence):
        return Shape("list", annotation, args[0] if args else Any)
    if origin is dict or annotation is dict:
        return Shape("mapping", annotation, args[1] if args else Any)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape("section", annotation)
    return Shape("scalar", annotation)


def field_at(model: type[BaseModel], path: Sequence[str | int]) -> FieldInfo | None:
    """The field that a path leads to or into; None when it leads nowhere.

    >>> from schemas.config.root import Config
    >>> field_at(Config, ("instruments", "symbols", "BTC/USDT", "lot")).description
    'smallest quantity step, base currency'
    """
    found: FieldInfo | None = None
    annotation: Any = model
    for step in path:
        shape = shape_of(annotation)
        if shape.kind == "section":
            if step not in shape.type.model_fields:
                return None
            found = shape.type.model_fields[step]
            annotation = found.annotation
        elif shape.kind in ("list", "mapping"):
            annotation = shape.item
        else:
            return found
    return found


def shape_at(model: type[BaseModel], path: Sequence[str | int]) -> Shape | None:
    """The shape that is expected at a path; None when it leads nowhere or into a scalar."""
    annotation: Any = model
    for step in path:
        shape = shape_of(annotation)
        if shape.kind == "section" and step in shape.type.model_fields:
            annotation = shape.type.model_fields[step].annotation
        elif shape.kind in ("list", "mapping"):
            annotation = shape.item
        elif annotation is not Any:
            return None
    return shape_of(annotation)


def bounds(field: FieldInfo) -> str:
    """The limits of a number, in words.

    >>> from schemas.config.risk import RiskConfig
    >>> bounds(RiskConfig.model_fields["per_trade_pct"])
    '> 0, ≤ 100'
    """
    return ", ".join(_bounds(field.metadata))


def _bounds(metadata: Sequence[Any]) -> Iterator[str]:
    for item in metadata:
        for kind, sign, name in ((Gt, ">", "gt"), (Ge, "≥", "ge"), (Lt, "<", "lt"), (Le, "≤", "le")):
            if isinstance(item, kind):
                yield f"{sign} {getattr(item, name)}"
        if isinstance(item, FieldInfo):
            yield from _bounds(item.metadata)
        elif isinstance(item, Form):
            yield item.text
        elif getattr(item, "pattern", None):
            yield f"of the form {item.pattern}"
