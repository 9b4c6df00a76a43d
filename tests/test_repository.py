"""Facts about the repository that should stay true."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from schemas.export import records
from schemas.record import Record

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("schemas", "connectors", "flows", "sinks", "cli")
OPERATORS = ("flows/bars", "flows/indicators", "flows/strategies", "flows/market", "flows/portfolio")
MAY_IMPORT = {
    "schemas": {"schemas"},
    "connectors": {"schemas", "connectors"},
    "sinks": {"schemas", "sinks"},
    "flows": {"schemas", "connectors", "flows", "sinks"},
    "cli": set(ROOMS),
}
CLOCKS_AND_IO = {"time", "random", "socket", "threading", "asyncio", "requests", "bytewax", "confluent_kafka"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """The dotted names of all modules that a file imports, inside functions, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git work tree")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_that_come_before_it(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(room)
        for name in imports(path)
        if (top := name.partition(".")[0]) in ROOMS and top not in MAY_IMPORT[room]
    ]
    assert wrong == []


def test_operators_import_only_schemas_and_operators() -> None:
    plain = {"columns", "kernel", "module", "outbox"}  # what operators are made of
    allowed = {f"flows.{name}" for name in plain} | {folder.replace("/", ".") for folder in OPERATORS}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(*OPERATORS)
        for name in imports(path)
        if (top := name.partition(".")[0]) in ROOMS
        and top != "schemas"
        and not any(name == module or name.startswith(f"{module}.") for module in allowed)
    ]
    assert wrong == []


def test_operators_have_no_clock_no_randomness_and_no_io() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(*OPERATORS)
        for name in imports(path)
        if name.partition(".")[0] in CLOCKS_AND_IO
    ]
    assert wrong == []


def test_no_file_is_longer_than_300_lines_and_no_function_than_60() -> None:
    long = []
    for path in python_files(*ROOMS):
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > 300:
            long.append(f"{path.relative_to(ROOT)}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_no_path_of_a_developers_machine_is_in_a_file() -> None:
    path_of_a_machine = re.compile(r"(?<![\w.~-])/(root|home|Users|work)/(?!\$)\w")
    found = []
    for path in tracked():
        if path.suffix in (".png", ".gz", ".parquet", ".feather") or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path_of_a_machine.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_constraints_are_exact_versions_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.+]*", line)] == []
    assert "://" not in "\n".join(lines)


def test_every_dependency_is_pinned_with_all_that_it_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = {
        canonical(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    wanted = [name_of(text) for text in (*project["dependencies"], *project["optional-dependencies"]["dev"])]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += [name_of(text) for text in requires(name) or () if ";" not in text]
    assert seen - pinned == set()


def test_every_dependency_is_imported_somewhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = {"pyyaml": "yaml"}
    used = {name.partition(".")[0] for path in python_files(*ROOMS) for name in imports(path)}
    names = [name_of(text) for text in project["dependencies"]]
    assert [name for name in names if module.get(name, name.replace("-", "_")) not in used] == []


def test_every_record_is_on_a_topic_or_part_of_one_that_is_exported() -> None:
    reached: set[type] = set()
    wanted: list[object] = list(records())
    while wanted:
        item = wanted.pop()
        if isinstance(item, type) and issubclass(item, Record) and item not in reached:
            reached.add(item)
            wanted += get_type_hints(item).values()
        wanted += get_args(item)
    for path in (ROOT / "schemas").glob("*.py"):
        importlib.import_module(f"schemas.{path.stem}" if path.stem != "__init__" else "schemas")
    every = {
        item
        for name, module in sys.modules.items()
        if name.startswith("schemas.")
        for _, item in inspect.getmembers(module, inspect.isclass)
        if issubclass(item, Record) and item is not Record
    }
    assert {item.__name__ for item in every - reached} == set()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return canonical(found[0])
