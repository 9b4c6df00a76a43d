"""``penstock config``: show and check the configuration."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from typing import Annotated

import typer

from cli.options import ConfigFile, Sets, load_checked

app = typer.Typer(help="Show or check the configuration.", no_args_is_help=True, add_completion=False)


class Format(StrEnum):
    """How to write it."""

    yaml = "yaml"
    json = "json"


@app.command()
def show(
    config: ConfigFile = None,
    sets: Sets = None,
    form: Annotated[
        Format, typer.Option("--format", help="yaml: a file to start from, with comments. json: with the origins.")
    ] = Format.yaml,
) -> None:
    """Print the effective configuration: every value, its unit, and where it comes from. Secrets are masked."""
    from flows.registry import parameters
    from schemas.config.load import load
    from schemas.config.show import as_json, as_yaml

    loaded = load(config, os.environ, sets or ())
    full = [parameters(strategy, index) for index, strategy in enumerate(loaded.config.strategies)]
    if form is Format.json:
        print(json.dumps(as_json(loaded, full), indent=2, ensure_ascii=False))
    else:
        print(as_yaml(loaded, full), end="")


@app.command()
def check(config: ConfigFile = None, sets: Sets = None) -> None:
    """Check the configuration and its strategies; exit code 2 and every problem with its place if there are any."""
    from schemas.config.doubts import doubts

    loaded = load_checked(config, sets)
    names = ", ".join(strategy.label for strategy in loaded.config.strategies) or "none"
    print(f"{loaded.path or 'the defaults'}: no problems; strategies: {names}")
    for doubt in doubts(loaded.config):
        print(f"note: {doubt}")
