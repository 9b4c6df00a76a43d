"""The fast form of a record: a struct derived from its model, and its bytes on the wire.

The model in ``schemas`` is the only definition. :func:`wire` builds from it, once, a msgspec struct with the same
fields in the same order, which is made and encoded several times faster because nothing is validated: what the
operators make themselves is right by their tests, what comes from outside is decoded against the model.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, reduce
from importlib import import_module
from operator import or_
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

_encoder = msgspec.json.Encoder()
_EXPONENT = re.compile(rb'"-?\d+(?:\.\d+)?E-\d+"')


@cache
def _struct(model: type[BaseModel]) -> Any:
    hints = get_type_hints(model)  # without the Annotated constraints: a struct does not check them
    fields: list[Any] = []
    for name, info in model.model_fields.items():
        kind = _kind(hints[name])
        fields.append((name, kind) if info.is_required() else (name, kind, info.default))
    # A struct made at run time is not to be found by its name, so pickle goes by the model that it came from.
    pickled = {"__reduce__": lambda row: (_again, (model.__module__, model.__name__, msgspec.structs.astuple(row)))}
    return msgspec.defstruct(model.__name__, fields, namespace=pickled, gc=False, omit_defaults=True)


def _kind(hint: Any) -> Any:
    """The type of a field, with structs in the place of models, so that the struct can be decoded, too."""
    if get_origin(hint) is list:
        return list[_kind(get_args(hint)[0])]  # type: ignore[misc]
    if get_origin(hint) is UnionType:
        return reduce(or_, map(_kind, get_args(hint)))
    return _struct(hint) if isinstance(hint, type) and issubclass(hint, BaseModel) else hint


def _again(module: str, name: str, values: tuple[Any, ...]) -> Any:
    return _struct(getattr(import_module(module), name))(*values)


def wire(model: type[Model]) -> type[Model]:
    """The struct of a model. To a type checker it is the model itself, so that fields are checked where it is made.

    >>> from schemas.metric import Metric
    >>> fast = wire(Metric)
    >>> encode(fast(ts=60000, name="candles", value=3.0, labels={}))
    b'{"ts":60000,"name":"candles","value":3.0,"labels":{}}'
    """
    return cast(type[Model], _struct(model))


def encode(record: Any) -> bytes:
    """JSON of a record (struct or plain dict): UTF-8, one line, fields in the model's order, decimals as strings."""
    return _plain(_encoder.encode(record))


def encode_lines(records: list[Any]) -> bytes:
    """JSON of many records, each on a line that ends with a line feed.

    >>> from decimal import Decimal
    >>> encode_lines([{"fee": Decimal("0E-8")}, {"fee": Decimal("1.2E-7")}])
    b'{"fee":"0.00000000"}\\n{"fee":"0.00000012"}\\n'
    """
    return _plain(_encoder.encode_lines(records))


def _plain(text: bytes) -> bytes:
    """Decimals below 1e-6 without an exponent, which exchanges do not take. To look for one costs next to nothing."""
    if b"E-" not in text:
        return text
    text = text.replace(b'"0E-8"', b'"0.00000000"')  # a fee of nothing: in every record, or in none
    return _EXPONENT.sub(_written_out, text) if b"E-" in text else text


def _written_out(found: re.Match[bytes]) -> bytes:
    return f'"{Decimal(found[0][1:-1].decode()):f}"'.encode()
