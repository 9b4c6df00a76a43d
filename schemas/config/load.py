"""Loading the configuration: defaults, then the file, then the environment, then ``--set``; the later one wins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.config.explain import explain
from schemas.config.interpolate import interpolate
from schemas.config.override import from_environment, from_sets
from schemas.config.problem import ConfigError, Problem, Where
from schemas.config.root import Config
from schemas.config.section import fields_of
from schemas.config.shape import shape_of
from schemas.config.strategies import StrategyConfig
from schemas.config.tree import Branch, Leaf, Row, Tree, parse

DEFAULT_PATH = Path("penstock.yaml")


@dataclass(frozen=True)
class Loaded:
    """A configuration and where each of its values comes from.

    ``origin`` maps each dotted key to ``default``, ``penstock.yaml:12``, ``env PENSTOCK__RISK__PER_TRADE_PCT`` or
    ``--set``. A list of texts and an empty mapping count as one value.
    """

    config: Config
    origin: dict[str, str]
    path: Path | None = None


Check = Callable[[Sequence[tuple[int, StrategyConfig]]], Sequence[Problem]]
"""What is wrong with strategies, each with its number."""


def load(path: Path | None, environ: Mapping[str, str], sets: Sequence[str] = (), check: Check | None = None) -> Loaded:
    """Read and check the configuration.

    Args:
        path: the YAML file; None: ``penstock.yaml`` in the working directory if it is there, else no file.
        environ: the environment, for ``${NAME}`` in the file and for ``PENSTOCK__SECTION__KEY``.
        sets: ``key=value`` as given to ``--set``; the last one for a key wins.
        check: looks at the strategies that can be read, whatever else is wrong.

    Raises:
        ConfigError: with every problem that was found, each with its place, its key and what to do.

    >>> loaded = load(None, {"PENSTOCK__RISK__PER_TRADE_PCT": "0.25"}, ["strategies.sma_atr.params.fast=5"])
    >>> loaded.config.risk.per_trade_pct, loaded.origin["risk.per_trade_pct"]
    (0.25, 'env PENSTOCK__RISK__PER_TRADE_PCT')
    >>> loaded.config.strategies[0].params, loaded.origin["strategies.0.params.fast"]
    ({'fast': 5}, '--set')
    """
    if path is None and DEFAULT_PATH.is_file():
        path = DEFAULT_PATH
    tree, problems = (Branch(Where("default")), []) if path is None else _read(path, environ)
    problems += from_environment(tree, environ)
    problems += from_sets(tree, sets)
    places = dict(_places(tree, Where("default")))
    broken = {problem.key for problem in problems}
    plain = _plain(tree, Config)
    try:
        config = Config.model_validate_json(json.dumps(plain), strict=True)
    except ValidationError as error:
        found = [_locate(problem, places) for problem in explain(error, Config)]
        problems += [problem for problem in found if problem.key not in broken]
        config = Config()
    if check is not None:
        found = [_locate(problem, places) for problem in check(_strategies(plain.get("strategies")))]
        problems += [problem for problem in found if problem.key not in broken]
    if problems:
        raise ConfigError(sorted(problems, key=_order))
    origin = {key: _origin(key, places) for key, _ in values(config)}
    return Loaded(config, origin, path)


def _strategies(given: Any) -> list[tuple[int, StrategyConfig]]:
    """Those that can be read, by their number."""
    if not isinstance(given, list):
        return list(enumerate(Config().strategies))
    found = []
    for number, one in enumerate(given):
        with suppress(ValidationError):
            found.append((number, StrategyConfig.model_validate_json(json.dumps(one), strict=True)))
    return found


def overridden(config: Config, sets: Sequence[str]) -> Config:
    """A configuration with some keys changed, written as for ``--set``. Raises ConfigError.

    >>> overridden(Config(), ["risk.per_trade_pct=0.25"]).risk.per_trade_pct
    0.25
    """
    tree = _written(config.model_dump(mode="json"))
    assert isinstance(tree, Branch)
    if problems := from_sets(tree, sets):
        raise ConfigError(problems)
    try:
        return Config.model_validate_json(json.dumps(_plain(tree, Config)), strict=True)
    except ValidationError as error:
        raise ConfigError(explain(error, Config)) from None


def _written(value: Any) -> Tree:
    """JSON data as if it were read from a file."""
    where = Where("default")
    if isinstance(value, dict):
        return Branch(where, dict.fromkeys(value, where), {key: _written(item) for key, item in value.items()})
    if isinstance(value, list):
        return Row(where, [_written(item) for item in value])
    if isinstance(value, str):
        return Leaf(value, where, quoted=True)
    return Leaf("" if value is None else json.dumps(value), where)


def values(item: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a configuration with its dotted key, in the order of the models."""
    dot = f"{path}." if path else ""
    if isinstance(item, BaseModel):
        for name in fields_of(item):
            yield from values(getattr(item, name), dot + name)
    elif isinstance(item, dict) and item:
        for name, value in item.items():
            yield from values(value, dot + name)
    elif isinstance(item, tuple | list) and item and isinstance(item[0], BaseModel):
        for index, value in enumerate(item):
            yield from values(value, f"{dot}{index}")
    else:
        yield path, item


