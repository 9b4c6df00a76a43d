"""What the README and the documentation say, done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Result, candles, penstock, write_csv
from tests.replaying import records, run_json

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def python_block(text: str) -> str:
    """The one block of Python on a page."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert isinstance(block, str)
    return block


def replay(folder: Path, name: str, code: str, use: str) -> Result:
    """Save a strategy and replay it as the pages say."""
    (folder / name).write_text(code, encoding="utf-8")
    write_csv(folder / "BTC_USDT-1m.csv", candles(600))
    words = ("BTC_USDT-1m.csv", "--set", f"strategies.0.use={use}", "--out", "run", "--no-html")
    result = penstock(folder, "replay", *words)
    assert result.code == 0, result.err
    return result


def test_the_strategy_of_the_readme_trades(tmp_path: Path) -> None:
    assert "Saved as `breakout.py`: `penstock replay FILE --set strategies.0.use=breakout:Breakout`" in README
    replay(tmp_path, "breakout.py", python_block(README), "breakout:Breakout")
    signals = records(tmp_path / "run", "signals")
    assert {(signal["strategy"], signal["side"]) for signal in signals} == {("breakout", "long"), ("breakout", "short")}
    assert {fill["leg"] for fill in records(tmp_path / "run", "fills")} >= {"entry", "stop"}
    assert records(tmp_path / "run", "alerts") == []
    # As its docstring says: each signal's candle made the highest high, or the lowest low, of the last 55.
    rows = candles(600)
    for signal in signals:
        at = next(index for index, row in enumerate(rows) if row[0] + 60_000 == signal["ts"])
        last = rows[at - 54 : at + 1]
        if signal["side"] == "long":
            assert rows[at][2] == max(row[2] for row in last)
        else:
            assert rows[at][3] == min(row[3] for row in last)


def test_the_strategy_of_the_readme_is_about_fifteen_lines() -> None:
    lines = [line for line in python_block(README).splitlines() if line.strip()]
    assert len(lines) <= 15


def test_the_strategy_of_the_strategies_page_trades(tmp_path: Path) -> None:
    page = (ROOT / "docs/strategies.md").read_text(encoding="utf-8")
    assert "`penstock replay FILE --set strategies.0.use=dip:Dip`" in page
    replay(tmp_path, "dip.py", python_block(page), "dip:Dip")
    signals = records(tmp_path / "run", "signals")
    assert {signal["side"] for signal in signals} == {"long", "flat"}
    assert all(signal["values"]["rsi"] < 25 for signal in signals if signal["side"] == "long")
    assert records(tmp_path / "run", "fills")
    assert run_json(tmp_path / "run")["configuration"]["config"]["strategies"][0]["params"]["low"] == 25.0


def table(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of the README, without its head."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def commands() -> Iterator[tuple[str, ...]]:
    """The commands of the README's table, each as its words."""
    for cell, *_ in table("Commands"):
        group: tuple[str, ...] = ()
        for code in re.findall(r"`([^`]+)`", cell):
            words = tuple(word for word in code.split() if re.fullmatch(r"[a-z]+", word))
            if words[0] == "penstock":
                group = words[1:-1]
                yield words[1:]
            else:
                yield (*group, *words)


def test_the_table_of_commands_is_understood() -> None:
    assert sorted(commands()) == [
        ("command",),
        ("config", "check"),
        ("config", "show"),
        ("deadletters", "list"),
        ("deadletters", "requeue"),
        ("deadletters", "show"),
        ("doctor",),
        ("download",),
        ("exchanges", "describe"),
        ("exchanges", "list"),
        ("feed",),
        ("publish",),
        ("record",),
        ("replay",),
        ("run",),
        ("schemas", "export"),
        ("simulate",),
        ("strategies", "describe"),
        ("strategies", "list"),
        ("strategies", "new"),
        ("tail",),
        ("topics", "check"),
        ("topics", "create"),
        ("topics", "list"),
        ("trace",),
    ]


def test_every_command_and_option_of_the_readme_exists_and_none_is_left_out(tmp_path: Path) -> None:
    groups = {words[:-1] for words in commands()}
    for group in sorted(groups):
        shown = penstock(tmp_path, *group, "--help")
        assert shown.code == 0, shown.err
        listed = set(re.findall(r"^│ ([a-z]+) ", shown.out.split("Commands")[1], re.MULTILINE))
        named = {words[len(group)] for words in commands() if words[: len(group)] == group}
        assert listed == named, group
    named_options = {
        cell.split()[1]: set(re.findall(r"--[a-z]+", cell)) for cell, *_ in table("Commands") if "--" in cell
    }
    assert set(named_options) == {"download", "replay", "run", "feed", "record", "publish", "tail", "trace"}
    for command, options in named_options.items():
        assert options <= set(re.findall(r"--[a-z]+", penstock(tmp_path, command, "--help").out)), command


def test_the_files_of_a_run_are_those_of_the_readme(tmp_path: Path) -> None:
    cells = [re.findall(r"`([^`]+)`", cell) for cell, *_ in table("What a replay leaves")]
    named = {f"{name}.jsonl" if ".jsonl" in names else name for names in cells for name in names if name != ".jsonl"}
    write_csv(tmp_path / "my-candles-1m.csv", candles(30))
    result = penstock(tmp_path, "replay", "my-candles-1m.csv", "--symbol", "BTC/USDT", "--out", "run")
    assert result.code == 0, result.err
    assert {path.name for path in (tmp_path / "run").iterdir()} == named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    found = [
        target for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")) if "://" not in target
    ]
    places = [(target, page.parent / target.partition("#")[0] if target[0] != "#" else page) for target in found]
    assert [target for target, path in places if not path.exists()] == []
    anchored = [(target.partition("#")[2], path) for target, path in places if "#" in target]
    assert [anchor for anchor, path in anchored if anchor not in anchors(path)] == []


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_the_targets_of_make_that_the_readme_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= named <= targets


def test_the_list_of_dependencies_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = project.split("dependencies = [")[1].split("]")[0]
    needed = {re.split(r"[><=]", line.strip(' ",'))[0] for line in section.splitlines() if line.strip()}
    assert {name.strip() for cell, *_ in table("Dependencies") for name in cell.split(",")} == needed
