from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from sinks.vitals.health import STALE_S, Health
from sinks.vitals.server import Server
from sinks.vitals.vitals import Vitals
from tests.deploy.compose import ROOT, compose

FILE = ROOT / "Dockerfile"
TEXT = FILE.read_text(encoding="utf-8")


def linted(file: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("hadolint")
    return subprocess.run([str(tool), "--no-color", str(file)], capture_output=True, text=True, check=False)


def test_the_linter_finds_nothing() -> None:
    done = linted(FILE)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("FROM python:3.11.15-slim-bookworm\n", "FROM python:latest\n", "DL3007"),
        ("WORKDIR /var/lib/penstock", "WORKDIR lib", "DL3000"),
        ('ENTRYPOINT ["penstock"]', "ENTRYPOINT penstock", "DL3025"),
    ],
)
def test_a_mistake_would_be_found(tmp_path: Path, right: str, wrong: str, rule: str) -> None:
    assert right in TEXT
    copy = tmp_path / "Dockerfile"
    copy.write_text(TEXT.replace(right, wrong), encoding="utf-8")
    done = linted(copy)
    assert done.returncode == 1
    assert rule in done.stdout


def test_all_that_is_copied_is_there_and_reaches_the_builder_and_all_rooms_are_copied() -> None:
    sources = [name for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.M) for name in line.split()[:-1]]
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    assert sorted(sources) == sorted(let_through)
    assert [name for name in sources if not (ROOT / name).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert {folder for folder in folders if any(fnmatch(folder, one) for one in packages)} <= set(sources)


def test_it_does_not_run_as_root_and_writes_only_to_what_is_its_own() -> None:
    assert re.findall(r"^USER (.+)$", TEXT, re.M) == ["10001:10001"]
    made = re.search(r"install -d -o 10001 -g 10001 (.+)$", TEXT, re.M)
    assert made is not None
    services = compose()["services"]
    volumes = {text.split(":")[1] for name in ("flow", "live") for text in services[name]["volumes"]}
    assert set(made[1].split()) == volumes
    assert "XDG_CACHE_HOME=/var/cache/penstock" in TEXT


def health_check(port: int) -> int:
    """The exit code of the image's health check, asking another port."""
    found = re.search(r"HEALTHCHECK .*\\\n\s+CMD (\[.+\])$", TEXT, re.M)
    assert found is not None
    words: list[str] = json.loads(found[1])
    assert words[0] == "python"
    assert ":9464/" in words[-1]
    words = [sys.executable, *words[1:-1], words[-1].replace(":9464/", f":{port}/")]
    return subprocess.run(words, capture_output=True, timeout=30, check=False).returncode


def test_the_health_check_tells_a_process_that_is_alive_from_one_that_hangs_and_one_that_is_gone() -> None:
    now = 0.0
    health = Health(lambda: now)
    with Server(Vitals("1.0"), health) as server:
        port = int(server.url.rpartition(":")[2])
        health.beat()
        assert health_check(port) == 0
        now = STALE_S + 1
        assert health_check(port) == 1
    assert health_check(port) == 1
