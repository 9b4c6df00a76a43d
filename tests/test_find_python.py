"""The script with which the Makefile chooses an interpreter."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / ".ci/find-python"
INTERPRETER = """#!/bin/sh
case "$2" in
*version_info*) echo {version} ;;
*executable*) echo "{path}" ;;
*) exit {venv} ;;
esac
"""


def python(folder: Path, name: str, version: str, *, venv: bool = True) -> Path:
    """An executable that answers as a Python of that version would."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(INTERPRETER.format(version=version, path=path, venv=0 if venv else 1))
    path.chmod(0o755)
    return path


def run(folder: Path, chosen: str = "") -> tuple[int, str, str]:
    """The script's exit code, output and messages when PATH holds that folder alone."""
    folder.mkdir(exist_ok=True)
    for tool in ("awk", "sh"):
        found = shutil.which(tool)
        assert found is not None
        if not (folder / tool).exists():
            (folder / tool).symlink_to(found)
    environ = {"PATH": str(folder), "PYTHON": chosen}
    done = subprocess.run(["sh", str(SCRIPT)], env=environ, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.strip(), done.stderr


def test_the_newest_that_fits_is_chosen(tmp_path: Path) -> None:
    python(tmp_path / "bin", "python3", "3.13")
    eleven = python(tmp_path / "bin", "python3.11", "3.11")
    assert run(tmp_path / "bin") == (0, str(eleven), "")
    twelve = python(tmp_path / "bin", "python3.12", "3.12")
    assert run(tmp_path / "bin") == (0, str(twelve), "")


def test_a_plain_python3_of_the_right_version_will_do(tmp_path: Path) -> None:
    plain = python(tmp_path / "bin", "python3", "3.12")
    assert run(tmp_path / "bin") == (0, str(plain), "")


def test_a_command_that_cannot_run_is_passed_over(tmp_path: Path) -> None:
    shim = python(tmp_path / "bin", "python3.12", "3.12")
    shim.write_text("#!/bin/sh\necho not installed >&2\nexit 127\n")
    eleven = python(tmp_path / "bin", "python3.11", "3.11")
    assert run(tmp_path / "bin") == (0, str(eleven), "")


def test_other_versions_are_named_with_what_to_install(tmp_path: Path) -> None:
    new = python(tmp_path / "bin", "python3", "3.13")
    old = python(tmp_path / "bin", "python3.10", "3.10")
    code, out, err = run(tmp_path / "bin")
    assert (code, out) == (2, "")
    assert err.startswith("Penstock needs Python 3.11 or 3.12.\nFound:\n")
    assert f"  {new}: Python 3.13\n" in err
    assert f"  {old}: Python 3.10\n" in err
    assert "apt install python3.12 python3.12-venv" in err


def test_a_python_without_venv_is_told_what_it_lacks(tmp_path: Path) -> None:
    bare = python(tmp_path / "bin", "python3.11", "3.11", venv=False)
    code, _, err = run(tmp_path / "bin")
    assert code == 2
    assert f"  {bare}: Python 3.11, but without venv; on Debian and Ubuntu: apt install python3.11-venv\n" in err


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    code, _, err = run(tmp_path / "bin")
    assert code == 2
    assert "No Python was found on the PATH." in err


def test_the_one_that_is_asked_for_is_the_only_one_considered(tmp_path: Path) -> None:
    python(tmp_path / "bin", "python3.12", "3.12")
    own = python(tmp_path / "other", "mine", "3.11")
    assert run(tmp_path / "bin", str(own)) == (0, str(own), "")
    wrong = python(tmp_path / "other", "wrong", "3.13")
    code, _, err = run(tmp_path / "bin", str(wrong))
    assert (code, f"  {wrong}: Python 3.13\n" in err, "python3.12: Python" in err) == (2, True, False)
    assert "nowhere: cannot be run" in run(tmp_path / "bin", "nowhere")[2]
