"""docker-compose.yml as a user gets it: its variables replaced, and its services as commands of this machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.command import PENSTOCK, environment

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def compose(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole file. Without a variable its default stands."""

    def value(found: re.Match[str]) -> str:
        return (variables or {}).get(found[1]) or found[2] or ""

    loaded: dict[str, Any] = yaml.safe_load(VARIABLE.sub(value, FILE.read_text(encoding="utf-8")))
    return loaded


def binds(service: Mapping[str, Any]) -> dict[str, Path]:
    """What is mounted from the repository: the place inside the container, and the file or folder here."""
    return {
        inside: ROOT / outside
        for outside, inside, *_ in (text.split(":") for text in service.get("volumes", ()))
        if outside.startswith(".")
    }


def command(service: Mapping[str, Any], files: Mapping[str, Path] | None = None) -> list[str]:
    """The words that the container runs, with what they name inside it as it is here."""
    here = {**{name: str(path) for name, path in {**binds(service), **(files or {})}.items()}}
    here |= {"penstock": PENSTOCK, "python": sys.executable}
    words = [*service.get("entrypoint", ["penstock"]), *service["command"]]
    return [here.get(word, word) for word in words]


def surroundings(service: Mapping[str, Any], broker: str, **changes: str) -> dict[str, str]:
    """The service's environment, with the broker of the tests in place of its own."""
    given = {name: value for name, value in (service.get("environment") or {}).items() if value is not None}
    return environment(**{name: value.replace("kafka:19092", broker) for name, value in given.items()}, **changes)
