"""``penstock schemas``: the records and topics, for consumers in other languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Export the JSON Schemas and the AsyncAPI document.", no_args_is_help=True, add_completion=False)


@app.callback()
def group() -> None:
    """Export the JSON Schemas and the AsyncAPI document."""


@app.command()
def export(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to write to; without it, AsyncAPI goes to standard output."),
    ] = None,
) -> None:
    """Write a JSON Schema (draft 2020-12) for every record, and the topics as an AsyncAPI 3.0 document."""
    from schemas.asyncapi import asyncapi
    from schemas.export import json_schemas

    if out is None:
        print(_text(asyncapi()), end="")
        return
    out.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.schema.json": schema for name, schema in json_schemas().items()}
    for name, content in {**files, "asyncapi.json": asyncapi()}.items():
        (out / name).write_text(_text(content), encoding="utf-8")
    print(f"{len(files)} schemas and asyncapi.json written to {out}")


def _text(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
