"""The effective configuration as YAML with comments, and as JSON with origins. Secrets are masked in both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import yaml
from pydantic import BaseModel

from schemas.config.load import Loaded
from schemas.config.secrets import masked
from schemas.config.section import fields_of
from schemas.config.tree import resolve

_PLAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_./:-]*[A-Za-z0-9_./-])?")


def as_json(loaded: Loaded, parameters: Sequence[BaseModel] = ()) -> dict[str, Any]:
    """``config`` (decimals as texts, as in the records); by dotted key, ``origin`` and ``meaning`` (with its unit)."""
    config = masked(loaded.config)
    for strategy, params in zip(config["strategies"], parameters, strict=False):
        strategy["params"] = masked(params)
    meaning = dict(_meanings(loaded.config, ""))
    for index, params in enumerate(parameters):
        meaning.update(_meanings(params, f"strategies.{index}.params."))
    return {"config": _plain(config), "origin": loaded.origin, "meaning": meaning}


def as_yaml(loaded: Loaded, parameters: Sequence[BaseModel] = ()) -> str:
    """A configuration file that gives the same configuration, with the origin and meaning of each value as comments.

    ``parameters`` are the checked parameters of each strategy, to be shown with the defaults.
    """
    rows = list(_section(loaded.config, loaded, list(parameters), "", ""))
    width = min(44, max(len(text) for text, _ in rows if text))
    return "".join(f"{text:<{width}}  # {note}\n" if note else f"{text}\n" for text, note in rows)


def scalar(value: Any) -> str:
    """A value in YAML, on one line.

    >>> [scalar(value) for value in (Decimal("1E-8"), 0.5, True, None, "1m", "5", "BTC/USDT:USDT", ("*",), {})]
    ['0.00000001', '0.5', 'true', 'null', '1m', '"5"', 'BTC/USDT:USDT', '["*"]', '{}']
    """
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and isinstance(resolve(value), str) else _quoted(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_quoted(item) if isinstance(item, str) else scalar(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {scalar(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def _quoted(text: str) -> str:
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1_000_000)).rstrip("\n")


def _section(
    section: BaseModel, loaded: Loaded, parameters: list[BaseModel], path: str, indent: str
) -> Iterator[tuple[str, str]]:
    values = masked(section)
    for name, field in fields_of(section).items():
        value, key = getattr(section, name), f"{path}.{name}" if path else name
        if key.startswith("strategies.") and key.endswith(".params"):
            index = int(key.split(".")[1])
            if index < len(parameters) and type(parameters[index]).model_fields:
                yield f"{indent}{name}:", ""
                yield from _section(parameters[index], loaded, [], key, indent + "  ")
                continue
        if isinstance(value, BaseModel) and not fields_of(value):
            yield f"{indent}{name}: {{}}", field.description or ""
        elif isinstance(value, BaseModel):
            yield f"{indent}{name}:", field.description or ""
            yield from _section(value, loaded, parameters, key, indent + "  ")
        elif isinstance(value, dict) and value and all(isinstance(item, BaseModel) for item in value.values()):
            yield f"{indent}{name}:", field.description or ""
            for symbol, item in value.items():
                yield f"{indent}  {scalar(symbol)}:", ""
                yield from _section(item, loaded, parameters, f"{key}.{symbol}", indent + "    ")
        elif isinstance(value, tuple) and value and all(isinstance(item, BaseModel) for item in value):
            yield f"{indent}{name}:", field.description or ""
            for index, item in enumerate(value):
                rows = list(_section(item, loaded, parameters, f"{key}.{index}", indent + "    "))
                yield f"{indent}  - {rows[0][0].lstrip()}", rows[0][1]
                yield from rows[1:]
        else:
            origin = _origin(loaded, key)
            yield f"{indent}{name}: {scalar(values[name])}", " · ".join(filter(None, (origin, field.description)))


def _meanings(section: BaseModel, path: str) -> Iterator[tuple[str, str]]:
    """The description of every value, by dotted key."""
    for name, field in fields_of(section).items():
        value, key = getattr(section, name), f"{path}{name}"
        inner = {"": value} if isinstance(value, BaseModel) else value
        pairs = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, tuple) else ()
        below = [(f"{key}.{at}." if at != "" else f"{key}.", one) for at, one in pairs if isinstance(one, BaseModel)]
        for prefix, one in below:
            yield from _meanings(one, prefix)
        if not below and field.description:
            yield key, field.description


def _origin(loaded: Loaded, key: str) -> str:
    return loaded.origin.get(key) or next((o for k, o in loaded.origin.items() if k.startswith(f"{key}.")), "default")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return format(value, "f") if isinstance(value, Decimal) else value
