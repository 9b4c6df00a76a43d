"""The reference pages, written from the models: ``python -m schemas.documents docs`` (``make docs``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.config.root import Config
from schemas.config.section import Own
from schemas.config.shape import bounds, shape_of
from schemas.config.show import scalar
from schemas.export import Schema, definitions, records
from schemas.record import Record
from schemas.topics import DAY, TOPICS

CONFIGURATION = """\
# Configuration

<!-- Written from the models in schemas/config by `make docs`. Do not edit. -->

Without any configuration every setting has the default below, and `sma_atr` trades whatever is replayed.

    penstock config show > penstock.yaml    # a file to start from: every setting, its default, its meaning
    penstock config check                   # is it right? every mistake with file, line, key and what to do
    penstock config show --format json      # the effective configuration and where each value comes from

## Where a value comes from

From the last of these that has it:

1. the default in the tables below;
2. the file: `--config FILE`, or `penstock.yaml` in the working directory;
3. the environment: `PENSTOCK__SECTION__KEY`, two underscores between the parts, upper or lower case;
4. `--set section.key=value`, which may be repeated; the last one wins.

    PENSTOCK__RISK__PER_TRADE_PCT=0.25 penstock replay BTC_USDT-1m.parquet --set broker.fee_pct=0.1

A strategy is addressed by its number, counted from 0, or by its name. The number after the last one adds a strategy.
A list of texts is written with commas. A symbol is one part, whatever is in it:

    --set strategies.0.params.fast=5            PENSTOCK__STRATEGIES__0__PARAMS__FAST=5
    --set strategies.sma_atr.mode=shadow        PENSTOCK__STRATEGIES__SMA_ATR__MODE=shadow
    --set strategies.0.symbols=BTC/USDT,ETH/USDT
    --set instruments.symbols.BTC/USDT:USDT.lot=0.001

## The file

YAML; a key that is not in the tables below is an error, and so is a key given twice. `true` and `false` are the only
booleans. Numbers are written without quotes; prices and quantities keep every digit.

`${NAME}` in a value is the environment variable of that name, and missing ones are an error; `${NAME:-default}` is the
default when the variable is unset or empty; `$${` is a literal `${`.

```yaml
portfolio:
  cash: ${CASH:-25000}
instruments:
  symbols:
    BTC/USDT: {tick: 0.1, lot: 0.00001, min_notional: 5}
strategies:
  - use: sma_cross              # an installed strategy: penstock strategies list
    params: {fast: 20, slow: 50}
  - use: my_breakout:MyBreakout # module:Class, searched for in the working directory, too
    symbols: [BTC/USDT]
    mode: shadow
risk:
  per_trade_pct: 0.5
```

## Kafka's own settings and secrets

Anything that librdkafka knows goes into `kafka.client` (SASL, TLS, time-outs), by librdkafka's names. A secret comes
from the environment or from a file: `_file` behind a name makes its value the file that holds the setting.

```yaml
kafka:
  bootstrap_servers: kafka-1:9093,kafka-2:9093
  client:
    security.protocol: SASL_SSL
    sasl.mechanism: SCRAM-SHA-512
    sasl.username: penstock
    sasl.password_file: /run/secrets/kafka   # or sasl.password: ${KAFKA_PASSWORD}
```

In the environment a dot is written as an underscore: `PENSTOCK__KAFKA__CLIENT__SASL_PASSWORD`. Do not give a secret
with `--set`: other users of the machine see command lines.

## Strategies and secrets

Parameters of a strategy are checked by the strategy itself; `penstock strategies describe NAME` lists them. A setting
whose name contains password, passphrase, secret, token or key is never shown; `config show` puts stars in its
place. A setting that ends in file or location is the name of a file, and is shown.
"""

TOPIC_PAGE = """\
# Topics and records

<!-- Written from the models in schemas by `make docs`. Do not edit. -->

Everything that the system knew, decided and did is a record on one of these topics (in a replay: a line of the file of
that name in the run folder). A record is one JSON object. Times are epoch milliseconds UTC, symbols and timeframes are
written as ccxt writes them, and an exact decimal is a string. Messages with one key keep their order.

    penstock schemas export --out DIR    # the same as JSON Schema (draft 2020-12) and AsyncAPI 3.0