def _read(path: Path, environ: Mapping[str, str]) -> tuple[Branch, list[Problem]]:
    where = Where(str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            [Problem("there is no such file; `penstock config show` prints one to start from", where=where)]
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(f"not UTF-8 text at byte {error.start}", where=where)]) from None
    except OSError as error:
        raise ConfigError([Problem(f"cannot be read: {error.strerror}", where=where)]) from None
    tree = parse(text, str(path))
    if tree is None:
        return Branch(where), []
    if not isinstance(tree, Branch):
        raise ConfigError([Problem("expected sections with keys, such as `risk:`", where=tree.where)])
    tree, problems = interpolate(tree, environ)
    assert isinstance(tree, Branch)
    return tree, [_locate(problem, {}) for problem in problems]


def _plain(tree: Tree, annotation: Any) -> Any:
    """The tree as JSON data for the validation. The text of a number survives where a Decimal is expected."""
    shape = shape_of(annotation)
    if isinstance(tree, Leaf):
        value = tree.value
        if value is None and shape.kind in ("section", "mapping"):
            return {}
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return tree.text if is_number and shape.type is Decimal else value
    if isinstance(tree, Row):
        return [_plain(item, shape.item) for item in tree.items]
    if shape.kind == "section":
        fields = shape.type.model_fields
        return {k: _plain(v, fields[k].annotation if k in fields else Any) for k, v in tree.items.items()}
    return {key: _plain(item, shape.item) for key, item in tree.items.items()}


def _places(tree: Tree, key: Where, path: str = "") -> Iterator[tuple[str, tuple[Where, Where]]]:
    """The places of key and value, by dotted key."""
    yield path, (key, tree.where)
    dot = f"{path}." if path else ""
    if isinstance(tree, Row):
        for index, item in enumerate(tree.items):
            yield from _places(item, item.where, f"{dot}{index}")
    elif isinstance(tree, Branch):
        for name, item in tree.items.items():
            yield from _places(item, tree.keys[name], dot + name)


def _locate(problem: Problem, places: Mapping[str, tuple[Where, Where]]) -> Problem:
    """With the place of its key or value, or of the nearest section above that was given."""
    if problem.where is not None:
        return problem
    key, exact = problem.key, True
    while key and key not in places:
        key, exact = key.rpartition(".")[0], False
    if key not in places:
        return problem
    where = places[key][0 if problem.of_key or not exact else 1]
    return problem if where.source == "default" else replace(problem, where=where)


def _origin(key: str, places: Mapping[str, tuple[Where, Where]]) -> str:
    where = places[key][1] if key in places else Where("default")
    return "--set" if where.source.startswith("--set ") else where.line_only


def _order(problem: Problem) -> tuple[str, int, int]:
    where = problem.where or Where("")
    return where.source, where.line or 0, where.column or 0
