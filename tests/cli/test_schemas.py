import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.asyncapi import asyncapi
from schemas.export import json_schemas

Run = Callable[..., Any]


def test_every_schema_and_the_document_are_written(penstock: Run, tmp_path: Path) -> None:
    result = penstock("schemas", "export", "--out", "deep/er")
    assert (result.code, result.out) == (0, f"{len(json_schemas())} schemas and asyncapi.json written to deep/er\n")
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "deep/er").iterdir()}
    assert written.pop("asyncapi.json") == asyncapi()
    assert written == {f"{name}.schema.json": schema for name, schema in json_schemas().items()}


def test_without_a_folder_the_document_goes_to_standard_output(penstock: Run) -> None:
    assert json.loads(penstock("schemas", "export").out) == asyncapi()