A message that Penstock publishes has these headers: `id` (unique on its topic), `part` (who published it), `schema`
(record and version, as `Order/1`) and `traceparent` (W3C Trace Context). The trace is the candle: signals, orders,
rejections, fills, positions and alerts with one symbol and one `ts` share a trace id, which is made of these two alone;
any other record has a trace of its own. A fill happens at a later candle than its order was decided at, so the whole
path goes by the ids in the records; `penstock trace ID` walks it.
"""


def configuration_page() -> str:
    """Every setting: key, type, default, bounds, and its meaning with the unit."""
    parts = [CONFIGURATION]
    for name, field in Config.model_fields.items():
        parts.append(f"\n## `{name}`: {field.description}\n\n")
        rows = [_setting(key, info) for key, info in _settings(field, name)]
        parts.append(_table(("key", "type", "default", "bounds", "meaning"), rows))
    return "".join(parts)


def topics_page() -> str:
    """Every topic with its key, partitions and retention; every record with its fields."""
    topics = [
        (
            f"[`{topic.name}`](#{topic.record.__name__.lower()})",
            topic.direction,
            topic.purpose,
            f"`{topic.key}`",
            str(topic.partitions),
            f"{topic.retention_ms // DAY} d" if topic.cleanup == "delete" else "compacted",
        )
        for topic in TOPICS.values()
    ]
    parts = [TOPIC_PAGE, "\n", _table(("topic", "direction", "what", "key", "partitions", "kept"), topics)]
    shown: set[type[Record]] = set()
    for record in (*(topic.record for topic in TOPICS.values()), *records()):
        parts += [_record(part) for part in _with_parts(record) if part not in shown]
        shown |= set(_with_parts(record))
    return "".join(parts)


def write(folder: Path) -> list[Path]:
    """Write both pages into a folder. Returns their paths."""
    pages = {"configuration.md": configuration_page(), "topics.md": topics_page()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def _settings(field: FieldInfo, path: str) -> Iterator[tuple[str, FieldInfo]]:
    shape = shape_of(field.annotation)
    if shape.kind in ("list", "mapping") and shape_of(shape.item).kind == "section":
        below = shape_of(shape.item).type
        path = f"{path}.N" if shape.kind == "list" else f"{path}.SYMBOL"
    elif shape.kind == "section" and not issubclass(shape.type, Own):
        below = shape.type
    else:
        yield path, field
        return
    for name, info in below.model_fields.items():
        yield from _settings(info, f"{path}.{name}")


def _setting(key: str, field: FieldInfo) -> tuple[str, ...]:
    given = shape_of(field.annotation).short
    if isinstance(field.default, BaseModel):
        given, default = "section", "`{}`"
    else:
        default = "required" if field.is_required() else f"`{scalar(field.default)}`"
    return f"`{key}`", given, default, bounds(field), field.description or ""


def _with_parts(record: type[Record]) -> list[type[Record]]:
    """A record and those that it contains, each once."""
    found = [record]
    for field in record.model_fields.values():
        for part in _inside(field.annotation):
            found += [inner for inner in _with_parts(part) if inner not in found]
    return found


def _inside(annotation: Any) -> Iterator[type[Record]]:
    shape = shape_of(annotation)
    if shape.kind == "section" and issubclass(shape.type, Record):
        yield shape.type
    elif shape.item is not None:
        yield from _inside(shape.item)


def _record(record: type[Record]) -> str:
    doc = " ".join((record.__doc__ or "").split(">>>")[0].split())
    schema = definitions([record], "#/{model}")[record.__name__]
    rows = [
        (f"`{name}`", _type(schema["properties"][name]), ", ".join(filter(None, (field.description, bounds(field)))))
        for name, field in record.model_fields.items()
    ]
    return f"\n## {record.__name__}\n\n{doc}\n\n{_table(('field', 'type', 'meaning'), rows)}"


def _type(schema: Schema) -> str:
    """The type of a field as JSON has it, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "prefixItems" in schema:
        return f"[{', '.join(_type(part) for part in schema['prefixItems'])}]"
    if schema["type"] == "array":
        return f"array of {_type(schema['items'])}"
    if schema["type"] == "object":
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema.get("format", schema["type"]))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    for page in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        print(page)
