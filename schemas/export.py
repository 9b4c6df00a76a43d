"""JSON Schema of every record, for consumers in other languages: draft 2020-12, as a record looks on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from schemas.record import Record
from schemas.summary import Summary
from schemas.topics import TOPICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NUMBER = r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"

Schema = dict[str, Any]


class WireSchema(GenerateJsonSchema):
    """What is on the wire: decimals are strings, every field is there, and titles do not repeat the field's name."""

    schema_dialect = DIALECT

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Schema:
        """A decimal is a string of a number, with a sign unless it cannot be negative."""
        lowest = schema.get("ge", schema.get("gt"))
        sign = "" if lowest is not None and lowest >= 0 else "-?"
        return {"type": "string", "format": "decimal", "pattern": f"^{sign}{NUMBER}"}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (pydantic's interface)
        """No titles: they would only repeat the names."""
        return False


def records() -> tuple[type[Record], ...]:
    """Every record that consumers meet: those of each topic, and the summary of a run. Sorted by name."""
    found = {record for topic in TOPICS.values() for record in (topic.record, *topic.between)} | {Summary}
    return tuple(sorted(found, key=lambda record: record.__name__))


def json_schemas() -> dict[str, Schema]:
    """A complete schema for each record, by the record's name.

    >>> schema = json_schemas()["Order"]
    >>> schema["$schema"], schema["$id"], schema["properties"]["quantity"]["type"]
    ('https://json-schema.org/draft/2020-12/schema', 'urn:penstock:record:Order', 'string')
    """
    schemas = {}
    for record in records():
        schema = record.model_json_schema(mode="serialization", schema_generator=WireSchema)
        schemas[record.__name__] = {"$schema": DIALECT, "$id": f"urn:penstock:record:{record.__name__}", **schema}
    return schemas


def definitions(models: Iterable[type[Record]], ref_template: str) -> dict[str, Schema]:
    """The schemas of some records and of all that they are made of, which refer to each other by ``ref_template``."""
    _, schema = models_json_schema(
        [(model, "serialization") for model in models], ref_template=ref_template, schema_generator=WireSchema
    )
    found: dict[str, Schema] = schema["$defs"]
    return dict(sorted(found.items()))
