"""Hot reload: a saved configuration file becomes commands of the sender ``config``."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cli.command import ask
from cli.errors import UserError
from cli.options import load_checked
from connectors.kafka.connection import Connection
from flows.portfolio.control.tuning import can_change, needs_past
from schemas.config.commands import CONFIG
from schemas.config.exits import OwnExits
from schemas.config.load import DEFAULT_PATH, overridden
from schemas.config.problem import ConfigError
from schemas.config.root import Config
from schemas.config.section import fields_of
from schemas.config.show import scalar

EVERY_S = 0.5
WAIT_S = 30.0
Say = Callable[[str], None]


def differences(old: Config, new: Config) -> tuple[dict[str, str], list[str]]:
    """By key the new value of what can change while it runs, as a command has them all; and the keys that cannot.

    >>> from schemas.config.load import overridden
    >>> differences(Config(), overridden(Config(), ["risk.per_trade_pct=0.25", "broker.fee_pct=0.1"]))
    ({'risk.per_trade_pct': '0.25'}, ['broker.fee_pct'])
    >>> differences(Config(), overridden(Config(), ["strategies.sma_atr.exits.time_candles=9"]))
    ({'strategies.sma_atr.exits.time_candles': '9'}, [])
    """
    before, after = dict(_settings(old)), dict(_settings(new))
    changed = [key for key in after if key not in before or after[key] != before[key]]
    wanted = {key: _text(after[key]) for key in changed if can_change(key)}
    free = {key: value for key, value in wanted.items() if not needs_past(old, key, value)}
    gone = [key for key in before if key not in after]  # exits that a strategy has no more of its own
    return free, [key for key in [*changed, *gone] if key not in free]


def _settings(section: BaseModel, path: str = "") -> Iterator[tuple[str, Any]]:
    for name in fields_of(section):
        value = getattr(section, name)
        if isinstance(section, Config) and name == "strategies":
            yield name, tuple(one.model_copy(update={"exits": OwnExits()}) for one in section.strategies)
            for one in section.strategies:
                yield from _settings(one.exits, f"{name}.{one.label}.exits.")
        elif isinstance(value, BaseModel):
            yield from _settings(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else scalar(value)


class Watch:
    """Looks at the file twice a second. What is invalid changes nothing, and is told why.

    ``config`` is what is in force of the file: at first all of it, then with each setting that the portfolio has taken.
    ``kept`` is called with it whenever that is another one.
    """

    def __init__(
        self, path: Path, sets: list[str] | None, config: Config, say: Say, kept: Callable[[Config], None]
    ) -> None:
        self._path, self._sets, self._config = path, sets, config
        self._say, self._kept = say, kept
        self._seen = self._stamp()

    def start(self) -> None:
        """In a thread of its own, for as long as the process lives."""
        threading.Thread(target=self._watch, name="config", daemon=True).start()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None  # an editor may be about to put it there again
        return found.st_mtime_ns, found.st_size

    def _watch(self) -> None:
        while True:
            time.sleep(EVERY_S)
            stamp = self._stamp()
            if stamp is not None and stamp != self._seen:
                self._seen = stamp
                try:
                    self._reload()
                except ConfigError as error:
                    self._say(
                        f"{self._path} was saved, and nothing changes:\n  " + "\n  ".join(str(error).splitlines())
                    )
                except Exception as error:
                    self._say(f"{self._path} was saved, but could not be told to the portfolio: {error}")

    def _reload(self) -> None:
        new = load_checked(self._path, self._sets).config
        changes, fixed = differences(self._config, new)
        if fixed:
            self._say(f"{self._path}: {', '.join(fixed)}: a restart takes that up (--accept-changes)")
        if changes:
            reply = ask(Connection(self._config.kafka), self._config, CONFIG, "set", changes, WAIT_S)
            if reply is None:
                raise UserError(f"{', '.join(changes)}: no answer within {WAIT_S:g} s")
            if reply["status"] == "done":
                self._config = overridden(self._config, [f"{key}={value}" for key, value in changes.items()])
                self._kept(self._config)
            self._say(f"{self._path}: {reply['status']}: {reply['message']}")
        if not changes and not fixed:
            self._say(f"{self._path} was saved: all of it is in force")


def watched(path: Path | None, config: Config) -> Path | None:
    """The file to watch: None without one, and when ``commands.senders`` does not let ``config`` set anything."""
    allowed = config.commands.senders.get(CONFIG, ())
    found = path or (DEFAULT_PATH if DEFAULT_PATH.is_file() else None)
    return found if "set" in allowed or "*" in allowed else None
