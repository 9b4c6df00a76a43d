"""The state folder is full, damaged, lost, old, or used twice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest

from tests.chaos.market import words
from tests.faults.live import Live

pytestmark = pytest.mark.long

RESTORE = "from a backup, or move it away and make the state anew from the topics with --rebuild"
PART = "recovery/part-0.sqlite3"

# In a name space of its own one may mount without being root. $1 is the size, then comes the command.
ON_A_SMALL_DISK = """
mkdir state && mount -t tmpfs -o size=$1 tmpfs state || exit 99
shift
"$@" & pid=$!
until test -e full; do sleep 0.05; done
head -c 100m /dev/zero > state/filler 2> /dev/null
wait $pid
test $? = 2 && touch ended
rm state/filler
exec "$@"
"""


@pytest.fixture
def small_disk() -> Callable[..., list[str]]:
    """The words that run a command with a small disk at ``state``: see ``kafka_jars`` for where that is not allowed."""
    allowed = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False)
    if allowed.returncode != 0:
        message = "no disk can be mounted here: unshare -Urm is not allowed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return lambda size, *command: ["unshare", "-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh", size, *words(*command)]


def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(live: Live, small_disk: Callable[..., list[str]]) -> None:
    live.feed.publish(300)
    run = live.begin(small_disk("4m", "run"), {})
    live.until_orders(1, run)
    (live.folder / "full").touch()
    live.feed.publish(300)
    run.until_said("penstock: state: no checkpoint can be written (No space left on device): make room on its disk")
    live.finish(run)
    assert (live.folder / "ended").exists()
    assert run.end() == 0


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(100) + path.read_bytes()[100:])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """A bit of a state, of which SQLite has no checksum."""
    with sqlite3.connect(path) as store:
        found = store.execute("SELECT rowid, ser_change FROM snaps WHERE step_id LIKE '%portfolio'")
        for row, state in found.fetchall():
            changed = bytearray(state)
            changed[len(state) // 2] ^= 1
            store.execute("UPDATE snaps SET ser_change = ? WHERE rowid = ?", (bytes(changed), row))
    store.close()


DAMAGE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "cut": (PART, cut, f"{PART} is damaged ("),
    "overwritten": (PART, overwrite, f"{PART} is damaged (file is not a database): restore the folder "),
    "empty": (PART, empty, f"{PART} is damaged ("),
    "gone": (PART, Path.unlink, f"{PART} is missing: restore the folder "),
    "flipped": (PART, flip, "a checkpoint is damaged: restore the state from a backup, or begin anew"),
    "settings": ("made-with.json", cut, "made-with.json is damaged ("),
}


def test_an_older_copy_of_the_state_goes_on(live: Live) -> None:
    live.at_rest(300)
    backup = live.copy_state("backup")
    live.at_rest(300)
    shutil.rmtree(live.state)
    backup.rename(live.state)
    run = live.start()
    live.finish(run)
    assert run.end() == 0


def test_damage_is_told_and_a_lost_state_is_made_anew(live: Live) -> None:
    live.at_rest(300)
    for name, (file, damage, message) in DAMAGE.items():
        damage(live.copy_state(name) / file)
        said = live.start("--state", name).refused()
        assert message in said, name
        assert RESTORE in said or name == "flipped", said
    live.state.rename(live.folder / "lost")
    assert "make it anew from the topics with --rebuild" in live.start().refused()
    run = live.start("--rebuild")
    live.finish(run)
    assert run.end() == 0
    assert "has a state: move it away before --rebuild" in live.start("--rebuild").refused()


def test_of_two_runs_the_older_ends(live: Live) -> None:
    live.feed.publish(300)
    older = live.start()
    live.until_said_all(older)
    assert live.start().refused().startswith("penstock: state: another penstock run is at work here")
    live.copy_state("copy")
    newer = live.start("--state", "copy")
    while older.process.poll() is None and live.feed.left:
        live.feed.publish(5)
        sleep(0.2)
    assert "another process has taken over" in older.refused()
    live.finish(newer)
    assert newer.end() == 0
