"""Secrets in a configuration: recognised by their name or their type, and never shown."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, SecretStr

from schemas.config.section import fields_of

MASK = "********"
_NAME = re.compile(r"(^|[_.])(password|passphrase|secret|token|key)s?([_.]|$)")
_PLACE = re.compile(r"[_.](file|location)$")


def is_secret(name: str) -> bool:
    """Whether a key of this name holds a secret. The name of a file that holds one is none itself.

    >>> [is_secret(name) for name in ("api_key", "token", "monkey", "per_trade_pct", "KEY/USDT")]
    [True, True, False, False, False]
    >>> [is_secret(name) for name in ("sasl.password", "ssl.key.pem", "sasl.password_file", "ssl.key.location")]
    [True, True, False, False]
    """
    return _NAME.search(name.lower()) is not None and _PLACE.search(name.lower()) is None


def masked(value: Any, name: str = "") -> Any:
    """A copy of plain data (models become dicts) in which every secret that is set is replaced by stars.

    >>> masked({"url": "x", "api_key": "abc", "token": None})
    {'url': 'x', 'api_key': '********', 'token': None}
    """
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, BaseModel):
        return {key: masked(getattr(value, key), key) for key in fields_of(value)}
    if isinstance(value, dict):
        return {key: masked(item, key if not is_secret(name) else name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, name) for item in value]
    return MASK if value is not None and is_secret(name) else value
