"""What the report takes from ``run.json``: settings, versions, and whether the market was simulated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_run_file(folder: Path) -> dict[str, Any]:
    """``run.json`` of a run folder; empty when there is none. Raises ValueError when it is not a JSON object."""
    path = folder / "run.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}: the file is not whole, run the replay again") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path}: holds a {type(found).__name__} where an object belongs: run the replay again")
    return found


def settings(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Every value with its dotted key and, for the configuration, where it came from; how long things took is left out.

    >>> settings({"configuration": {"config": {"risk": {"x": 0.5}}, "origin": {"risk.x": "default"}}, "tags": []})
    [('risk.x', '0.5', 'default'), ('tags', 'none', '')]
    """
    found = []
    for name, value in record.items():
        if name == "configuration" and isinstance(value, dict) and isinstance(value.get("origin"), dict):
            origin = value["origin"]
            found += [(key, text, _origin(origin, key)) for key, text in _flat("", value.get("config"))]
        elif name != "seconds":
            found += [(key, text, "") for key, text in _flat(name, value)]
    return found


def _origin(origin: dict[str, Any], key: str) -> str:
    """Where a key came from: a key inside a free mapping has the origin of the mapping."""
    while key and key not in origin:
        key = key.rpartition(".")[0]
    return str(origin.get(key, ""))


def simulated_note(record: dict[str, Any]) -> str:
    """The first note of an input that says "simulated", or an empty text.

    >>> simulated_note({"inputs": [{"path": "a.csv", "notes": ["Simulated market, seed 7"]}]})
    'Simulated market, seed 7'
    """
    for key, value in _flat("", record.get("inputs", {})):
        if {"note", "notes"} & set(key.split(".")) and "simulated" in value.lower():
            return value
    return ""


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not pairs or not value:
        yield prefix, "none" if value is None or value in ({}, []) else str(value)
        return
    for key, inner in pairs:
        yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner)
