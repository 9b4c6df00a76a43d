"""Which column of a file is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.errors import CandleFileError

TIME_NAMES = ("ts", "timestamp", "time", "date")
PRICES = ("open", "high", "low", "close")
FURTHER = ("volume", "bid", "ask")
CANDLE_NAMES = "ts (or timestamp, time, date), open, high, low, close, volume, bid, ask"
TRADE_NAMES = (
    "ts (or timestamp, time, date, transact_time), price, amount (or qty, size, volume), side (or is_buyer_maker), id"
)


def find_columns(names: Sequence[str]) -> dict[str, int]:
    """Positions of ``time``, ``open``, ``high``, ``low``, ``close`` and, where there are any, :data:`FURTHER`.

    Case and surrounding blanks do not matter. Of several time columns the first of :data:`TIME_NAMES` counts.

    >>> find_columns(["Date", "Open", "High", "Low", "Close", "symbol"])
    {'time': 0, 'open': 1, 'high': 2, 'low': 3, 'close': 4}

    Raises CandleFileError, with the columns found, when one is missing or is there twice, or a bid without an ask.
    """
    roles = {"time": TIME_NAMES, **{name: (name,) for name in PRICES}}
    found = find(names, roles, {name: (name,) for name in FURTHER}, CANDLE_NAMES)
    if ("bid" in found) != ("ask" in found):
        one, other = ("bid", "ask") if "bid" in found else ("ask", "bid")
        raise CandleFileError(f"has a column {one} and none for {other}: a quote is both of them")
    return found


def find(
    names: Sequence[str], roles: Mapping[str, Sequence[str]], optional: Mapping[str, Sequence[str]], wanted: str
) -> dict[str, int]:
    """Positions by role, each of which may have several names; the first of them that is there counts.

    Raises CandleFileError, with the columns found and the ``wanted``, when one is missing or is there twice.
    """
    chosen = {role: named_as(names, choices) for role, choices in {**roles, **optional}.items()}
    missing = [role for role in roles if chosen[role] is None]
    if missing:
        lacks = [role if len(roles[role]) == 1 else f"{role} ({', '.join(roles[role])})" for role in missing]
        shown = ", ".join(name[:40] for name in names[:20]) or "none"
        if sum(map(_is_number, names)) > 1:
            raise CandleFileError(
                f"has values in its first line, not the names of its columns ({shown}): write a line with the names "
                f"above it, of candles {CANDLE_NAMES}; of trades {TRADE_NAMES}"
            )
        raise CandleFileError(
            f"has no column for {', '.join(lacks)}; columns found: {shown}. Name them, in the first line of a CSV, "
            f"as: {wanted}"
        )
    plain = _plain(names)
    found = {}
    for role, name in chosen.items():
        if name is None:
            continue
        if plain.count(name) > 1:
            raise CandleFileError(f"has {plain.count(name)} columns named {name}: keep one of them")
        found[role] = plain.index(name)
    return found


def named_as(names: Sequence[str], choices: Sequence[str]) -> str | None:
    """The first of some names that a column has."""
    plain = _plain(names)
    return next((name for name in choices if name in plain), None)


def _is_number(name: str) -> bool:
    return name.strip().replace(".", "", 1).isdigit()


def _plain(names: Sequence[str]) -> list[str]:
    return [name.strip().lower() for name in names]
